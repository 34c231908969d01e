/* Convolutions and pooling. Windows that hang over a border get their zeros, or what never wins, by explicit padding, so
 * that no runtime's idea of a ceiling or of "same" counts. */
#include "train/export/onnx_graph.h"

#include "core/base/memory.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/ops/grouped_conv2d/grouped_conv2d.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/patch_pool/patch_pool.h"

#include <stdlib.h>

/* A window's way over an image. */
typedef struct Windows {
    int height, width, stride;
    int top, left, bottom, right; /* padding */
    int groups;
} Windows;

static const char *convolve(EadOnnxGraph *g, const char *x, const char *weight, const char *bias, Windows w) {
    return ead_onnx_emit(g,
                         (EadOnnxNode){.op = "Conv",
                                       .inputs = {x, weight, bias},
                                       .attributes = {EAD_WITH_INTS("kernel_shape", w.height, w.width),
                                                      EAD_WITH_INTS("strides", w.stride, w.stride),
                                                      EAD_WITH_INTS("pads", w.top, w.left, w.bottom, w.right),
                                                      EAD_WITH_INT("group", w.groups)}});
}

static const char *bias_of(EadOnnxGraph *g, const EadNode *node) {
    return node->x[2] ? ead_onnx_leaf(g, node->x[2], 1, (int64_t[]){node->x[2]->y.c}) : NULL;
}

static const char *convolve_node(EadOnnxGraph *g, const EadNode *node, const EadConv2d *a) {
    const EadTensor *kernel = &node->x[1]->y;
    int padding = a->padding;
    Windows w = {kernel->h, kernel->w, a->stride, padding, padding, padding, padding, 1};
    const char *y = convolve(g, ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1), bias_of(g, node), w);
    return a->relu ? ead_onnx_of(g, "Relu", y) : y;
}

/* The zeros of the border count, and are a node of their own: OpenCV 4 reads no count_include_pad, and divides by the cells
 * inside. */
static const char *average(EadOnnxGraph *g, const char *x, int kernel, int stride, int padding) {
    return ead_onnx_emit(g, (EadOnnxNode){.op = "AveragePool",
                                          .inputs = {padding ? ead_onnx_pad(g, x, padding, "constant") : x},
                                          .attributes = {EAD_WITH_INTS("kernel_shape", kernel, kernel),
                                                         EAD_WITH_INTS("strides", stride, stride)}});
}

const char *ead_onnx_conv2d(EadOnnxGraph *g, const EadNode *node) {
    return convolve_node(g, node, (const void *)node->attributes);
}

const char *ead_onnx_conv2d_pool(EadOnnxGraph *g, const EadNode *node) {
    const EadConv2dPool *a = (const void *)node->attributes;
    return average(g, convolve_node(g, node, &a->conv), 2, 2, a->padding);
}

const char *ead_onnx_avg_pool2d(EadOnnxGraph *g, const EadNode *node) {
    const EadAvgPool2d *a = (const void *)node->attributes;
    return average(g, ead_onnx_input(g, node, 0), a->kernel, a->stride, a->padding);
}

/* Padding behind an input so that the last of `out` windows ends with it; it is at least `least`. */
static int padding_behind(int out, int stride, int kernel, int size, int before, int least) {
    int behind = (out - 1) * stride + kernel - size - before;
    return behind > least ? behind : least;
}

const char *ead_onnx_grouped_conv2d(EadOnnxGraph *g, const EadNode *node) {
    const EadGroupedConv2d *a = (const void *)node->attributes;
    const EadTensor *x = &node->x[0]->y, *y = &node->y, *kernel = &node->x[1]->y;
    Windows w = {kernel->h, kernel->w, a->stride, .groups = a->groups};
    w.top = ead_padding_before(a, x->h, y->h, kernel->h);
    w.left = ead_padding_before(a, x->w, y->w, kernel->w);
    int least = a->padding >= 0 ? a->padding : 0;
    w.bottom = padding_behind(y->h, a->stride, kernel->h, x->h, w.top, least);
    w.right = padding_behind(y->w, a->stride, kernel->w, x->w, w.left, least);
    const char *out =
        convolve(g, ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1), bias_of(g, node), w);
    if (a->activation == EAD_ACTIVATION_RELU) return ead_onnx_of(g, "Relu", out);
    return a->activation == EAD_ACTIVATION_RELU6 ? ead_onnx_clip6(g, out) : out;
}

/* The input gradient of a convolution, forward; PyTorch and ONNX store its weights as ours are in files. */
const char *ead_onnx_conv2d_input_gradient(EadOnnxGraph *g, const EadNode *node) {
    const EadConv2dGradient *a = (const void *)node->attributes;
    const EadTensor *kernel = &node->x[1]->y;
    return ead_onnx_emit(g, (EadOnnxNode){.op = "ConvTranspose",
                                          .inputs = {ead_onnx_input(g, node, 0), ead_onnx_input(g, node, 1)},
                                          .attributes = {EAD_WITH_INTS("kernel_shape", kernel->h, kernel->w),
                                                         EAD_WITH_INTS("strides", a->stride, a->stride),
                                                         EAD_WITH_INTS("pads", a->padding, a->padding,
                                                                       a->padding, a->padding)}});
}

/* One window over everything is the maximum of a channel, which every runtime has in any size. */
const char *ead_onnx_max_pool2d(EadOnnxGraph *g, const EadNode *node) {
    const EadMaxPool2d *a = (const void *)node->attributes;
    const EadTensor *x = &node->x[0]->y, *y = &node->y;
    int p = a->padding, kernel = a->kernel;
    if (y->h == 1 && y->w == 1 && kernel - p >= x->h && kernel - p >= x->w)
        return ead_onnx_of(g, "GlobalMaxPool", ead_onnx_input(g, node, 0));
    int bottom = padding_behind(y->h, a->stride, kernel, x->h, p, 0),
        right = padding_behind(y->w, a->stride, kernel, x->w, p, 0);
    return ead_onnx_emit(g, (EadOnnxNode){.op = "MaxPool",
                                          .inputs = {ead_onnx_input(g, node, 0)},
                                          .attributes = {EAD_WITH_INTS("kernel_shape", kernel, kernel),
                                                         EAD_WITH_INTS("strides", a->stride, a->stride),
                                                         EAD_WITH_INTS("pads", p, p, bottom, right)}});
}

/* ---- adaptive pooling of patches ---- */

static int64_t greatest_divisor(int64_t a, int64_t b) {
    return b ? greatest_divisor(b, a % b) : a;
}

/* weights [outputs][inputs of a group][kernel²]: output o of a group is the mean of the numbers from
 * floor(o length / outputs) on. */
static void fill_windows(float *weights, int64_t outputs, int64_t length) {
    for (int64_t o = 0; o < outputs; o++) {
        int64_t begin = o * length / outputs, end = ((o + 1) * length + outputs - 1) / outputs;
        for (int64_t i = begin; i < end; i++) weights[o * length + i] = 1 / (float)(end - begin);
    }
}

/* A convolution: the flattened numbers of a channel's window are neighbours, as are those of its weights. Windows do not
 * leave groups of as many channels as channels and outputs have in common, and are the same in all of them. */
const char *ead_onnx_patch_pool(EadOnnxGraph *g, const EadNode *node) {
    const EadPatchPool *a = (const void *)node->attributes;
    int kernel = a->kernel, inputs = node->x[0]->y.c, padding = kernel / 2;
    int64_t groups = greatest_divisor(inputs, a->outputs), count = a->outputs / groups,
            length = inputs / groups * kernel * kernel;
    float *weights = ead_new(a->outputs * length, sizeof *weights, "an ONNX file");
    if (!weights) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int64_t group = 0; group < groups; group++)
        fill_windows(weights + group * count * length, count, length);
    const char *weight =
        ead_onnx_numbers(g, 4, (int64_t[]){a->outputs, inputs / groups, kernel, kernel}, weights);
    free(weights);
    Windows w = {kernel, kernel, 1, padding, padding, padding, padding, (int)groups};
    return convolve(g, ead_onnx_input(g, node, 0), weight, NULL, w);
}
