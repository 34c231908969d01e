/* Squared difference on the CPU: bound by memory bandwidth. */
#include "core/ops/squared_difference/squared_difference.h"

#include "core/graph/op.h"

static void squared_difference(const EadCall *call) {
    const real *a = call->x[0]->data, *b = call->x[1] ? call->x[1]->data : NULL;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = b ? (a[i] - b[i]) * (a[i] - b[i]) : a[i] * a[i];
}

static void squared_difference_gradient(const EadCall *call) {
    const EadSquaredDifference *attributes = call->attributes;
    const real *dy = call->x[0]->data, *a = call->x[1]->data, *b = call->x[2] ? call->x[2]->data : NULL;
    real *dx = call->y->data, factor = (real)(2 * attributes->sign);
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = factor * (b ? a[i] - b[i] : a[i]) * dy[i];
}

const EadKernel ead_squared_difference_cpu = {.run = squared_difference};
const EadKernel ead_squared_difference_gradient_cpu = {.run = squared_difference_gradient};
