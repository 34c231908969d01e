/* The inference engine: a model, its planned graph, and the map at an image's size. */
#include "models/detector_state.h"

#include "core/base/memory.h"
#include "models/networks/inspected.h"

#include <stdlib.h>
#include <string.h>

void ead_detector_close(EadDetector *detector) {
    if (!detector) return;
    ead_plan_free(detector->plan);
    ead_graph_free(detector->graph);
    ead_model_free(detector->owned);
    ead_safetensors_close(detector->file);
    free(detector->maps_inside);
    free(detector);
}

static int64_t pixels_of(const EadModel *model) {
    return (int64_t)model->height * model->width;
}

static EadStatus build(EadDetector *d, const EadModel *model, int batch, bool parts) {
    d->graph = ead_graph_new();
    if (!d->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    d->images = ead_leaf(d->graph, "images", EAD_U8, batch, model->height, model->width, 3, NULL);
    d->result = model->method->functions->build(d->graph, model, d->images);
    for (int i = 0; i < EAD_MAP_PARTS && !parts; i++) d->result.parts[i].map = NULL;
    for (int i = 0; i < EAD_MAP_PARTS; i++)
        if (d->result.parts[i].map) ead_keep(d->result.parts[i].map);
    return EAD_OK;
}

EadStatus ead_detector_measure(const EadModel *model, const EadPlanOptions *plan, int batch, size_t *bytes) {
    EadDetector d = {0};
    EadStatus status = build(&d, model, batch, false);
    if (status == EAD_OK) status = ead_plan_measure(d.graph, plan, bytes);
    ead_graph_free(d.graph);
    return status;
}

EadStatus ead_detector_look_at(EadDetector *d, const EadRegion *region) {
    bool fills = ead_region_masks(region);
    if (fills && !d->maps_inside) {
        size_t bytes = (size_t)d->batch * sizeof *d->maps_inside;
        d->maps_inside = ead_new(pixels_of(d->model), bytes, "the maps of a detector");
        if (!d->maps_inside) return EAD_NO_MEMORY;
    }
    d->fills = fills;
    if (region == d->region) return EAD_OK;
    d->region = region;
    ead_inspect_region(d->graph, region);
    if (d->process) ead_plan_update_weights(d->plan);
    return EAD_OK;
}

static EadStatus new_detector(const EadModel *model, const EadPlanOptions *plan, int batch, bool parts,
                              EadDetector **out) {
    EadDetector *d = ead_new(1, sizeof *d, "a detector");
    *out = NULL;
    if (!d) return EAD_NO_MEMORY;
    d->model = model;
    d->batch = batch;
    d->max_pixels = INT64_MAX;
    d->region = &model->region;
    ead_model_map_name(model, d->maps);
    EadStatus status = build(d, model, batch, parts);
    if (status == EAD_OK) status = ead_plan_new(d->graph, plan, &d->plan);
    if (status == EAD_OK) status = ead_detector_look_at(d, d->region);
    if (status == EAD_OK)
        *out = d;
    else
        ead_detector_close(d);
    return status;
}

EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out) {
    return new_detector(model, plan, batch, false, out);
}

EadStatus ead_detector_new_with_parts(const EadModel *model, const EadPlanOptions *plan, EadDetector **out) {
    return new_detector(model, plan, 1, true, out);
}

EadStatus ead_detector_run_batch(EadDetector *d, const uint8_t *images, const float **maps) {
    const void *value;
    ead_plan_write(d->plan, d->images, images);
    ead_plan_run(d->plan);
    EAD_TRY(ead_plan_fetch(d->plan, d->result.map, &value));
#ifdef EAD_DOUBLE
    *maps = NULL; /* the build that checks gradients has no float maps */
#else
    int64_t pixels = pixels_of(d->model);
    *maps = d->fills ? d->maps_inside : value;
    if (d->fills) memcpy(d->maps_inside, value, (size_t)d->batch * (size_t)pixels * sizeof **maps);
    for (int i = 0; i < d->batch && d->fills; i++)
        ead_fill_outside(d->region->mask, pixels, d->maps_inside + i * pixels);
#endif
    return EAD_OK;
}

int ead_detector_part_count(const EadDetector *d) {
    int count = 0;
    for (int i = 0; i < EAD_MAP_PARTS; i++) count += d->result.parts[i].map != NULL;
    return count;
}

EadStatus ead_detector_part(EadDetector *d, int index, EadMap *out) {
    const EadMapPart *part = &d->result.parts[index];
    const void *value;
    *out = (EadMap){0};
    if (!part->map) return EAD_OK;
    EAD_TRY(ead_plan_fetch(d->plan, part->map, &value));
    EAD_TRY(ead_map_alloc(out, part->name, part->map->y.w, part->map->y.h));
    for (int64_t i = 0; i < (int64_t)out->width * out->height; i++)
        out->values[i] = (float)((const real *)value)[i];
    return EAD_OK;
}

size_t ead_detector_bytes(const EadDetector *detector) {
    return ead_plan_bytes(detector->plan);
}
const EadRegion *ead_detector_region(const EadDetector *detector) {
    return &detector->model->region;
}
const EadPlan *ead_detector_plan(const EadDetector *detector) {
    return detector->plan;
}
