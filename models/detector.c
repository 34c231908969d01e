/* The inference engine: a model, its planned graph, and buffers for images of any size. */
#include "models/detector.h"

#include "core/base/memory.h"
#include "core/image/image.h"
#include "core/system/machine.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

enum { MAX_PIXELS = 1 << 28 }; /* of an image, unless the options say otherwise */

struct EadDetector {
    EadModel *owned; /* NULL if the model belongs to the caller */
    int threads;     /* the most to work with; 0: as many as OpenMP gives */
    const EadModel *model;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images;
    EadDetection result;
    int64_t max_pixels; /* of an image */
    float *scratch;     /* for a map that the caller does not want, or in the double build */
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

EadStatus ead_detector_new(const EadModel *model, const EadPlanOptions *plan, int batch, EadDetector **out) {
    EadDetector *d = ead_new(1, sizeof *d, "a detector");
    if (!d) return EAD_NO_MEMORY;
    d->model = model;
    d->max_pixels = INT64_MAX;
    d->graph = ead_graph_new();
    EadStatus status = d->graph ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    if (status == EAD_OK) {
        d->images = ead_leaf(d->graph, "images", EAD_U8, batch, model->height, model->width, 3, NULL);
        d->result = model->method->functions->build(d->graph, model, d->images);
        status = ead_plan_new(d->graph, plan, &d->plan);
    }
    if (status == EAD_OK)
        *out = d;
    else
        ead_detector_close(d);
    return status;
}

/* Gives the number of threads before, to be set again: it is the caller's. */
static int limit_threads(int threads) {
    int before = omp_get_max_threads();
    if (threads > 0 && threads < before) omp_set_num_threads(threads);
    return before;
}

int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out) {
    EadModel *model;
    int threads = ead_machine_threads();
    EadPlanOptions plan = {.backend = &ead_backend_cpu};
    if (options && options->device) EAD_TRY(ead_backend_find(options->device, &plan.backend));
    if (options && options->precision) EAD_TRY(ead_precision_find(options->precision, &plan.precision));
    EAD_TRY(ead_model_open(path, &model));
    int before = limit_threads(threads);
    EadStatus status = ead_detector_new(model, &plan, 1, out);
    omp_set_num_threads(before);
    if (status == EAD_OK) {
        (*out)->owned = model, (*out)->threads = threads;
        (*out)->max_pixels = options && options->max_pixels ? options->max_pixels : MAX_PIXELS;
    } else
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

static EadStatus run(EadDetector *d, const uint8_t *rgb, int width, int height, ptrdiff_t stride, float *map,
                     float *score) {
    const EadModel *model = d->model;
    uint8_t *input = ead_plan_input_buffer(d->plan, d->images);
    int64_t pixels = (int64_t)width * height;
    const float *model_map;
    const void *value;
    if (pixels > d->max_pixels)
        return ead_fail(
            EAD_BAD_SHAPE,
            "an image of %d x %d pixels; at most %lld in all are scored (max_pixels of the options)", width,
            height, (long long)d->max_pixels);
    EAD_TRY(ead_resize_u8(rgb, width, height, 3, stride, input, model->width, model->height));
    if (!map && pixels > d->scratch_count) {
        float *scratch = realloc(d->scratch, (size_t)pixels * sizeof *scratch);
        if (!scratch) return ead_fail(EAD_NO_MEMORY, "no memory for a map of %lld pixels", (long long)pixels);
        d->scratch = scratch;
        d->scratch_count = pixels;
    }
    EAD_TRY(ead_detector_run_batch(d, input, &model_map));
    float max = ead_map_resize(model_map, model->height, model->width, map ? map : d->scratch, height, width);
    if (!score) return EAD_OK;
    *score = max;
    if (!d->result.score) return EAD_OK;
    EAD_TRY(ead_plan_fetch(d->plan, d->result.score, &value));
    *score = (float)*(const real *)value;
    return EAD_OK;
}

int ead_detector_run(EadDetector *d, const uint8_t *rgb, int width, int height, ptrdiff_t stride, float *map,
                     float *score) {
    int before = limit_threads(d->threads);
    EadStatus status = run(d, rgb, width, height, stride, map, score);
    omp_set_num_threads(before);
    return status;
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
