/* What the page of unlabelled images is made of. */
#include "train/evaluate/prediction_report.h"

#include "core/base/memory.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/threshold_file.h"

#include <math.h>
#include <stdlib.h>

EadStatus ead_prediction_report_start(EadPredictionReport *report, const EadModel *model,
                                      const EadSafetensors *file) {
    *report = (EadPredictionReport){.model = model};
    return file ? ead_validation_scores(file, &report->validation, &report->validation_count) : EAD_OK;
}

void ead_prediction_report_expect(EadPredictionReport *report, int64_t images, const EadScorer *scorer) {
    report->gallery = ead_gallery_for_unlabelled(images, ead_scorer_parts(scorer));
}

EadStatus ead_prediction_report_add(EadPredictionReport *report, const char *path, const EadScored *scored) {
    bool bad = (double)scored->score >= (double)report->model->threshold;
    const char *verdict = isnan(report->model->threshold) ? "" : bad ? "NG" : "OK";
    EAD_TRY(ead_grow(&report->scores, &report->capacity, report->count, sizeof *report->scores,
                     "the scores of the images"));
    EAD_TRY(ead_gallery_add(&report->gallery, &(EadGalleryImage){.path = path,
                                                                 .defect = verdict,
                                                                 .anomalous = bad,
                                                                 .score = scored->score,
                                                                 .rgb = &scored->image,
                                                                 .map = scored->map,
                                                                 .parts = scored->parts}));
    report->scores[report->count++] = scored->score;
    return EAD_OK;
}

EadStatus ead_prediction_report_write(const EadPredictionReport *report, const char *path, const char *title,
                                      const EadKeyValue *provenance, int provenance_count) {
    const EadModel *model = report->model;
    char text[512];
    bool common = !isnan(model->color_high) || !isnan(model->map_level);
    EadUnlabelled unlabelled = {.threshold = (double)model->threshold,
                                .heat = ead_heat_of(model, 0),
                                .scores = report->scores,
                                .count = report->count,
                                .failed = report->failed};
    if (!common) unlabelled.heat.high = unlabelled.heat.low; /* by the pictures */
    model->method->functions->describe(model, text, sizeof text);
    EadReport page = {.title = title,
                      .subtitle = text,
                      .unlabelled = &unlabelled,
                      .validation_scores = {report->validation, report->validation_count},
                      .gallery = &report->gallery,
                      .provenance = provenance,
                      .provenance_count = provenance_count};
    return ead_report_write(path, &page);
}

void ead_prediction_report_free(EadPredictionReport *report) {
    ead_gallery_free(&report->gallery);
    free(report->scores);
    free(report->validation);
    *report = (EadPredictionReport){0};
}
