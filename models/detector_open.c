/* Opening a detector from outside, by options of a caller of any version, and what its model file says. */
#include "models/detector_state.h"

#include "core/system/machine.h"
#include "models/caller_struct.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_PIXELS = 1 << 28, /* of an image, unless the options say otherwise */
    MOST_THREADS = 1024,
    MOST_IMAGES = 1024 /* in a batch */
};

/* ---- options ---- */

static EadStatus check_number(const char *name, long long value, long long most) {
    if (value >= 0 && value <= most) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s of the options is %lld; it must be 0 (the default) to %lld", name,
                    value, most);
}

/* given: of the caller, or NULL. */
static EadStatus read_options(const EadDetectorOptions *given, EadDetectorOptions *out) {
    *out = (EadDetectorOptions){.size = sizeof *out};
    if (given) EAD_TRY(EAD_COPY_CALLER_STRUCT(EadDetectorOptions, given, out));
    EAD_TRY(check_number("max_pixels", out->max_pixels, INT64_MAX));
    EAD_TRY(check_number("threads", out->threads, MOST_THREADS));
    EAD_TRY(check_number("batch", out->batch, MOST_IMAGES));
    if (!out->max_pixels) out->max_pixels = MAX_PIXELS;
    if (!out->batch) out->batch = 1;
    return EAD_OK;
}

/* ---- opening ---- */

/* A model file: at a path, or in memory. */
typedef struct ModelSource {
    const char *path;  /* NULL: in memory */
    const void *bytes; /* [size] */
    size_t size;
} ModelSource;

static EadStatus open_model(const ModelSource *source, EadSafetensors **file, EadModel **model) {
    if (source->path) return ead_model_open_file(source->path, file, model);
    return ead_model_open_memory(source->bytes, source->size, "the model in memory", file, model);
}

static EadStatus choose_maps(EadModel *model, const char *maps) {
    int map_choice;
    if (!maps) return EAD_OK;
    EAD_TRY(ead_model_find_maps(model, maps, &map_choice));
    return ead_model_choose_maps(model, map_choice);
}

static EadStatus open_detector(const ModelSource *source, const EadDetectorOptions *options,
                               EadDetector **out) {
    EadSafetensors *file;
    EadModel *model;
    EadPlanOptions plan = {.backend = &ead_backend_cpu};
    if (options->device) EAD_TRY(ead_backend_find(options->device, &plan.backend));
    if (options->precision) EAD_TRY(ead_precision_find(options->precision, &plan.precision));
    EAD_TRY(open_model(source, &file, &model));
    EadStatus status = choose_maps(model, options->maps);
    if (status == EAD_OK && !model->tiles.size)
        status = ead_region_mask_all(&model->region); /* which calls can narrow */
    if (status == EAD_OK) status = ead_detector_new(model, &plan, options->batch, out);
    if (status == EAD_OK) {
        ead_safetensors_drop_data(file);
        (*out)->owned = model;
        (*out)->file = file;
        (*out)->process = plan.backend->device ? getpid() : 0;
        (*out)->max_pixels = options->max_pixels;
    } else {
        ead_model_free(model);
        ead_safetensors_close(file);
    }
    return status;
}

static int open_as_guest(const ModelSource *source, const EadDetectorOptions *given, EadDetector **out) {
    EadDetectorOptions options;
    EAD_TRY(read_options(given, &options));
    EadThreadCount threads = {options.threads ? options.threads : ead_machine_threads(), options.threads > 0};
    EadHostState host = ead_host_enter(threads);
    EadStatus status = open_detector(source, &options, out);
    ead_host_leave(host);
    if (status == EAD_OK) (*out)->threads = threads;
    return (int)status;
}

static EadStatus check_out(EadDetector **out) {
    if (!out) return ead_fail(EAD_BAD_ARGUMENT, "no place for the detector was given: out is NULL");
    *out = NULL;
    return EAD_OK;
}

int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out) {
    EAD_TRY(check_out(out));
    if (!path || !*path) return ead_fail(EAD_BAD_ARGUMENT, "no path of a model file was given");
    return open_as_guest(&(ModelSource){.path = path}, options, out);
}

int ead_detector_open(const char *path, EadDetector **out) {
    return ead_detector_open_with(path, NULL, out);
}

int ead_detector_open_memory(const void *bytes, size_t size, const EadDetectorOptions *options,
                             EadDetector **out) {
    EAD_TRY(check_out(out));
    if (!bytes) return ead_fail(EAD_BAD_ARGUMENT, "no model was given: bytes is NULL");
    return open_as_guest(&(ModelSource){.bytes = bytes, .size = size}, options, out);
}

/* ---- what the file says ---- */

int ead_detector_model_width(const EadDetector *detector) {
    return detector ? detector->model->width : 0;
}
int ead_detector_model_height(const EadDetector *detector) {
    return detector ? detector->model->height : 0;
}
float ead_detector_threshold(const EadDetector *detector) {
    return detector ? detector->model->threshold : NAN;
}
float ead_detector_pixel_threshold(const EadDetector *detector) {
    return detector ? detector->model->pixel_threshold : NAN;
}
const char *ead_detector_threshold_rule(const EadDetector *detector) {
    return isnan(ead_detector_threshold(detector)) ? NULL : ead_detector_metadata(detector, "threshold_rule");
}
const char *ead_detector_method(const EadDetector *detector) {
    return detector ? detector->model->method->name : NULL;
}
const char *ead_detector_maps(const EadDetector *detector) {
    return detector ? detector->maps : NULL;
}
const char *ead_detector_metadata(const EadDetector *detector, const char *key) {
    return detector && detector->file && key ? ead_safetensors_metadata(detector->file, key) : NULL;
}
int ead_detector_metadata_count(const EadDetector *detector) {
    return detector && detector->file ? ead_safetensors_metadata_count(detector->file) : 0;
}
const char *ead_detector_metadata_key(const EadDetector *detector, int index) {
    return detector && detector->file ? ead_safetensors_metadata_key(detector->file, index) : NULL;
}
