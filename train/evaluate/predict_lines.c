/* Expansion of folders and lists; members of the JSON line. */
#include "train/evaluate/predict_lines.h"

#include "core/base/memory.h"
#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "data/codec/codec.h"
#include "data/dataset/csv_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ead_predict_inputs_start(EadPredictInputs *inputs, const char *const *paths, int count, FILE *list,
                              const EadMapOutput *apart) {
    *inputs = (EadPredictInputs){
        .paths = paths, .count = count, .list = {.stream = list, .label = "list of images"}, .apart = apart};
}

void ead_predict_inputs_free(EadPredictInputs *inputs) {
    ead_strings_free(&inputs->images);
    ead_left_out_free(&inputs->left_out);
    ead_strings_free(&inputs->notes);
    ead_name_list_free(&inputs->list);
    free(inputs->path);
    free(inputs->folder);
    *inputs = (EadPredictInputs){0};
}

static EadStatus open_folder(EadPredictInputs *inputs, const char *path) {
    ead_strings_free(&inputs->images);
    ead_left_out_free(&inputs->left_out);
    inputs->image = inputs->unreadable = 0;
    inputs->prefix = ead_path_prefix(path);
    for (int kind = 0; inputs->apart && kind < EAD_OUTPUT_KINDS; kind++) {
        const char *apart = inputs->apart->folders[kind];
        if (apart && ead_output_lies_within(apart, path))
            return ead_fail_output_within(path, apart, ead_output_kind_name((EadOutputKind)kind));
    }
    EAD_TRY(ead_list_images(&inputs->images, path, &inputs->left_out));
    EAD_TRY(ead_left_out_notes(&inputs->left_out, path, &inputs->notes));
    inputs->missed += ead_left_out_missed(&inputs->left_out) - inputs->left_out.messages.count;
    if (inputs->images.count > 0 || inputs->left_out.messages.count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no images in this folder (%s)", path, ead_image_extensions());
}

/* The next image of the present folder, or what of it cannot be read. */
static EadStatus take_image(EadPredictInputs *inputs, EadPredictInput *input) {
    if (inputs->image == inputs->images.count) {
        int i = inputs->unreadable++;
        const char *path = inputs->left_out.paths[EAD_LEFT_OUT_UNREADABLE].items[i];
        *input = (EadPredictInput){path, "", ead_fail(EAD_IO, "%s", inputs->left_out.messages.items[i])};
        return EAD_OK;
    }
    const char *path = inputs->images.items[inputs->image++], *below = path + inputs->prefix;
    const char *slash = strrchr(below, '/');
    free(inputs->folder);
    inputs->folder = strndup(below, slash ? (size_t)(slash - below) : 0);
    if (!inputs->folder) return ead_fail(EAD_NO_MEMORY, "%s: no memory for its folder", path);
    *input = (EadPredictInput){path, inputs->folder, EAD_OK};
    return EAD_OK;
}

/* A line of a list without what other programs put around a name: blanks, quotes, the byte-order mark of a second
 * list behind a first, the end mark of DOS. Only where no file has that very name; NULL: nothing else is in it. */
static const char *name_of_line(EadNameList *list, const char *line) {
    static const char blanks[] = " \t\x1A", mark[] = "\xEF\xBB\xBF";
    if (list->zeros || access(line, F_OK) == 0) return line;
    char *name = list->name + (line - list->name);
    if (strncmp(name, mark, strlen(mark)) == 0) name += strlen(mark);
    name += strspn(name, blanks);
    size_t size = strlen(name);
    while (size > 0 && strchr(blanks, name[size - 1])) size--;
    if (size == 0) return NULL;
    bool quoted = size > 2 && (name[0] == '"' || name[0] == '\'') && name[size - 1] == name[0];
    name += quoted;
    size -= quoted ? 2 : 0;
    char behind = name[size];
    name[size] = '\0';
    if (access(name, F_OK) == 0) return name;
    name[size] = behind;
    return line;
}

/* The next name of the list. One that begins like a picture's bytes is no name. */
static EadStatus next_name(EadNameList *list, const char **name) {
    bool first = list->count == 0;
    EAD_TRY(ead_name_list_next(list, name));
    const char *format = *name && first ? ead_image_format((const uint8_t *)*name, strlen(*name) + 1) : NULL;
    if (!format || access(*name, F_OK) == 0) return EAD_OK;
    *name = NULL;
    return ead_fail(EAD_BAD_FILE, "%s: is no list but an image (%s); name it in place of -", list->label,
                    format);
}

/* The next path named by the user or the list; NULL at the end. Errors: those of reading, with NULL; EAD_BAD_FILE with
 * the "-" of a list that has nothing in it. */
static EadStatus next_path(EadPredictInputs *inputs, const char **path) {
    for (;;) {
        while (inputs->listing) {
            EAD_TRY(next_name(&inputs->list, path));
            inputs->listing = *path != NULL;
            if (*path) *path = name_of_line(&inputs->list, *path);
            inputs->listed += *path != NULL;
            if (*path) return EAD_OK;
            if (inputs->listing || inputs->listed > 0) continue;
            *path = "-";
            return ead_fail(EAD_BAD_FILE, "-: the list on standard input is empty; it holds a path a line");
        }
        *path = inputs->next < inputs->count ? inputs->paths[inputs->next++] : NULL;
        if (!*path || strcmp(*path, "-") != 0) return EAD_OK;
        inputs->listing = true;
    }
}

EadStatus ead_predict_inputs_next(EadPredictInputs *inputs, EadPredictInput *input, bool *found) {
    const char *path = NULL;
    *found = true;
    if (inputs->image < inputs->images.count || inputs->unreadable < inputs->left_out.messages.count)
        return take_image(inputs, input);
    EadStatus status = next_path(inputs, &path);
    *found = path != NULL;
    if (!path) return status;
    if (status != EAD_OK) *input = (EadPredictInput){path, "", status};
    if (status != EAD_OK) return EAD_OK;
    free(inputs->path);
    *input = (EadPredictInput){path, "", ead_path_expand(path, &inputs->path)};
    if (input->status != EAD_OK) return EAD_OK;
    input->path = path = inputs->path;
    if (!ead_path_is_folder(path)) {
        if (ead_image_is_output(path))
            EAD_TRY(ead_strings_print(
                &inputs->notes,
                "%s: is a map, overlay or mask that this program wrote, and is scored since it was named",
                path));
        input->status = access(path, F_OK) == 0
                            ? ead_check_regular(path)
                            : ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
        if (input->status == EAD_OK)
            input->status = ead_file_expect(path, EAD_ROLE(IMAGE) | EAD_ROLE(EMPTY), "an image");
        return EAD_OK;
    }
    input->status = open_folder(inputs, path);
    if (input->status == EAD_OK) return take_image(inputs, input);
    ead_strings_free(&inputs->images);
    ead_left_out_free(&inputs->left_out);
    return EAD_OK;
}

int64_t ead_predict_inputs_count(const char *const *paths, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(paths[i], "-") == 0) return -1;
    EadPredictInputs inputs;
    EadPredictInput input;
    int64_t total = 0;
    bool found = true;
    ead_predict_inputs_start(&inputs, paths, count, NULL, NULL);
    while (ead_predict_inputs_next(&inputs, &input, &found) == EAD_OK && found) total++;
    ead_predict_inputs_free(&inputs);
    return total;
}

static void write_numbers(EadJson *json, const char *key, const int *values, int count) {
    ead_json_open(json, key, '[');
    for (int i = 0; i < count; i++) ead_json_integer(json, NULL, values[i]);
    ead_json_close(json, ']');
}

static void write_regions(EadJson *json, const EadMapRegions *regions) {
    if (!regions || isnan(regions->threshold)) return;
    ead_json_open(json, "regions", '[');
    for (int i = 0; i < regions->kept; i++) {
        const EadMapRegion *region = &regions->items[i];
        ead_json_open(json, NULL, '{');
        ead_json_integer(json, "area", region->area);
        write_numbers(json, "box", (const int[]){region->x, region->y, region->width, region->height}, 4);
        write_numbers(json, "peak", (const int[]){region->peak_x, region->peak_y}, 2);
        ead_json_float(json, "score", region->score);
        ead_json_close(json, '}');
    }
    ead_json_close(json, ']');
    if (regions->count > regions->kept)
        ead_json_integer(json, "regions_left_out", regions->count - regions->kept);
}

void ead_prediction_write(EadJson *json, const EadPrediction *prediction) {
    ead_json_string(json, "path", prediction->path);
    if (!isnan(prediction->score)) {
        ead_json_float(json, "score", prediction->score);
        if (!isnan(prediction->threshold))
            ead_json_flag(json, "anomalous", prediction->score >= prediction->threshold);
        write_regions(json, prediction->regions);
        if (prediction->map_path) ead_json_string(json, "map", prediction->map_path);
        if (prediction->overlay_path) ead_json_string(json, "overlay", prediction->overlay_path);
        if (prediction->mask_path) ead_json_string(json, "mask", prediction->mask_path);
    }
    if (prediction->copy_path) ead_json_string(json, "copy", prediction->copy_path);
    if (prediction->error) ead_json_string(json, "error", prediction->error);
}

EadStatus ead_prediction_print(FILE *stream, const EadPrediction *prediction) {
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_prediction_write(&json, prediction);
    ead_json_close(&json, '}');
    putc('\n', stream);
    return ead_print_flush(stream);
}

/* A cell; NAN: an empty one. */
static void write_float(FILE *stream, float value) {
    char text[EAD_NUMBER_TEXT];
    fprintf(stream, ",%s", isnan(value) ? "" : ead_float_text(value, text));
}

/* Cells of counts and places, or as many empty ones. */
static void write_counts(FILE *stream, bool known, const int64_t *values, int count) {
    for (int i = 0; i < count; i++) {
        putc(',', stream);
        if (known) fprintf(stream, "%lld", (long long)values[i]);
    }
}

void ead_prediction_write_row(FILE *stream, const EadPrediction *prediction) {
    static const EadMapRegions none;
    bool scored = !isnan(prediction->score), looked = scored && prediction->regions;
    const EadMapRegions *regions = looked ? prediction->regions : &none;
    bool known = looked && !isnan(regions->threshold), any = known && regions->kept > 0;
    const EadMapRegion first = any ? regions->items[0] : (EadMapRegion){0};
    ead_csv_write_text(stream, prediction->path);
    fprintf(stream, ",%s",
            ead_verdict_name(ead_verdict((double)prediction->score, (double)prediction->threshold)));
    write_float(stream, prediction->score);
    write_float(stream, prediction->threshold);
    write_counts(stream, known, (const int64_t[]){regions->count, regions->area}, 2);
    write_counts(stream, looked, (const int64_t[]){regions->peak_x, regions->peak_y}, 2);
    write_counts(stream, any, (const int64_t[]){first.x, first.y, first.width, first.height}, 4);
    putc(',', stream);
    if (prediction->error) ead_csv_write_text(stream, prediction->error);
    putc('\n', stream);
}

EadStatus ead_prediction_print_row(FILE *stream, const EadPrediction *prediction) {
    char *text = NULL;
    size_t size = 0;
    if (isatty(fileno(stream)) != 1) {
        ead_prediction_write_row(stream, prediction);
        return ead_print_flush(stream);
    }
    FILE *row = open_memstream(&text, &size);
    if (!row) return ead_fail(EAD_NO_MEMORY, "no memory for a row");
    ead_prediction_write_row(row, prediction);
    EAD_TRY(ead_memory_stream_close(row, &text, "a row"));
    ead_print(stream, "%s", text);
    free(text);
    return ead_print_flush(stream);
}
