/* The forward part of one training step (EfficientAD, sections 3.2 and 3.3; Algorithm 1): the losses as
 * scalars of a graph. With teacher T (normalized), student S, autoencoder A, a training image I, its
 * augmented copy I', a photograph of something else P, and S1, S2 the first and second 384 channels of S:
 *     hard     mean of all D >= quantile(D, p_hard), where D = (T(I) - S1(I))^2                      (3.2)
 *     penalty  mean(S1(P)^2): the student must not imitate the teacher beyond the training images    (3.2)
 *     ae       mean((T(I') - A(I'))^2)                                                               (3.3)
 *     stae     mean((A(I') - S2(I'))^2), whose gradients flow into both                              (3.3)
 *     total    their sum, unweighted
 * The trainer appends backward pass and optimizer. */
#pragma once

#include "models/efficientad/model.h"

/* Which image of a step's batch is which; -1: it is not there. The one place that says their order. */
typedef struct EadBatchSlots {
    int penalty, train, augmented;
    int count;
} EadBatchSlots;

static inline EadBatchSlots ead_batch_slots(bool penalty, bool autoencoder) {
    int train = penalty ? 1 : 0;
    return (EadBatchSlots){penalty ? 0 : -1, train, autoencoder ? train + 1 : -1, train + 1 + autoencoder};
}

typedef struct EadLossOptions {
    double hard_quantile; /* [0,1): p_hard; 0 takes the plain mean */
    bool penalty;         /* the pretraining penalty; needs a penalty image in each batch */
    double dropout;       /* of the autoencoder's decoder */
    uint64_t seed;        /* of dropout */
    /* The teacher sees training and augmented image one by one instead of as one batch: its outputs then have
     * the bits of a pass over one image even where kernels go by the size of the batch, as on CUDA. */
    bool teacher_per_image;
} EadLossOptions;

typedef struct EadLossInputs {
    EadNode *x;       /* [slots.count,H,W,3], normalized, in the order of ead_batch_slots() */
    EadNode *step;    /* I64 scalar leaf, the number of steps done */
    EadNode *teacher; /* its normalized output on the training image, known already; NULL: not known */
} EadLossInputs;

typedef struct EadLosses {
    EadNode *hard, *penalty, *autoencoder, *student_autoencoder; /* scalars; NULL where switched off */
    EadNode *total;                                              /* their unweighted sum */
} EadLosses;

/* All nodes of the result are kept. The parameters in model->trained are trainable leaves. */
EadLosses ead_build_losses(EadGraph *graph, const EadEfficientad *model, const EadLossOptions *options,
                           EadLossInputs inputs);
