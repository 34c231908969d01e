/* A training step of SimpleNet: true patches, the same with noise, and a discriminator between them. */
#pragma once

#include "models/simplenet/simplenet.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"
#include "train/loop/train_features.h"

extern const EadLossColumn ead_simplenet_losses[];

typedef struct EadSimplenetOptions {
    int batch;                                 /* images */
    int last;                                  /* of the last step of each epoch; 0: as many */
    int64_t epoch;                             /* steps */
    double noise;                              /* standard deviation, in the scaled and adapted patches */
    double margin;                             /* of the hinge losses */
    uint64_t seed;                             /* of the noise */
    double adaptor_lr, adaptor_wd;             /* learning rate and decoupled weight decay (AdamW) */
    double discriminator_lr, discriminator_wd; /* learning rate and L2 weight decay (Adam) */
} EadSimplenetOptions;

/* Plans the step into *step, for patches that come with it (train/loop/train_features.h). The model's parameters and
 * running statistics are updated in place, its scale is the caller's to set (ead_train_features_scale()); model, features and step must stay where they are. Groups of parameters:
 * the adaptor's, the discriminator's. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with ead_step_free(). */
EadStatus ead_simplenet_step_new(EadSimplenet *model, const EadSimplenetOptions *options,
                                 EadTrainFeatures *features, const EadPlanOptions *plan, EadStep *step);
