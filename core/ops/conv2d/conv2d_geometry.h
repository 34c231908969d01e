/* The sizes of one convolution, seen from any of its three kernels. */
#pragma once

#include "core/graph/kernel.h"

typedef struct EadConvGeometry {
    int n;         /* images */
    int h, w, i;   /* input */
    int oh, ow, o; /* output */
    int kh, kw;    /* kernel */
    int stride, padding;
} EadConvGeometry;

/* From the call of conv2d, conv2d_input_gradient or conv2d_weight_gradient. */
EadConvGeometry ead_conv_geometry(const EadCall *call);
EadConvGeometry ead_conv_input_gradient_geometry(const EadCall *call);
EadConvGeometry ead_conv_weight_gradient_geometry(const EadCall *call);

/* Multiply-adds of the convolution (the same for all three kernels). */
int64_t ead_conv_multiply_adds(const EadConvGeometry *g);

/* The next multiple: workspaces are shared out in whole vectors and panels. */
static inline int64_t ead_round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}
