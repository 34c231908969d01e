/* The table of methods, and what their model files have in common. No file is believed unchecked. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "models/method.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EAD_METHOD(name, maps) extern const EadMethodFunctions ead_##name##_functions;
#include "models/methods.def"
#undef EAD_METHOD

static const EadMethod methods[] = {
#define EAD_METHOD(name, maps) {#name, maps, &ead_##name##_functions},
#include "models/methods.def"
#undef EAD_METHOD
};

#define IMAGE_BITS     "image_bits"
#define IMAGE_WHITE    "image_white"
#define IMAGE_CHANNELS "image_channels"
#define SCORE_METHOD   "score_method"
#define TILES_SIZE     "tiles_size"
#define TILES_OVERLAP  "tiles_overlap"
#define TILES_SCALE    "tiles_scale"
#define SCORE_CELLS    "score_cells"
#define ROI_BOX        "roi_box"
#define ROI_IMAGE      "roi_image"
#define ROI_MASK       "roi_mask"

enum { METHODS = sizeof methods / sizeof *methods };

const EadMethod *ead_method_at(int index) {
    return index < METHODS ? &methods[index] : NULL;
}

const EadMethod *ead_method_find(const char *name) {
    for (int i = 0; i < METHODS; i++)
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
    return NULL;
}

void ead_model_free(EadModel *model) {
    if (!model) return;
    ead_region_free(&model->region);
    model->method->functions->free(model);
}

/* ---- the choice of maps ---- */

/* Word number `index` of "a|b|c"; false behind the last. */
static bool word_at(const char *words, int index, char word[EAD_MAP_NAME_SIZE]) {
    for (; index > 0; index--) {
        words = strchr(words, '|');
        if (!words) return false;
        words++;
    }
    snprintf(word, EAD_MAP_NAME_SIZE, "%.*s", (int)strcspn(words, "|"), words);
    return true;
}

EadStatus ead_model_find_maps(const EadModel *model, const char *name, int *map_choice) {
    char word[EAD_MAP_NAME_SIZE];
    const char *maps = model->method->maps;
    for (int i = 0; *maps && word_at(maps, i, word); i++) {
        *map_choice = i;
        if (strcmp(word, name) == 0) return EAD_OK;
    }
    return ead_fail(EAD_BAD_ARGUMENT, "%s has no maps '%s'; it has %s", model->method->name, name,
                    *maps ? maps : "one map and no choice");
}

void ead_model_map_name(const EadModel *model, char name[EAD_MAP_NAME_SIZE]) {
    name[0] = '\0';
    word_at(model->method->maps, model->map_choice, name);
}

bool ead_model_scores_by_peak(const EadModel *model) {
    return model->method->functions->scores_by_peak && model->score.method == EAD_SCORE_MAX;
}

EadModel ead_model_new(const char *method, int height, int width) {
    return (EadModel){.method = ead_method_find(method),
                      .height = height,
                      .width = width,
                      .threshold = (float)NAN,
                      .pixel_threshold = (float)NAN,
                      .map_level = (float)NAN,
                      .color_high = (float)NAN};
}

EadStatus ead_model_choose_maps(EadModel *model, int map_choice) {
    if (model->method->functions->check_maps)
        EAD_TRY(model->method->functions->check_maps(model, map_choice));
    if (map_choice != model->map_choice)
        model->threshold = model->pixel_threshold = model->map_level = (float)NAN;
    model->map_choice = map_choice;
    return EAD_OK;
}

/* ---- reading ---- */

static EadStatus read_map_choice(const EadSafetensors *file, EadModel *model) {
    const char *name = ead_safetensors_metadata(file, "map_use");
    int map_choice;
    if (!name) return EAD_OK;
    if (ead_model_find_maps(model, name, &map_choice) != EAD_OK)
        return ead_bad_metadata(file, "map_use", name, model->method->maps);
    EadStatus status = ead_model_choose_maps(model, map_choice);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

/* NAN where the file does not hold it. */
static EadStatus read_number(const EadSafetensors *file, const char *key, float *out) {
    const char *text = ead_safetensors_metadata(file, key);
    *out = NAN;
    if (!text) return EAD_OK;
    char *end;
    *out = strtof(text, &end);
    bool valid = end != text && *end == '\0' && isfinite(*out);
    return valid ? EAD_OK : ead_bad_metadata(file, key, text, "a number");
}

static EadStatus read_thresholds(const EadSafetensors *file, EadModel *model) {
    EAD_TRY(read_number(file, "threshold", &model->threshold));
    EAD_TRY(read_number(file, "pixel_threshold", &model->pixel_threshold));
    if (isnan(model->pixel_threshold) && ead_model_scores_by_peak(model))
        model->pixel_threshold = model->threshold;
    return read_number(file, "map_level", &model->map_level);
}

/* 0 where the file does not hold it. */
static EadStatus read_whole_number(const EadSafetensors *file, const char *key, int most, int *out) {
    const char *text = ead_safetensors_metadata(file, key);
    char *end, wanted[48];
    long value = text ? strtol(text, &end, 10) : 0;
    bool valid = !text || (end != text && *end == '\0' && value >= 1 && value <= most);
    *out = valid ? (int)value : 0;
    snprintf(wanted, sizeof wanted, "a number from 1 to %d", most);
    return valid ? EAD_OK : ead_bad_metadata(file, key, text, wanted);
}

static const char *const score_methods[] = {"max", "top_mean", "area", NULL};

static EadStatus read_score(const EadSafetensors *file, EadModel *model) {
    int method;
    if (!ead_safetensors_metadata(file, SCORE_METHOD)) return EAD_OK;
    EAD_TRY(ead_metadata_choice(file, SCORE_METHOD, score_methods, "max, top_mean or area", &method));
    model->score.method = (EadScoreMethod)method;
    EAD_TRY(read_whole_number(file, SCORE_CELLS, EAD_SCORE_MOST_CELLS, &model->score.cells));
    if (model->score.cells || model->score.method == EAD_SCORE_MAX) return EAD_OK;
    return ead_bad_metadata(file, SCORE_CELLS, NULL, "there where " SCORE_METHOD " is");
}

static EadStatus read_images(const EadSafetensors *file, EadModel *model) {
    int channels;
    EAD_TRY(read_whole_number(file, IMAGE_CHANNELS, 1, &channels));
    model->image_gray = channels == 1;
    EAD_TRY(read_whole_number(file, IMAGE_BITS, 16, &model->image_bits));
    EAD_TRY(read_whole_number(file, IMAGE_WHITE, 65535, &model->image_white));
    if (!model->image_bits || !model->image_white) return EAD_OK;
    return ead_bad_metadata(file, IMAGE_WHITE, ead_safetensors_metadata(file, IMAGE_WHITE),
                            "absent where there is " IMAGE_BITS);
}

/* ---- numbers of a file that is written ---- */

static EadStatus write_number(EadSafetensorsWriter *writer, const char *key, float value) {
    char text[EAD_NUMBER_TEXT];
    if (isnan(value)) return EAD_OK;
    return ead_safetensors_writer_metadata(writer, key, ead_float_text(value, text));
}

/* 0 is left away. */
static EadStatus write_whole_number(EadSafetensorsWriter *writer, const char *key, int value) {
    char text[16];
    if (!value) return EAD_OK;
    snprintf(text, sizeof text, "%d", value);
    return ead_safetensors_writer_metadata(writer, key, text);
}

/* ---- its region ---- */

static bool read_size(const char *text, int *height, int *width) {
    int used = 0;
    return sscanf(text, "%5dx%5d%n", height, width, &used) == 2 && text[used] == '\0' && *height >= 1 &&
           *width >= 1 && *height <= 65535 && *width <= 65535;
}

static EadStatus read_mask(const EadSafetensors *file, EadRegion *region) {
    const EadFileTensor *mask = ead_safetensors_find(file, ROI_MASK);
    const char *path = ead_safetensors_path(file), *text = ead_safetensors_metadata(file, ROI_IMAGE);
    int64_t height = region->mask_height, width = region->mask_width;
    if (!mask && !text) return EAD_OK;
    if (!text || !read_size(text, &region->image_height, &region->image_width))
        return ead_bad_metadata(file, ROI_IMAGE, text, "HEIGHTxWIDTH of the images that " ROI_MASK " is for");
    bool fits = mask && mask->type == EAD_FILE_U8 && mask->dims == 2 && mask->shape[0] == height &&
                mask->shape[1] == width;
    if (!fits)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '" ROI_MASK "' is missing or is not U8 [%d,%d]; %s", path,
                        region->mask_height, region->mask_width, EAD_MODEL_FILE_HINT);
    const uint8_t *values = mask->data;
    for (int64_t i = 0; i < mask->count; i++)
        if (values[i] > 1)
            return ead_fail(EAD_BAD_FILE, "%s: tensor '" ROI_MASK "' holds %d; it must hold 0 and 1; %s",
                            path, values[i], EAD_MODEL_FILE_HINT);
    if (!memchr(values, 1, (size_t)mask->count))
        return ead_fail(EAD_BAD_FILE, "%s: tensor '" ROI_MASK "' leaves nothing to inspect; %s", path,
                        EAD_MODEL_FILE_HINT);
    region->mask = ead_new(mask->count, 1, "a region of interest");
    if (!region->mask) return EAD_NO_MEMORY;
    memcpy(region->mask, values, (size_t)mask->count);
    return EAD_OK;
}

static EadStatus read_region(const EadSafetensors *file, EadModel *model) {
    const char *box = ead_safetensors_metadata(file, ROI_BOX);
    EadRegion *region = &model->region;
    region->mask_height = model->height, region->mask_width = model->width;
    if (box && (!*box || ead_region_set_box(region, box) != EAD_OK))
        return ead_bad_metadata(file, ROI_BOX, box, "x,y,width,height in pixels");
    EAD_TRY(read_mask(file, region));
    if (!region->image_width || ead_region_check(region, region->image_width, region->image_height) == EAD_OK)
        return EAD_OK;
    return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

EadStatus ead_model_check_region(const EadModel *model, const EadSafetensors *file) {
    EadModel saved = {.height = model->height, .width = model->width};
    EadStatus status = read_region(file, &saved);
    if (status == EAD_OK && !ead_region_equals(&model->region, &saved.region))
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: was made with another region of interest",
                          ead_safetensors_path(file));
    ead_region_free(&saved.region);
    return status;
}

static EadStatus write_region(const EadModel *model, EadSafetensorsWriter *writer) {
    const EadRegion *region = &model->region;
    char text[EAD_BOX_SIZE];
    ead_region_box_text(region, text);
    if (*text) EAD_TRY(ead_safetensors_writer_metadata(writer, ROI_BOX, text));
    if (!region->mask) return EAD_OK;
    snprintf(text, sizeof text, "%dx%d", region->image_height, region->image_width);
    EAD_TRY(ead_safetensors_writer_metadata(writer, ROI_IMAGE, text));
    return ead_safetensors_writer_tensor(writer, ROI_MASK, EAD_FILE_U8, 2,
                                         (int64_t[]){region->mask_height, region->mask_width}, region->mask);
}

/* ---- its tiles ---- */

EadStatus ead_model_check_tiles(const EadModel *model) {
    bool (*takes_tiles)(const EadModel *) = model->method->functions->takes_tiles;
    if (!model->tiles.size) return EAD_OK;
    if (!takes_tiles)
        return ead_fail(EAD_UNSUPPORTED, "tiles are for the method efficientad; a model of %s has none",
                        model->method->name);
    if (!takes_tiles(model))
        return ead_fail(EAD_UNSUPPORTED,
                        "tiles need networks without padding, which see the same in a tile as in the image");
    if (!model->region.mask) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED,
                    "tiles and the mask of a region of interest cannot be had together; a box can");
}

static EadStatus read_tiles(const EadSafetensors *file, EadModel *model) {
    EadTiles *tiles = &model->tiles;
    int whole;
    EAD_TRY(read_whole_number(file, TILES_SIZE, model->height, &tiles->size));
    if (!tiles->size) return EAD_OK;
    if (tiles->size != model->height || tiles->size != model->width)
        return ead_bad_metadata(file, TILES_SIZE, ead_safetensors_metadata(file, TILES_SIZE),
                                "the image_size, of a square");
    EAD_TRY(ead_metadata_number(file, TILES_OVERLAP, 0, EAD_TILES_MOST_OVERLAP, &tiles->overlap));
    EAD_TRY(ead_metadata_number(file, TILES_SCALE, 1, EAD_TILES_MOST_SCALE, &tiles->scale));
    EAD_TRY(read_whole_number(file, EAD_TILES_WHOLE_IMAGE, 1, &whole));
    tiles->whole_image = whole;
    EadStatus status = ead_model_check_tiles(model);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

static EadStatus write_tiles(const EadModel *model, EadSafetensorsWriter *writer) {
    const EadTiles *tiles = &model->tiles;
    if (!tiles->size) return EAD_OK;
    EAD_TRY(write_whole_number(writer, TILES_SIZE, tiles->size));
    EAD_TRY(ead_metadata_number_write(writer, TILES_OVERLAP, tiles->overlap));
    EAD_TRY(ead_metadata_number_write(writer, TILES_SCALE, tiles->scale));
    return write_whole_number(writer, EAD_TILES_WHOLE_IMAGE, tiles->whole_image);
}

/* ---- all of it ---- */

static EadStatus check_all_used(const EadSafetensors *file, const EadModel *model) {
    char text[256];
    model->method->functions->describe(model, text, sizeof text);
    return ead_check_all_used(file, EAD_TENSORS_BESIDE, text);
}

EadStatus ead_model_read(const EadSafetensors *file, EadModel **out) {
    const char *name = ead_safetensors_metadata(file, "method");
    const EadMethod *method = ead_method_find(name ? name : "efficientad");
    EadModel *model;
    int height, width;
    EAD_TRY(ead_check_format(file));
    if (!method) return ead_bad_metadata(file, "method", name, "a method of this program");
    EAD_TRY(ead_image_size_read(file, &height, &width));
    EAD_TRY(method->functions->read(file, height, width, &model));
    EadStatus status = check_all_used(file, model);
    if (status == EAD_OK) status = read_map_choice(file, model);
    if (status == EAD_OK) status = read_score(file, model);
    if (status == EAD_OK) status = read_thresholds(file, model);
    if (status == EAD_OK) status = read_images(file, model);
    if (status == EAD_OK) status = read_region(file, model);
    if (status == EAD_OK) status = read_tiles(file, model);
    if (status == EAD_OK)
        *out = model;
    else
        ead_model_free(model);
    return status;
}

/* Reads the model of a file that was just opened, and closes that on failure. */
static EadStatus read_opened(EadStatus status, EadSafetensors **file, EadModel **out) {
    if (status == EAD_OK) status = ead_model_read(*file, out);
    if (status == EAD_OK) return EAD_OK;
    ead_safetensors_close(*file);
    *file = NULL;
    return status;
}

EadStatus ead_model_open_file(const char *path, EadSafetensors **file, EadModel **out) {
    *file = NULL;
    *out = NULL;
    EAD_TRY(ead_file_expect(path, EAD_ROLE(MODEL), "a model"));
    return read_opened(ead_safetensors_open(path, file), file, out);
}

EadStatus ead_model_open_memory(const void *bytes, size_t size, const char *label, EadSafetensors **file,
                                EadModel **out) {
    *file = NULL;
    *out = NULL;
    EAD_TRY(ead_file_expect_bytes(bytes, size, label, EAD_ROLE(MODEL), "a model"));
    EAD_TRY(ead_safetensors_parse(bytes, size, label, file));
    EadStatus status = ead_file_expect_open(*file, EAD_ROLE(MODEL), "a model");
    if (status == EAD_OK && ead_safetensors_metadata(*file, EAD_SHARED_NAMES))
        status =
            ead_fail(EAD_BAD_FILE,
                     "%s: leaves its weights to " EAD_SHARED_FILE " beside it; open it by its path", label);
    return read_opened(status, file, out);
}

EadStatus ead_model_open(const char *path, EadModel **out) {
    EadSafetensors *file;
    EadStatus status = ead_model_open_file(path, &file, out);
    ead_safetensors_close(file);
    return status;
}

/* ---- writing ---- */

static EadStatus write_score(const EadModel *model, EadSafetensorsWriter *writer) {
    if (model->score.method == EAD_SCORE_MAX) return EAD_OK;
    EAD_TRY(ead_safetensors_writer_metadata(writer, SCORE_METHOD, score_methods[model->score.method]));
    return write_whole_number(writer, SCORE_CELLS, model->score.cells);
}

EadStatus ead_model_write(const EadModel *model, EadSafetensorsWriter *writer) {
    char maps[EAD_MAP_NAME_SIZE];
    const EadMethod *method = model->method;
    EAD_TRY(ead_image_size_write(writer, model->height, model->width));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "method", method->name));
    EAD_TRY(method->functions->write(model, writer));
    ead_model_map_name(model, maps);
    if (*maps) EAD_TRY(ead_safetensors_writer_metadata(writer, "map_use", maps));
    EAD_TRY(write_whole_number(writer, IMAGE_BITS, model->image_bits));
    EAD_TRY(write_whole_number(writer, IMAGE_WHITE, model->image_white));
    EAD_TRY(write_whole_number(writer, IMAGE_CHANNELS, model->image_gray));
    EAD_TRY(write_tiles(model, writer));
    EAD_TRY(write_score(model, writer));
    EAD_TRY(write_region(model, writer));
    EAD_TRY(write_number(writer, "threshold", model->threshold));
    EAD_TRY(write_number(writer, "pixel_threshold", model->pixel_threshold));
    return write_number(writer, "map_level", model->map_level);
}

EadStatus ead_extras_write(const EadFileExtras *extras, EadSafetensorsWriter *writer) {
    for (int i = 0; i < extras->metadata_count; i++)
        EAD_TRY(ead_safetensors_writer_metadata(writer, extras->metadata[i].key, extras->metadata[i].value));
    for (int i = 0; i < extras->array_count; i++) {
        const EadFileArray *array = &extras->arrays[i];
        EAD_TRY(
            ead_safetensors_writer_tensor(writer, array->name, array->type, 1, &array->count, array->data));
    }
    return EAD_OK;
}

EadStatus ead_file_finish(EadSafetensorsWriter *writer, EadStatus status, const EadFileExtras *extras,
                          const char *path) {
    if (status == EAD_OK && extras) status = ead_extras_write(extras, writer);
    if (status == EAD_OK) status = ead_safetensors_writer_write(writer, path);
    ead_safetensors_writer_free(writer);
    return status;
}

EadStatus ead_model_save(const EadModel *model, const char *path, const EadFileExtras *extras) {
    EadSafetensorsWriter *writer;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    return ead_file_finish(writer, ead_model_write(model, writer), extras, path);
}
