/* Writes the line. */
#include "train/journal/watch_result.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

static const int64_t second = 1000000000;

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

/* What a camera says of its image, or why some were not inspected. */
static void write_frame(EadJson *json, const EadCameraFrame *frame) {
    if (frame->pixels) {
        ead_json_integer(json, "frame", (int64_t)frame->number);
        ead_json_integer(json, "camera_time", frame->clock);
        return;
    }
    ead_json_open(json, "not_inspected", '{');
    for (int i = 0; i < EAD_MISS_COUNT; i++)
        if (frame->missed[i] > 0) ead_json_integer(json, ead_miss_name((EadMissReason)i), frame->missed[i]);
    ead_json_close(json, '}');
}

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
        ead_json_float(&json, "threshold", result->prediction.threshold);
    if (result->model) ead_json_string(&json, "model", result->model);
    if (result->sha256) ead_json_string(&json, "sha256", result->sha256);
    ead_json_integer(&json, "bytes", result->bytes);
    write_time(&json, "modified", result->modified);
    if (result->frame) write_frame(&json, result->frame);
    if (result->moved) ead_result_path_write(&json, "moved", result->moved);
    ead_json_open(&json, "ms", '{');
    ead_json_number(&json, "waiting", 1e3 * result->waiting, 4);
    ead_json_number(&json, "decoding", 1e3 * result->decoding, 4);
    ead_json_number(&json, "detecting", 1e3 * result->detecting, 4);
    ead_json_close(&json, '}');
    ead_json_close(&json, '}');
    putc('\n', stream);
}
