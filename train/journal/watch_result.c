/* Members of the line. */
#include "train/journal/watch_result.h"

#include "core/base/utf8.h"
#include "core/file/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

static const int64_t second = 1000000000;

/* All lines begin so, which tells their number without a parser. */
#define BEGINS "{\"schema\":%d,\"sequence\":%" SCNu64 "%n"

void ead_time_text(int64_t nanoseconds, char text[EAD_TIME_TEXT]) {
    int64_t part = nanoseconds % second;
    part += part < 0 ? second : 0;
    time_t whole = (time_t)((nanoseconds - part) / second);
    struct tm date;
    gmtime_r(&whole, &date);
    size_t length = strftime(text, EAD_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(text + length, EAD_TIME_TEXT - length, ".%09" PRId64 "Z", part);
}

int64_t ead_time_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * second + now.tv_nsec;
}

static void write_time(EadJson *json, const char *key, int64_t nanoseconds) {
    char text[EAD_TIME_TEXT];
    ead_time_text(nanoseconds, text);
    ead_json_string(json, key, text);
}

/* ---- paths ---- */

static void name_bytes(const char *key, char name[64]) {
    snprintf(name, 64, "%.50s_bytes", key);
}

void ead_result_bytes_write(EadJson *json, const char *key, const char *path) {
    char name[64], digits[2 * EAD_PATH_SIZE];
    uint32_t code;
    size_t length = strlen(path);
    const char *at = path;
    for (int bytes; *at && (bytes = ead_utf8_decode(at, &code)) > 0;) at += bytes;
    if (!*at || length >= EAD_PATH_SIZE) return;
    for (size_t i = 0; i < length; i++) snprintf(digits + 2 * i, 3, "%02x", (unsigned)(unsigned char)path[i]);
    name_bytes(key, name);
    ead_json_string(json, name, digits);
}

void ead_result_path_write(EadJson *json, const char *key, const char *path) {
    ead_json_string(json, key, path);
    ead_result_bytes_write(json, key, path);
}

static int digit_of(char letter) {
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, letter, sizeof digits - 1);
    return at ? (int)(at - digits) : -1;
}

bool ead_result_path_read(const json_t *line, const char *key, EadPath path) {
    char name[64];
    name_bytes(key, name);
    const char *text = json_string_value(json_object_get(line, key)),
               *digits = json_string_value(json_object_get(line, name));
    size_t length = digits ? strlen(digits) / 2 : text ? strlen(text) : 0;
    path[0] = '\0';
    if (!text || length >= EAD_PATH_SIZE || (digits && strlen(digits) % 2)) return false;
    memcpy(path, digits ? "" : text, digits ? 1 : length + 1);
    for (size_t i = 0; digits && i < length; i++) {
        int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        path[i] = (char)(16 * high + low);
        path[i + 1] = '\0';
    }
    return strlen(path) == length;
}

/* ---- lines ---- */

void ead_watch_result_write(FILE *stream, const EadWatchResult *result) {
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_json_integer(&json, "schema", EAD_RESULT_SCHEMA);
    ead_json_integer(&json, "sequence", (int64_t)result->sequence);
    write_time(&json, "time", result->time);
    ead_result_path_write(&json, "source", result->source);
    ead_prediction_write(&json, &result->prediction);
    ead_result_bytes_write(&json, "path", result->prediction.path);
    if (!isnan(result->prediction.threshold))
        ead_json_number(&json, "threshold", result->prediction.threshold, 9);
    if (result->model) ead_json_string(&json, "model", result->model);
    if (result->sha256) ead_json_string(&json, "sha256", result->sha256);
    ead_json_integer(&json, "bytes", result->bytes);
    write_time(&json, "modified", result->modified);
    if (result->moved) ead_result_path_write(&json, "moved", result->moved);
    ead_json_open(&json, "ms", '{');
    ead_json_number(&json, "waiting", 1e3 * result->waiting, 4);
    ead_json_number(&json, "decoding", 1e3 * result->decoding, 4);
    ead_json_number(&json, "detecting", 1e3 * result->detecting, 4);
    ead_json_close(&json, '}');
    ead_json_close(&json, '}');
    putc('\n', stream);
}

bool ead_watch_result_sequence(const char *line, size_t size, uint64_t *sequence) {
    char head[64];
    int schema, used = 0;
    while (size > 0 && line[size - 1] == '\n') size--;
    if (size < 2 || line[size - 1] != '}' || memchr(line, '\0', size)) return false;
    snprintf(head, sizeof head, "%.*s", (int)(size < sizeof head ? size : sizeof head - 1), line);
    return sscanf(head, BEGINS, &schema, sequence, &used) == 2 && (head[used] == ',' || head[used] == '}') &&
           schema == EAD_RESULT_SCHEMA && *sequence > 0 && *sequence <= EAD_MOST_SEQUENCE;
}

EadStatus ead_watch_result_read(const char *line, size_t size, json_t **root) {
    EAD_TRY(ead_json_parse("a line of the journal", line, size, 0, root, NULL));
    if (json_is_object(*root)) return EAD_OK;
    json_decref(*root);
    *root = NULL;
    return ead_fail(EAD_BAD_FILE, "a line of the journal is no object");
}
