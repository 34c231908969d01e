/* Members of the JSON line. */
#include "train/evaluate/prediction_line.h"

#include "train/support/json_text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void print_text(FILE *stream, const char *key, const char *text) {
    fprintf(stream, ",\"%s\":", key);
    ead_json_write_string(stream, text);
}

EadStatus ead_prediction_print(FILE *stream, const EadPrediction *prediction) {
    fputs("{\"path\":", stream);
    ead_json_write_string(stream, prediction->path);
    if (prediction->error) {
        print_text(stream, "error", prediction->error);
    } else {
        fprintf(stream, ",\"score\":%.9g", (double)prediction->score);
        if (!isnan(prediction->threshold))
            fprintf(stream, ",\"anomalous\":%s",
                    (double)prediction->score >= prediction->threshold ? "true" : "false");
        if (prediction->map_path) print_text(stream, "map", prediction->map_path);
        if (prediction->overlay_path) print_text(stream, "overlay", prediction->overlay_path);
    }
    fputs("}\n", stream);
    if (fflush(stream) == 0 && !ferror(stream)) return EAD_OK;
    return ead_fail(EAD_IO, "standard output: %s", strerror(errno));
}
