/* Channels scaled image by image: shape, kernel for the CPU. */
#include "core/ops/image_scale/image_scale.h"

#include "core/graph/op.h"

EadNode *ead_image_scale(EadGraph *graph, EadNode *x, EadNode *scale) {
    return ead_graph_add(graph, EAD_OP_image_scale, 2, (EadNode *[]){x, scale}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *scale = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (scale->type == EAD_REAL && scale->n == y->n && scale->h == 1 && scale->w == 1 && scale->c == y->c)
        return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "%s: '%s' is [%d,%d,%d,%d] but must be [%d,1,1,%d]", node->name,
                    node->x[1]->name, scale->n, scale->h, scale->w, scale->c, y->n, y->c);
}

const EadOp ead_op_image_scale = {.name = "image_scale", .shape = shape, .in_place = 1};

static void image_scale(const EadCall *call) {
    int channels = call->y->c;
    int64_t area = (int64_t)call->y->h * call->y->w;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < call->y->n * area; p++) {
        const real *x = (const real *)call->x[0]->data + p * channels;
        const real *scale = (const real *)call->x[1]->data + p / area * channels;
        real *y = (real *)call->y->data + p * channels;
        for (int c = 0; c < channels; c++) y[c] = x[c] * scale[c];
    }
}

const EadKernel ead_image_scale_cpu = {.run = image_scale};
