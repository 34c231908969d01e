/* Convolution in groups of channels that do not see each other, depthwise where each channel is a group, for
 * frozen networks: padding may be TensorFlow's. Dense convolutions are core/ops/conv2d/. */
#pragma once

#include "core/graph/graph.h"

typedef enum EadActivation {
    EAD_ACTIVATION_NONE,
    EAD_ACTIVATION_RELU,  /* max(y, 0) */
    EAD_ACTIVATION_RELU6, /* min(max(y, 0), 6) */
} EadActivation;

/* Zeros so that OH = H / stride rounded up, of an odd number the larger half at bottom and right. */
enum { EAD_PADDING_SAME = -1 };

typedef struct EadGroupedConv2d {
    int groups;  /* >= 1, divides I and O */
    int stride;  /* >= 1, the same in both directions */
    int padding; /* >= 0 cells of zeros on all four sides, or EAD_PADDING_SAME */
    EadActivation activation;
} EadGroupedConv2d;

/* x [N,H,W,I], weight [O,KH,KW,I/groups], bias [1,1,1,O] or NULL -> y [N,OH,OW,O]: outputs g O/groups .. of
 * group g from its inputs g I/groups .. OH as in conv2d.h, or as EAD_PADDING_SAME says. No gradient. Errors:
 * EAD_BAD_ARGUMENT; EAD_BAD_SHAPE if channels and groups do not go together or the kernel is larger than the
 * padded image. */
EadNode *ead_grouped_conv2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias,
                            EadGroupedConv2d attributes);

/* Cells of zeros above (or to the left of) an input of `size` cells that gives `out`. */
static inline int ead_padding_before(const EadGroupedConv2d *a, int size, int out, int kernel) {
    int all = (out - 1) * a->stride + kernel - size;
    return a->padding >= 0 ? a->padding : all > 0 ? all / 2 : 0;
}
