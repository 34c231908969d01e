/* The networks of DSR, each written once: what it computes, from which its parameters follow. */
#pragma once

#include "models/blocks/layer_walk.h"

/* [N,H,W,3] -> [N,H/4,W/4,C]; that -> [N,H/8,W/8,C]; C is `channels`. */
EadNode *ead_dsr_encode_hi(const EadLayerWalk *walk, EadNode *x, int channels);
EadNode *ead_dsr_encode_lo(const EadLayerWalk *walk, EadNode *x, int channels);

/* Codes of both levels at H/4 [N,H/4,W/4,2C] -> [N,H,W,3]: the general decoder, that of an object. */
EadNode *ead_dsr_decode(const EadLayerWalk *walk, EadNode *x, int channels);
EadNode *ead_dsr_decode_object(const EadLayerWalk *walk, EadNode *x, int channels);

/* Codes of a level -> as they should be, not yet quantised: [N,h,w,C]. */
EadNode *ead_dsr_restrict(const EadLayerWalk *walk, EadNode *x, int channels);

/* [N,H,W,inputs] -> logits of good and anomalous [N,H,W,2]. */
EadNode *ead_dsr_unet(const EadLayerWalk *walk, EadNode *x, int inputs, int width);
