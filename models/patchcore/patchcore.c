/* The model, its graph, and its row among the methods; its file: patchcore_file.c. */
#include "models/patchcore/patchcore.h"

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "models/networks/patch_embedding.h"
#include "models/networks/patch_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_model(EadModel *base) {
    EadPatchcore *model = (EadPatchcore *)base;
    ead_backbone_free(&model->backbone);
    free(model->bank);
    free(model->images);
    free(model);
}

/* Finds how many patches images of the model's size leave. */
static EadStatus find_grid(EadPatchcore *model) {
    int grid[2];
    EAD_TRY(ead_backbone_patch_grid(&model->backbone, &model->spec.taps, EAD_PATCHCORE_PER_LAYER,
                                    model->spec.length, model->base.height, model->base.width, grid));
    model->grid_height = grid[0];
    model->grid_width = grid[1];
    return EAD_OK;
}

EadStatus ead_patchcore_new(const EadPatchcoreSpec *spec, EadBackbone *backbone, EadPatchcore **out) {
    EadPatchcore *model = ead_new(1, sizeof *model, "a model");
    if (!model) {
        ead_backbone_free(backbone);
        return EAD_NO_MEMORY;
    }
    model->base = ead_model_new("patchcore", spec->height, spec->width);
    model->spec = *spec;
    ead_backbone_move(&model->backbone, backbone, spec->stored);
    EadStatus status = find_grid(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

EadStatus ead_patchcore_add(EadPatchcore *model, const real *rows, const int64_t *chosen, int64_t count) {
    size_t length = (size_t)model->spec.length, total = (size_t)model->rows + (size_t)count;
    real *bank = realloc(model->bank, (total ? total : 1) * length * sizeof *bank);
    if (!bank)
        return ead_fail(EAD_NO_MEMORY, "no memory for a bank of %zu x %zu numbers, %.0f MB", total, length,
                        (double)(total * length * sizeof *bank) * 1e-6);
    model->bank = bank;
    for (int64_t i = 0; i < count; i++) {
        real *out = bank + (size_t)model->rows++ * length;
        memcpy(out, rows + (size_t)chosen[i] * length, length * sizeof *out);
        for (size_t k = 0; k < length && model->spec.stored == EAD_FILE_F16; k++)
            out[k] = (real)ead_half_to_float(ead_half_from_float((float)out[k]));
    }
    return EAD_OK;
}

/* ---- the graph ---- */

EadNode *ead_patchcore_patches(EadGraph *graph, const EadPatchcore *model, EadNode *images) {
    return ead_backbone_patches(graph, &model->backbone, &model->spec.taps, EAD_PATCHCORE_PER_LAYER,
                                model->spec.length, images);
}

/* The neighbours of the queries inside; distances of the others are low, and their rows stay. */
static EadNode *found_inside(EadGraph *graph, const EadRegion *region, EadNode *found, int neighbours) {
    if (!region->mask) return found;
    EadNode *distances = ead_slice_channels(graph, found, 0, neighbours);
    EadNode *parts[] = {ead_outside_filled(graph, region, distances, 0, EAD_LOWEST),
                        ead_slice_channels(graph, found, neighbours, neighbours)};
    return ead_concat_channels(graph, 2, parts);
}

EadDetection ead_patchcore_build(EadGraph *graph, const EadPatchcore *model, const EadRegion *region,
                                 EadNode *images) {
    const EadPatchcoreSpec *spec = &model->spec;
    EadNode *bank = ead_leaf(graph, "bank", EAD_REAL, model->rows, 1, 1, spec->length, model->bank);
    EadNode *patches = ead_patchcore_patches(graph, model, images);
    EadNode *found =
        ead_nearest_rows(graph, patches, bank, (EadNearestRows){spec->neighbours, spec->reweight > 0});
    EadNode *distance = spec->reweight > 0 ? ead_slice_channels(graph, found, 0, spec->neighbours) : found;
    if (spec->neighbours > 1) distance = ead_channel_mean(graph, distance);
    EadDetection detection = {0};
    ead_patch_map(graph, region, distance, model->base.height, model->base.width, spec->sigma, &detection.map,
                  &detection.score);
    if (spec->reweight > 0)
        detection.score = ead_keep(ead_reweighted_score(
            graph, patches, found_inside(graph, region, found, spec->neighbours), bank, spec->reweight));
    return detection;
}

static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    return ead_patchcore_build(graph, (const EadPatchcore *)base, &base->region, images);
}

/* ---- the method ---- */

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadPatchcore *model;
    EAD_TRY(ead_patchcore_read(file, "", height, width, &model));
    *out = &model->base;
    return EAD_OK;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    return ead_patchcore_write((const EadPatchcore *)base, "", writer);
}

static size_t bytes(const EadModel *base) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    return ((size_t)model->backbone.params.total + (size_t)model->rows * (size_t)model->spec.length) *
           sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadPatchcore *model = (const EadPatchcore *)base;
    char taps[128];
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, taps, sizeof taps);
    snprintf(text, size, "PatchCore at %dx%d, bank of %d patches of %s's %s", base->height, base->width,
             model->rows, model->backbone.name, taps);
}

extern const EadMethodFunctions ead_patchcore_functions;
const EadMethodFunctions ead_patchcore_functions = {
    .read = read, .write = write, .build = build, .bytes = bytes, .describe = describe, .free = free_model};
