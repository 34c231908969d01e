/* Resizing, smoothing and a maximum. */
#include "models/networks/patch_map.h"

#include "core/ops/gaussian_filter/gaussian_filter.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

void ead_patch_map(EadGraph *graph, EadNode *patches, int height, int width, double sigma, EadNode **map,
                   EadNode **score) {
    int side = patches->y.h > patches->y.w ? patches->y.h : patches->y.w;
    EadMaxPool2d whole = {.kernel = side, .stride = side, .ceil_mode = true};
    EadNode *resized = ead_resize_bilinear(graph, patches, height, width);
    *map = ead_keep(ead_gaussian_filter(graph, resized, sigma));
    *score = ead_keep(ead_max_pool2d(graph, patches, whole));
}
