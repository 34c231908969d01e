/* Members of the JSON line. */
#include "train/evaluate/prediction_line.h"

#include "train/support/json_writer.h"

#include <errno.h>
#include <math.h>
#include <string.h>

EadStatus ead_prediction_print(FILE *stream, const EadPrediction *prediction) {
    EadJson json = {.stream = stream, .compact = true};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "path", prediction->path);
    if (prediction->error) {
        ead_json_string(&json, "error", prediction->error);
    } else {
        ead_json_number(&json, "score", (double)prediction->score, 9);
        if (!isnan(prediction->threshold))
            ead_json_flag(&json, "anomalous", (double)prediction->score >= prediction->threshold);
        if (prediction->map_path) ead_json_string(&json, "map", prediction->map_path);
        if (prediction->overlay_path) ead_json_string(&json, "overlay", prediction->overlay_path);
    }
    ead_json_close(&json, '}');
    putc('\n', stream);
    if (fflush(stream) == 0 && !ferror(stream)) return EAD_OK;
    return ead_fail(EAD_IO, "standard output: %s", strerror(errno));
}
