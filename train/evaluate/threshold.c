/* Order statistics of a few dozen scores, and what so few can say about the rate. */
#include "train/evaluate/threshold.h"

#include "data/codec/codec.h"
#include "models/detector.h"
#include "train/support/interrupt.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIDENCE 0.95

EadThresholdRule ead_threshold_rule(const EadConfig *config) {
    bool quantile = config->threshold_method == EAD_THRESHOLD_QUANTILE;
    return (EadThresholdRule){(EadThresholdMethod)config->threshold_method,
                              quantile ? config->threshold_quantile : config->threshold_false_alarm_rate};
}

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

static int descending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a < b) - (a > b);
}

/* sorted: from the highest. */
static float threshold_of(const float *sorted, int count, EadThresholdRule rule) {
    if (rule.method == EAD_THRESHOLD_NONE) return NAN;
    if (rule.method == EAD_THRESHOLD_QUANTILE) {
        double place = (1 - rule.value) * (count - 1);
        int above = (int)place, below = above + 1 < count ? above + 1 : above;
        return (float)((double)sorted[above] +
                       (place - above) * ((double)sorted[below] - (double)sorted[above]));
    }
    int alarms = (int)(rule.value * count + 1e-9); /* 0.29 * 100 is a little less than 29 */
    return alarms < count ? nextafterf(sorted[alarms], INFINITY) : sorted[count - 1];
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
            return ead_fail(EAD_BAD_ARGUMENT, "the score of validation image %d is %g: the model is broken",
                            i + 1, (double)scores[i]);
    float *sorted = malloc((size_t)count * sizeof *sorted);
    if (!sorted) return ead_fail(EAD_NO_MEMORY, "no memory for %d scores", count);
    memcpy(sorted, scores, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, descending);
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

static EadStatus score_image(EadDetector *detector, const char *path, float *score) {
    EadImage image;
    EAD_TRY(ead_image_load(path, &image));
    EadStatus status = (EadStatus)ead_detector_run(detector, image.pixels, image.width, image.height,
                                                   (ptrdiff_t)3 * image.width, NULL, score);
    ead_image_free(&image);
    return status;
}

EadStatus ead_score_images(const EadModel *model, const EadPlanOptions *plan, const EadStringList *images,
                           bool quiet, float *scores) {
    EadDetector *detector;
    EadProgress progress;
    EAD_TRY(ead_detector_new(model, plan, 1, &detector));
    EadStatus status = EAD_OK;
    ead_progress_start(&progress, "scoring validation images", 0, images->count, quiet);
    for (int i = 0; i < images->count && status == EAD_OK; i++) {
        status = score_image(detector, images->items[i], &scores[i]);
        ead_progress_update(&progress, i + 1, NULL);
        if (status == EAD_OK && ead_interrupted())
            status = ead_fail(EAD_INTERRUPTED, "stopped while scoring validation images");
    }
    ead_progress_finish(&progress);
    ead_detector_close(detector);
    return status;
}
