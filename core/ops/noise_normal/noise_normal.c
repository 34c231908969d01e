/* Normal noise: shape, gradient, kernel for the CPU. */
#include "core/ops/noise_normal/noise_normal.h"

#include "core/base/philox.h"
#include "core/graph/op.h"

#include <tgmath.h>

EadNode *ead_noise_normal(EadGraph *graph, EadNode *x, EadNode *step, double deviation, uint64_t seed) {
    EadNoiseNormal attributes = {deviation, seed};
    return ead_graph_add(graph, EAD_OP_noise_normal, 2, (EadNode *[]){x, step}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadNoiseNormal *a = (const void *)node->attributes;
    if (!(a->deviation >= 0 && isfinite(a->deviation)))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: deviation %g is below 0 or not finite", node->name,
                        a->deviation);
    return ead_shape_of_step_words(node, y);
}

/* The noise does not depend on x. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    (void)graph, (void)node;
    dx[0] = dy;
}

const EadOp ead_op_noise_normal = {
    .name = "noise_normal", .shape = shape, .gradient = gradient, .in_place = 1};

/* Two words -> two normal numbers; the first uniform number is in (0,1]. */
static void normal_pair(const uint32_t words[2], real out[2]) {
    real radius = sqrt(-2 * log((real)ead_uniform(words[0]) + (real)0x1p-24));
    real angle = (real)6.283185307179586 * (real)ead_uniform(words[1]);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

static void noise_normal(const EadCall *call) {
    const EadNoiseNormal *a = call->attributes;
    const real *x = call->x[0]->data;
    real *y = call->y->data, deviation = (real)a->deviation;
    int64_t count = ead_count(call->y), step = *(const int64_t *)call->x[1]->data;
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < (count + 3) / 4; block++) {
        uint32_t words[4];
        real normal[4];
        ead_philox(a->seed, EAD_STREAM_NOISE, ead_step_block(step, 4 * block), words);
        normal_pair(words, normal);
        normal_pair(words + 2, normal + 2);
        for (int64_t i = 4 * block; i < count && i < 4 * block + 4; i++)
            y[i] = x[i] + deviation * normal[i % 4];
    }
}

const EadKernel ead_noise_normal_cpu = {.run = noise_normal};
