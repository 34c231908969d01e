/* One training step, planned: losses, backward pass, Adam (EfficientAD, Algorithm 1). The trainer runs it,
 * the bench times it. */
#ifndef EAD_TRAIN_TRAINING_STEP_H
#define EAD_TRAIN_TRAINING_STEP_H

#include "autograd/optimizer.h"
#include "core/ops/lr_schedule/lr_schedule.h"
#include "core/plan/plan.h"
#include "models/efficientad/losses.h"
#include "train/loop/loss_ring.h"

/* What can stay with the step from the start instead of coming with each. */
typedef enum EadResidentImages {
    EAD_TABLE_TRAIN,   /* training images, u8 [H][W][3] */
    EAD_TABLE_PENALTY, /* penalty images, u8 [H][W][3]; only with the training images */
    EAD_TABLE_TEACHER, /* the teacher's normalised outputs on the training images, real [H'][W'][384] */
    EAD_TABLES,
} EadResidentImages;

/* Rows of each, 0: no such table. The step then draws from them what data/loader/training_images.h would have
 * brought, in the same order and with the same changes. All zero: everything comes with the step. */
typedef struct EadResidentData {
    int rows[EAD_TABLES];
    uint64_t seed; /* of order, jitter and gray */
    bool augment;  /* colour jitter for the autoencoder's image */
} EadResidentData;

typedef struct EadTrainingOptions {
    EadLossOptions loss;
    EadAdam adam;
    EadLrSchedule schedule;
    EadResidentData tables;
} EadTrainingOptions;

/* The paper's settings for that many steps. */
EadTrainingOptions ead_training_options_default(int64_t steps, uint64_t seed);

/* The numbers of a step: a row of losses.csv. Zero where a loss is switched off. */
typedef struct EadStepLosses {
    float hard, penalty, ae, stae, total, lr;
} EadStepLosses;

typedef struct EadTrainingStep EadTrainingStep;

/* Plans the step of a model (which must outlive it; its trained parameters are updated in place) on a
 * backend. plan may be NULL. Errors: EAD_NO_MEMORY and what the graph's builders find. */
EadStatus ead_training_step_new(EadEfficientad *model, const EadTrainingOptions *options,
                                const EadPlanOptions *plan, EadTrainingStep **out);
void ead_training_step_free(EadTrainingStep *step);

/* Bytes of a table of so many rows for a model. */
size_t ead_step_table_bytes(const EadEfficientadSpec *spec, EadResidentImages table, int rows);

/* Fills a row; all rows that can be drawn, before the first step. */
void ead_training_step_set_row(EadTrainingStep *step, EadResidentImages table, int row, const void *value);

/* How many of the rows of a table are drawn from, where they are fewer than planned: 1 .. rows. Training
 * images and the teacher's outputs on them share one number. Upload afterwards. */
void ead_training_step_draw_from(EadTrainingStep *step, EadResidentImages table, int count);

/* Starts one step on u8 images [batch][H][W][3], those of [penalty image], training image, [augmented image]
 * for which there is no table; NULL if there is one for all. images may change as soon as it returns; on a
 * device the step itself runs on. */
void ead_training_step_run(EadTrainingStep *step, const uint8_t *images);

/* The losses of the steps since the last call, each before its update, oldest first; *count of them, at most
 * EAD_LOSS_ROWS: call it at least that often. Waits for the steps. Errors: what stopped the device. */
EadStatus ead_training_step_losses(EadTrainingStep *step, EadStepLosses rows[EAD_LOSS_ROWS], int *count);

/* Steps started, with those before a checkpoint. */
int64_t ead_training_step_count(const EadTrainingStep *step);

/* Adam's state, to be saved and restored between steps. It and the model's parameters lie in the host's
 * memory: call download before reading and upload after writing them. Errors: what stopped the device. */
EadOptimizer *ead_training_step_optimizer(EadTrainingStep *step);
EadStatus ead_training_step_download(EadTrainingStep *step);
void ead_training_step_upload(EadTrainingStep *step);

/* Bytes of one batch of images that comes with a step, bytes of memory that the step takes in all (arena,
 * parameters, state). */
size_t ead_training_step_batch_bytes(const EadTrainingStep *step);
size_t ead_training_step_bytes(const EadTrainingStep *step);

/* The plan, for the bench. */
const EadPlan *ead_training_step_plan(const EadTrainingStep *step);

#endif
