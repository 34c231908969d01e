/* Adam on the CPU: one pass over four arrays, bound by memory bandwidth. */
#include "core/graph/op.h"
#include "core/ops/adam/adam.h"

#include <tgmath.h>

static void adam(const EadCall *call) {
    const EadAdam *a = call->attributes;
    real *p = call->x[0]->data, *m = call->x[2]->data, *v = call->x[3]->data;
    const real *g = call->x[1]->data;
    double t = (double)(*(const int64_t *)call->x[4]->data + 1),
           rate = (double)*(const real *)call->x[5]->data;
    real step_size = (real)(rate / (1 - pow(a->beta1, t)));
    real root_correction = (real)sqrt(1 - pow(a->beta2, t));
    real beta1 = (real)a->beta1, rest1 = (real)(1 - a->beta1), beta2 = (real)a->beta2,
         rest2 = (real)(1 - a->beta2);
    real decay = (real)a->weight_decay, epsilon = (real)a->epsilon;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real gradient = g[i] + decay * p[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        p[i] -= step_size * m[i] / ((real)sqrt(v[i]) / root_correction + epsilon);
    }
}

const EadKernel ead_adam_cpu = {.run = adam};
