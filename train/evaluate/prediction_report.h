/* The report of images without labels: their scores in order, and pictures of the highest ones; no times, so that the same
 * images give the same page. Memory: 4 bytes an image besides the pictures, which are bounded (train/report/gallery.h). */
#pragma once

#include "core/file/safetensors.h"
#include "models/method.h"
#include "train/evaluate/scorer.h"
#include "train/report/report.h"

typedef struct EadPredictionReport {
    const EadModel *model; /* borrowed */
    EadGallery gallery;
    float *scores, *validation; /* [count], [validation_count], owned */
    int count, capacity, validation_count;
    int64_t failed; /* images without a score */
} EadPredictionReport;

/* file: the model's, for the scores of its validation images; NULL: these do not count. Errors: EAD_BAD_FILE,
 * EAD_NO_MEMORY. Free in every case. */
EadStatus ead_prediction_report_start(EadPredictionReport *report, const EadModel *model,
                                      const EadSafetensors *file);

/* Before the first image: how many there will be, -1 where that is not known, and by what they are scored. */
void ead_prediction_report_expect(EadPredictionReport *report, int64_t images, const EadScorer *scorer);

/* Adds an image that was scored. Errors: EAD_NO_MEMORY. */
EadStatus ead_prediction_report_add(EadPredictionReport *report, const char *path, const EadScored *scored);

/* Writes the page. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_prediction_report_write(const EadPredictionReport *report, const char *path, const char *title,
                                      const EadKeyValue *provenance, int provenance_count);

/* Harmless on a zeroed one. */
void ead_prediction_report_free(EadPredictionReport *report);
