/* report.html: one self-contained page about a run (no scripts, no outside resources) with the metrics, loss
 * curves, score histogram, ROC and PRO curves, heat maps worth a look, settings and provenance. */
#ifndef EAD_TRAIN_REPORT_HTML_H
#define EAD_TRAIN_REPORT_HTML_H

#include "train/metrics/metrics.h"
#include "train/report/gallery.h"

typedef struct EadLossPoint {
    int64_t step; /* from 1, ascending */
    float hard, penalty, ae, stae, total;
} EadLossPoint;

typedef struct EadKeyValue {
    const char *key, *value;
} EadKeyValue;

/* Everything is borrowed. What is NULL or empty leaves its section out; any text is allowed (it is escaped).
 */
typedef struct EadReport {
    const char *title;         /* e.g. "bottle" */
    const char *subtitle;      /* e.g. "EfficientAD small, 70,000 steps, seed 42" */
    const EadMetrics *metrics; /* required */
    const EadSample *samples;  /* [sample_count] of the same evaluation */
    int64_t sample_count;
    const EadLossPoint *losses; /* [loss_count] */
    int64_t loss_count;
    const EadGallery *gallery;
    const char *config;            /* effective config as text */
    const EadKeyValue *provenance; /* [provenance_count], data, seed, versions */
    int provenance_count;
    const EadKeyValue *timings; /* [timing_count] */
    int timing_count;
} EadReport;

/* Writes the page atomically; the same report gives the same bytes. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_report_write(const char *path, const EadReport *report);

#endif
