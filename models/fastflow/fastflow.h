/* A FastFlow model in memory (Yu et al. 2021, as Anomalib has it): a frozen backbone, and for each of its features a
 * normalizing flow that makes the features of good images normally distributed. Positions whose features are unlikely
 * are anomalous.
 *
 * A flow is a layer norm over the whole feature map, then couplings: the last half of the channels is scaled and
 * shifted by what a network of two convolutions says of the first; all are scaled and shifted channel by channel;
 * and put into another, fixed order.
 *
 * In the model file (models/method.h) it is
 *   metadata  backbone, layers "layer1,layer2,layer3", couplings "8", kernels "mixed", hidden_ratio "1"
 *   tensors   backbone.* (models/networks/backbone.h); of each layer's flow flow.LAYER.norm.weight and .bias
 *             [1,C,H,W], and for each coupling K flow.LAYER.K.conv1.*, .conv2.*, .scale and .offset [C], all F32, and
 *             .order (U64 [C], a permutation) */
#pragma once

#include "models/method.h"
#include "models/networks/backbone.h"

enum { EAD_FASTFLOW_COUPLINGS = 32 /* most of a flow */, EAD_FASTFLOW_MOST_RATIO = 16 };

/* Of the networks' convolutions. */
typedef enum EadFastflowKernels {
    EAD_FASTFLOW_MIXED, /* 3x3 in the first coupling, 1x1 in the next, in turns */
    EAD_FASTFLOW_3X3,
} EadFastflowKernels;

typedef struct EadFastflowSpec {
    int height, width; /* of the images */
    EadTaps taps;
    int couplings; /* of a flow, 1 .. EAD_FASTFLOW_COUPLINGS */
    EadFastflowKernels kernels;
    double hidden_ratio; /* channels between the two convolutions, as a multiple of the first's input */
    EadFileType stored;  /* of the backbone's weights in files: EAD_FILE_F32 or EAD_FILE_F16 */
} EadFastflowSpec;

typedef struct EadFastflow {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadFastflowSpec spec;
    EadBackbone backbone;
    EadTensor shapes[EAD_TAPS_CHOSEN]; /* of the features of one image */
    EadParams params;                  /* of all flows */
    int64_t *orders[EAD_TAPS_CHOSEN];  /* [couplings][C], owned */
} EadFastflow;

/* A model with zeroed parameters and orders. The backbone becomes its own, also after an error, and its weights are
 * rounded to spec->stored. Errors: EAD_NO_MEMORY; EAD_BAD_ARGUMENT if images of that size are too small for it. Free with
 * ead_model_free() of its base. */
EadStatus ead_fastflow_new(const EadFastflowSpec *spec, EadBackbone *backbone, EadFastflow **out);

/* Draws the networks as PyTorch does and the orders; all else is such that it changes nothing. */
void ead_fastflow_initialize(EadFastflow *model, uint64_t seed);

/* Taps of the names "layer1,layer2"; "": the backbone's usual ones, the first three where it names none. Errors:
 * EAD_BAD_ARGUMENT, with the names there are. */
EadStatus ead_fastflow_find_taps(const EadBackbone *backbone, const char *names, EadTaps *out);

/* images: U8 [N,H,W,3] -> the features of the taps. */
void ead_fastflow_features(EadGraph *graph, const EadFastflow *model, EadNode *images,
                           EadNode *features[EAD_TAPS_CHOSEN]);

/* Features [N,h,w,C] of tap number `tap` through its flow -> z [N,h,w,C]. logdet: NULL, or where the logarithm of the
 * determinant of d z / d features (after the norm) goes, a scalar, added up over the images. trainable: gradients flow
 * to the parameters. */
EadNode *ead_fastflow_flow(EadGraph *graph, const EadFastflow *model, int tap, EadNode *features,
                           bool trainable, EadNode **logdet);

/* Of a batch, scalars. total: the mean over the images of the negative logarithm of the likelihood, without its
 * constant, added up over the flows; its two parts. */
typedef struct EadFastflowLoss {
    EadNode *squares; /* half the sum of the squares of z */
    EadNode *logdet;
    EadNode *total; /* squares - logdet */
} EadFastflowLoss;

/* features: of all taps, [N,h,w,C]. */
EadFastflowLoss ead_fastflow_loss(EadGraph *graph, const EadFastflow *model,
                                  EadNode *const features[EAD_TAPS_CHOSEN]);
