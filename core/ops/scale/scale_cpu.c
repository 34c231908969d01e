/* Scaling on the CPU. */
#include "core/graph/op.h"

static void scale(const EadCall *call) {
    const real *x = call->x[0]->data, factor = (real) * (const double *)call->attributes;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = factor * x[i];
}

const EadKernel ead_scale_cpu = {.run = scale};
