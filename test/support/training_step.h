/* EfficientAD's and distillation's steps in one allocation, and the names of their losses. */
#pragma once

#include "test/support/suite.h"
#include "train/distill/distill.h"
#include "train/efficientad/efficientad_fit.h"

/* A row of ead_efficientad_losses with the learning rate, and of ead_distill_losses. */
typedef struct StepLosses {
    float hard, penalty, ae, stae, total, lr;
} StepLosses;

typedef struct DistillLoss {
    float loss, rate;
} DistillLoss;

typedef struct TrainingStep {
    EadStep step;
    EadTrainingStep training;
} TrainingStep;

typedef struct DistillStep {
    EadStep step;
    EadDistillStep distill;
} DistillStep;

static inline EadStatus training_step_new(EadEfficientad *model, const EadTrainingOptions *options,
                                          const EadPlanOptions *plan, TrainingStep **out) {
    *out = calloc(1, sizeof **out);
    ck_assert_ptr_nonnull(*out);
    return ead_training_step_new(model, options, plan, &(*out)->step, &(*out)->training);
}

static inline void training_step_free(TrainingStep *step) {
    ead_step_free(&step->step);
    free(step);
}

static inline EadStatus training_step_losses(TrainingStep *step, StepLosses rows[EAD_LOSS_ROWS], int *count) {
    return ead_step_losses(&step->step, &rows->hard, count);
}

static inline EadStatus distill_step_new(const EadPdn *teacher, const EadDistillOptions *options,
                                         const EadPlanOptions *plan, DistillStep **out) {
    *out = calloc(1, sizeof **out);
    ck_assert_ptr_nonnull(*out);
    return ead_distill_step_new(teacher, options, plan, &(*out)->step, &(*out)->distill);
}

static inline void distill_step_free(DistillStep *step) {
    ead_step_free(&step->step);
    free(step);
}

static inline EadStatus distill_step_losses(DistillStep *step, DistillLoss rows[EAD_LOSS_ROWS], int *count) {
    return ead_step_losses(&step->step, &rows->loss, count);
}
