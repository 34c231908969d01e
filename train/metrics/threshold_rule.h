/* The decision threshold of a model, from normal images alone: chosen from the scores of the validation
 * images, which are used neither for training nor for testing. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>

/* Values of threshold.method. */
typedef enum EadThresholdMethod {
    EAD_THRESHOLD_NONE,
    EAD_THRESHOLD_QUANTILE,         /* the quantile of the scores, linear between two of them */
    EAD_THRESHOLD_FALSE_ALARM_RATE, /* the least threshold that at most this share of the images reaches */
    /* The same; where images are too few to count this share, not below the bound that one more exceeds with a
     * probability of 5 %, if their scores are normally distributed: mean + t s sqrt(1 + 1/n), Student's t of n - 1. */
    EAD_THRESHOLD_PREDICTION,
} EadThresholdMethod;

typedef struct EadThresholdRule {
    EadThresholdMethod method;
    double value; /* the quantile or the rate, in [0,1] */
} EadThresholdRule;

typedef struct EadThreshold {
    float value;        /* score >= value is anomalous; NAN for EAD_THRESHOLD_NONE */
    int images, alarms; /* validation images, 0 where they are unknown; those of them called anomalous */
    double low, high;   /* 95 % confidence interval of the false-alarm rate on images like these
                         * (Clopper-Pearson); 0 to 1 without images */
} EadThreshold;

/* What is decided about an image, as users read it. */
typedef enum EadVerdict { EAD_VERDICT_NONE, EAD_VERDICT_OK, EAD_VERDICT_NG, EAD_VERDICT_ERROR } EadVerdict;

/* score NAN: an image without one, which is an error; threshold NAN: none is known, and nothing is decided. */
EadVerdict ead_verdict(double score, double threshold);

/* "", "ok", "ng" (no good) or "error". */
const char *ead_verdict_name(EadVerdict verdict);

/* scores [count], count >= 1. Errors: EAD_BAD_ARGUMENT for a score that is not finite, EAD_NO_MEMORY. */
EadStatus ead_threshold_choose(const float *scores, int count, EadThresholdRule rule, EadThreshold *out);

/* What scores say about a threshold that was chosen elsewhere. scores [count], finite; count >= 0. */
EadThreshold ead_threshold_assess(float value, const float *scores, int count);

/* "0.0123: 0 of 21 validation images reach it; false-alarm rate 0 to 16.1 % (95 % confidence)", written into
 * text; without images the value alone. */
void ead_threshold_describe(const EadThreshold *threshold, char *text, size_t size);

/* Minimum, lower quartile, median, upper quartile and maximum of scores [count], count >= 1, linear between two of them.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_score_quartiles(const float *scores, int count, float out[5]);

/* What a variable with Student's t distribution of `freedom` >= 1 degrees exceeds with this probability, in (0, 0.5]. */
double ead_student_bound(int freedom, double probability);

/* The exact confidence interval of a rate: 0 <= hits <= count trials, count >= 1; level such as 0.95. */
void ead_clopper_pearson(int hits, int count, double level, double *low, double *high);
