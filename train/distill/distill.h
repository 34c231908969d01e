/* Distillation of a teacher (EfficientAD, Appendix A.2, Algorithm 3): what its files, the bench and the tests
 * share.
 *   distill_fit.c      the row of train/fits.def, from config to teacher file
 *   distill_step.c     the step
 *   distill_forecast.c  what it will take
 *   feature_source.c   a backbone's features for single images, from its graph or from a cache
 *   teacher_quality.c  how good a teacher is on images that it was not distilled on
 *   judges.c           and on data sets with defects */
#pragma once

#include "data/loader/distill_images.h"
#include "models/networks/patch_features.h"
#include "models/networks/pdn.h"
#include "train/distill/judges.h"
#include "train/fit.h"

/* ---- the step: the teacher's loss against the backbone's normalized features ---- */

extern const EadLossColumn ead_distill_losses[];

typedef struct EadDistillOptions {
    EadShare batch;                   /* its images that this process sees */
    int height, width;                /* of the teacher's images; the backbone's are twice as high and wide */
    const EadPatchFeatures *backbone; /* runs in the step; NULL: the features come with the batch */
    EadAdam adam;
    EadLrSchedule schedule;
} EadDistillOptions;

/* Must stay where it is, as `step` must. */
typedef struct EadDistillStep {
    EadPdn teacher;
    EadDistillOptions options;
    EadStep *step;
    real scale[EAD_FEATURES], shift[EAD_FEATURES]; /* feature * scale + shift is normalized */
} EadDistillStep;

/* Plans the step of a teacher (padded, trainable, 384 outputs), whose parameters are updated in place and
 * must outlive it, as must the backbone, into *step. Its slots are those of data/loader/distill_images.h.
 * plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with ead_step_free(step). */
EadStatus ead_distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                               const EadPlanOptions *plan, EadStep *step, EadDistillStep *out);

/* Sets the statistics by which the features are normalized; upload the step afterwards. A channel without
 * spread counts as it is. */
void ead_distill_step_normalize(EadDistillStep *step, const float mean[EAD_FEATURES],
                                const float std[EAD_FEATURES]);

/* ---- features of single images ---- */

typedef struct EadFeatureSource {
    EadDistillImages *images;         /* borrowed; its cache is set here */
    const EadPatchFeatures *backbone; /* borrowed */
    EadPlanOptions plan_options;
    EadGraph *graph; /* of the backbone, planned when first needed */
    EadPlan *plan;
    EadNode *large, *features;
    EadFeatureCache *cache;
    EadLoader *loader; /* used while the cache is filled */
    uint8_t *pixels;   /* of one image at the backbone's size */
    uint16_t *halves;  /* of one image, and as floats */
    float *floats;
} EadFeatureSource;

/* cache: path of the cache file, or NULL for none. key: hash of what the features depend on besides the
 * images' own settings. beside: see EadFeatureCacheSpec. A cache is filled before this returns, by all ranks, with a progress line unless quiet, and
 * continued where a filling was interrupted. Errors: those of images, cache and plan; EAD_INTERRUPTED. Close
 * in every case. */
EadStatus ead_feature_source_open(EadFeatureSource *source, EadDistillImages *images,
                                  const EadPatchFeatures *backbone, const EadRunSpec *run, const char *cache,
                                  uint64_t key, uint64_t beside);
void ead_feature_source_close(EadFeatureSource *source);

/* Bytes that it takes while the backbone runs. Errors: those of the graph. */
EadStatus ead_feature_source_measure(EadDistillImages *images, const EadPatchFeatures *backbone,
                                     const EadRunSpec *run, size_t *bytes);

/* The teacher's pixels [height][width][3] and the features [height/4][width/4][384] of the image at a
 * position, gray as drawn once an image. *features lives until the next call. */
EadStatus ead_feature_source_read(EadFeatureSource *source, int position, uint8_t *small,
                                  const float **features);

/* ---- before the start ---- */

/* Says on stdout what a distillation will take, all but its result: images, shares of ranks, cache, and times, measured on
 * a few images and steps, which spoil the step. Errors: EAD_IO where the disk lacks room for the cache; those of images
 * and plans. */
EadStatus ead_distill_forecast(EadDistillImages *images, const EadPatchFeatures *backbone,
                               const EadRunSpec *run, EadStep *step);

/* Bytes of the checkpoint (weights and Adam's two moments) that will come to lie on the disk of distill.cache; 0 where
 * it lies on another or is there already. */
uint64_t ead_distill_beside_cache(const EadRunSpec *run, const EadStep *step);

/* ---- quality ---- */

typedef struct EadTeacherQuality {
    int images;
    double loss; /* mean squared error against the normalized features, whose variance is about 1 */
    double explained[EAD_FEATURES]; /* 1 - error / variance of the channel; 0: no better than its mean */
} EadTeacherQuality;

/* Runs teacher and features over the images at positions 0 .. held_out - 1, which ranks share out. mean, std: by
 * which features are normalized. Errors: those of the source and of planning; EAD_INTERRUPTED. */
EadStatus ead_teacher_quality_measure(const EadPdn *teacher, const EadRunSpec *run, EadFeatureSource *source,
                                      const float mean[EAD_FEATURES], const float std[EAD_FEATURES],
                                      EadTeacherQuality *quality);

/* Of the explained shares: mean, least, median, greatest. */
typedef struct EadExplained {
    double mean, least, median, greatest;
} EadExplained;
EadExplained ead_teacher_quality_summary(const EadTeacherQuality *quality);

/* One line for people. */
void ead_teacher_quality_print(FILE *stream, const EadTeacherQuality *quality);

/* metrics.json of a distillation: held_out_loss, held_out_images, explained_variance {mean, least, median,
 * greatest, channels [384]}, judges. Errors: EAD_IO. */
EadStatus ead_teacher_quality_write(const char *path, const EadTeacherQuality *quality,
                                    const EadJudgements *judgements);
