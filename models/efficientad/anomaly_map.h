/* Inference (EfficientAD, Algorithm 2): from 8-bit images to anomaly maps. */
#ifndef EAD_MODELS_ANOMALY_MAP_H
#define EAD_MODELS_ANOMALY_MAP_H

#include "models/efficientad/model.h"

typedef struct EadMaps {
    EadNode
        *raw[EAD_MAP_COUNT]; /* [N,H',W',1] mean over channels of (teacher - student)^2, and of (autoencoder -
                              * student)^2 (NULL without autoencoder), at the networks' output size */
    EadNode *combined;       /* [N,H,W,1] at image size: the mean of the normalised maps. Without padding the
                              * networks leave a border of 4 cells unseen, which is 0, the level of q_a */
} EadMaps;

/* images: U8 leaf [N,H,W,3] of the model's size. */
EadMaps ead_build_maps(EadGraph *graph, const EadModel *model, EadNode *images);

/* The raw maps stretched to image size, [N,H,W,1] each: what normalisation takes its statistics of. */
EadMaps ead_build_raw_maps(EadGraph *graph, const EadModel *model, EadNode *images);

#endif
