/* From image bytes to the networks' input. Images stay 8-bit as long as possible: a quarter of the memory. */
#pragma once

#include "core/graph/graph.h"

/* Of red, green, blue, for values of 0..1. */
typedef struct EadColorScale {
    double mean[3], std[3];
} EadColorScale;

/* ImageNet's colours: what most networks were trained with. */
extern const EadColorScale ead_imagenet_scale;

/* A value of 0..255 in channel c, normalised. */
static inline real ead_normalized(const EadColorScale *scale, int c, int value) {
    return ((real)value / (real)255 - (real)scale->mean[c]) / (real)scale->std[c];
}

/* x EAD_U8 [N,H,W,3], RGB -> [N,H,W,3]: (x/255 - mean) / std with ImageNet's, rounded after each step as torchvision's
 * ToTensor and Normalize do. No gradient. Errors: EAD_BAD_SHAPE if x is no 8-bit RGB image. */
EadNode *ead_normalize_image(EadGraph *graph, EadNode *x);

/* The same with a scale of the network's own. */
EadNode *ead_normalize_image_by(EadGraph *graph, EadNode *x, const EadColorScale *scale);
