/* Image normalisation: shape, constants, and the kernel for the CPU. There are only 256 values a channel, so
 * they come from a table. */
#include "core/ops/normalize_image/normalize_image.h"

#include "core/graph/op.h"

const EadColorScale ead_imagenet_scale = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};

EadNode *ead_normalize_image(EadGraph *graph, EadNode *x) {
    return ead_normalize_image_by(graph, x, &ead_imagenet_scale);
}

EadNode *ead_normalize_image_by(EadGraph *graph, EadNode *x, const EadColorScale *scale) {
    return ead_graph_add(graph, EAD_OP_normalize_image, 1, (EadNode *[]){x}, scale, sizeof *scale);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y;
    if (x->type != EAD_U8 || x->c != 3)
        return ead_fail(EAD_BAD_SHAPE, "%s: the input must be 8-bit with 3 channels, not %d", node->name,
                        x->c);
    *y = (EadTensor){EAD_REAL, x->n, x->h, x->w, 3, NULL};
    return EAD_OK;
}

const EadOp ead_op_normalize_image = {.name = "normalize_image", .shape = shape};

enum { LEVELS = 256, CHANNELS = 3 };

static void plan(EadCall *call) {
    call->workspace_bytes = LEVELS * CHANNELS * sizeof(real);
}

static void normalize_image(const EadCall *call) {
    const EadColorScale *scale = call->attributes;
    const uint8_t *x = call->x[0]->data;
    real *y = call->y->data, *table = call->workspace;
    int64_t pixels = ead_count(call->y) / CHANNELS;
    for (int u = 0; u < LEVELS; u++)
        for (int c = 0; c < CHANNELS; c++) table[u * CHANNELS + c] = ead_normalized(scale, c, u);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < CHANNELS; c++) y[i * CHANNELS + c] = table[x[i * CHANNELS + c] * CHANNELS + c];
}

const EadKernel ead_normalize_image_cpu = {.run = normalize_image, .plan = plan};
