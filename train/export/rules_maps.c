/* Resizing, bordering, dealing and smoothing of maps. */
#include "train/export/onnx_graph.h"

#include "core/base/memory.h"
#include "core/ops/gaussian_filter/gaussian_filter.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/pad_replicate/pad_replicate.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

#include <math.h>
#include <stdlib.h>

/* The least float that gives `out` cells where a runtime rounds size * scale down, in float or in double: 5 * 1.4f is
 * less than 7. */
static float scale_to(int size, int out) {
    float scale = (float)out / (float)size;
    while (floorf((float)size * scale) < (float)out || floor((double)size * (double)scale) < out)
        scale = nextafterf(scale, INFINITY);
    return scale;
}

/* By scales, which every runtime knows before it knows N. */
static const char *resize(EadOnnxGraph *g, const char *x, const int from[2], const int to[2],
                          const char *coordinates) {
    float scales[] = {1, 1, scale_to(from[0], to[0]), scale_to(from[1], to[1])};
    if (from[0] == to[0] && from[1] == to[1]) return x;
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Resize",
                         .inputs = {x, "", ead_onnx_floats(g, "scales", 1, (int64_t[]){4}, scales)},
                         .attributes = {EAD_WITH_TEXT("mode", "linear"),
                                        EAD_WITH_TEXT("coordinate_transformation_mode", coordinates)}});
}

const char *ead_onnx_resize(EadOnnxGraph *g, const char *x, int height, int width, int out_height,
                            int out_width) {
    return resize(g, x, (const int[]){height, width}, (const int[]){out_height, out_width}, "half_pixel");
}

const char *ead_onnx_resize_bilinear(EadOnnxGraph *g, const EadNode *node) {
    const EadTensor *x = &node->x[0]->y, *y = &node->y;
    bool corners = ((const EadResizeBilinear *)(const void *)node->attributes)->corners;
    return resize(g, ead_onnx_input(g, node, 0), (const int[]){x->h, x->w}, (const int[]){y->h, y->w},
                  corners ? "align_corners" : "half_pixel");
}

const char *ead_onnx_fill_cells(EadOnnxGraph *g, const EadNode *node) {
    const EadTensor *mask = &node->x[1]->y;
    float value = (float)*(const double *)(const void *)node->attributes;
    int64_t cells = ead_count(mask), shape[] = {1, 1, mask->h, mask->w};
    float *values = ead_new(2 * cells, sizeof *values, "an ONNX file");
    if (!values) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int64_t i = 0; i < cells; i++) {
        values[i] = ((const real *)mask->data)[i] > 0;
        values[cells + i] = values[i] > 0 ? 0 : value;
    }
    const char *inside = ead_onnx_floats(g, "inside", 4, shape, values);
    const char *outside = ead_onnx_floats(g, "outside", 4, shape, values + cells);
    free(values);
    return ead_onnx_pair(g, "Add", ead_onnx_pair(g, "Mul", ead_onnx_input(g, node, 0), inside), outside);
}

const char *ead_onnx_pad(EadOnnxGraph *g, const char *x, int cells, const char *mode) {
    int64_t pads[] = {0, 0, cells, cells, 0, 0, cells, cells};
    return ead_onnx_emit(g, (EadOnnxNode){.op = "Pad",
                                          .inputs = {x, ead_onnx_indices(g, 8, pads)},
                                          .attributes = {EAD_WITH_TEXT("mode", mode)}});
}

const char *ead_onnx_pad_border(EadOnnxGraph *g, const EadNode *node) {
    const EadPadBorder *a = (const void *)node->attributes;
    return ead_onnx_pad(g, ead_onnx_input(g, node, 0), a->cells, "constant");
}

const char *ead_onnx_pad_replicate(EadOnnxGraph *g, const EadNode *node) {
    const EadPadReplicate *a = (const void *)node->attributes;
    return ead_onnx_pad(g, ead_onnx_input(g, node, 0), a->cells, "edge");
}

const char *ead_onnx_global_avg_pool(EadOnnxGraph *g, const EadNode *node) {
    return EAD_ONNX_MEAN(g, ead_onnx_input(g, node, 0), 2, 3);
}

/* ---- four pictures of one, and back; the number of pictures is the one that is not written down ---- */

/* x [N,C,h,2,w,2] -> [2,2,N,C,h,w] -> [4N,C,h,w]. */
const char *ead_onnx_space_to_batch(EadOnnxGraph *g, const EadNode *node) {
    int64_t c = node->y.c, h = node->y.h, w = node->y.w;
    const char *x = ead_onnx_input(g, node, 0);
    if (node->x[0]->y.h % 2 || node->x[0]->y.w % 2)
        x = ead_onnx_emit(g, (EadOnnxNode){.op = "Slice",
                                           .inputs = {x, ead_onnx_indices(g, 2, (int64_t[]){0, 0}),
                                                      ead_onnx_indices(g, 2, (int64_t[]){2 * h, 2 * w}),
                                                      ead_onnx_indices(g, 2, (int64_t[]){2, 3})}});
    x = ead_onnx_reshape(g, x, 6, (int64_t[]){-1, c, h, 2, w, 2});
    x = ead_onnx_emit(g, (EadOnnxNode){.op = "Transpose",
                                       .inputs = {x},
                                       .attributes = {EAD_WITH_INTS("perm", 3, 5, 0, 1, 2, 4)}});
    return ead_onnx_reshape(g, x, 4, (int64_t[]){-1, c, h, w});
}

/* x [2,2,N,C,h,w] -> [N,C,h,2,w,2] -> [N,C,2h,2w]. */
const char *ead_onnx_batch_to_space(EadOnnxGraph *g, const EadNode *node) {
    int64_t c = node->y.c, h = node->x[0]->y.h, w = node->x[0]->y.w;
    const char *x = ead_onnx_reshape(g, ead_onnx_input(g, node, 0), 6, (int64_t[]){2, 2, -1, c, h, w});
    x = ead_onnx_emit(g, (EadOnnxNode){.op = "Transpose",
                                       .inputs = {x},
                                       .attributes = {EAD_WITH_INTS("perm", 2, 3, 4, 0, 5, 1)}});
    return ead_onnx_reshape(g, x, 4, (int64_t[]){-1, c, 2 * h, 2 * w});
}

/* ---- the Gaussian ---- */

/* Where a cell outside lies in the mirror, the edge repeated. */
static int mirrored(int i, int size) {
    int period = 2 * size, at = ((i % period) + period) % period;
    return at < size ? at : period - 1 - at;
}

/* The filter of one direction as a matrix [size][size], which holds the mirror, too: ONNX knows none that repeats the edge.
 * Of the left factor row o gives output o, of the right one column o. */
static const char *filter_matrix(EadOnnxGraph *g, double sigma, int size, bool left) {
    EadGaussianTaps taps = ead_gaussian_taps(sigma);
    float *matrix = ead_new((int64_t)size * size, sizeof *matrix, "an ONNX file");
    if (!matrix) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int o = 0; o < size; o++)
        for (int k = -taps.radius; k <= taps.radius; k++) {
            int i = mirrored(o + k, size);
            matrix[left ? (int64_t)o * size + i : (int64_t)i * size + o] += (float)taps.taps[abs(k)];
        }
    const char *name = ead_onnx_floats(g, "gaussian", 2, (int64_t[]){size, size}, matrix);
    free(matrix);
    return name;
}

const char *ead_onnx_gaussian_filter(EadOnnxGraph *g, const EadNode *node) {
    const EadGaussianFilter *a = (const void *)node->attributes;
    const char *x = ead_onnx_input(g, node, 0);
    if (ead_gaussian_taps(a->sigma).radius == 0) return x;
    x = ead_onnx_pair(g, "MatMul", x, filter_matrix(g, a->sigma, node->y.w, false));
    return ead_onnx_pair(g, "MatMul", filter_matrix(g, a->sigma, node->y.h, true), x);
}
