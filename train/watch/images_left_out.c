/* A first line with the number of the others, so that none can be missing. */
#include "train/watch/images_left_out.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/file/json_text.h"
#include "train/journal/watch_result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- writing ---- */

typedef struct Skipped {
    FILE *stream; /* of the lines behind the first */
    int64_t count;
} Skipped;

static void write_image(void *context, const EadArrival *arrival) {
    Skipped *skipped = context;
    EadJson json = {.stream = skipped->stream, .compact = true};
    char modified[EAD_TIME_TEXT];
    ead_time_text(arrival->modified, modified);
    ead_json_open(&json, NULL, '{');
    ead_result_path_write(&json, "path", arrival->path);
    ead_json_integer(&json, "bytes", arrival->bytes);
    ead_json_string(&json, "modified", modified);
    ead_json_close(&json, '}');
    putc('\n', skipped->stream);
    skipped->count++;
}

static EadStatus write_all(const char *path, EadArrivals *arrivals) {
    EadAtomicFile file;
    char *lines;
    size_t size;
    Skipped skipped = {.stream = open_memstream(&lines, &size)};
    if (!skipped.stream) return ead_fail(EAD_NO_MEMORY, "no memory for %s", path);
    ead_arrivals_pass_over(arrivals, write_image, &skipped);
    EAD_TRY(ead_memory_stream_close(skipped.stream, &lines, "the images that are left out"));
    EadStatus status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) {
        EadJson json = {.stream = file.stream, .compact = true};
        ead_json_open(&json, NULL, '{');
        ead_json_integer(&json, "schema", EAD_RESULT_SCHEMA);
        ead_json_integer(&json, "skipped", skipped.count);
        ead_json_close(&json, '}');
        fprintf(file.stream, "\n%s", lines);
        status = ead_atomic_file_commit(&file);
    }
    free(lines);
    return status;
}

/* ---- reading ---- */

/* The first line's number. */
static bool read_count(const json_t *line, int64_t *count) {
    const json_t *number = json_object_get(line, "skipped");
    *count = json_integer_value(number);
    return json_is_integer(number) &&
           json_integer_value(json_object_get(line, "schema")) == EAD_RESULT_SCHEMA;
}

static bool leave_out(const json_t *line, EadArrivals *arrivals) {
    EadPath path;
    const json_t *bytes = json_object_get(line, "bytes");
    const char *modified = json_string_value(json_object_get(line, "modified"));
    if (!json_is_integer(bytes) || !modified || !ead_result_path_read(line, "path", path)) return false;
    ead_arrivals_known(arrivals, path, json_integer_value(bytes), modified);
    return true;
}

/* *whole: the text is what write_all() wrote. Errors: EAD_NO_MEMORY. */
static EadStatus read_lines(const char *text, size_t size, EadArrivals *arrivals, bool *whole) {
    int64_t count = 0, line = 0;
    *whole = true;
    for (const char *at = text, *end; *whole && at < text + size; at = end + 1, line++) {
        json_t *root;
        end = memchr(at, '\n', size - (size_t)(at - text));
        *whole = end != NULL;
        if (!end) break;
        EadStatus status = ead_watch_result_read(at, (size_t)(end - at), &root);
        if (status == EAD_NO_MEMORY) return status;
        *whole = status == EAD_OK && (line == 0 ? read_count(root, &count) : leave_out(root, arrivals));
        json_decref(root);
    }
    *whole = *whole && line > 0 && line - 1 == count;
    return EAD_OK;
}

EadStatus ead_images_left_out(const char *folder, bool begins, EadArrivals *arrivals) {
    EadPath path;
    char *text;
    size_t size;
    bool whole;
    EAD_TRY(ead_path_in(path, folder, "skipped.jsonl"));
    bool missing = access(path, F_OK) != 0 && errno == ENOENT;
    if (missing) return begins ? write_all(path, arrivals) : EAD_OK;
    EAD_TRY(ead_read_file(path, INT32_MAX - 1, &text, &size));
    EadStatus status = read_lines(text, size, arrivals, &whole);
    free(text);
    if (status != EAD_OK || whole) return status;
    return ead_fail(EAD_BAD_FILE,
                    "%s: is damaged, so that it does not tell any more which images --existing skip left "
                    "out; put back a copy of it, or remove it, and all images that are there are scored",
                    path);
}
