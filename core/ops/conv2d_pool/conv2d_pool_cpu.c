/* Choice of the algorithm for the fused layer. Those that know no pooling, AMX and Winograd with large weights,
 * leave their outputs in the workspace, and avg_pool2d's own kernel follows. */
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/conv2d/cpu/conv2d_cpu.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"

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

static void plan_unfused(EadCall *call, EadConvAlgorithm algorithm) {
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

static void plan(EadCall *call) {
    EadConvAlgorithm algorithm = ead_conv2d_choose(call, ead_conv2d_pool_geometry(call));
    if (algorithm == EAD_CONV_DIRECT)
        ead_conv2d_pool_direct_plan(call);
    else if (algorithm == EAD_CONV_WINOGRAD && ead_conv2d_pool_winograd_suits(call))
        ead_conv2d_pool_winograd_plan(call);
    else
        plan_unfused(call, algorithm);
}

const EadKernel ead_conv2d_pool_cpu = {.plan = plan};
