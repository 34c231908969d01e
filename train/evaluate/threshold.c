/* Scores of the validation images, one after another. */
#include "train/evaluate/threshold.h"

#include "data/codec/codec.h"
#include "models/detector.h"
#include "train/support/interrupt.h"
#include "train/support/progress.h"

EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_NONE, EAD_THRESHOLD_NONE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_QUANTILE, EAD_THRESHOLD_QUANTILE);
EAD_SAME_VALUE(EAD_THRESHOLD_CHOICE_FALSE_ALARM_RATE, EAD_THRESHOLD_FALSE_ALARM_RATE);

EadThresholdRule ead_threshold_rule(const EadConfig *config) {
    bool quantile = config->threshold_method == EAD_THRESHOLD_QUANTILE;
    return (EadThresholdRule){(EadThresholdMethod)config->threshold_method,
                              quantile ? config->threshold_quantile : config->threshold_false_alarm_rate};
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
