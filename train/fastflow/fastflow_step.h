/* The step of FastFlow: what its fit, the bench and the tests share. */
#pragma once

#include "models/fastflow/fastflow.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"
#include "train/loop/train_features.h"

extern const EadLossColumn ead_fastflow_losses[];

typedef struct EadFastflowOptions {
    EadShare batch; /* its images that this process sees */
    double rate, weight_decay;
} EadFastflowOptions;

/* Plans the step of a model, whose parameters are updated in place and must outlive it, into *step. Its inputs are the
 * model's features, those of `features`. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with
 * ead_step_free(step). */
EadStatus ead_fastflow_step_new(EadFastflow *model, const EadFastflowOptions *options,
                                EadTrainFeatures *features, const EadPlanOptions *plan, EadStep *step);
