/* The threshold's place in the model file: what it was chosen from is kept with it, so that another rule
 * needs neither the images nor a new training. */
#pragma once

#include "core/file/safetensors.h"
#include "train/config/config.h"
#include "train/metrics/threshold_rule.h"

/* Names of the tensor [images] of the validation scores and of the text by ead_threshold_describe(). */
#define EAD_VALIDATION_SCORES "validation_scores"
#define EAD_THRESHOLD_TEXT    "threshold_rule"

/* The rows threshold.* as a rule. */
EadThresholdRule ead_threshold_rule(const EadConfig *config);

/* Applies the rule to the scores that a model file holds. Errors: EAD_BAD_FILE where it holds none. */
EadStatus ead_threshold_from_file(const EadSafetensors *file, EadThresholdRule rule, EadThreshold *out);

/* What these scores say about a threshold; out->images is 0 without scores. Errors: EAD_NO_MEMORY. */
EadStatus ead_threshold_assess_by_file(const EadSafetensors *file, float value, EadThreshold *out);
