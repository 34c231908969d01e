/* ReLU on the CPU: bound by memory bandwidth. */
#include "core/graph/op.h"

static void relu(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays one */
}

static void relu_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data, *y = call->x[1]->data;
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real d = dy[i]; /* loaded in any case, or the loop would not become a vector loop */
        dx[i] = y[i] > 0 ? d : 0;
    }
}

const EadKernel ead_relu_cpu = {.run = relu};
const EadKernel ead_relu_gradient_cpu = {.run = relu_gradient};
