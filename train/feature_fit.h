/* What fits have in common that are trained by steps on the features of a frozen backbone, which are computed once:
 * SimpleNet and FastFlow. */
#pragma once

#include "train/fit.h"
#include "train/loop/train_features.h"

typedef struct EadFeatureFit {
    const EadRunSpec *run;
    const EadTrainData *data; /* NULL: a sample */
    int images;               /* for training */
    const int *epochs;        /* in the config, where train --minutes changes them */
    int batch;                /* images a step, of all ranks */
    bool drops;               /* as in EadTrainFeaturesSpec */
    /* Once there is a model; of the caller. */
    const EadModel *model;
    const EadBackbone *backbone;
    EadFeatureBuilder *build;
    EadTrainFeatures features;
    char settings[160]; /* what the features depend on besides images and backbone; names their file */
} EadFeatureFit;

/* Of a config and the data, or NULL: a sample of so many training images, 0: a batch. */
EadFeatureFit ead_feature_fit(const EadRunSpec *run, const EadTrainData *data, int images, const int *epochs,
                              int batch, bool drops);

/* Steps of one epoch, and of all. */
int64_t ead_feature_fit_epoch(const EadFeatureFit *fit);
int64_t ead_feature_fit_steps(const EadFeatureFit *fit);

/* What EadFit.start says: the model, where and on what it is trained, in how many steps. */
void ead_feature_fit_print_start(const EadFeatureFit *fit, const EadModel *model);

/* Images of the last step of each epoch, where they are fewer than a batch; or 0. */
int ead_feature_fit_last(const EadFeatureFit *fit);

/* Opens the features of the training images, unless they are open or it is a sample. Errors: those of
 * ead_train_features_open(). */
EadStatus ead_feature_fit_open(EadFeatureFit *fit);

/* EadFit.look and EadFit.features, of a sample. */
EadStatus ead_feature_fit_look(const EadFeatureFit *fit, const EadImageCache *few);
EadStatus ead_feature_fit_bytes(const EadFeatureFit *fit, char *text, uint64_t *bytes);
