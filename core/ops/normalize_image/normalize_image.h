/* From image bytes to the networks' input. Images stay 8-bit as long as possible: a quarter of the memory. */
#pragma once

#include "core/graph/graph.h"

/* Mean and standard deviation of ImageNet's colours, red, green, blue, for values of 0..1. */
extern const double ead_imagenet_mean[3], ead_imagenet_std[3];

/* x EAD_U8 [N,H,W,3], RGB -> [N,H,W,3]: (x/255 - mean) / std, rounded after each step as torchvision's
 * ToTensor and Normalize do. No gradient. Errors: EAD_BAD_SHAPE if x is no 8-bit RGB image. */
EadNode *ead_normalize_image(EadGraph *graph, EadNode *x);
