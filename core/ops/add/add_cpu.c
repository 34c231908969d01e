/* Elementwise sum on the CPU. */
#include "core/graph/op.h"

static void add(const EadCall *call) {
    const real *a = call->x[0]->data, *b = call->x[1]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

const EadKernel ead_add_cpu = {.run = add};
