/* Where the images of a training step come from: some with the step, the others drawn from tables. */
#ifndef EAD_TRAIN_STEP_IMAGES_H
#define EAD_TRAIN_STEP_IMAGES_H

#include "train/efficientad/training_step.h"

enum { EAD_DRAWN_TRAIN, EAD_DRAWN_PENALTY, EAD_DRAWN_COUNTS };

/* Must stay where it is while a plan of the graph lives. */
typedef struct EadStepImages {
    EadNode *given; /* u8 leaf of the images that come with the step; NULL: none */
    EadNode *tables[EAD_TABLES];
    int64_t counts[EAD_DRAWN_COUNTS]; /* images that are drawn from */
} EadStepImages;

/* Builds the inputs of the losses. step: the counter of steps done. */
EadLossInputs ead_step_images_build(EadStepImages *images, EadGraph *graph, const EadEfficientad *model,
                                    const EadLossOptions *loss, const EadResidentData *tables, EadNode *step);

#endif
