/* What works on each number, or on each position's channels. */
#include "train/export/onnx_graph.h"

#include "core/ops/coupling/coupling.h"
#include "core/ops/instance_norm/instance_norm.h"
#include "core/ops/layer_norm/layer_norm.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/slice_channels/slice_channels.h"

/* Only tensors of 4 dimensions are joined and cut, along their channels. */
enum { CHANNELS = 1 };

const char *ead_onnx_relu(EadOnnxGraph *g, const EadNode *node) {
    return ead_onnx_of(g, "Relu", ead_onnx_input(g, node, 0));
}

const char *ead_onnx_clip6(EadOnnxGraph *g, const char *x) {
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Clip", .inputs = {x, ead_onnx_number(g, 0), ead_onnx_number(g, 6)}});
}

const char *ead_onnx_relu6(EadOnnxGraph *g, const EadNode *node) {
    return ead_onnx_clip6(g, ead_onnx_input(g, node, 0));
}

const char *ead_onnx_swish(EadOnnxGraph *g, const EadNode *node) {
    const char *x = ead_onnx_input(g, node, 0);
    return ead_onnx_pair(g, "Mul", x, ead_onnx_of(g, "Sigmoid", x));
}

const char *ead_onnx_leaky_relu(EadOnnxGraph *g, const EadNode *node) {
    const EadLeakyRelu *a = (const void *)node->attributes;
    return ead_onnx_emit(g, (EadOnnxNode){.op = "LeakyRelu",
                                          .inputs = {ead_onnx_input(g, node, 0)},
                                          .attributes = {EAD_WITH_FLOAT("alpha", a->slope)}});
}

const char *ead_onnx_add(EadOnnxGraph *g, const EadNode *node) {
    return ead_onnx_pair(g, "Add", ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1));
}

static const char *times(EadOnnxGraph *g, const char *x, double factor) {
    return factor == 1 ? x : ead_onnx_pair(g, "Mul", x, ead_onnx_number(g, factor));
}

const char *ead_onnx_scale(EadOnnxGraph *g, const EadNode *node) {
    return times(g, ead_onnx_input(g, node, 0), *(const double *)(const void *)node->attributes);
}

const char *ead_onnx_image_scale(EadOnnxGraph *g, const EadNode *node) {
    return ead_onnx_pair(g, "Mul", ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1));
}

const char *ead_onnx_channel_affine(EadOnnxGraph *g, const EadNode *node) {
    const char *y = ead_onnx_pair(g, "Mul", ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1));
    return node->x[2] ? ead_onnx_pair(g, "Add", y, ead_onnx_input(g, node, 2)) : y;
}

const char *ead_onnx_pointwise(EadOnnxGraph *g, const EadNode *node) {
    static const char *const ops[] = {[EAD_FUNCTION_EXP] = "Exp",
                                      [EAD_FUNCTION_LOG] = "Log",
                                      [EAD_FUNCTION_SOFTPLUS] = "Softplus",
                                      [EAD_FUNCTION_SIGMOID] = "Sigmoid",
                                      [EAD_FUNCTION_SQRT] = "Sqrt"};
    const EadPointwise *a = (const void *)node->attributes;
    double beta = a->function == EAD_FUNCTION_SOFTPLUS ? a->beta : 1;
    const char *y = ead_onnx_of(g, ops[a->function], times(g, ead_onnx_input(g, node, 0), beta));
    return times(g, y, 1 / beta);
}

const char *ead_onnx_squared_difference(EadOnnxGraph *g, const EadNode *node) {
    const char *d = ead_onnx_input(g, node, 0);
    if (node->x[1]) d = ead_onnx_pair(g, "Sub", d, ead_onnx_input(g, node, 1));
    return ead_onnx_pair(g, "Mul", d, d);
}

const char *ead_onnx_channel_mean(EadOnnxGraph *g, const EadNode *node) {
    return EAD_ONNX_MEAN(g, ead_onnx_input(g, node, 0), CHANNELS);
}

/* A constant [1,H,W,C] as often as x has images. */
static const char *for_each_image(EadOnnxGraph *g, const char *constant, const char *x) {
    const char *images =
        ead_onnx_emit(g, (EadOnnxNode){.op = "Shape",
                                       .inputs = {x},
                                       .attributes = {EAD_WITH_INT("start", 0), EAD_WITH_INT("end", 1)}});
    const char *ones = ead_onnx_indices(g, 3, (int64_t[]){1, 1, 1});
    const char *shape = ead_onnx_emit(
        g, (EadOnnxNode){.op = "Concat", .inputs = {images, ones}, .attributes = {EAD_WITH_INT("axis", 0)}});
    return ead_onnx_emit(g, (EadOnnxNode){.op = "Expand", .inputs = {constant, shape}});
}

const char *ead_onnx_concat_channels(EadOnnxGraph *g, const EadNode *node) {
    EadOnnxNode concat = {.op = "Concat", .attributes = {EAD_WITH_INT("axis", CHANNELS)}};
    const char *of_images = NULL;
    for (int k = 0; k < EAD_MAX_INPUTS && node->x[k]; k++) {
        concat.inputs[k] = ead_onnx_input(g, node, k);
        if (node->x[k]->op != EAD_OP_LEAF) of_images = concat.inputs[k];
    }
    for (int k = 0; of_images && k < EAD_MAX_INPUTS && node->x[k]; k++)
        if (node->x[k]->op == EAD_OP_LEAF) concat.inputs[k] = for_each_image(g, concat.inputs[k], of_images);
    return ead_onnx_emit(g, concat);
}

const char *ead_onnx_slice(EadOnnxGraph *g, const char *x, int64_t begin, int64_t end) {
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Slice",
                         .inputs = {x, ead_onnx_indices(g, 1, &begin), ead_onnx_indices(g, 1, &end),
                                    ead_onnx_indices(g, 1, (int64_t[]){CHANNELS})}});
}

const char *ead_onnx_slice_channels(EadOnnxGraph *g, const EadNode *node) {
    const EadChannelRange *a = (const void *)node->attributes;
    return ead_onnx_slice(g, ead_onnx_input(g, node, 0), a->begin, a->begin + a->count);
}

const char *ead_onnx_permute_channels(EadOnnxGraph *g, const EadNode *node) {
    const EadTensor *order = &node->x[1]->y;
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Gather",
                         .inputs = {ead_onnx_input(g, node, 0), ead_onnx_indices(g, order->c, order->data)},
                         .attributes = {EAD_WITH_INT("axis", CHANNELS)}});
}

/* One step after the other, as it rounds here. */
const char *ead_onnx_normalize_image(EadOnnxGraph *g, const EadNode *node) {
    const EadColorScale *a = (const void *)node->attributes;
    const char *x = ead_onnx_input(g, node, 0);
    float mean[3], std[3];
    for (int c = 0; c < 3; c++) mean[c] = (float)a->mean[c], std[c] = (float)a->std[c];
    if (!g->scaled) x = ead_onnx_pair(g, "Div", x, ead_onnx_number(g, 255));
    x = ead_onnx_pair(g, "Sub", x, ead_onnx_floats(g, "color_mean", 4, (int64_t[]){1, 3, 1, 1}, mean));
    return ead_onnx_pair(g, "Div", x, ead_onnx_floats(g, "color_std", 4, (int64_t[]){1, 3, 1, 1}, std));
}

/* ---- flows ---- */

/* Nothing: instance_norm computes them. */
const char *ead_onnx_instance_statistics(EadOnnxGraph *g, const EadNode *node) {
    (void)g, (void)node;
    return "";
}

const char *ead_onnx_instance_norm(EadOnnxGraph *g, const EadNode *node) {
    const EadInstanceNorm *a = (const void *)node->x[1]->attributes;
    const char *x = ead_onnx_input(g, node, 0), *d = ead_onnx_pair(g, "Sub", x, EAD_ONNX_MEAN(g, x, 2, 3));
    const char *variance = EAD_ONNX_MEAN(g, ead_onnx_pair(g, "Mul", d, d), 2, 3);
    variance = ead_onnx_pair(g, "Add", variance, ead_onnx_number(g, a->epsilon));
    return ead_onnx_pair(g, "Div", d, ead_onnx_of(g, "Sqrt", variance));
}

/* Nothing: layer_norm, which alone reads them, computes them where it needs them. */
const char *ead_onnx_layer_statistics(EadOnnxGraph *g, const EadNode *node) {
    (void)g, (void)node;
    return "";
}

const char *ead_onnx_layer_norm(EadOnnxGraph *g, const EadNode *node) {
    const EadLayerNorm *a = (const void *)node->attributes;
    const char *x = ead_onnx_input(g, node, 0);
    const char *d = ead_onnx_pair(g, "Sub", x, EAD_ONNX_MEAN(g, x, 1, 2, 3));
    const char *variance = EAD_ONNX_MEAN(g, ead_onnx_pair(g, "Mul", d, d), 1, 2, 3);
    const char *deviation =
        ead_onnx_of(g, "Sqrt", ead_onnx_pair(g, "Add", variance, ead_onnx_number(g, a->epsilon)));
    const char *y =
        ead_onnx_pair(g, "Mul", ead_onnx_pair(g, "Div", d, deviation), ead_onnx_input(g, node, 2));
    return ead_onnx_pair(g, "Add", y, ead_onnx_input(g, node, 3));
}

const char *ead_onnx_coupling(EadOnnxGraph *g, const EadNode *node) {
    const EadCoupling *c = (const void *)node->attributes;
    int channels = node->y.c, changed = node->x[1]->y.c / 2, kept = channels - changed;
    const char *x = ead_onnx_input(g, node, 0), *a = ead_onnx_input(g, node, 1);
    const char *f =
        ead_onnx_of(g, c->arctangent ? "Atan" : "Tanh", times(g, ead_onnx_slice(g, a, 0, changed), c->slope));
    const char *shift = times(g, ead_onnx_slice(g, a, changed, 2 * changed), c->gain);
    const char *y = ead_onnx_pair(g, "Mul", ead_onnx_slice(g, x, kept, channels),
                                  ead_onnx_of(g, "Exp", times(g, f, c->limit)));
    y = ead_onnx_pair(g, "Add", y, shift);
    if (kept == 0) return y;
    return ead_onnx_emit(g, (EadOnnxNode){.op = "Concat",
                                          .inputs = {ead_onnx_slice(g, x, 0, kept), y},
                                          .attributes = {EAD_WITH_INT("axis", CHANNELS)}});
}
