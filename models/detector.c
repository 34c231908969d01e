/* The inference engine: a model, its planned graph, and buffers for images of any size. */
#include "models/detector.h"

#include "core/image/image.h"
#include "core/plan/plan.h"
#include "models/efficientad/anomaly_map.h"
#include "models/efficientad/map_resize.h"
#include "models/efficientad/model_file.h"

#include <stdlib.h>

struct EadDetector {
    EadModel *owned; /* NULL if the model belongs to the caller */
    const EadModel *model;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *map;
    float *scratch; /* for a map that the caller does not want, or in the double build */
    int64_t scratch_count;
};

void ead_detector_close(EadDetector *detector) {
    if (!detector) return;
    ead_plan_free(detector->plan);
    ead_graph_free(detector->graph);
    ead_model_free(detector->owned);
    free(detector->scratch);
    free(detector);
}

static EadStatus build(EadDetector *d, const EadPlanOptions *plan, int batch) {
    const EadModelSpec *spec = &d->model->spec;
    d->graph = ead_graph_new();
    if (!d->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    d->images = ead_leaf(d->graph, "images", EAD_U8, batch, spec->height, spec->width, 3, NULL);
    d->map = ead_build_maps(d->graph, d->model, d->images).combined;
    return ead_plan_new(d->graph, plan, &d->plan);
}

EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out) {
    EadDetector *detector = calloc(1, sizeof *detector);
    if (!detector) return ead_fail(EAD_NO_MEMORY, "no memory for a detector");
    detector->model = model;
    EadStatus status = build(detector, plan, batch);
    if (status == EAD_OK)
        *out = detector;
    else
        ead_detector_close(detector);
    return status;
}

static EadStatus plan_options(const EadDetectorOptions *options, EadPlanOptions *out) {
    *out = (EadPlanOptions){.backend = &ead_backend_cpu};
    if (options && options->device) EAD_TRY(ead_backend_find(options->device, &out->backend));
    return options && options->precision ? ead_precision_find(options->precision, &out->precision) : EAD_OK;
}

int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out) {
    EadModel *model;
    EadPlanOptions plan;
    EAD_TRY(plan_options(options, &plan));
    EAD_TRY(ead_model_open(path, &model));
    EadStatus status = ead_detector_new(model, &plan, 1, out);
    if (status == EAD_OK)
        (*out)->owned = model;
    else
        ead_model_free(model);
    return status;
}

int ead_detector_open(const char *path, EadDetector **out) {
    return ead_detector_open_with(path, NULL, out);
}

static EadStatus reserve(EadDetector *d, int64_t count) {
    if (count <= d->scratch_count) return EAD_OK;
    float *scratch = realloc(d->scratch, (size_t)count * sizeof *scratch);
    if (!scratch) return ead_fail(EAD_NO_MEMORY, "no memory for a map of %lld pixels", (long long)count);
    d->scratch = scratch;
    d->scratch_count = count;
    return EAD_OK;
}

EadStatus ead_detector_run_batch(EadDetector *d, const uint8_t *images, const float **maps) {
    const void *value;
    ead_plan_write(d->plan, d->images, images);
    ead_plan_run(d->plan);
    EAD_TRY(ead_plan_fetch(d->plan, d->map, &value));
#ifdef EAD_DOUBLE
    *maps = NULL; /* the build that checks gradients has no float maps */
#else
    *maps = value;
#endif
    return EAD_OK;
}

int ead_detector_run(EadDetector *d, const uint8_t *rgb, int width, int height, ptrdiff_t stride, float *map,
                     float *score) {
    const EadModelSpec *spec = &d->model->spec;
    uint8_t *input = ead_plan_input_buffer(d->plan, d->images);
    const float *model_map;
    EAD_TRY(ead_resize_u8(rgb, width, height, 3, stride, input, spec->width, spec->height));
    if (!map) EAD_TRY(reserve(d, (int64_t)width * height));
    EAD_TRY(ead_detector_run_batch(d, input, &model_map));
    float largest =
        ead_map_resize(model_map, spec->height, spec->width, map ? map : d->scratch, height, width);
    if (score) *score = largest;
    return EAD_OK;
}

int ead_detector_model_width(const EadDetector *detector) {
    return detector->model->spec.width;
}
int ead_detector_model_height(const EadDetector *detector) {
    return detector->model->spec.height;
}
float ead_detector_threshold(const EadDetector *detector) {
    return detector->model->threshold;
}
size_t ead_detector_bytes(const EadDetector *detector) {
    return ead_plan_bytes(detector->plan);
}
const EadPlan *ead_detector_plan(const EadDetector *detector) {
    return detector->plan;
}
