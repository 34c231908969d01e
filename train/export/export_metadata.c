/* The model file's own metadata, but for what options have changed; what the export adds; and what OpenVINO's Model API
 * looks for. */
#include "train/export/export_metadata.h"

#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/sha256.h"
#include "train/support/version.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 256 };

/* Keys of the model file whose values are written anew or tell of a file beside it, and texts that explain a threshold. */
static const char *const renewed[] = {"threshold",      "pixel_threshold", "map_use", "preprocessing",
                                      EAD_SHARED_NAMES, EAD_SHARED_HASH,   NULL};
#define RULE "_rule"

static bool is_renewed(const char *key) {
    for (int i = 0; renewed[i]; i++)
        if (strcmp(renewed[i], key) == 0) return true;
    return false;
}

/* Whether a text explains a threshold other than the model's. */
static bool is_outdated(const EadExportSpec *spec, const char *key) {
    char of[TEXT_SIZE];
    size_t length = strlen(key), tail = strlen(RULE);
    if (length < tail || length >= sizeof of || strcmp(key + length - tail, RULE) != 0) return false;
    snprintf(of, sizeof of, "%.*s", (int)(length - tail), key);
    const char *value = ead_safetensors_metadata(spec->file, of);
    float now = strcmp(of, "threshold") == 0 ? spec->model->threshold : spec->model->pixel_threshold;
    return value && strtof(value, NULL) != now;
}

static EadStatus add(EadOnnxFile *file, const char *key, const char *format, ...) EAD_PRINTF(3, 4);
static EadStatus add(EadOnnxFile *file, const char *key, const char *format, ...) {
    char text[2 * TEXT_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return ead_onnx_metadata_add(file, key, text);
}

static EadStatus add_number(EadOnnxFile *file, const char *key, float value) {
    char text[EAD_NUMBER_TEXT];
    return isnan(value) ? EAD_OK : ead_onnx_metadata_add(file, key, ead_float_text(value, text));
}

static EadStatus add_of_file(EadOnnxFile *file, const EadExportSpec *spec) {
    const char *key;
    for (int i = 0; (key = ead_safetensors_metadata_key(spec->file, i)) != NULL; i++)
        if (!is_renewed(key) && !is_outdated(spec, key))
            EAD_TRY(ead_onnx_metadata_add(file, key, ead_safetensors_metadata(spec->file, key)));
    return EAD_OK;
}

/* Short vectors of numbers, as a list: the quantiles or mean and deviation of EfficientAD's maps. */
static EadStatus add_vectors(EadOnnxFile *file, const EadSafetensors *source) {
    static const char *const names[] = {"quantiles", "gaussian"};
    enum { MOST = 8 };
    for (int k = 0; k < 2; k++) {
        const EadFileTensor *tensor = ead_safetensors_find(source, names[k]);
        double values[MOST];
        char text[TEXT_SIZE] = "", number[EAD_NUMBER_TEXT];
        if (!tensor || tensor->count > MOST) continue;
        EAD_TRY(ead_file_tensor_to_double(source, tensor, values));
        for (int64_t i = 0; i < tensor->count; i++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                     ead_float_text((float)values[i], number));
        }
        EAD_TRY(ead_onnx_metadata_add(file, names[k], text));
    }
    return EAD_OK;
}

/* The choice of maps by its name: word number `index` of "both|st|ae". */
static EadStatus add_choice(EadOnnxFile *file, const EadModel *model) {
    const char *word = model->method->maps;
    for (int i = 0; i < model->map_choice; i++) word = strchr(word, '|') + 1;
    return *word ? add(file, "map_use", "%.*s", (int)strcspn(word, "|"), word) : EAD_OK;
}

static EadStatus add_input(EadOnnxFile *file, const EadExportSpec *spec) {
    const EadModel *model = spec->model;
    if (spec->input == EAD_EXPORT_CAMERA) {
        EAD_TRY(add(file, "input_form", "camera: uint8 [N,%d,%d,3], RGB", spec->height, spec->width));
        return add(file, "preprocessing",
                   "in the graph: antialiased bilinear resize from %dx%d to %dx%d (height x width), colours",
                   spec->height, spec->width, model->height, model->width);
    }
    EAD_TRY(add(file, "input_form", "tensor: float32 [N,3,%d,%d], RGB, 0 to 1", spec->height, spec->width));
    return add(file, "preprocessing",
               "before the graph: antialiased bilinear resize to %dx%d (height x width), rounded to 8 bits, "
               "divided by 255; in the graph: colours",
               model->height, model->width);
}

/* How far values lie apart that are shown as 0 and 1, with the threshold at 1/2. */
static double scale_around(float threshold, float high) {
    if (high > threshold) return 2 * ((double)high - (double)threshold);
    return threshold < 0 || threshold > 0 ? 2 * fabs((double)threshold) : 1;
}

/* Keys are "model_info NAME". It calls anomalous what has a pixel above image_threshold, not from it on, and shows
 * (value - threshold) / scale + 1/2. Where the score is not the map's maximum, the threshold of pixels is the one that is
 * meant for that. */
static EadStatus add_model_api(EadOnnxFile *file, const EadExportSpec *spec) {
    const EadModel *model = spec->model;
    float pixel = isnan(model->pixel_threshold) ? model->threshold : model->pixel_threshold;
    float image = ead_model_scores_by_peak(model) ? model->threshold : pixel;
    if (isnan(image)) return EAD_OK;
    EAD_TRY(add(file, "model_info model_type", "AnomalyDetection"));
    EAD_TRY(add(file, "model_info task", "segmentation"));
    EAD_TRY(add(file, "model_info labels", "Normal Anomaly"));
    EAD_TRY(add_number(file, "model_info image_threshold", nextafterf(image, -INFINITY)));
    EAD_TRY(add_number(file, "model_info pixel_threshold", pixel));
    if (spec->input == EAD_EXPORT_TENSOR) EAD_TRY(add(file, "model_info scale_values", "255 255 255"));
    return add_number(file, "model_info normalization_scale", (float)scale_around(image, model->color_high));
}

EadStatus ead_export_metadata(EadOnnxFile *file, const EadExportSpec *spec) {
    char hash[EAD_SHA256_TEXT];
    EAD_TRY(ead_file_sha256(spec->path, hash));
    EAD_TRY(add_of_file(file, spec));
    EAD_TRY(add_vectors(file, spec->file));
    EAD_TRY(add_choice(file, spec->model));
    EAD_TRY(add_number(file, "threshold", spec->model->threshold));
    EAD_TRY(add_number(file, "pixel_threshold", spec->model->pixel_threshold));
    EAD_TRY(add_input(file, spec));
    EAD_TRY(add(file, "precision", "%s", spec->halves ? "fp16" : "fp32"));
    EAD_TRY(add(file, "source_file", "%.200s", ead_path_base(spec->path)));
    EAD_TRY(add(file, "source_sha256", "%s", hash));
    EAD_TRY(add(file, "exported_by", "efficientad %s", ead_version()));
    return add_model_api(file, spec);
}
