/* JSON written piece by piece, for every file and line of JSON that the program writes. Numbers that are
 * not finite become null. Texts need not be UTF-8, JSON must be: a byte that is not becomes the four
 * characters \xNN (in JSON "\\xNN"). Write errors show in ferror().
 *
 *     EadJson json = {.stream = stream};
 *     ead_json_open(&json, NULL, '{');
 *     ead_json_float(&json, "loss", 0.5F);
 *     ead_json_close(&json, '}'); */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Members of objects, and objects in arrays, stand on lines of their own, indented by 2; other items of
 * arrays follow each other on one line. */
typedef struct EadJson {
    FILE *stream;
    bool compact;    /* no white space at all */
    bool reals;      /* numbers always show that they are no integers: 1.0, and 1e-5 instead of 1e-05 */
    bool in_script;  /* also harmless between <script> and </script> */
    int depth;       /* the rest is the writer's: open brackets, at most 63 */
    uint64_t filled; /* bit d: the bracket at depth d holds something */
    uint64_t lined;  /* bit d: ... on a line of its own */
} EadJson;

/* In all of these key is NULL in an array and at the top. bracket: { or [, and } or ] to close. */
void ead_json_open(EadJson *json, const char *key, char bracket);
void ead_json_close(EadJson *json, char bracket);

/* text NULL: null. */
void ead_json_string(EadJson *json, const char *key, const char *text);

/* As many digits as are read back as the same 32 bits (ead_float_text()). */
void ead_json_float(EadJson *json, const char *key, float value);

/* Rounded to so many significant digits. */
void ead_json_number(EadJson *json, const char *key, double value, int digits);
void ead_json_integer(EadJson *json, const char *key, int64_t value);
void ead_json_flag(EadJson *json, const char *key, bool value);

/* Bytes [size] in base64, without any quotes. */
void ead_write_base64(FILE *stream, const uint8_t *bytes, size_t size);

/* The string "data:TYPE;base64,...". */
void ead_json_data_uri(EadJson *json, const char *key, const char *type, const uint8_t *bytes, size_t size);
