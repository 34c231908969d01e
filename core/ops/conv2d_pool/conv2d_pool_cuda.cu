/* Convolution, ReLU and pooling in one pass on CUDA: the rows of the product are ordered by pooled pixels, so
 * that a thread holds the four outputs that it averages. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

extern "C" {
#include "core/ops/conv2d_pool/conv2d_pool.h"
}

static EadConvLayer describe(const EadCall *call) {
    const EadConvGeometry g = ead_conv2d_pool_geometry(call);
    const EadConv2dPool *a = static_cast<const EadConv2dPool *>(call->attributes);
    EadConvLayer l = {};
    l.view.images = g.n, l.view.h = g.h, l.view.w = g.w;
    l.view.kh = g.kh, l.view.kw = g.kw, l.view.stride = g.stride, l.view.padding = g.padding;
    l.view.rows = call->y->h, l.view.columns = call->y->w, l.view.outputs = g.o;
    l.view.pool = true, l.view.pool_padding = a->padding;
    l.view.conv_rows = g.oh, l.view.conv_columns = g.ow;
    l.weight = call->x[1], l.bias = call->x[2], l.target = call->y;
    l.relu = a->conv.relu;
    ead_conv_layer_complete(&l, call, call->x[0]);
    return l;
}

EAD_CONV_LAYER_KERNEL(conv2d_pool, describe, ead_conv2d_pool_geometry);
