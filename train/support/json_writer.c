/* Separators, escapes, numbers. */
#include "train/support/json_writer.h"

#include "core/base/printing.h"
#include "core/base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void write_text(const EadJson *json, const char *text) {
    FILE *stream = json->stream;
    putc('"', stream);
    while (*text) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        bool hidden =
            length > 0 && code < 0x10000 && (ead_is_hidden(code) || (json->in_script && code == '<'));
        if (length == 0)
            fprintf(stream, "\\\\x%02x", (unsigned)(unsigned char)*text);
        else if (hidden) /* also 0x2028 and 0x2029, which end a line in JavaScript */
            fprintf(stream, "\\u%04x", (unsigned)code);
        else if (code == '"' || code == '\\')
            fprintf(stream, "\\%c", *text);
        else
            fwrite(text, 1, (size_t)length, stream);
        text += length ? length : 1;
    }
    putc('"', stream);
}

static void new_line(const EadJson *json) {
    fprintf(json->stream, "\n%*s", 2 * json->depth, "");
}

/* All that stands before a value. */
static void begin(EadJson *json, const char *key, bool bracket) {
    uint64_t bit = UINT64_C(1) << json->depth;
    bool line = !json->compact && json->depth > 0 && (key || bracket);
    if (json->filled & bit) fputs(json->compact || line ? "," : ", ", json->stream);
    json->filled |= bit;
    if (line) {
        json->lined |= bit;
        new_line(json);
    }
    if (!key) return;
    write_text(json, key);
    fputs(json->compact ? ":" : ": ", json->stream);
}

void ead_json_open(EadJson *json, const char *key, char bracket) {
    begin(json, key, true);
    putc(bracket, json->stream);
    assert(json->depth < 63);
    json->depth++;
    json->filled &= ~(UINT64_C(1) << json->depth);
    json->lined &= ~(UINT64_C(1) << json->depth);
}

void ead_json_close(EadJson *json, char bracket) {
    bool lined = json->lined >> json->depth & 1;
    assert(json->depth > 0);
    json->depth--;
    if (lined) new_line(json);
    putc(bracket, json->stream);
}

void ead_json_string(EadJson *json, const char *key, const char *text) {
    begin(json, key, false);
    if (text)
        write_text(json, text);
    else
        fputs("null", json->stream);
}

/* 1 as 1.0, 1e-05 as 1e-5, 1e+20 as 1e20. */
static void show_real(char *text) {
    char *exponent = strchr(text, 'e');
    if (!exponent && !strchr(text, '.')) strcat(text, ".0");
    if (!exponent) return;
    char *to = exponent + 1, *from = to + 1; /* printf always writes a sign */
    if (*to == '-') to++;
    while (*from == '0') from++;
    memmove(to, from, strlen(from) + 1);
}

/* text: of a number that may not be finite; has room for ".0". */
static void write_real(EadJson *json, const char *key, bool finite, char *text) {
    if (finite && json->reals) show_real(text);
    begin(json, key, false);
    fputs(finite ? text : "null", json->stream);
}

void ead_json_float(EadJson *json, const char *key, float value) {
    char text[EAD_NUMBER_TEXT];
    ead_float_text(value, text);
    write_real(json, key, isfinite(value), text);
}

void ead_json_number(EadJson *json, const char *key, double value, int digits) {
    char text[48];
    snprintf(text, sizeof text, "%.*g", digits, value);
    write_real(json, key, isfinite(value), text);
}

void ead_json_integer(EadJson *json, const char *key, int64_t value) {
    begin(json, key, false);
    fprintf(json->stream, "%" PRId64, value);
}

void ead_json_flag(EadJson *json, const char *key, bool value) {
    begin(json, key, false);
    fputs(value ? "true" : "false", json->stream);
}

void ead_write_base64(FILE *stream, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t word = (uint32_t)bytes[i] << 16;
        if (left > 1) word |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2) word |= bytes[i + 2];
        putc(digits[word >> 18], stream);
        putc(digits[word >> 12 & 63], stream);
        putc(left > 1 ? digits[word >> 6 & 63] : '=', stream);
        putc(left > 2 ? digits[word & 63] : '=', stream);
    }
}

void ead_json_data_uri(EadJson *json, const char *key, const char *type, const uint8_t *bytes, size_t size) {
    begin(json, key, false);
    fprintf(json->stream, "\"data:%s;base64,", type);
    ead_write_base64(json->stream, bytes, size);
    putc('"', json->stream);
}
