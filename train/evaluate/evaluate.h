/* Evaluation of a model: runs it over the test images of a data set and writes everything about it that a run
 * folder holds. Used at the end of training and by the command eval. */
#ifndef EAD_TRAIN_EVALUATE_H
#define EAD_TRAIN_EVALUATE_H

#include "core/plan/plan.h"
#include "data/dataset/dataset.h"
#include "models/efficientad/model.h"
#include "train/metrics/metrics.h"
#include "train/report/report_html.h"

/* Everything is borrowed. */
typedef struct EadEvaluateSpec {
    const EadModel *model;
    EadPlanOptions plan; /* of the detector */
    const EadDataset *dataset;
    const EadThreshold *threshold; /* the model's with its false-alarm rate; NULL: that is not known */
    const char *output;            /* folder, made if missing */
    bool maps, overlays;           /* also write maps/<defect>/<image>.tiff, overlays/<defect>/<image>.png */
    double pro_limit;              /* a further limit for AU-PRO, or 0 */
    bool quiet;                    /* no progress line */
    bool (*stop)(void);            /* asked after every image, true ends with EAD_INTERRUPTED; or NULL */
    const char *title;             /* of the data set, for the report and errors */
    const char *subtitle;          /* of the report; NULL: describes the model */
    const char *losses; /* losses.csv for the loss curves, which may be missing; NULL: the one in output */
    const char *config; /* the next five are for the report; may be NULL and 0 */
    const EadKeyValue *provenance;
    int provenance_count;
    const EadKeyValue *timings; /* shown before those measured here */
    int timing_count;
} EadEvaluateSpec;

/* Scores every test image at its own size and writes into spec->output: scores.csv, roc.csv, pr.csv, (with
 * masks) pro.csv, pixel_roc.csv, pixel_pr.csv, (with defect channels) spro.csv, metrics.json, report.html
 * and, as they come, maps and overlays (names: train/evaluate/output_names.h). The metrics are the caller's, to be
 * freed with ead_metrics_free(). Errors: EAD_BAD_ARGUMENT without test images; those of reading an image or
 * its mask, which name it; EAD_INTERRUPTED; EAD_IO, EAD_NO_MEMORY. After an error *metrics is empty, and of
 * the files above only maps and overlays may have been written. */
EadStatus ead_evaluate(const EadEvaluateSpec *spec, EadMetrics *metrics);

/* "EfficientAD-S at 256x256, without padding", written into text. */
void ead_describe_model(const EadModelSpec *model, char *text, size_t size);

#endif
