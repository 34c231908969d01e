/* The networks of DSR, each written once: what it computes, from which its parameters follow. */
#pragma once

#include "core/graph/params.h"

/* A network that is being built, or whose parameters are being declared. */
typedef struct EadDsrWalk {
    EadGraph *graph;   /* NULL: parameters are declared, and nodes are NULL */
    EadParams *params; /* changed by declaring only */
    const char *name;  /* prefix of its parameters */
    bool trainable;
    EadStatus *status; /* of declaring */
} EadDsrWalk;

/* [N,H,W,3] -> [N,H/4,W/4,C]; that -> [N,H/8,W/8,C]; C is `channels`. */
EadNode *ead_dsr_encode_hi(const EadDsrWalk *walk, EadNode *x, int channels);
EadNode *ead_dsr_encode_lo(const EadDsrWalk *walk, EadNode *x, int channels);

/* Codes of both levels at H/4 [N,H/4,W/4,2C] -> [N,H,W,3]: the general decoder, that of an object. */
EadNode *ead_dsr_decode(const EadDsrWalk *walk, EadNode *x, int channels);
EadNode *ead_dsr_decode_object(const EadDsrWalk *walk, EadNode *x, int channels);

/* Codes of a level -> as they should be, not yet quantised: [N,h,w,C]. */
EadNode *ead_dsr_restrict(const EadDsrWalk *walk, EadNode *x, int channels);

/* [N,H,W,inputs] -> logits of good and anomalous [N,H,W,2]. */
EadNode *ead_dsr_unet(const EadDsrWalk *walk, EadNode *x, int inputs, int width);

/* One layer of the walk's network: a convolution, or a transposed one of kernel 4 and stride 2. */
EadNode *ead_dsr_conv(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                      int kernel);
EadNode *ead_dsr_up(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs);
