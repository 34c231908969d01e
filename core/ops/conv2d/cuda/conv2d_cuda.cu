/* The forward convolution on CUDA. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

extern "C" {
#include "core/ops/conv2d/conv2d.h"
}

static EadConvLayer describe(const EadCall *call) {
    const EadConvGeometry g = ead_conv_geometry(call);
    EadConvLayer l = {};
    l.view.images = g.n, l.view.h = g.h, l.view.w = g.w;
    l.view.kh = g.kh, l.view.kw = g.kw, l.view.stride = g.stride, l.view.padding = g.padding;
    l.view.rows = g.oh, l.view.columns = g.ow, l.view.outputs = g.o;
    l.weight = call->x[1], l.bias = call->x[2], l.target = call->y;
    l.relu = static_cast<const EadConv2d *>(call->attributes)->relu;
    ead_conv_layer_complete(&l, call, call->x[0]);
    return l;
}

EAD_CONV_LAYER_KERNEL(conv2d, ead_conv_geometry);
