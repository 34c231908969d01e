/* One step of distillation, planned: the teacher's loss against the backbone's normalised features, backward
 * pass, Adam (EfficientAD, Algorithm 3). The distiller runs it, the bench times it. */
#ifndef EAD_TRAIN_DISTILL_STEP_H
#define EAD_TRAIN_DISTILL_STEP_H

#include "autograd/optimizer.h"
#include "core/ops/lr_schedule/lr_schedule.h"
#include "core/plan/plan.h"
#include "models/networks/patch_features.h"
#include "models/networks/pdn.h"
#include "train/loop/loss_ring.h"

typedef struct EadDistillOptions {
    int batch, height, width;         /* of the teacher's images; the backbone's are twice as high and wide */
    const EadPatchFeatures *backbone; /* runs in the step; NULL: the features come with the batch */
    EadAdam adam;
    EadLrSchedule schedule;
} EadDistillOptions;

typedef struct EadDistillStep EadDistillStep;

/* The numbers of a step: a row of losses.csv. */
typedef struct EadDistillLoss {
    float loss, rate;
} EadDistillLoss;

/* Plans the step of a teacher (padded, trainable, 384 outputs), whose parameters are updated in place and
 * must outlive it, as must the backbone. plan may be NULL. Errors: EAD_NO_MEMORY and what the graph's
 * builders find. */
EadStatus ead_distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                               const EadPlanOptions *plan, EadDistillStep **out);
void ead_distill_step_free(EadDistillStep *step);

/* Sets the statistics by which the features are normalised; upload afterwards. A channel without spread
 * counts as it is. */
void ead_distill_step_normalize(EadDistillStep *step, const float mean[EAD_FEATURES],
                                const float std[EAD_FEATURES]);

/* Starts one step on a slot of data/loader/distill_images.h: the images and, behind them, features or the backbone's
 * images. The slot may change as soon as it returns; on a device the step itself runs on. */
void ead_distill_step_run(EadDistillStep *step, const uint8_t *slot);

/* The losses of the steps since the last call; see ead_loss_ring_read(). Each is that before its update. */
EadStatus ead_distill_step_losses(EadDistillStep *step, EadDistillLoss rows[EAD_LOSS_ROWS], int *count);

/* Steps started, with those before a checkpoint. */
int64_t ead_distill_step_count(const EadDistillStep *step);

/* Adam's state, to be saved and restored between steps. It and the teacher's parameters lie in the host's
 * memory: call download before reading and upload after writing them. Errors: what stopped the device. */
EadOptimizer *ead_distill_step_optimizer(EadDistillStep *step);
EadStatus ead_distill_step_download(EadDistillStep *step);
void ead_distill_step_upload(EadDistillStep *step);

/* The plan, for the bench. */
const EadPlan *ead_distill_step_plan(const EadDistillStep *step);

#endif
