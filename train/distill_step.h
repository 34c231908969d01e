/* One step of distillation, planned: the teacher's loss against the backbone's normalised features, backward
 * pass, Adam (EfficientAD, Algorithm 3). The distiller runs it, the bench times it. */
#ifndef EAD_TRAIN_DISTILL_STEP_H
#define EAD_TRAIN_DISTILL_STEP_H

#include "autograd/optimizer.h"
#include "core/plan.h"
#include "models/patch_features.h"
#include "models/pdn.h"

typedef struct EadDistillOptions {
    int batch, height, width;         /* of the teacher's images; the backbone's are twice as high and wide */
    const EadPatchFeatures *backbone; /* runs in the step; NULL: the features come with the batch */
    EadAdam adam;
    EadLrSchedule schedule;
} EadDistillOptions;

typedef struct EadDistillStep EadDistillStep;

/* Plans the step of a teacher (padded, trainable, 384 outputs), whose parameters are updated in place and
 * must outlive it, as must the backbone. plan may be NULL. Errors: EAD_NO_MEMORY and what the graph's
 * builders find. */
EadStatus ead_distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                               const EadPlanOptions *plan, EadDistillStep **out);
void ead_distill_step_free(EadDistillStep *step);

/* Sets the statistics by which the features are normalised. A channel without spread counts as it is. */
void ead_distill_step_normalize(EadDistillStep *step, const float mean[EAD_FEATURES],
                                const float std[EAD_FEATURES]);

/* Does one step on a slot of data/distill_images.h: the images and, behind them, features or the backbone's
 * images. Returns the loss before the update; *rate: the learning rate. */
float ead_distill_step_run(EadDistillStep *step, const uint8_t *slot, float *rate);

/* Adam's state, to be saved and restored between steps; the plan, for the bench. */
EadOptimizer *ead_distill_step_optimizer(EadDistillStep *step);
const EadPlan *ead_distill_step_plan(const EadDistillStep *step);

#endif
