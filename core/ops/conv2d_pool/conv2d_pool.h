/* Convolution, ReLU and 2x2 average pooling in one pass, so that the convolution's output, four times as
 * large, never reaches memory: the first two layers of a PDN without gradients. */
#pragma once

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/conv2d_geometry.h"

typedef struct EadConv2dPool {
    EadConv2d conv;
    int padding; /* of the pooling: 0 or 1 rings of zeros, which count */
} EadConv2dPool;

/* The same as ead_avg_pool2d(ead_conv2d(x, weight, bias, conv), 2, 2, padding), and exactly that where a
 * gradient has to flow through it. */
EadNode *ead_conv2d_pool(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias,
                         EadConv2dPool attributes);

/* The convolution inside, from the call. */
EadConvGeometry ead_conv2d_pool_geometry(const EadCall *call);

/* The fused layer on the CPU: each plans a call. Winograd for what ead_conv2d_winograd_fits says: the same
 * bits as Winograd and pooling one after the other unless the pooling is padded, which moves the tiles; worth
 * it only with blocks of a thread's own. */
void ead_conv2d_pool_direct_plan(EadCall *call);
void ead_conv2d_pool_winograd_plan(EadCall *call);
bool ead_conv2d_pool_winograd_suits(const EadCall *call);
