/* The inference engine: a model, its planned graph, and buffers for images of any size. */
#include "models/detector.h"

#include "core/base/memory.h"
#include "core/image/image.h"
#include "core/system/machine.h"
#include "core/system/openmp_threads.h"

#include <fenv.h>
#include <locale.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_PIXELS = 1 << 28 }; /* of an image, unless the options say otherwise */

struct EadDetector {
    EadModel *owned; /* NULL if the model belongs to the caller */
    int threads;     /* the most to work with; 0: as many as OpenMP gives */
    pid_t process;   /* which alone may use it, on a GPU; 0: any */
    atomic_bool busy;
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
    d->max_pixels = INT64_MAX;
    EadStatus status = build(d, model, batch);
    if (status == EAD_OK) status = ead_plan_new(d->graph, plan, &d->plan);
    if (status == EAD_OK)
        *out = d;
    else
        ead_detector_close(d);
    return status;
}

/* ---- manners ---- */

/* What a host program keeps: its locale, how it computes, and the number of its threads. */
typedef struct Host {
    locale_t locale;
    fenv_t numbers;
    int threads;
} Host;

/* Every public call that works begins with it. Numbers are read and written as in C, whatever the host's decimal
 * point; they are rounded to the nearest, and none of them raises a signal, whatever the host chose; and OpenMP has
 * no more threads than asked for here (0: any number) and than it can have. */
static Host enter(int threads) {
    /* Nothing is allocated for this locale, so nothing is to be freed. */
    Host host = {.locale = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)),
                 .threads = omp_get_max_threads()};
    fegetenv(&host.numbers);
    fesetenv(FE_DFL_ENV);
    if (threads > 0 && threads < host.threads) omp_set_num_threads(threads);
    omp_set_num_threads(ead_openmp_threads());
    return host;
}

static int leave(Host host, EadStatus status) {
    uselocale(host.locale);
    fesetenv(&host.numbers);
    omp_set_num_threads(host.threads);
    return (int)status;
}

static EadStatus open_detector(const char *path, const EadDetectorOptions *options, EadDetector **out) {
    EadModel *model;
    EadPlanOptions plan = {.backend = &ead_backend_cpu};
    if (!path || !*path) return ead_fail(EAD_BAD_ARGUMENT, "no path of a model file was given");
    if (options && options->max_pixels < 0)
        return ead_fail(EAD_BAD_ARGUMENT, "max_pixels is %lld; it must be 0 (the default) or more",
                        (long long)options->max_pixels);
    if (options && options->device) EAD_TRY(ead_backend_find(options->device, &plan.backend));
    if (options && options->precision) EAD_TRY(ead_precision_find(options->precision, &plan.precision));
    EAD_TRY(ead_model_open(path, &model));
    EadStatus status = ead_detector_new(model, &plan, 1, out);
    if (status == EAD_OK) {
        (*out)->owned = model;
        (*out)->process = plan.backend->device ? getpid() : 0;
        (*out)->max_pixels = options && options->max_pixels ? options->max_pixels : MAX_PIXELS;
    } else
        ead_model_free(model);
    return status;
}

int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out) {
    if (!out) return ead_fail(EAD_BAD_ARGUMENT, "no place for the detector was given: out is NULL");
    *out = NULL;
    int threads = ead_machine_threads();
    Host host = enter(threads);
    EadStatus status = open_detector(path, options, out);
    if (status == EAD_OK) (*out)->threads = threads;
    return leave(host, status);
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

/* Rows may go from the last to the first, with a negative stride, but not into each other. */
static EadStatus check_image(const EadDetector *d, const uint8_t *rgb, int width, int height,
                             ptrdiff_t stride) {
    if (!rgb) return ead_fail(EAD_BAD_ARGUMENT, "no image was given: rgb is NULL");
    if (d->process && d->process != getpid())
        return ead_fail(EAD_UNSUPPORTED,
                        "a detector on a GPU works in the process that opened it, not in its "
                        "children; fork() before a detector is opened");
    if ((int64_t)width * height > d->max_pixels)
        return ead_fail(
            EAD_BAD_SHAPE,
            "an image of %d x %d pixels; at most %lld in all are scored (max_pixels of the options)", width,
            height, (long long)d->max_pixels);
    if (width < 1 || height < 2)
        return EAD_OK; /* no second row; sizes are checked where images are resized */
    ptrdiff_t row = 3 * (ptrdiff_t)width, most = PTRDIFF_MAX / height;
    if ((stride > -row && stride < row) || stride > most || stride < -most)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "a stride of %td bytes from row to row; a row of %d pixels has %td bytes", stride,
                        width, row);
    return EAD_OK;
}

/* A maximum passes over what is not a number, and damaged weights would look like a good image. */
static EadStatus check_map(const EadModel *model, const float *map) {
    int64_t count = (int64_t)model->width * model->height;
    bool finite = true;
    for (int64_t i = 0; i < count; i++) finite &= fabsf(map[i]) <= FLT_MAX;
    if (finite) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "the anomaly map holds values that are not numbers: the model is damaged");
}

static EadStatus run(EadDetector *d, const uint8_t *rgb, int width, int height, ptrdiff_t stride, float *map,
                     float *score) {
    EAD_TRY(check_image(d, rgb, width, height, stride));
    const EadModel *model = d->model;
    uint8_t *input = ead_plan_input_buffer(d->plan, d->images);
    int64_t pixels = (int64_t)width * height;
    const float *model_map;
    const void *value;
    EAD_TRY(ead_resize_u8(rgb, width, height, 3, stride, input, model->width, model->height));
    if (!map && pixels > d->scratch_count) {
        float *scratch = realloc(d->scratch, (size_t)pixels * sizeof *scratch);
        if (!scratch) return ead_fail(EAD_NO_MEMORY, "no memory for a map of %lld pixels", (long long)pixels);
        d->scratch = scratch;
        d->scratch_count = pixels;
    }
    EAD_TRY(ead_detector_run_batch(d, input, &model_map));
    EAD_TRY(check_map(model, model_map));
    float max = ead_map_resize(model_map, model->height, model->width, map ? map : d->scratch, height, width);
    if (!score) return EAD_OK;
    *score = max;
    if (!d->result.score) return EAD_OK;
    EAD_TRY(ead_plan_fetch(d->plan, d->result.score, &value));
    *score = (float)*(const real *)value;
    return EAD_OK;
}

int ead_detector_run(EadDetector *detector, const uint8_t *rgb, int width, int height, ptrdiff_t stride,
                     float *map, float *score) {
    if (!detector) return ead_fail(EAD_BAD_ARGUMENT, "no detector was given: it is NULL");
    if (atomic_exchange(&detector->busy, true))
        return ead_fail(EAD_BUSY, "another thread works with this detector; open one for each thread");
    Host host = enter(detector->threads);
    EadStatus status = run(detector, rgb, width, height, stride, map, score);
    atomic_store(&detector->busy, false);
    return leave(host, status);
}

int ead_detector_model_width(const EadDetector *detector) {
    return detector ? detector->model->width : 0;
}
int ead_detector_model_height(const EadDetector *detector) {
    return detector ? detector->model->height : 0;
}
float ead_detector_threshold(const EadDetector *detector) {
    return detector ? detector->model->threshold : NAN;
}
size_t ead_detector_bytes(const EadDetector *detector) {
    return ead_plan_bytes(detector->plan);
}
const EadPlan *ead_detector_plan(const EadDetector *detector) {
    return detector->plan;
}
