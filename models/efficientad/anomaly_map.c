/* Builds teacher, student and autoencoder side by side, and the maps from their differences. */
#include "models/efficientad/model.h"

#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"

static EadNode *distance(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_channel_mean(graph, ead_squared_difference(graph, a, b));
}

/* A normalised gray image from one channel. The autoencoder pads its first layer, and so needs all three. */
static EadNode *three_channels(EadGraph *graph, EadNode *gray) {
    enum { CHANNELS = 3 };
    const EadColorScale *scale = &ead_imagenet_scale;
    real *factor = ead_graph_memory(graph, CHANNELS, sizeof *factor, "a gray image");
    real *shift = ead_graph_memory(graph, CHANNELS, sizeof *shift, "a gray image");
    for (int c = 0; factor && shift && c < CHANNELS; c++) {
        factor[c] = (real)(scale->std[EAD_GRAY_CHANNEL] / scale->std[c]);
        shift[c] = (real)((scale->mean[EAD_GRAY_CHANNEL] - scale->mean[c]) / scale->std[c]);
    }
    EadNode *x = ead_concat_channels(graph, CHANNELS, (EadNode *[]){gray, gray, gray});
    return ead_channel_affine(graph, x, ead_leaf(graph, "gray_scale", EAD_REAL, 1, 1, 1, CHANNELS, factor),
                              ead_leaf(graph, "gray_shift", EAD_REAL, 1, 1, 1, CHANNELS, shift));
}

/* The distances of the networks whose maps are wanted. */
static EadMaps build_distances(EadGraph *graph, const EadEfficientad *model, EadNode *images, bool st,
                               bool ae) {
    EadMaps maps = {.combined = NULL};
    EadPdn student = ead_efficientad_student(model, false);
    bool gray = images->y.c == 1;
    EadNode *x = gray ? images : ead_normalize_image(graph, images);
    EadNode *trunk = ead_pdn_trunk(graph, &student, x);
    if (st) {
        EadNode *teacher = ead_efficientad_teacher_output(graph, model, x);
        maps.raw[EAD_MAP_ST] =
            distance(graph, teacher, ead_pdn_head(graph, &student, trunk, 0, EAD_FEATURES));
    }
    if (!ae) return maps;
    EadAutoencoder network = ead_efficientad_autoencoder(model, false);
    EadNode *prediction = ead_autoencoder(graph, &network, gray ? three_channels(graph, x) : x);
    EadNode *second_half = ead_pdn_head(graph, &student, trunk, EAD_FEATURES, EAD_FEATURES);
    maps.raw[EAD_MAP_AE] = distance(graph, prediction, second_half);
    return maps;
}

static EadNode *normalize(EadGraph *graph, const EadEfficientad *model, const EadMaps *maps, EadLook look,
                          int map) {
    void *by = (void *)&model->map_scale[look][map], *plus = (void *)&model->map_shift[look][map];
    EadNode *scale = ead_leaf(graph, "map_scale", EAD_REAL, 1, 1, 1, 1, by);
    EadNode *shift = ead_leaf(graph, "map_shift", EAD_REAL, 1, 1, 1, 1, plus);
    return ead_channel_affine(graph, maps->raw[map], scale, shift);
}

static EadNode *bordered(EadGraph *graph, EadNode *map, int cells) {
    return cells > 0 ? ead_pad_border(graph, map, cells) : map;
}

/* Of those that there are the one or the mean; parts: NULL, or gets both where there are two. */
static EadNode *combine(EadGraph *graph, const EadEfficientad *model, const EadMaps *maps, EadLook look,
                        int border, EadNode *parts[EAD_MAP_COUNT]) {
    bool both = maps->raw[EAD_MAP_ST] && maps->raw[EAD_MAP_AE];
    EadNode *map = normalize(graph, model, maps, look, maps->raw[EAD_MAP_ST] ? EAD_MAP_ST : EAD_MAP_AE);
    EadNode *second = both ? normalize(graph, model, maps, look, EAD_MAP_AE) : NULL;
    if (both && parts) {
        parts[EAD_MAP_ST] = bordered(graph, map, border);
        parts[EAD_MAP_AE] = bordered(graph, second, border);
    }
    if (both) map = ead_scale(graph, ead_add(graph, map, second), 0.5);
    return bordered(graph, map, border);
}

EadMaps ead_build_maps(EadGraph *graph, const EadEfficientad *model, EadNode *images) {
    const EadTiles *tiles = &model->base.tiles;
    bool st = model->base.map_choice != EAD_USE_AE,
         ae = model->spec.autoencoder && model->base.map_choice != EAD_USE_ST, tiled = tiles->size > 0;
    EadMaps maps = build_distances(graph, model, images, st, ae);
    int border = tiled ? 0 : ead_efficientad_unseen_cells(&model->spec);
    EadNode *map = combine(graph, model, &maps, EAD_LOOK_USUAL, border, maps.normalized);
    if (!tiled) map = ead_resize_bilinear(graph, map, model->spec.height, model->spec.width);
    maps.combined = ead_keep(map);
    if (tiled && tiles->whole_image)
        maps.whole = ead_keep(combine(graph, model, &maps, EAD_LOOK_WHOLE, 0, NULL));
    return maps;
}

EadMaps ead_build_raw_maps(EadGraph *graph, const EadEfficientad *model, EadNode *images) {
    EadMaps maps = build_distances(graph, model, images, true, model->spec.autoencoder);
    for (int m = 0; m < EAD_MAP_COUNT; m++)
        if (maps.raw[m])
            maps.raw[m] =
                ead_keep(model->base.tiles.size ? maps.raw[m]
                                                : ead_resize_bilinear(graph, maps.raw[m], model->spec.height,
                                                                      model->spec.width));
    return maps;
}
