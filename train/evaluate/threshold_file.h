/* The thresholds' place in the model file: what they were chosen from is kept with them, so that another rule
 * needs neither the images nor a new training. */
#pragma once

#include "core/file/safetensors.h"
#include "models/method.h"
#include "train/config/config.h"
#include "train/evaluate/scoring.h"
#include "train/metrics/threshold_rule.h"

/* Names of the tensors [images] of the validation images' scores and of the largest values of their maps, and of the
 * texts by ead_threshold_describe(). */
#define EAD_VALIDATION_SCORES    "validation_scores"
#define EAD_VALIDATION_PEAKS     "validation_peaks"
#define EAD_THRESHOLD_TEXT       "threshold_rule"
#define EAD_PIXEL_THRESHOLD_TEXT "pixel_threshold_rule"

/* Of the image score, and of the map's pixels. The pixel threshold is chosen by the same rule from the largest values of
 * the validation images' maps, so that it bounds the share of good images that have any region: images are independent
 * of each other, and give it a confidence interval; the pixels of an image are not. */
typedef struct EadThresholds {
    EadThreshold image, pixel;
} EadThresholds;

/* The rows threshold.* as a rule. */
EadThresholdRule ead_threshold_rule(const EadConfig *config);

/* Chooses both by the rule from the scores of the validation images, for the model, too, with the level of its maps.
 * Errors: those of ead_threshold_choose(). */
EadStatus ead_thresholds_choose(const EadImageScores *scores, EadThresholdRule rule, EadModel *model,
                                EadThresholds *out);

/* The validation images' scores in a model file: [*count], the caller's; NULL and 0 where it holds none. Errors:
 * EAD_NO_MEMORY, EAD_BAD_FILE. */
EadStatus ead_validation_scores(const EadSafetensors *file, float **scores, int *count);

/* Says both, a line each. */
void ead_thresholds_print(FILE *stream, const EadThresholds *thresholds);

/* Which of both are to be chosen anew. */
typedef struct EadThresholdsAnew {
    bool image, pixel;
} EadThresholdsAnew;

/* The model's thresholds and what the scores in its file say about them; images is 0 where it holds none. Those to be
 * chosen come from the rule, for the model, too. Errors: EAD_BAD_FILE where there are no scores to choose from (without
 * peaks the pixel threshold stays), EAD_NO_MEMORY. */
EadStatus ead_thresholds_by_file(const EadSafetensors *file, EadThresholdsAnew choose, EadThresholdRule rule,
                                 EadModel *model, EadThresholds *out);
