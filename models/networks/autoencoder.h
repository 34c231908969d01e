/* The autoencoder (EfficientAD, section 3.3; Table 8): sees the whole image through a bottleneck of 64
 * numbers and predicts the teacher's features, so that it catches logical defects. */
#pragma once

#include "core/graph/params.h"

/* Images: every height and width that is a multiple of 4 from 64 up. Four halvings less, and the bottleneck, which is the fifth
 * halving at its full size, has no rows; other than by 4, the cells of networks without padding do not lie on pixels. */
enum { EAD_IMAGE_STEP = 4, EAD_IMAGE_MIN = 64, EAD_IMAGE_MAX = 2048 };

typedef struct EadAutoencoder {
    int height, width;               /* of the image */
    int output_height, output_width; /* of the PDN's output, which it imitates */
    const EadParams *params;         /* names "autoencoder.enc_conv1.weight" ... */
    bool trainable;
    double dropout; /* probability after each decoder layer; 0 outside training */
    uint64_t seed;  /* of dropout */
    EadNode *step;  /* I64 scalar leaf, steps done, from which dropout draws; NULL without dropout */
} EadAutoencoder;

/* Declares its parameters: the bottleneck's kernel is image/32. */
EadStatus ead_autoencoder_declare(EadParams *params, int height, int width);

/* x [N,H,W,3] normalised image -> [N, output height, output width, 384]. */
EadNode *ead_autoencoder(EadGraph *graph, const EadAutoencoder *a, EadNode *x);
