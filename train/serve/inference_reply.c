/* The reply of the Open Inference Protocol: JSON, and behind it what is wanted as bytes. */
#include "train/serve/inference.h"

#include "core/base/memory.h"
#include "core/image/region.h"
#include "train/evaluate/map_output.h"
#include "train/support/json_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A reply that is being written. */
typedef struct Writing {
    const EadInference *inference;
    const EadServedModel *model;
    EadJson json;
    FILE *tail; /* the binary tensors */
} Writing;

/* ---- pictures ---- */

EadStatus ead_infer_map_of_image(const EadServedModel *model, const EadPoolImage *image, float **map) {
    *map = ead_new((int64_t)image->width * image->height, sizeof **map, "the map of an image");
    if (!*map) return EAD_NO_MEMORY;
    if (model->model->tiles.size)
        memcpy(*map, image->map, (size_t)image->width * (size_t)image->height * sizeof **map);
    else
        ead_region_map_resize(&model->model->region, image->map, model->model->height, model->model->width,
                              *map, image->height, image->width);
    return EAD_OK;
}

static EadStatus copy_rgb(const EadPoolImage *image, EadImage *out) {
    EAD_TRY(ead_image_alloc(out, image->width, image->height, 3));
    size_t pixels = (size_t)image->width * (size_t)image->height;
    if (image->channels == 3)
        memcpy(out->pixels, image->pixels, 3 * pixels);
    else
        for (size_t i = 0; i < pixels; i++) memset(out->pixels + 3 * i, image->pixels[i], 3);
    return EAD_OK;
}

EadStatus ead_infer_heatmap(const EadServedModel *model, const EadPoolImage *image, const float *map,
                            uint8_t **png, size_t *size) {
    EadImage rgb, picture;
    *png = NULL;
    EAD_TRY(copy_rgb(image, &rgb));
    EadOverlay overlay = {.rgb = &rgb,
                          .map = map,
                          .heat = ead_heat_of(model->model, image->score),
                          .regions = !isnan(model->model->pixel_threshold),
                          .legend = true,
                          .score = image->score,
                          .threshold = (double)model->model->threshold};
    EadStatus status = ead_overlay_render(&overlay, &picture);
    ead_image_free(&rgb);
    EAD_TRY(status);
    status = ead_png_encode(&picture, png, size);
    ead_image_free(&picture);
    return status;
}

/* ---- numbers ---- */

/* Little-endian, on every machine. */
static void write_bytes_of(FILE *tail, uint32_t value) {
    for (int i = 0; i < 4; i++) putc((int)(value >> 8 * i & 255), tail);
}

static void write_float(Writing *w, bool binary, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (binary)
        write_bytes_of(w->tail, bits);
    else
        ead_json_float(&w->json, NULL, value);
}

static bool is_anomalous(const Writing *w, const EadPoolImage *image) {
    return image->score >= w->model->model->threshold;
}

static void write_numbers(Writing *w, const EadWantedOutput *wanted) {
    for (int i = 0; i < w->inference->count; i++) {
        const EadPoolImage *image = &w->inference->images[i];
        if (wanted->output == EAD_INFER_SCORE)
            write_float(w, wanted->binary, image->score);
        else if (wanted->binary)
            putc(is_anomalous(w, image), w->tail);
        else
            ead_json_flag(&w->json, NULL, is_anomalous(w, image));
    }
}

static EadStatus write_maps(Writing *w, const EadWantedOutput *wanted) {
    for (int i = 0; i < w->inference->count; i++) {
        const EadPoolImage *image = &w->inference->images[i];
        int64_t cells = (int64_t)w->model->model->height * w->model->model->width;
        float *large = NULL;
        if (wanted->of_image) {
            EAD_TRY(ead_infer_map_of_image(w->model, image, &large));
            cells = (int64_t)image->width * image->height;
        }
        for (int64_t k = 0; k < cells; k++) write_float(w, wanted->binary, large ? large[k] : image->map[k]);
        free(large);
    }
    return EAD_OK;
}

static EadStatus write_heatmaps(Writing *w) {
    for (int i = 0; i < w->inference->count; i++) {
        const EadPoolImage *image = &w->inference->images[i];
        float *map;
        uint8_t *png = NULL;
        size_t size = 0;
        EAD_TRY(ead_infer_map_of_image(w->model, image, &map));
        EadStatus status = ead_infer_heatmap(w->model, image, map, &png, &size);
        free(map);
        EAD_TRY(status);
        write_bytes_of(w->tail, (uint32_t)size);
        fwrite(png, 1, size, w->tail);
        free(png);
    }
    return EAD_OK;
}

/* ---- the reply ---- */

static void write_shape(Writing *w, const EadWantedOutput *wanted) {
    const EadPoolImage *image = &w->inference->images[0];
    ead_json_open(&w->json, "shape", '[');
    ead_json_integer(&w->json, NULL, w->inference->count);
    if (wanted->output == EAD_INFER_MAP) {
        ead_json_integer(&w->json, NULL, wanted->of_image ? image->height : w->model->model->height);
        ead_json_integer(&w->json, NULL, wanted->of_image ? image->width : w->model->model->width);
    }
    ead_json_close(&w->json, ']');
}

static EadStatus write_data(Writing *w, const EadWantedOutput *wanted) {
    if (wanted->output == EAD_INFER_MAP) return write_maps(w, wanted);
    if (wanted->output == EAD_INFER_HEATMAP) return write_heatmaps(w);
    write_numbers(w, wanted);
    return EAD_OK;
}

static EadStatus write_output(Writing *w, const EadWantedOutput *wanted) {
    const EadInferOutputKind *kind = ead_infer_output((int)wanted->output);
    int64_t before = ftell(w->tail);
    ead_json_open(&w->json, NULL, '{');
    ead_json_string(&w->json, "name", kind->name);
    ead_json_string(&w->json, "datatype", kind->type);
    write_shape(w, wanted);
    if (!wanted->binary) ead_json_open(&w->json, "data", '[');
    EAD_TRY(write_data(w, wanted));
    if (wanted->binary) {
        ead_json_open(&w->json, "parameters", '{');
        ead_json_integer(&w->json, "binary_data_size", ftell(w->tail) - before);
    }
    ead_json_close(&w->json, wanted->binary ? '}' : ']');
    ead_json_close(&w->json, '}');
    return EAD_OK;
}

static EadStatus write_all(Writing *w) {
    EadJson *json = &w->json;
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "model_name", w->model->name);
    ead_json_string(json, "model_version", "1");
    if (w->inference->id) ead_json_string(json, "id", w->inference->id);
    ead_json_open(json, "outputs", '[');
    for (int i = 0; i < w->inference->wanted_count; i++) EAD_TRY(write_output(w, &w->inference->wanted[i]));
    ead_json_close(json, ']');
    ead_json_close(json, '}');
    return EAD_OK;
}

/* Puts the tensors behind the JSON. */
static void join(EadServeReply *reply, FILE *stream, const char *tail, size_t size) {
    if (size > 0) {
        fflush(stream);
        reply->json_size = reply->size;
        reply->type = "application/octet-stream";
        fwrite(tail, 1, size, stream);
    }
    ead_reply_end(reply, stream);
}

void ead_inference_reply(const EadInference *inference, const EadServedModel *model, EadServeReply *reply) {
    char *tail = NULL;
    size_t size = 0;
    EadStatus status = EAD_OK;
    FILE *stream = ead_reply_begin(reply, EAD_HTTP_OK, "application/json");
    if (!stream) return;
    Writing writing = {inference, model, {.stream = stream, .compact = true}, open_memstream(&tail, &size)};
    if (!writing.tail) status = ead_fail(EAD_NO_MEMORY, "no memory for a reply");
    if (status == EAD_OK) status = write_all(&writing);
    if (writing.tail) {
        EadStatus closed = ead_memory_stream_close(writing.tail, &tail, "a reply");
        if (status == EAD_OK) status = closed;
    }
    join(reply, stream, tail, status == EAD_OK ? size : 0);
    free(tail);
    if (status != EAD_OK) ead_reply_failure(reply, status);
}
