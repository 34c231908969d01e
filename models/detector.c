/* The inference engine: a model, its planned graph, and buffers for images of any size. */
#include "models/detector.h"

#include "core/base/memory.h"
#include "core/image/image.h"

#include <math.h>
#include <stdlib.h>

struct EadDetector {
    EadModel *owned; /* NULL if the model belongs to the caller */
    const EadModel *model;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images;
    EadDetection result;
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
    d->graph = ead_graph_new();
    if (!d->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    d->images = ead_leaf(d->graph, "images", EAD_U8, batch, d->model->height, d->model->width, 3, NULL);
    d->result = d->model->method->functions->build(d->graph, d->model, d->images);
    return ead_plan_new(d->graph, plan, &d->plan);
}

EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out) {
    EadDetector *detector = ead_new(1, sizeof *detector, "a detector");
    if (!detector) return EAD_NO_MEMORY;
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

/* ---- running ---- */

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
            out[(int64_t)y * out_width + x] = value;
            max = value > max ? value : max;
        }
    }
    return max;
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
    EAD_TRY(ead_plan_fetch(d->plan, d->result.map, &value));
#ifdef EAD_DOUBLE
    *maps = NULL; /* the build that checks gradients has no float maps */
#else
    *maps = value;
#endif
    return EAD_OK;
}

/* The score of the last run's first image, where the method computes one. */
static EadStatus read_score(const EadDetector *d, float *score) {
    const void *value;
    EAD_TRY(ead_plan_fetch(d->plan, d->result.score, &value));
    *score = (float)*(const real *)value;
    return EAD_OK;
}

int ead_detector_run(EadDetector *d, const uint8_t *rgb, int width, int height, ptrdiff_t stride, float *map,
                     float *score) {
    const EadModel *model = d->model;
    uint8_t *input = ead_plan_input_buffer(d->plan, d->images);
    const float *model_map;
    EAD_TRY(ead_resize_u8(rgb, width, height, 3, stride, input, model->width, model->height));
    if (!map) EAD_TRY(reserve(d, (int64_t)width * height));
    EAD_TRY(ead_detector_run_batch(d, input, &model_map));
    float max = ead_map_resize(model_map, model->height, model->width, map ? map : d->scratch, height, width);
    if (!score) return EAD_OK;
    *score = max;
    if (d->result.score) return read_score(d, score);
    return EAD_OK;
}

int ead_detector_model_width(const EadDetector *detector) {
    return detector->model->width;
}
int ead_detector_model_height(const EadDetector *detector) {
    return detector->model->height;
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
