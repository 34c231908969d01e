/* A SimpleNet model in memory (Liu et al., CVPR 2023): a frozen backbone's patches, a linear adaptor, and a
 * discriminator that has learned to tell the patches of good images from the same with noise on them.
 *
 * In the model file (models/method.h) it is
 *   metadata  backbone, layers "layer2,layer3", sigma, scale
 *   tensors   backbone.* (models/networks/backbone.h), adaptor.weight [width,width,1,1] and .bias,
 *             discriminator.hidden.weight [hidden,width,1,1] and .bias, discriminator.norm.weight, .bias, .running_mean
 *             and .running_var [hidden], discriminator.head.weight [hidden], all F32 */
#pragma once

#include "models/method.h"
#include "models/networks/backbone.h"

#define EAD_SIMPLENET_SLOPE   0.2  /* of the leaky ReLU */
#define EAD_SIMPLENET_EPSILON 1e-5 /* of the batch norm */

typedef struct EadSimplenetSpec {
    int height, width; /* of the images */
    EadTaps taps;
    int length;         /* numbers of a patch, at most EAD_SIMPLENET_MOST */
    int hidden;         /* units of the discriminator, at most EAD_SIMPLENET_MOST */
    double sigma;       /* of the map's Gaussian, in pixels; 0: none */
    EadFileType stored; /* of the backbone's weights in files: EAD_FILE_F32 or EAD_FILE_F16 */
} EadSimplenetSpec;

enum { EAD_SIMPLENET_MOST = 16384 };

typedef struct EadSimplenet {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadSimplenetSpec spec;
    EadBackbone backbone;
    int grid_height, grid_width; /* patches of an image */
    EadParams adaptor, discriminator;
    real scale;    /* that patches are multiplied by before the adaptor; 1: they are taken as they are */
    real *running; /* [2][hidden]: mean and variance of the batch norm */
    real *merged,
        *bias; /* [hidden][length] and [hidden]: adaptor, hidden layer and batch norm as one layer */
} EadSimplenet;

/* A model with zeroed parameters. The backbone becomes its own, also after an error, and its weights are rounded to
 * spec->stored. Errors: EAD_NO_MEMORY; EAD_BAD_ARGUMENT if images of that size are too small for it. Free with
 * ead_model_free() of its base. */
EadStatus ead_simplenet_new(const EadSimplenetSpec *spec, EadBackbone *backbone, EadSimplenet **out);

/* Draws the parameters as its authors do: weights by Xavier, biases uniform in +-1/sqrt(inputs). */
void ead_simplenet_initialize(EadSimplenet *model, uint64_t seed);

/* Makes merged and bias of the parameters: whenever these have changed, before a detector uses the model. */
void ead_simplenet_merge(EadSimplenet *model);

/* images: U8 [N,H,W,3] -> the patches [N,h,w,length]. */
EadNode *ead_simplenet_patches(EadGraph *graph, const EadSimplenet *model, EadNode *images);

/* ---- in training, all parameters trainable ---- */

/* patches [N,h,w,length], scaled -> the adapted ones, of the same shape. */
EadNode *ead_simplenet_adapt(EadGraph *graph, const EadSimplenet *model, EadNode *patches);

/* adapted [N,h,w,length] -> [N,h,w,1], positive where a patch looks good. The batch norm takes the statistics of all
 * N h w patches and moves the running ones by a tenth. */
EadNode *ead_simplenet_discriminate(EadGraph *graph, const EadSimplenet *model, EadNode *adapted);
