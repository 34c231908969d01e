/* JSON and binary tensors into images. */
#include "train/serve/inference.h"

#include "core/base/memory.h"
#include "core/file/json_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OTHER_VALUES = 4096, MOST_SIDE = 65535, MOST_DIMS = 8, COUNT_BYTES = 4 };

/* What is left of the body behind the JSON. */
typedef struct Tail {
    const uint8_t *bytes;
    size_t size;
} Tail;

static const EadInferOutputKind outputs[EAD_INFER_OUTPUTS] = {
    {"pred_score", "FP32", 1}, {"anomalous", "BOOL", 1}, {"anomaly_map", "FP32", 3}, {"heatmap", "BYTES", 1}};

const EadInferOutputKind *ead_infer_output(int output) {
    return output >= 0 && output < EAD_INFER_OUTPUTS ? &outputs[output] : NULL;
}

/* ---- JSON ---- */

/* jansson takes some 40 bytes for a value: a body of commas must not become a hundred times its size. */
static EadStatus check_values(const char *text, size_t size) {
    int64_t commas = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else
            commas += !quoted && text[i] == ',';
    }
    if (commas <= EAD_INFER_MOST_NUMBERS + MOST_OTHER_VALUES) return EAD_OK;
    return ead_fail(
        EAD_BAD_SHAPE,
        "more than %d numbers as JSON; send larger tensors by the binary extension (binary_data_size, "
        "Inference-Header-Content-Length), or the image file to /predict",
        (int)EAD_INFER_MOST_NUMBERS);
}

static EadStatus read_json(const char *text, size_t size, json_t **root) {
    json_error_t error;
    EAD_TRY(check_values(text, size));
    EadStatus status = ead_json_parse("the request", text, size, JSON_REJECT_DUPLICATES, root, &error);
    if (status == EAD_BAD_FILE)
        return ead_fail(status, "the request is no JSON: line %d: %s", error.line, error.text);
    EAD_TRY(status);
    return json_is_object(*root) ? EAD_OK : ead_fail(EAD_BAD_ARGUMENT, "the request is no JSON object");
}

/* A member that may be missing, but has that type. */
static EadStatus find(const json_t *object, const char *key, json_type type, const char *kind, json_t **out) {
    *out = json_object_get(object, key);
    if (!*out || json_typeof(*out) == type) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "\"%s\" must be %s", key, kind);
}

static EadStatus need(const json_t *object, const char *key, json_type type, const char *kind, json_t **out) {
    EAD_TRY(find(object, key, type, kind, out));
    return *out ? EAD_OK : ead_fail(EAD_BAD_ARGUMENT, "\"%s\" is missing: it must be %s", key, kind);
}

static EadStatus find_parameters(const json_t *object, json_t **out) {
    return find(object, "parameters", JSON_OBJECT, "an object", out);
}

/* A whole number of the parameters, or `usual`. */
static EadStatus find_number(const json_t *parameters, const char *key, json_int_t usual, json_int_t *out) {
    json_t *value;
    EAD_TRY(find(parameters, key, JSON_INTEGER, "a whole number", &value));
    *out = value ? json_integer_value(value) : usual;
    return EAD_OK;
}

static EadStatus find_flag(const json_t *parameters, const char *key, bool usual, bool *out) {
    json_t *value = json_object_get(parameters, key);
    if (value && !json_is_boolean(value))
        return ead_fail(EAD_BAD_ARGUMENT, "\"%s\" must be true or false", key);
    *out = value ? json_is_true(value) : usual;
    return EAD_OK;
}

/* ---- tensors ---- */

static EadStatus wrong_count(const char *what, long long got, long long needed) {
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %lld, but the shape needs %lld", what, got, needed);
}

/* The numbers of a tensor, row by row, from arrays nested as its shape is; *at counts them. */
static EadStatus read_numbers(const json_t *data, const int64_t *sizes, int dims, uint8_t *out, int64_t *at) {
    size_t i;
    json_t *item;
    if (json_array_size(data) != (uint64_t)sizes[0])
        return wrong_count(dims > 1 ? "arrays in \"data\"" : "numbers in \"data\"",
                           (long long)json_array_size(data), sizes[0]);
    json_array_foreach(data, i, item) {
        if (dims > 1 && !json_is_array(item))
            return ead_fail(EAD_BAD_ARGUMENT, "\"data\" is one array of numbers, or nested as the shape is");
        if (dims > 1) {
            EAD_TRY(read_numbers(item, sizes + 1, dims - 1, out, at));
            continue;
        }
        double value = json_is_number(item) ? json_number_value(item) : -1;
        if (!(value >= 0 && value <= 255) || value != floor(value))
            return ead_fail(EAD_BAD_ARGUMENT, "\"data\": value number %lld is no whole number from 0 to 255",
                            (long long)*at);
        out[(*at)++] = (uint8_t)value;
    }
    return EAD_OK;
}

/* The bytes of a binary tensor, from the tail. */
static EadStatus take_binary(json_int_t size, Tail *tail, Tail *out) {
    if (size < 0 || (uint64_t)size > tail->size)
        return ead_fail(EAD_BAD_ARGUMENT, "\"binary_data_size\" is %lld, but %zu bytes follow the JSON",
                        (long long)size, tail->size);
    *out = (Tail){tail->bytes, (size_t)size};
    tail->bytes += size;
    tail->size -= (size_t)size;
    return EAD_OK;
}

static EadStatus read_shape(const json_t *shape, int64_t sizes[MOST_DIMS], int *dims) {
    size_t i;
    json_t *item;
    *dims = (int)json_array_size(shape);
    if (*dims < 1 || *dims > MOST_DIMS)
        return ead_fail(EAD_BAD_ARGUMENT, "\"shape\" has %zu sizes", json_array_size(shape));
    json_array_foreach(shape, i, item) {
        sizes[i] = json_integer_value(item);
        if (!json_is_integer(item) || sizes[i] < 1)
            return ead_fail(EAD_BAD_ARGUMENT, "\"shape\" must be whole numbers from 1 on");
    }
    if (sizes[0] <= EAD_INFER_MOST_IMAGES) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "%lld images in a request; at most %d", (long long)sizes[0],
                    (int)EAD_INFER_MOST_IMAGES);
}

static EadStatus start_images(EadInference *out, int64_t count) {
    out->images = ead_new(count, sizeof *out->images, "images");
    out->decoded = out->images ? ead_new(count, sizeof *out->decoded, "images") : NULL;
    if (!out->decoded) return EAD_NO_MEMORY;
    out->count = (int)count;
    return EAD_OK;
}

static EadStatus too_many_pixels(int64_t most) {
    return ead_fail(EAD_BAD_SHAPE,
                    "the images of a request have more than %lld pixels in all (--max-pixels of the server)",
                    (long long)most);
}

/* UINT8 [N,H,W,C]. */
static EadStatus read_pixels(const json_t *data, const Tail *binary, const int64_t *sizes, int dims,
                             const EadImageRules *rules, EadInference *out) {
    if (dims != 4 || (sizes[3] != 3 && sizes[3] != 1))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "an image of UINT8 has the shape [N,H,W,3] (RGB) or [N,H,W,1] (gray)");
    if (sizes[1] > MOST_SIDE || sizes[2] > MOST_SIDE || sizes[0] * sizes[1] * sizes[2] > rules->max_pixels)
        return too_many_pixels(rules->max_pixels);
    int64_t each = sizes[1] * sizes[2] * sizes[3], count = sizes[0] * each, got = 0;
    const uint8_t *pixels = binary ? binary->bytes : NULL;
    if (binary && binary->size != (uint64_t)count)
        return wrong_count("bytes of image", (long long)binary->size, count);
    if (!binary) {
        if (count > EAD_INFER_MOST_NUMBERS)
            return ead_fail(EAD_BAD_SHAPE,
                            "%lld numbers as JSON, at most %d: send them by the binary extension",
                            (long long)count, (int)EAD_INFER_MOST_NUMBERS);
        pixels = out->numbers = ead_new(count, 1, "pixels");
        if (!pixels) return EAD_NO_MEMORY;
        bool nested = json_is_array(json_array_get(data, 0));
        EAD_TRY(read_numbers(data, nested ? sizes : &count, nested ? dims : 1, out->numbers, &got));
    }
    EAD_TRY(start_images(out, sizes[0]));
    for (int i = 0; i < out->count; i++)
        out->images[i] = (EadPoolImage){.pixels = pixels + i * each,
                                        .width = (int)sizes[2],
                                        .height = (int)sizes[1],
                                        .channels = (int)sizes[3]};
    return EAD_OK;
}

static EadStatus decode(const uint8_t *bytes, size_t size, const EadImageRules *rules, EadInference *out,
                        int index, int64_t *pixels) {
    char label[32];
    EadImage *image = &out->decoded[index];
    EadImageRules left = *rules;
    left.max_pixels -= *pixels;
    if (left.max_pixels < 1) return too_many_pixels(rules->max_pixels);
    snprintf(label, sizeof label, "image %d", index + 1);
    EAD_TRY(ead_image_decode_with(bytes, size, label, &left, image));
    *pixels += (int64_t)image->width * image->height;
    out->images[index] = (EadPoolImage){
        .pixels = image->pixels, .width = image->width, .height = image->height, .channels = image->channels};
    return EAD_OK;
}

/* BYTES [N]: image files. */
static EadStatus read_files(const Tail *binary, const int64_t *sizes, int dims, const EadImageRules *rules,
                            EadInference *out) {
    int64_t pixels = 0;
    if (!binary)
        return ead_fail(EAD_UNSUPPORTED,
                        "image files (BYTES) come by the binary extension; or send one to /predict");
    if (dims > 2 || (dims == 2 && sizes[1] != 1))
        return ead_fail(EAD_BAD_ARGUMENT, "image files of BYTES have the shape [N]");
    Tail left = *binary;
    EAD_TRY(start_images(out, sizes[0]));
    for (int i = 0; i < out->count; i++) {
        if (left.size < COUNT_BYTES) return wrong_count("image files", i, out->count);
        size_t size = left.bytes[0] | (size_t)left.bytes[1] << 8 | (size_t)left.bytes[2] << 16 |
                      (size_t)left.bytes[3] << 24;
        left = (Tail){left.bytes + COUNT_BYTES, left.size - COUNT_BYTES};
        if (size > left.size)
            return ead_fail(EAD_BAD_ARGUMENT, "image %d: its length is %zu, but %zu bytes are left", i + 1,
                            size, left.size);
        EAD_TRY(decode(left.bytes, size, rules, out, i, &pixels));
        left = (Tail){left.bytes + size, left.size - size};
    }
    return left.size == 0
               ? EAD_OK
               : ead_fail(EAD_BAD_ARGUMENT, "%zu bytes are left behind the last image file", left.size);
}

static EadStatus read_input(const json_t *input, Tail *tail, const EadImageRules *rules, EadInference *out) {
    json_t *name, *shape, *type, *data, *parameters;
    json_int_t size;
    int64_t sizes[MOST_DIMS];
    int dims;
    Tail bytes, *binary = NULL;
    if (!json_is_object(input)) return ead_fail(EAD_BAD_ARGUMENT, "an input must be an object");
    EAD_TRY(need(input, "name", JSON_STRING, "a text", &name));
    EAD_TRY(need(input, "datatype", JSON_STRING, "a text", &type));
    EAD_TRY(need(input, "shape", JSON_ARRAY, "an array", &shape));
    EAD_TRY(find_parameters(input, &parameters));
    EAD_TRY(find_number(parameters, "binary_data_size", -1, &size));
    EAD_TRY(find(input, "data", JSON_ARRAY, "an array", &data));
    if (strcmp(json_string_value(name), "image") != 0)
        return ead_fail(EAD_BAD_ARGUMENT, "there is no input '%.100s'; the input is called image",
                        json_string_value(name));
    if (json_object_get(parameters, "binary_data_size")) EAD_TRY(take_binary(size, tail, binary = &bytes));
    if (binary && data)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "image: both \"data\" and \"binary_data_size\" are there; send one");
    if (!binary && !data)
        return ead_fail(EAD_BAD_ARGUMENT, "image: neither \"data\" nor \"binary_data_size\" is there");
    EAD_TRY(read_shape(shape, sizes, &dims));
    if (strcmp(json_string_value(type), "UINT8") == 0)
        return read_pixels(data, binary, sizes, dims, rules, out);
    if (strcmp(json_string_value(type), "BYTES") == 0) return read_files(binary, sizes, dims, rules, out);
    return ead_fail(EAD_BAD_ARGUMENT, "image: datatype '%.100s'; it must be UINT8, or BYTES for image files",
                    json_string_value(type));
}

/* ---- outputs ---- */

static EadStatus want(EadInference *out, const EadServedModel *model, EadWantedOutput wanted) {
    const char *name = outputs[wanted.output].name;
    for (int i = 0; i < out->wanted_count; i++)
        if (out->wanted[i].output == wanted.output)
            return ead_fail(EAD_BAD_ARGUMENT, "output %s is named twice", name);
    if (wanted.output == EAD_INFER_ANOMALOUS && isnan(model->model->threshold))
        return ead_fail(EAD_BAD_ARGUMENT, "the model has no threshold, so there is no output %s", name);
    if (wanted.output == EAD_INFER_HEATMAP && !wanted.binary)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s is no text: ask for it by the binary extension (\"binary_data\": true)", name);
    out->wanted[out->wanted_count++] = wanted;
    return EAD_OK;
}

static EadStatus read_output(const json_t *item, bool binary, const EadServedModel *model,
                             EadInference *out) {
    json_t *name, *parameters, *size;
    EadWantedOutput wanted = {0};
    int found = 0;
    if (!json_is_object(item)) return ead_fail(EAD_BAD_ARGUMENT, "an output must be an object");
    EAD_TRY(need(item, "name", JSON_STRING, "a text", &name));
    EAD_TRY(find_parameters(item, &parameters));
    EAD_TRY(find_flag(parameters, "binary_data", binary, &wanted.binary));
    EAD_TRY(find(parameters, "map_size", JSON_STRING, "\"model\" or \"image\"", &size));
    wanted.of_image = size && strcmp(json_string_value(size), "image") == 0;
    if (size && !wanted.of_image && strcmp(json_string_value(size), "model") != 0)
        return ead_fail(EAD_BAD_ARGUMENT, "\"map_size\" must be \"model\" or \"image\"");
    if (model->model->tiles.size && size && !wanted.of_image)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "\"map_size\" must be \"image\": the model looks at images in tiles");
    wanted.of_image |= model->model->tiles.size > 0;
    while (found < EAD_INFER_OUTPUTS && strcmp(outputs[found].name, json_string_value(name)) != 0) found++;
    if (found == EAD_INFER_OUTPUTS)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "there is no output '%.100s'; there are pred_score, anomalous, anomaly_map, heatmap",
                        json_string_value(name));
    wanted.output = (EadInferOutput)found;
    return want(out, model, wanted);
}

static EadStatus want_usual(const EadServedModel *model, bool binary, EadInference *out) {
    EAD_TRY(want(out, model, (EadWantedOutput){.output = EAD_INFER_SCORE, .binary = binary}));
    if (isnan(model->model->threshold)) return EAD_OK;
    return want(out, model, (EadWantedOutput){.output = EAD_INFER_ANOMALOUS, .binary = binary});
}

static EadStatus read_outputs(const EadServedModel *model, EadInference *out) {
    json_t *list, *parameters, *item;
    bool binary = false;
    size_t i;
    EAD_TRY(find_parameters(out->root, &parameters));
    EAD_TRY(find_flag(parameters, "binary_data_output", false, &binary));
    EAD_TRY(find(out->root, "outputs", JSON_ARRAY, "an array", &list));
    json_array_foreach(list, i, item) EAD_TRY(read_output(item, binary, model, out));
    return out->wanted_count > 0 ? EAD_OK : want_usual(model, binary, out);
}

/* A map of an image can have a hundred times the numbers that are sensible as JSON. */
static EadStatus check_numbers(const EadInference *inference, const EadServedModel *model) {
    for (int i = 0; i < inference->wanted_count; i++) {
        const EadWantedOutput *wanted = &inference->wanted[i];
        const EadPoolImage *image = &inference->images[0];
        int64_t each = wanted->of_image ? (int64_t)image->width * image->height
                                        : ead_pool_map_cells(model->model, image);
        if (wanted->output == EAD_INFER_MAP && !wanted->binary &&
            inference->count * each > EAD_INFER_MOST_NUMBERS)
            return ead_fail(EAD_BAD_SHAPE,
                            "maps of %lld numbers as JSON, at most %d: ask for them by \"binary_data\": true",
                            (long long)(inference->count * each), (int)EAD_INFER_MOST_NUMBERS);
    }
    return EAD_OK;
}

EadStatus ead_inference_allot_maps(EadInference *inference, const EadServedModel *model, int most) {
    for (int i = 0; i < inference->count && i < most; i++) {
        EadPoolImage *image = &inference->images[i];
        int64_t cells = ead_pool_map_cells(model->model, image);
        if (!image->map && !(image->map = ead_new(cells, sizeof *image->map, "maps"))) return EAD_NO_MEMORY;
    }
    return EAD_OK;
}

/* For the maps that outputs need. Maps of one tensor have one size. */
static EadStatus allot_maps(const EadServedModel *model, EadInference *out) {
    bool maps = false, of_image = false;
    for (int i = 0; i < out->wanted_count; i++) {
        maps |= out->wanted[i].output >= EAD_INFER_MAP;
        of_image |= out->wanted[i].output == EAD_INFER_MAP && out->wanted[i].of_image;
    }
    for (int i = 0; i < out->count; i++) {
        const EadPoolImage *image = &out->images[i];
        if (of_image && (image->width != out->images[0].width || image->height != out->images[0].height))
            return ead_fail(EAD_BAD_ARGUMENT,
                            "\"map_size\": \"image\" takes images of one size; image %d has another", i + 1);
    }
    return maps ? ead_inference_allot_maps(out, model, out->count) : EAD_OK;
}

/* ---- requests ---- */

/* The JSON and what follows; *json_size 0: the whole body is one image file. */
static EadStatus split_body(const EadServeRequest *request, size_t *json_size) {
    const char *text = request->json_size;
    *json_size = request->size;
    if (!text) return EAD_OK;
    char *end;
    unsigned long long size = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || size > request->size)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "Inference-Header-Content-Length is '%.40s'; the body has %zu bytes", text,
                        request->size);
    *json_size = (size_t)size;
    return EAD_OK;
}

static EadStatus read_parameters(EadInference *out) {
    json_t *id, *parameters;
    json_int_t microseconds;
    EAD_TRY(find(out->root, "id", JSON_STRING, "a text", &id));
    out->id = id ? json_string_value(id) : NULL;
    EAD_TRY(find_parameters(out->root, &parameters));
    EAD_TRY(find_number(parameters, "timeout", 0, &microseconds));
    return microseconds >= 0
               ? EAD_OK
               : ead_fail(EAD_BAD_ARGUMENT, "\"timeout\" is %lld microseconds", (long long)microseconds);
}

static void set_deadline(const EadServeRequest *request, EadInference *out) {
    json_int_t microseconds =
        json_integer_value(json_object_get(json_object_get(out->root, "parameters"), "timeout"));
    double own = request->arrived + 1e-6 * (double)microseconds;
    out->deadline = microseconds > 0 && own < request->deadline ? own : request->deadline;
}

static EadStatus read_inputs(const EadServeRequest *request, size_t json_size, const EadImageRules *rules,
                             EadInference *out) {
    json_t *inputs;
    Tail tail = {request->body + json_size, request->size - json_size};
    EAD_TRY(need(out->root, "inputs", JSON_ARRAY, "an array", &inputs));
    if (json_array_size(inputs) != 1)
        return ead_fail(EAD_BAD_ARGUMENT, "%zu inputs; there must be one, called image",
                        json_array_size(inputs));
    EAD_TRY(read_input(json_array_get(inputs, 0), &tail, rules, out));
    return tail.size == 0 ? EAD_OK
                          : ead_fail(EAD_BAD_ARGUMENT, "%zu bytes are left behind the tensors", tail.size);
}

EadStatus ead_inference_read(const EadServeRequest *request, const EadServedModel *model,
                             const EadImageRules *rules, EadInference *out) {
    size_t json_size;
    int64_t pixels = 0;
    *out = (EadInference){.deadline = request->deadline};
    EAD_TRY(split_body(request, &json_size));
    if (json_size == 0 && request->json_size) {
        EAD_TRY(start_images(out, 1));
        EAD_TRY(decode(request->body, request->size, rules, out, 0, &pixels));
        return want_usual(model, false, out);
    }
    EAD_TRY(read_json((const char *)request->body, json_size, &out->root));
    EAD_TRY(read_parameters(out));
    set_deadline(request, out);
    EAD_TRY(read_outputs(model, out));
    EAD_TRY(read_inputs(request, json_size, rules, out));
    EAD_TRY(check_numbers(out, model));
    return allot_maps(model, out);
}

void ead_inference_free(EadInference *inference) {
    for (int i = 0; i < inference->count; i++) {
        free(inference->images[i].map);
        ead_image_free(&inference->decoded[i]);
    }
    free(inference->images);
    free(inference->decoded);
    free(inference->numbers);
    json_decref(inference->root);
    *inference = (EadInference){0};
}
