/* All metrics of one test set: collects scores, maps and masks image by image, then computes what
 * metrics.json, scores.csv and the report show, over all and per kind of defect (with all good images). */
#pragma once

#include "core/base/string_list.h"
#include "data/dataset/ground_truth.h"
#include "train/metrics/metric_ranking.h"
#include "train/metrics/threshold_rule.h"

#include <stdint.h>

enum { EAD_TYPES = 256 }; /* types of defect channels have pixel values 1..255, each its own */

/* One test image, in the order added. Strings are owned by the evaluation. */
typedef struct EadSample {
    char *path;
    char *defect;  /* test subfolder: "good", "scratch", ... */
    int anomalous; /* 0 or 1 */
    float score;
    bool unmasked; /* anomalous, without a mask */
    int group;     /* the rest is the evaluation's: 0 for good images, else the kind of defect */
    uint32_t types[EAD_TYPES / 32]; /* bit t: a defect channel of type t */
} EadSample;

typedef struct EadDefectMetrics {
    char *name; /* owned */
    EadMetricSet set;
    EadCurve spro; /* pixels of this kind and of the good images; empty without channels */
} EadDefectMetrics;

typedef struct EadMetrics {
    EadMetricSet total;
    int defect_count;
    EadDefectMetrics *defects; /* in order of name */
    int type_count;
    EadDefectMetrics *types; /* MVTec LOCO: by the defects' names, those that occur, in order of name; of the
                                pixels only sPRO, and no curve */
    int has_mean;            /* 1 with MVTec LOCO's two kinds of defects, logical_ and structural_anomalies */
    EadMetricSet mean;       /* of these two, the protocol's metric for LOCO; images: their sum */
    EadStringList unmasked; /* paths of anomalous images without a mask, where others have one: they are in no
                                pixel metric */
    double pro_limit;       /* of au_pro_other; 0: none */
    int has_threshold, has_pixel_threshold;  /* 1 once ead_evaluation_set_..() was called */
    EadThreshold threshold, pixel_threshold; /* only then */
    const char *ended; /* why the training did, with train.until_converged; else NULL; borrowed */
    EadCurve roc, pr;  /* images, exact; empty when undefined */
    EadCurve pro, pixel_roc, pixel_pr, spro; /* pixels, at most some 40,000 points; empty when undefined */
} EadMetrics;

typedef struct EadEvaluation EadEvaluation;

/* Errors: EAD_NO_MEMORY. Free with ead_evaluation_free (harmless on NULL). */
EadStatus ead_evaluation_new(EadEvaluation **evaluation);
void ead_evaluation_free(EadEvaluation *evaluation);

/* Adds one test image; path and defect are copied.
 * defect     test subfolder; NULL stands for "good" or "defect"
 * anomalous  0 or 1
 * score      finite
 * map        [height][width] f32, finite, at the original image's size, or NULL
 * truth      of the same size, or NULL; its mask must be empty for a good image
 * inside     [height][width], 1 for pixels that count, 0 for those that do not, without a defect in truth; NULL: all count
 * An anomalous image without truth is left out of the pixel metrics; a kind of defect without any truth has none.
 * They need a map for every other image: a kind of defect where one is missing has none, and then neither has the
 * total; a good image without a map leaves none at all. Memory: see metric_pro.h. Errors: EAD_BAD_ARGUMENT (values above), EAD_BAD_SHAPE, EAD_NO_MEMORY. */
EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height,
                             const EadGroundTruth *truth, const uint8_t *inside);

/* The decision threshold of the model, and that of its maps' pixels, when it has them; copied. */
void ead_evaluation_set_threshold(EadEvaluation *evaluation, const EadThreshold *threshold);
void ead_evaluation_set_pixel_threshold(EadEvaluation *evaluation, const EadThreshold *threshold);

/* A further limit in (0,1] for AU-PRO, besides 0.30 and 0.05; 0: none. */
void ead_evaluation_set_pro_limit(EadEvaluation *evaluation, double limit);

/* Where pixels lie that take more than so many bytes: ead_pro_spill(). */
void ead_evaluation_spill(EadEvaluation *evaluation, const char *folder, size_t budget);

/* The samples so far, valid until the next add. */
const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count);

/* Computes everything; the caller frees with ead_metrics_free. Errors: EAD_BAD_ARGUMENT without any image,
 * EAD_NO_MEMORY. More images may be added afterwards, but where channels have types. */
EadStatus ead_evaluation_finish(EadEvaluation *evaluation, EadMetrics *metrics);

/* Harmless on an empty (zeroed) struct. */
void ead_metrics_free(EadMetrics *metrics);
