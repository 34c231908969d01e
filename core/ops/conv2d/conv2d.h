/* Two-dimensional convolution (cross-correlation, as in every deep-learning framework), its two gradients. */
#pragma once

#include "core/graph/graph.h"

typedef struct EadConv2d {
    int stride;  /* >= 1, the same in both directions */
    int padding; /* >= 0 cells of zeros on all four sides */
    bool relu;   /* y = max(conv + bias, 0), fused into the kernel */
} EadConv2d;

/* x [N,H,W,I], weight [O,KH,KW,I], bias [1,1,1,O] or NULL -> y [N,OH,OW,O] with
 * OH = (H + 2 padding - KH) / stride + 1. Errors: EAD_BAD_SHAPE if channels differ or the kernel is larger
 * than the padded image. */
EadNode *ead_conv2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias, EadConv2d attributes);

/* The shape rule of ead_conv2d, for ops that contain a convolution: checks x, sets *y. bias may be NULL. */
EadStatus ead_conv2d_shape(const EadTensor *x, const EadNode *weight, const EadNode *bias,
                           const EadConv2d *attributes, EadTensor *y);

/* What the gradient kernels need to know besides their inputs. */
typedef struct EadConv2dGradient {
    int stride, padding;
    int height, width; /* input gradient: of x; weight gradient: of the kernel */
} EadConv2dGradient;

/* dx [N,height,width,I] from dy [N,OH,OW,O] and weight. */
EadNode *ead_conv2d_input_gradient(EadGraph *graph, EadNode *dy, EadNode *weight,
                                   EadConv2dGradient attributes);

/* The transposed convolution (torch.nn.ConvTranspose2d): what the input gradient computes, forward, with gradients. x [N,H,W,O],
 * weight [O,KH,KW,I], in files PyTorch's [in,out,kh,kw] as it is -> [N,(H-1) stride - 2 padding + KH,...,I], plus bias [1,1,1,I] or
 * NULL. Errors: EAD_BAD_SHAPE. */
EadNode *ead_conv_transpose2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias, int stride,
                              int padding);

/* dw [O,height,width,I] from dy and x: summed over all images and positions. */
EadNode *ead_conv2d_weight_gradient(EadGraph *graph, EadNode *dy, EadNode *x, EadConv2dGradient attributes);
