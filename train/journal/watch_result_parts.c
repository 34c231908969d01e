/* Paths in a line, written and read back; and what is read of a whole line. */
#include "train/journal/watch_result.h"

#include "core/base/utf8.h"
#include "core/file/json_text.h"

#include <inttypes.h>
#include <string.h>

/* All lines begin so, which tells their number without a parser. */
#define BEGINS "{\"schema\":%d,\"sequence\":%" SCNu64 "%n"

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
