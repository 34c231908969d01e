/* The inference engine: a model, its planned graph, and the map at an image's size. */
#include "models/detector_state.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "models/networks/inspected.h"
#include "models/networks/pdn.h"

#include <stdlib.h>
#include <string.h>

static void free_network(EadDetectorNetwork *network) {
    ead_plan_free(network->plan);
    ead_graph_free(network->graph);
    *network = (EadDetectorNetwork){0};
}

void ead_detector_close(EadDetector *detector) {
    if (!detector) return;
    free_network(&detector->colour);
    free_network(&detector->gray);
    ead_model_free(detector->owned);
    ead_safetensors_close(detector->file);
    free(detector->maps_inside);
    free(detector->top);
    for (int i = 0; i < EAD_MAP_PARTS; i++) ead_map_free(&detector->part_maps[i]);
    free(detector->rgb);
    free(detector);
}

static int64_t pixels_of(const EadModel *model) {
    return (int64_t)model->height * model->width;
}

/* ---- its networks ---- */

/* Whether images of one channel are worth a network: on the CPU, and where nothing with colours is put outside of a mask. */
static bool expects_gray(const EadModel *model, const EadPlanOptions *plan) {
    bool device = plan && plan->backend && plan->backend->device;
    bool (*takes_gray)(const EadModel *) = model->method->functions->takes_gray;
    return model->image_gray && takes_gray && takes_gray(model) && !device &&
           !ead_region_masks(&model->region) && !model->tiles.size;
}

/* How many images go through a network at once: of images in tiles more where a device gains from it. */
static int planned_batch(const EadModel *model, const EadPlanOptions *plan, int batch) {
    enum { TILES_ON_DEVICE = 8 };
    bool device = plan && plan->backend && plan->backend->device;
    return model->tiles.size && device ? ead_max(batch, TILES_ON_DEVICE) : batch;
}

static EadStatus build(EadDetectorNetwork *network, const EadModel *model, int batch, bool gray, bool parts) {
    EadGraph *graph = network->graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    network->images = ead_leaf(graph, "images", gray ? EAD_REAL : EAD_U8, batch, model->height, model->width,
                               gray ? 1 : 3, NULL);
    network->result = model->method->functions->build(graph, model, network->images);
    EadMapPart *part = network->result.parts;
    for (int i = 0; i < EAD_MAP_PARTS; i++) {
        if (!parts) part[i].map = NULL;
        if (part[i].map) ead_keep(part[i].map);
    }
    return EAD_OK;
}

/* Builds and plans colour or gray. */
static EadStatus plan_network(EadDetector *d, EadDetectorNetwork *network) {
    EadStatus status = build(network, d->model, d->batch, network == &d->gray, d->parts);
    if (status == EAD_OK) status = ead_plan_new(network->graph, &d->planned, &network->plan);
    if (status != EAD_OK) free_network(network);
    return status;
}

EadStatus ead_detector_measure(const EadModel *model, const EadPlanOptions *plan, int batch, size_t *bytes) {
    EadDetectorNetwork network = {0};
    EadStatus status =
        build(&network, model, planned_batch(model, plan, batch), expects_gray(model, plan), false);
    if (status == EAD_OK) status = ead_plan_measure(network.graph, plan, bytes);
    free_network(&network);
    return status;
}

static EadStatus new_detector(const EadModel *model, const EadPlanOptions *plan, int batch, bool parts,
                              EadDetector **out) {
    EadDetector *d = ead_new(1, sizeof *d, "a detector");
    *out = NULL;
    if (!d) return EAD_NO_MEMORY;
    d->model = model;
    d->batch = planned_batch(model, plan, batch);
    d->parts = parts;
    if (plan) d->planned = *plan;
    d->max_pixels = INT64_MAX;
    d->region = &model->region;
    ead_model_map_name(model, d->maps);
    bool gray = expects_gray(model, plan);
    d->network = gray ? &d->gray : &d->colour;
    EadStatus status = plan_network(d, d->network);
    if (status == EAD_OK && gray) {
        d->rgb = ead_new(pixels_of(model) * batch, 3, "the images of a detector");
        if (!d->rgb) status = EAD_NO_MEMORY;
    }
    if (status == EAD_OK && model->score.method != EAD_SCORE_MAX) {
        int64_t most = model->tiles.size ? model->score.cells : pixels_of(model);
        d->top = ead_new(ead_min64(model->score.cells, most), sizeof *d->top, "a score");
        if (!d->top) status = EAD_NO_MEMORY;
    }
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

/* ---- where it looks ---- */

EadStatus ead_detector_look_at(EadDetector *d, const EadRegion *region) {
    EadDetectorNetwork *networks[] = {&d->colour, &d->gray};
    bool fills = ead_region_masks(region);
    if (fills && !d->maps_inside) {
        size_t bytes = (size_t)d->batch * sizeof *d->maps_inside;
        d->maps_inside = ead_new(pixels_of(d->model), bytes, "the maps of a detector");
        if (!d->maps_inside) return EAD_NO_MEMORY;
    }
    d->fills = fills;
    if (region == d->region) return EAD_OK;
    d->region = region;
    for (int i = 0; i < 2; i++) {
        if (networks[i]->plan) ead_inspect_region(networks[i]->graph, region);
        if (networks[i]->plan && d->process) ead_plan_update_weights(networks[i]->plan);
    }
    return EAD_OK;
}

/* ---- a run ---- */

uint8_t *ead_detector_image_buffer(EadDetector *d) {
    return d->rgb ? d->rgb : ead_plan_input_buffer(d->colour.plan, d->colour.images);
}

static bool are_gray(const uint8_t *rgb, int64_t pixels) {
    bool gray = true;
    for (int64_t i = 0; i < pixels && gray; i++, rgb += 3) gray = rgb[0] == rgb[1] && rgb[0] == rgb[2];
    return gray;
}

/* The network for these images, planned. */
static EadStatus choose_network(EadDetector *d, const uint8_t *images) {
    if (!d->gray.plan) return EAD_OK;
    bool gray = are_gray(images, pixels_of(d->model) * d->batch);
    if (!gray && !d->colour.plan) {
        EAD_TRY(plan_network(d, &d->colour));
        ead_inspect_region(d->colour.graph, d->region);
    }
    d->network = gray ? &d->gray : &d->colour;
    return EAD_OK;
}

static void write_images(const EadDetector *d, const uint8_t *images) {
    const EadDetectorNetwork *network = d->network;
    if (network == &d->colour) {
        ead_plan_write(network->plan, network->images, images);
        return;
    }
    real levels[256], *x = ead_plan_input_buffer(network->plan, network->images);
    for (int v = 0; v < 256; v++) levels[v] = ead_normalized(&ead_imagenet_scale, EAD_GRAY_CHANNEL, v);
    for (int64_t i = 0; i < pixels_of(d->model) * d->batch; i++) x[i] = levels[images[3 * i]];
    ead_plan_write(network->plan, network->images, x);
}

EadStatus ead_detector_run_batch(EadDetector *d, const uint8_t *images, const float **maps) {
    const void *value;
    EAD_TRY(choose_network(d, images));
    const EadDetectorNetwork *network = d->network;
    write_images(d, images);
    ead_plan_run(network->plan);
    EAD_TRY(ead_plan_fetch(network->plan, network->result.map, &value));
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
    for (int i = 0; i < EAD_MAP_PARTS; i++) count += d->network->result.parts[i].map != NULL;
    return count;
}

EadStatus ead_detector_part(EadDetector *d, int index, EadMap *out) {
    const EadMapPart *part = &d->network->result.parts[index];
    const void *value;
    *out = (EadMap){0};
    if (!part->map) return EAD_OK;
    if (ead_detector_has_tiles(d)) {
        *out = d->part_maps[index];
        d->part_maps[index] = (EadMap){0};
        return EAD_OK;
    }
    EAD_TRY(ead_plan_fetch(d->network->plan, part->map, &value));
    EAD_TRY(ead_map_alloc(out, part->name, part->map->y.w, part->map->y.h));
    for (int64_t i = 0; i < (int64_t)out->width * out->height; i++)
        out->values[i] = (float)((const real *)value)[i];
    return EAD_OK;
}

size_t ead_detector_bytes(const EadDetector *detector) {
    size_t bytes = 0;
    if (detector->colour.plan) bytes += ead_plan_bytes(detector->colour.plan);
    return detector->gray.plan ? bytes + ead_plan_bytes(detector->gray.plan) : bytes;
}
const EadRegion *ead_detector_region(const EadDetector *detector) {
    return &detector->model->region;
}
const EadPlan *ead_detector_plan(const EadDetector *detector) {
    return detector->network->plan;
}
