/* The forward part of one training step (EfficientAD, Algorithm 1): the four losses as scalars of a graph.
 * The trainer appends backward pass and optimizer. */
#ifndef EAD_MODELS_LOSSES_H
#define EAD_MODELS_LOSSES_H

#include "models/efficientad/model.h"

typedef struct EadLossOptions {
    double hard_quantile; /* [0,1): p_hard of section 3.2; 0 takes the plain mean */
    bool penalty;         /* the pretraining penalty; needs a penalty image in each batch */
    double dropout;       /* of the autoencoder's decoder */
    uint64_t seed;        /* of dropout */
    /* The teacher sees training and augmented image one by one instead of as one batch: its outputs then have
     * the bits of a pass over one image even where kernels go by the size of the batch, as on CUDA. */
    bool teacher_per_image;
} EadLossOptions;

typedef struct EadLossInputs {
    EadNode *x;       /* [batch,H,W,3], normalised: [penalty image], training image, [augmented one] */
    EadNode *step;    /* I64 scalar leaf, the number of steps done */
    EadNode *teacher; /* its normalised output on the training image, known already; NULL: not known */
} EadLossInputs;

typedef struct EadLosses {
    EadNode *hard, *penalty, *autoencoder, *student_autoencoder; /* scalars; NULL where switched off */
    EadNode *total;                                              /* their unweighted sum */
} EadLosses;

/* Number of images in a step's batch: [penalty image], training image, [augmented training image]. */
int ead_losses_batch(const EadModel *model, const EadLossOptions *options);

/* All nodes of the result are kept. The parameters in model->trained are trainable leaves. */
EadLosses ead_build_losses(EadGraph *graph, const EadModel *model, const EadLossOptions *options,
                           EadLossInputs inputs);

#endif
