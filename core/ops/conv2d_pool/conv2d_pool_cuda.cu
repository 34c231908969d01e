/* Convolution, ReLU and pooling in one pass on CUDA: the rows of the product are ordered by pooled pixels, so
 * that a thread holds the four outputs that it averages. */
#include "core/ops/conv2d/conv2d_layer.cuh"

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

static void prepare(const EadCall *call) {
    ead_conv_layer_prepare(call, describe);
}
static void run(const EadCall *call) {
    ead_conv_layer_run(call, describe);
}

static void plan(EadCall *call) {
    const EadConvGeometry g = ead_conv2d_pool_geometry(call);
    call->prepare = prepare;
    call->multiply_adds = static_cast<double>(ead_conv_multiply_adds(&g));
    ead_conv_layer_plan(call, describe);
}

EAD_CUDA_KERNEL(conv2d_pool, .run = run, .plan = plan, .half_in = 1, .half_out = true);
