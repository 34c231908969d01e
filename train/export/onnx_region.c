/* Choices by a mask are products with 0 and 1, which all runtimes have: x where it is 1, to the bit. */
#include "train/export/onnx_region.h"

#include "core/base/memory.h"
#include "models/networks/inspected.h"

#include <stdlib.h>

/* A constant [1,channels,H,W]: `inside` where the mask is set, fill[channel] elsewhere. */
static const char *plane(EadOnnxGraph *g, const EadRegion *region, const char *label, int channels,
                         double inside, const double *fill) {
    int64_t height = region->mask_height, width = region->mask_width, cells = height * width;
    float *values = ead_new(channels * cells, sizeof *values, "an ONNX file");
    if (!values) {
        ead_onnx_fail(g, EAD_NO_MEMORY);
        return "";
    }
    for (int64_t i = 0; i < channels * cells; i++)
        values[i] = (float)(region->mask[i % cells] ? inside : fill[i / cells]);
    const char *name = ead_onnx_floats(g, label, 4, (int64_t[]){1, channels, height, width}, values);
    free(values);
    return name;
}

/* What is outside becomes 0. */
static const char *only_inside(EadOnnxGraph *g, const EadRegion *region, const char *x) {
    return ead_onnx_pair(g, "Mul", x, plane(g, region, "inside", 1, 1, (double[]){0}));
}

static const char *outside(EadOnnxGraph *g, const EadRegion *region, int channels, const double *fill) {
    return plane(g, region, "outside", channels, 0, fill);
}

static const char *negated(EadOnnxGraph *g, const char *x) {
    return ead_onnx_pair(g, "Mul", x, ead_onnx_number(g, -1));
}

const char *ead_onnx_cut_box(EadOnnxGraph *g, const EadRegion *region, const char *image) {
    const int64_t begin[] = {region->y, region->x}, axes[] = {2, 3};
    const int64_t end[] = {region->y + region->height, region->x + region->width};
    if (!region->width) return image;
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = "Slice",
                         .inputs = {image, ead_onnx_indices(g, 2, begin), ead_onnx_indices(g, 2, end),
                                    ead_onnx_indices(g, 2, axes)}});
}

const char *ead_onnx_blank_outside(EadOnnxGraph *g, const EadModel *model, const char *image, double white) {
    double fill[3];
    if (!model->region.mask) return image;
    for (int c = 0; c < 3; c++) fill[c] = ead_region_blank[c] * white / 255;
    image = only_inside(g, &model->region, image);
    return ead_onnx_pair(g, "Add", image, outside(g, &model->region, 3, fill));
}

/* -max(-x) */
static const char *least_of(EadOnnxGraph *g, const char *x) {
    return negated(g, ead_onnx_of(g, "GlobalMaxPool", negated(g, x)));
}

const char *ead_onnx_fill_outside(EadOnnxGraph *g, const EadModel *model, const char *map) {
    const EadRegion *region = &model->region;
    if (!region->mask) return map;
    map = only_inside(g, region, map);
    const char *least =
        least_of(g, ead_onnx_pair(g, "Add", map, outside(g, region, 1, (double[]){-EAD_LOWEST})));
    return ead_onnx_pair(g, "Add", map, ead_onnx_pair(g, "Mul", least, outside(g, region, 1, (double[]){1})));
}

const char *ead_onnx_around_box(EadOnnxGraph *g, const EadRegion *region, const char *map, int height,
                                int width) {
    const int64_t pads[] = {0,
                            0,
                            region->y,
                            region->x,
                            0,
                            0,
                            height - region->y - region->height,
                            width - region->x - region->width};
    if (!region->width) return map;
    const char *least = least_of(g, map);
    map = ead_onnx_pair(g, "Add", map, negated(g, least));
    map = ead_onnx_emit(g, (EadOnnxNode){.op = "Pad",
                                         .inputs = {map, ead_onnx_indices(g, 8, pads)},
                                         .attributes = {EAD_WITH_TEXT("mode", "constant")}});
    return ead_onnx_pair(g, "Add", map, least);
}
