/* Order statistics of a few dozen scores, and what so few can say about the rate. */
#include "train/metrics/threshold_rule.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE 0.95

/* P(at most `hits` of count trials) at a rate p in (0,1). */
static double binomial_below(int hits, int count, double p) {
    double sum = 0;
    for (int i = 0; i <= hits; i++)
        sum += exp(lgamma(count + 1.0) - lgamma(i + 1.0) - lgamma(count - i + 1.0) + i * log(p) +
                   (count - i) * log1p(-p));
    return sum;
}

/* The rate at which at most `hits` have that probability, which falls with the rate. */
static double rate_where(int hits, int count, double probability) {
    double low = 0, high = 1;
    for (int step = 0; step < 100; step++) {
        double middle = 0.5 * (low + high);
        if (binomial_below(hits, count, middle) > probability)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

void ead_clopper_pearson(int hits, int count, double level, double *low, double *high) {
    double tail = 0.5 * (1 - level);
    *low = hits == 0 ? 0 : rate_where(hits - 1, count, 1 - tail);
    *high = hits == count ? 1 : rate_where(hits, count, tail);
}

EadVerdict ead_verdict(double score, double threshold) {
    if (isnan(score)) return EAD_VERDICT_ERROR;
    if (isnan(threshold)) return EAD_VERDICT_NONE;
    return score >= threshold ? EAD_VERDICT_NG : EAD_VERDICT_OK;
}

const char *ead_verdict_name(EadVerdict verdict) {
    static const char *const names[] = {"", "ok", "ng", "error"};
    return names[verdict];
}

static int descending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a < b) - (a > b);
}

/* sorted: from the highest. Linear between two of them. */
static float quantile_of(const float *sorted, int count, double quantile) {
    double place = (1 - quantile) * (count - 1);
    int above = (int)place, below = above + 1 < count ? above + 1 : above;
    return (float)((double)sorted[above] + (place - above) * ((double)sorted[below] - (double)sorted[above]));
}

static EadStatus sort_scores(const float *scores, int count, float **sorted) {
    *sorted = ead_new(count, sizeof **sorted, "the scores of the validation images");
    if (!*sorted) return EAD_NO_MEMORY;
    memcpy(*sorted, scores, (size_t)count * sizeof **sorted);
    qsort(*sorted, (size_t)count, sizeof **sorted, descending);
    return EAD_OK;
}

EadStatus ead_score_quartiles(const float *scores, int count, float out[5]) {
    float *sorted;
    EAD_TRY(sort_scores(scores, count, &sorted));
    for (int i = 0; i < 5; i++) out[i] = quantile_of(sorted, count, 0.25 * i);
    free(sorted);
    return EAD_OK;
}

/* P(-t < T < t), t >= 0: the finite sum for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4). */
static double student_within(int freedom, double t) {
    double angle = atan(t / sqrt(freedom)), cosine = cos(angle), term = freedom % 2 ? cosine : 1, sum = 0;
    for (int i = freedom % 2 ? 3 : 2; i <= freedom; i += 2) {
        sum += term;
        term *= cosine * cosine * (i - 1) / i;
    }
    return freedom % 2 ? 2 / acos(-1) * (angle + sin(angle) * sum) : sin(angle) * sum;
}

double ead_student_bound(int freedom, double probability) {
    double low = 0, high = 1;
    while (student_within(freedom, high) < 1 - 2 * probability && high < 1e100) high *= 2;
    for (int step = 0; step < 100; step++) {
        double middle = 0.5 * (low + high);
        *(student_within(freedom, middle) < 1 - 2 * probability ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* What one more score exceeds with a probability of 5 %. count >= 2. */
static double prediction_bound(const float *scores, int count) {
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) sum += (double)scores[i];
    double mean = sum / count;
    for (int i = 0; i < count; i++) squares += ((double)scores[i] - mean) * ((double)scores[i] - mean);
    return mean +
           ead_student_bound(count - 1, 1 - CONFIDENCE) * sqrt(squares / (count - 1) * (1 + 1.0 / count));
}

/* sorted: from the highest. */
static float threshold_of(const float *sorted, int count, EadThresholdRule rule) {
    if (rule.method == EAD_THRESHOLD_NONE) return NAN;
    if (rule.method == EAD_THRESHOLD_QUANTILE) return quantile_of(sorted, count, rule.value);
    int alarms = (int)(rule.value * count + 1e-9); /* 0.29 * 100 is a little less than 29 */
    float counted = alarms < count ? nextafterf(sorted[alarms], INFINITY) : sorted[count - 1];
    bool few = alarms == 0 && count > 1;
    if (rule.method != EAD_THRESHOLD_PREDICTION || !few) return counted;
    return fmaxf(counted, (float)prediction_bound(sorted, count));
}

EadThreshold ead_threshold_assess(float value, const float *scores, int count) {
    EadThreshold out = {.value = value, .images = count, .high = 1};
    for (int i = 0; i < count; i++) out.alarms += scores[i] >= value;
    if (count > 0) ead_clopper_pearson(out.alarms, count, CONFIDENCE, &out.low, &out.high);
    return out;
}

EadStatus ead_threshold_choose(const float *scores, int count, EadThresholdRule rule, EadThreshold *out) {
    *out = (EadThreshold){.value = NAN, .images = count};
    for (int i = 0; i < count; i++)
        if (!isfinite(scores[i]))
            return ead_fail(EAD_BAD_ARGUMENT, "the score of validation image %d is %g: the model is damaged",
                            i + 1, (double)scores[i]);
    float *sorted;
    EAD_TRY(sort_scores(scores, count, &sorted));
    *out = ead_threshold_assess(threshold_of(sorted, count, rule), scores, count);
    free(sorted);
    return EAD_OK;
}

void ead_threshold_describe(const EadThreshold *threshold, char *text, size_t size) {
    if (isnan(threshold->value))
        snprintf(text, size, "none");
    else if (threshold->images == 0)
        snprintf(text, size, "%.4g", (double)threshold->value);
    else
        snprintf(text, size,
                 "%.4g: %d of %d validation images reach it; false-alarm rate %.3g to %.3g %% (%.0f %% "
                 "confidence)",
                 (double)threshold->value, threshold->alarms, threshold->images, 100 * threshold->low,
                 100 * threshold->high, 100 * CONFIDENCE);
}
