/* report.html: one self-contained page about a run, without outside resources: metrics, loss curves,
 * histogram of the scores, ROC and PRO curves, heat maps worth a look, settings and provenance. The page is
 * report.html, report.css and the scripts, embedded by the build (report.mk); C only writes the data that these draw.
 *
 * The data is one JSON object. What is not known is null or absent; a SET is {count, sorted: [numbers, ascending]}, with
 * at most 20,000 evenly spaced order statistics of its `count` numbers.
 *   kind, title, subtitle   kind: "run", "unlabelled" (both as follows), "sweep" (train/sweep/sweep_page.c), "training"
 *                           (training_page.c) or "comparison" (comparison.c)
 *   threshold, has_threshold    of the image score; whether it is the model's, or that of the best F1 of these images
 *   pixel_threshold         of regions
 *   scores                  {good: SET, anomalous: SET}, or without labels {images: SET}
 *   validation              SET: scores of the normal images that the threshold was chosen by
 *   gallery                 {low, high, ramp: colours between them, outlined, budget, dropped, images: [
 *                              {path, href, defect, anomalous, score, milliseconds, width, height, image, map,
 *                               parts: [{name, picture}]}]}: mistakes at the threshold first; href: a link to the original,
 *                              relative where page and image lie below one folder; image, map and picture: data URIs
 *   provenance, timings     [[name, value]]; config, changed: text, and [[key, value, default]]
 *   of a run                of_validation (these are the validation images), latency, side_by_side (SET: milliseconds of each
 *                           image, and how many were worked on at once), columns, metrics (metrics_output.h), curves
 *                           {name: [x, y, x, y, ...]}, losses {last_step, steps, series: [{name, values}]}
 *   without labels          failed, group, course: [[lowest, mean, highest] of `group` images that follow each other] */
#pragma once

#include "train/metrics/metrics.h"
#include "train/report/gallery.h"
#include "train/report/loss_history.h"
#include "train/report/overlay.h"
#include "train/support/json_writer.h"

typedef struct EadKeyValue {
    const char *key, *value;
} EadKeyValue;

/* What is known of images without labels; instead of metrics. */
typedef struct EadUnlabelled {
    double threshold;      /* NAN: none */
    EadHeat heat;          /* colours of the pictures; high not above low: by what the gallery holds */
    const float *scores;   /* [count], in the order of the images */
    int64_t count, failed; /* images with a score, and without */
} EadUnlabelled;

typedef struct EadNumbers {
    const float *values; /* [count], in any order */
    int64_t count;       /* 0: not known */
} EadNumbers;

/* Everything is borrowed. What is NULL or empty has no section in the page; any text is allowed. */
typedef struct EadReport {
    const char *title;               /* e.g. "bottle" */
    const char *subtitle;            /* e.g. "EfficientAD small, 70,000 steps, seed 42" */
    const EadMetrics *metrics;       /* required, or the next */
    const EadUnlabelled *unlabelled; /* NULL with metrics */
    bool validation; /* the images are those held back from training, all normal: nothing to measure */
    const EadSample *samples; /* [sample_count] of the same evaluation */
    int64_t sample_count;
    EadNumbers validation_scores; /* of the model's validation images */
    EadNumbers seconds;           /* of a run: of each image; `threads` of them were worked on side by side */
    int threads;
    const EadLossHistory *losses;
    const EadGallery *gallery;
    const char *config;            /* effective config as text */
    const EadKeyValue *provenance; /* [provenance_count], data, seed, versions */
    int provenance_count;
    const EadKeyValue *timings; /* [timing_count] */
    int timing_count;
} EadReport;

/* Writes atomically; the same report gives the same bytes. Errors: EAD_IO, EAD_NO_MEMORY, EAD_BAD_SHAPE. */
EadStatus ead_report_write(const char *path, const EadReport *report);

/* A SET: all values [count] times `factor`, or evenly spaced order statistics of them, which have the same histogram. Sorts them. */
void ead_set_json(EadJson *json, const char *key, float *values, int64_t count, double factor);

/* Losses as the page shows them: means over groups of steps where there are many; nothing without rows. */
void ead_losses_json(EadJson *json, const char *key, const EadLossHistory *losses);

/* How a page begins, and what its head has; pages of before 2026-11-28 have the latter. */
#define EAD_PAGE_BEGINS "<!DOCTYPE html>"
#define EAD_PAGE_MARK   "<title>EfficientAD</title>|--page:#f5f6f8;--card:#fff"

/* A page around other data that report.js knows: begin opens the data's object in *json, end closes it. */
void ead_page_begin(EadJson *json, FILE *stream);
void ead_page_end(EadJson *json);
