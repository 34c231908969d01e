/* Mean above a threshold on the CPU: bound by memory bandwidth. */
#include "core/graph/op.h"
#include "core/ops/reduction.h"

/* Sum and number of the selected elements of a chunk. */
typedef struct Partial {
    double sum;
    int64_t count;
} Partial;

/* Lanes as in ead_sum; a comparison selects without a branch. */
static Partial select_chunk(const real *x, int64_t size, real threshold) {
    double sums[EAD_SUM_LANES] = {0};
    Partial partial = {0, 0};
    int64_t i = 0;
    for (; i + EAD_SUM_LANES <= size; i += EAD_SUM_LANES)
        for (int k = 0; k < EAD_SUM_LANES; k++) {
            sums[k] += x[i + k] >= threshold ? (double)x[i + k] : 0;
            partial.count += x[i + k] >= threshold;
        }
    for (int k = 0; i < size; i++, k++) {
        sums[k] += x[i] >= threshold ? (double)x[i] : 0;
        partial.count += x[i] >= threshold;
    }
    for (int k = 0; k < EAD_SUM_LANES; k++) partial.sum += sums[k];
    return partial;
}

static Partial select_all(const EadCall *call) {
    const real *x = call->x[0]->data, threshold = *(const real *)call->x[1]->data;
    Partial *partials = call->workspace, total = {0, 0};
    int64_t count = ead_count(call->x[0]), chunks = ead_chunk_count(count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < chunks; i++)
        partials[i] = select_chunk(x + i * EAD_CHUNK_ELEMENTS, ead_chunk_size(count, i), threshold);
    for (int64_t i = 0; i < chunks; i++) {
        total.sum += partials[i].sum;
        total.count += partials[i].count;
    }
    return total;
}

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)ead_chunk_count(ead_count(call->x[0])) * sizeof(Partial);
}

static void masked_mean(const EadCall *call) {
    Partial total = select_all(call);
    *(real *)call->y->data = (real)(total.sum / (double)total.count);
}

static void masked_mean_gradient(const EadCall *call) {
    const real *x = call->x[0]->data, threshold = *(const real *)call->x[1]->data;
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
    real share = *(const real *)call->x[2]->data / (real)select_all(call).count;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = x[i] >= threshold ? share : 0;
}

const EadKernel ead_masked_mean_cpu = {.run = masked_mean, .plan = plan};
const EadKernel ead_masked_mean_gradient_cpu = {.run = masked_mean_gradient, .plan = plan};
