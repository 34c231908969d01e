/* What is found about an image that arrived, and the one line of JSON that tells it: on standard output, in the journal, by MQTT, to a
 * webhook, to a command, and in a table of SQLite. docs/watch.md describes its members. */
#pragma once

#include "core/base/paths.h"
#include "train/camera/camera_frame.h"
#include "train/evaluate/predict_lines.h"
#include "train/support/json_writer.h"

#include <jansson.h>

/* Goes up when a member changes its meaning or is taken out; new ones may come without. */
enum { EAD_RESULT_SCHEMA = 1 };

/* No line has a higher number. */
#define EAD_MOST_SEQUENCE UINT64_C(1000000000000000)

typedef struct EadWatchResult {
    uint64_t sequence;  /* of the line, from 1 on, without gaps */
    int64_t time;       /* when it was found, ns since 1970 */
    const char *source; /* the image's folder below the watched one, "" for that itself; or its camera */
    EadPrediction prediction;    /* its path is where the image arrived, or a camera's its name */
    int64_t bytes, modified;     /* of its file, or its pixels and when they came; ns since 1970 */
    const EadCameraFrame *frame; /* of a camera, or what was missed there; NULL: of a file */
    const char *model, *sha256; /* the model's name, and the hash of its file; NULL: the image came to none */
    const char *moved;          /* where the image goes then; NULL: it stays */
    double waiting, decoding, detecting; /* seconds */
} EadWatchResult;

/* Writes a path as the member `key`; where it is not UTF-8, its bytes too, as hexadecimal digits, as the member key_bytes. The latter alone
 * where the former was written. */
void ead_result_path_write(EadJson *json, const char *key, const char *path);
void ead_result_bytes_write(EadJson *json, const char *key, const char *path);

/* The path that they tell; false: there is none, or it is damaged. */
bool ead_result_path_read(const json_t *line, const char *key, EadPath path);

/* Writes it as one line, with its end. Errors show in ferror(). */
void ead_watch_result_write(FILE *stream, const EadWatchResult *result);

/* The sequence number of a line [size], with or without its end; false: it is none of ours, or not whole. */
bool ead_watch_result_sequence(const char *line, size_t size, uint64_t *sequence);

/* Reads a line; the caller frees *root by json_decref(). Errors: EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_watch_result_read(const char *line, size_t size, json_t **root);

/* "2026-11-29T21:30:00.123456789Z" */
enum { EAD_TIME_TEXT = 40 };
void ead_time_text(int64_t nanoseconds, char text[EAD_TIME_TEXT]);

/* Now, in nanoseconds since 1970. */
int64_t ead_time_now(void);
