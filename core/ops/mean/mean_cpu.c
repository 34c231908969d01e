/* Mean on the CPU: bound by memory bandwidth. */
#include "core/graph/op.h"
#include "core/ops/reduction.h"

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)ead_chunk_count(ead_count(call->x[0])) * sizeof(double);
}

static void mean(const EadCall *call) {
    const real *x = call->x[0]->data;
    double *partials = call->workspace;
    int64_t count = ead_count(call->x[0]), chunks = ead_chunk_count(count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < chunks; i++)
        partials[i] = ead_sum(x + i * EAD_CHUNK_ELEMENTS, ead_chunk_size(count, i));
    *(real *)call->y->data = (real)(ead_sum_partials(partials, chunks) / (double)count);
}

static void mean_gradient(const EadCall *call) {
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
    real share = *(const real *)call->x[0]->data / (real)count;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = share;
}

const EadKernel ead_mean_cpu = {.run = mean, .plan = plan};
const EadKernel ead_mean_gradient_cpu = {.run = mean_gradient};
