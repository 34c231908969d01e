/* Adam, an update in place, and its kernel for the CPU: one pass over four arrays, bound by memory
 * bandwidth. */
#include "core/ops/adam/adam.h"

#include "core/graph/op.h"

#include <tgmath.h>

EadNode *ead_adam(EadGraph *graph, EadNode *parameters, EadNode *gradients, EadNode *first, EadNode *second,
                  EadNode *step, EadNode *rate, EadAdam attributes) {
    return ead_graph_add(graph, EAD_OP_adam, 6,
                         (EadNode *[]){parameters, gradients, first, second, step, rate}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    for (int i = 1; i < 4; i++)
        if (!ead_same_shape(&node->x[i]->y, y))
            return ead_fail(EAD_BAD_SHAPE, "adam: parameters, gradients and moments must have one size");
    if (node->x[4]->y.type != EAD_I64 || ead_count(&node->x[5]->y) != 1)
        return ead_fail(EAD_BAD_SHAPE, "adam: the step must be a counter and the rate a scalar");
    return EAD_OK;
}

const EadOp ead_op_adam = {.name = "adam", .shape = shape, .alias = ead_alias_first, .has_effects = 1};

static void adam(const EadCall *call) {
    const EadAdam *a = call->attributes;
    real *p = call->x[0]->data, *m = call->x[2]->data, *v = call->x[3]->data;
    const real *g = call->x[1]->data;
    int64_t done = *(const int64_t *)call->x[4]->data - a->joins;
    if (done < 0) return;
    double t = (double)(done + 1), rate = (double)*(const real *)call->x[5]->data;
    real step_size = (real)(rate / (1 - pow(a->beta1, t)));
    real root_correction = (real)sqrt(1 - pow(a->beta2, t));
    real beta1 = (real)a->beta1, rest1 = (real)(1 - a->beta1), beta2 = (real)a->beta2,
         rest2 = (real)(1 - a->beta2);
    real decay = (real)(a->decoupled ? 0 : a->weight_decay),
         kept = (real)(a->decoupled ? 1 - rate * a->weight_decay : 1), epsilon = (real)a->epsilon;
    int64_t count = ead_count(call->y);
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real gradient = g[i] + decay * p[i];
        m[i] = beta1 * m[i] + rest1 * gradient;
        v[i] = beta2 * v[i] + rest2 * gradient * gradient;
        p[i] = kept * p[i] - step_size * m[i] / ((real)sqrt(v[i]) / root_correction + epsilon);
    }
}

const EadKernel ead_adam_cpu = {.run = adam};
