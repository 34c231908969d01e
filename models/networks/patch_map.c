/* Resizing, smoothing and a maximum. */
#include "models/networks/patch_map.h"

#include "core/ops/gaussian_filter/gaussian_filter.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

EadNode *ead_map_maximum(EadGraph *graph, EadNode *map) {
    enum { TILE = 64 }; /* so that several threads of a GPU look at a large map */
    int side = map->y.h > map->y.w ? map->y.h : map->y.w, kernel = side > TILE ? TILE : side;
    map = ead_max_pool2d(graph, map, (EadMaxPool2d){.kernel = kernel, .stride = kernel, .ceil_mode = true});
    return side > TILE ? ead_map_maximum(graph, map) : map;
}

void ead_patch_map(EadGraph *graph, const EadRegion *region, EadNode *patches, int height, int width,
                   double sigma, EadNode **map, EadNode **score) {
    EadNode *resized = ead_resize_bilinear(graph, patches, height, width);
    *map = ead_keep(ead_gaussian_filter(graph, resized, sigma));
    *score = ead_keep(ead_map_maximum(graph, ead_outside_filled(graph, region, patches, 0, EAD_LOWEST)));
}
