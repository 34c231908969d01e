/* The inference engine: a model, its planned graph, and the map at an image's size. */
#include "models/detector_state.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

void ead_detector_close(EadDetector *detector) {
    if (!detector) return;
    ead_plan_free(detector->plan);
    ead_graph_free(detector->graph);
    ead_model_free(detector->owned);
    ead_safetensors_close(detector->file);
    free(detector);
}

static EadStatus build(EadDetector *d, const EadModel *model, int batch) {
    d->graph = ead_graph_new();
    if (!d->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    d->images = ead_leaf(d->graph, "images", EAD_U8, batch, model->height, model->width, 3, NULL);
    d->result = model->method->functions->build(d->graph, model, d->images);
    return EAD_OK;
}

EadStatus ead_detector_measure(const EadModel *model, const EadPlanOptions *plan, int batch, size_t *bytes) {
    EadDetector d = {0};
    EadStatus status = build(&d, model, batch);
    if (status == EAD_OK) status = ead_plan_measure(d.graph, plan, bytes);
    ead_graph_free(d.graph);
    return status;
}

EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out) {
    EadDetector *d = ead_new(1, sizeof *d, "a detector");
    *out = NULL;
    if (!d) return EAD_NO_MEMORY;
    d->model = model;
    d->batch = batch;
    d->max_pixels = INT64_MAX;
    ead_model_map_name(model, d->maps);
    EadStatus status = build(d, model, batch);
    if (status == EAD_OK) status = ead_plan_new(d->graph, plan, &d->plan);
    if (status == EAD_OK)
        *out = d;
    else
        ead_detector_close(d);
    return status;
}

EadStatus ead_detector_run_batch(EadDetector *d, const uint8_t *images, const float **maps) {
    const void *value;
    ead_plan_write(d->plan, d->images, images);
    ead_plan_run(d->plan);
    EAD_TRY(ead_plan_fetch(d->plan, d->result.map, &value));
#ifdef EAD_DOUBLE
    *maps = NULL; /* the build that checks gradients has no float maps */
#else
    *maps = value;
#endif
    return EAD_OK;
}

/* The two source cells of an output cell and the weight of the second. */
typedef struct Tap {
    int first, second;
    float weight;
} Tap;

static Tap tap_of(int position, float ratio, int size) {
    float source = ((float)position + 0.5f) * ratio - 0.5f;
    if (source < 0) source = 0;
    int first = (int)source;
    if (first > size - 1) first = size - 1;
    return (Tap){first, first + 1 < size ? first + 1 : first, source - (float)first};
}

float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width) {
    float row_ratio = (float)height / (float)out_height, column_ratio = (float)width / (float)out_width;
    float max = -INFINITY;
#pragma omp parallel for schedule(static) reduction(max : max)
    for (int y = 0; y < out_height; y++) {
        Tap row = tap_of(y, row_ratio, height);
        const float *upper = map + (int64_t)row.first * width, *lower = map + (int64_t)row.second * width;
        for (int x = 0; x < out_width; x++) {
            Tap column = tap_of(x, column_ratio, width);
            float top = upper[column.first] * (1 - column.weight) + upper[column.second] * column.weight;
            float bottom = lower[column.first] * (1 - column.weight) + lower[column.second] * column.weight;
            float value = top * (1 - row.weight) + bottom * row.weight;
            if (out) out[(int64_t)y * out_width + x] = value;
            max = value > max ? value : max;
        }
    }
    return max;
}

size_t ead_detector_bytes(const EadDetector *detector) {
    return ead_plan_bytes(detector->plan);
}
const EadPlan *ead_detector_plan(const EadDetector *detector) {
    return detector->plan;
}
