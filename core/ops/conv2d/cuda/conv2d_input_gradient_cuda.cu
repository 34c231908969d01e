/* The input gradient on CUDA: for each phase a forward convolution of dy with a flipped sub-kernel. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

extern "C" {
#include "core/ops/conv2d/conv2d.h"
}

static EadConvLayer describe(const EadCall *call) {
    const EadConvGeometry g = ead_conv_input_gradient_geometry(call);
    EadConvLayer l = {};
    l.view.images = g.n, l.view.h = g.oh, l.view.w = g.ow;
    l.view.kh = g.kh, l.view.kw = g.kw, l.view.stride = g.stride, l.view.padding = g.padding;
    l.view.rows = g.h, l.view.columns = g.w, l.view.outputs = g.i;
    l.view.gradient = true;
    l.weight = call->x[1], l.target = call->y;
    ead_conv_layer_complete(&l, call, call->x[0]);
    return l;
}

EAD_CONV_LAYER_KERNEL(conv2d_input_gradient, ead_conv_input_gradient_geometry);
