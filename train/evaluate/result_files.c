/* CSV and JSON of a run folder. */
#include "train/evaluate/result_files.h"

#include "core/base/atomic_file.h"
#include "train/metrics/metrics_output.h"

#include <string.h>

static void write_field(FILE *stream, const char *text) {
    if (!strpbrk(text, "\",\r\n")) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"') putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

EadStatus ead_write_scores_csv(const char *path, const EadSample *samples, int64_t count) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs("path,label,defect,score\n", file.stream);
    for (int64_t i = 0; i < count; i++) {
        write_field(file.stream, samples[i].path);
        fprintf(file.stream, ",%d,", samples[i].anomalous);
        write_field(file.stream, samples[i].defect);
        fprintf(file.stream, ",%.9g\n", (double)samples[i].score);
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_curve_csv(const char *path, const EadCurve *curve, const char *x_name,
                              const char *y_name) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fprintf(file.stream, "threshold,%s,%s\n", x_name, y_name);
    for (int64_t i = 0; i < curve->count; i++) {
        EadCurvePoint point = curve->points[i];
        fprintf(file.stream, "%.9g,%.12g,%.12g\n", point.threshold, point.x, point.y);
    }
    return ead_atomic_file_commit(&file);
}

EadStatus ead_write_metrics_json(const char *path, const EadMetrics *metrics) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream, .reals = true};
    ead_metrics_json(&json, NULL, metrics);
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}
