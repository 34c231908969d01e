/* The fused layer: shape, the choice not to fuse, and the choice of the algorithm on the CPU. Those that know
 * no pooling, AMX and Winograd with large weights, leave their outputs in the workspace, and avg_pool2d's own
 * kernel follows. */
#include "core/ops/conv2d_pool/conv2d_pool.h"

#include "core/graph/op.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

EadNode *ead_conv2d_pool(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias,
                         EadConv2dPool attributes) {
    if (x->needs_gradient || weight->needs_gradient || (bias && bias->needs_gradient))
        return ead_avg_pool2d(graph, ead_conv2d(graph, x, weight, bias, attributes.conv), 2, 2,
                              attributes.padding);
    return ead_graph_add(graph, EAD_OP_conv2d_pool, 3, (EadNode *[]){x, weight, bias}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadConv2dPool *a = (const void *)node->attributes;
    EAD_TRY(ead_conv2d_shape(&node->x[0]->y, node->x[1], node->x[2], &a->conv, y));
    if (a->padding < 0 || a->padding > 1 || y->h + 2 * a->padding < 2 || y->w + 2 * a->padding < 2)
        return ead_fail(EAD_BAD_SHAPE, "conv2d_pool: cannot pool %dx%d with padding %d", y->h, y->w,
                        a->padding);
    y->h = (y->h + 2 * a->padding - 2) / 2 + 1;
    y->w = (y->w + 2 * a->padding - 2) / 2 + 1;
    return EAD_OK;
}

EadConvGeometry ead_conv2d_pool_geometry(const EadCall *call) {
    const EadTensor *x = call->x[0], *w = call->x[1];
    const EadConv2d *conv = &((const EadConv2dPool *)call->attributes)->conv;
    EadConvGeometry g = {.n = x->n, .h = x->h, .w = x->w, .i = x->c, .o = w->n, .kh = w->h, .kw = w->w};
    g.stride = conv->stride;
    g.padding = conv->padding;
    g.oh = (g.h + 2 * g.padding - g.kh) / g.stride + 1;
    g.ow = (g.w + 2 * g.padding - g.kw) / g.stride + 1;
    return g;
}

const EadOp ead_op_conv2d_pool = {.name = "conv2d_pool", .shape = shape};

/* ---- on the CPU ---- */

extern const EadKernel ead_avg_pool2d_cpu;

typedef struct Inner {
    EadTensor y;
    EadCall conv;
} Inner;

/* The convolution inside, into the workspace, by the algorithm of the plan. */
static void describe(const EadCall *call, Inner *inner) {
    EadConvGeometry g = ead_conv2d_pool_geometry(call);
    inner->y = (EadTensor){.type = EAD_REAL, .n = g.n, .h = g.oh, .w = g.ow, .c = g.o};
    inner->y.data = call->workspace;
    inner->conv = *call;
    inner->conv.y = &inner->y;
    inner->conv.attributes = &((const EadConv2dPool *)call->attributes)->conv;
    inner->conv.pack_weights = NULL;
    ead_conv2d_plan(&inner->conv, (EadConvAlgorithm)call->choice[0]);
}

static size_t output_bytes(const Inner *inner) {
    return (size_t)ead_round_up((int64_t)ead_bytes(&inner->y), 64);
}

static void pack_weights_unfused(const EadCall *call) {
    Inner inner;
    describe(call, &inner);
    inner.conv.pack_weights(&inner.conv);
}

static void run_unfused(const EadCall *call) {
    Inner inner;
    describe(call, &inner);
    inner.conv.workspace = (char *)call->workspace + output_bytes(&inner);
    inner.conv.run(&inner.conv);
    int padding = ((const EadConv2dPool *)call->attributes)->padding;
    EadAvgPool2d window = {.kernel = 2, .stride = 2, .padding = padding};
    EadCall pool = {.x = {&inner.y}, .y = call->y, .attributes = &window};
    ead_avg_pool2d_cpu.run(&pool);
}

static void plan(EadCall *call) {
    EadConvAlgorithm algorithm = ead_conv2d_choose(call, ead_conv2d_pool_geometry(call));
    if (algorithm == EAD_CONV_DIRECT) {
        ead_conv2d_pool_direct_plan(call);
        return;
    }
    if (algorithm == EAD_CONV_WINOGRAD && ead_conv2d_pool_winograd_suits(call)) {
        ead_conv2d_pool_winograd_plan(call);
        return;
    }
    Inner inner;
    call->choice[0] = algorithm;
    describe(call, &inner);
    call->run = run_unfused;
    call->pack_weights = inner.conv.pack_weights ? pack_weights_unfused : NULL;
    call->packed_bytes = inner.conv.packed_bytes;
    call->workspace_bytes = output_bytes(&inner) + inner.conv.workspace_bytes;
    call->algorithm = inner.conv.algorithm;
    call->multiply_adds = inner.conv.multiply_adds;
}

const EadKernel ead_conv2d_pool_cpu = {.plan = plan};
