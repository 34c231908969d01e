/* The weight gradient on CUDA: both operands in their form, product over the pixels in splits, and their sum
 * in order into dw. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

extern "C" {
#include "core/ops/conv2d/conv2d.h"
}

static EadConvWeightLayer describe(const EadCall *call) {
    const EadConvGeometry g = ead_conv_weight_gradient_geometry(call);
    const EadType type = ead_conv_operand(call->precision);
    EadConvWeightLayer l = {};
    l.precision = call->precision;
    /* Whole chunks of dy even if it has four channels: only x is read in narrow copies. */
    const int chunk = 16 / static_cast<int>(ead_type_size(type));
    l.dy = ead_conv_operand_of(call->x[0], type, static_cast<int>(ead_round_up(g.o, chunk)),
                               call->choice[EAD_CONV_COPIES] & 1);
    l.x = ead_conv_operand_of(call->x[1], type, ead_conv_channels(g.i, type),
                              call->choice[EAD_CONV_COPIES] & 2);
    l.view.images = g.n, l.view.h = g.h, l.view.w = g.w, l.view.c = l.x.channels;
    l.view.kh = g.kh, l.view.kw = g.kw, l.view.stride = g.stride, l.view.padding = g.padding;
    l.view.rows = g.oh, l.view.columns = g.ow, l.view.outputs = g.o;
    l.target = call->y;
    l.pixels = g.n * g.oh * g.ow;
    l.columns = g.kh * g.kw * l.view.c;
    return l;
}

/* Without splits and padded channels the product is dw itself. */
static bool is_direct(const EadConvWeightLayer &l, int splits) {
    return splits == 1 && l.view.c == l.target->c;
}

static size_t sum_bytes(const EadConvWeightLayer &l, int splits) {
    if (is_direct(l, splits)) return 0;
    return ead_conv_aligned(static_cast<size_t>(splits) * static_cast<size_t>(l.view.outputs) *
                            static_cast<size_t>(l.columns) * sizeof(float));
}

static void plan(EadCall *call) {
    const EadConvGeometry g = ead_conv_weight_gradient_geometry(call);
    EadConvWeightLayer l = describe(call);
    call->choice[EAD_CONV_COPIES] = ead_conv_needs_copy(l.dy.tensor, l.dy.type, l.dy.channels) |
                                    ead_conv_needs_copy(l.x.tensor, l.x.type, l.x.channels) << 1;
    l = describe(call);
    const int64_t tile = 128 / static_cast<int64_t>(ead_type_size(l.x.type)); /* of k: pixels */
    EadConvProduct product = {};
    product.rows = g.o, product.columns = l.columns, product.tiles = ead_round_up(l.pixels, tile) / tile;
    product.phases = 1;
    product.narrow = l.view.c * ead_type_size(l.x.type) % 16 != 0;
    const EadConvChoice choice = ead_conv_choose(product, l.precision, &call->algorithm);
    call->choice[EAD_CONV_TILE] = choice.tile;
    call->choice[EAD_CONV_SPLITS] = choice.splits;
    call->multiply_adds = static_cast<double>(ead_conv_multiply_adds(&g));
    call->workspace_bytes = l.dy.bytes + l.x.bytes + sum_bytes(l, choice.splits);
    if (choice.tile == EAD_CUDA_CONV_GEMM) call->workspace_bytes += ead_conv_weight_gemm_bytes(l);
}

static void multiply(const EadConvWeightLayer &l, const EadConvChoice &choice, const void *dy, const void *x,
                     float *sums, void *stream) {
    EadConvWeightTask task = {};
    task.view = l.view;
    task.dy = dy, task.source = x, task.dy_channels = l.dy.channels;
    task.pixels = l.pixels, task.columns = l.columns;
    task.splits = choice.splits, task.sums = sums;
    task.paired = reinterpret_cast<uintptr_t>(sums) % (2 * sizeof(float)) == 0;
    task.by_columns = ead_divider(l.view.columns), task.by_rows = ead_divider(l.view.rows);
    const bool wgmma = ead_conv_is_wgmma(choice.tile);
    if (l.x.type == EAD_F16)
        (wgmma ? ead_conv_multiply_weight_f16_wgmma : ead_conv_multiply_weight_f16)(task, choice.tile,
                                                                                    stream);
    else if (l.x.type == EAD_BF16)
        (wgmma ? ead_conv_multiply_weight_bf16_wgmma : ead_conv_multiply_weight_bf16)(task, choice.tile,
                                                                                      stream);
    else
        ead_conv_multiply_weight_tf32(task, choice.tile, stream);
}

/* dw[o][tap][i] = sum over splits of sums[split][o][tap][i], in order; a thread a number of dw. */
static __global__ void add_splits(int64_t count, int splits, int64_t split, const float *sums, int channels,
                                  int padded, float *dw) {
    const int64_t i = ead_thread();
    if (i >= count) return;
    const int64_t tap = i / channels;
    const float *from = sums + tap * padded + (i - tap * channels);
    float sum = 0;
    for (int k = 0; k < splits; k++) sum += from[k * split];
    dw[i] = sum;
}

static void run(const EadCall *call) {
    const EadConvWeightLayer l = describe(call);
    const EadConvChoice choice = {call->choice[EAD_CONV_TILE], call->choice[EAD_CONV_SPLITS]};
    unsigned char *workspace = static_cast<unsigned char *>(call->workspace);
    const void *dy = ead_conv_stage(l.dy, workspace, call->stream);
    const void *x = ead_conv_stage(l.x, workspace + l.dy.bytes, call->stream);
    workspace += l.dy.bytes + l.x.bytes;
    float *dw = static_cast<float *>(l.target->data);
    float *sums = is_direct(l, choice.splits) ? dw : reinterpret_cast<float *>(workspace);
    workspace += sum_bytes(l, choice.splits);
    if (choice.tile == EAD_CUDA_CONV_GEMM)
        ead_conv_weight_gemm_run(l, dy, x, sums, workspace, call->stream);
    else
        multiply(l, choice, dy, x, sums, call->stream);
    if (sums == dw) return;
    const int64_t count = ead_count(l.target);
    EAD_LAUNCH(add_splits, ead_blocks(count), EAD_BLOCK, 0, call->stream, count, choice.splits,
               static_cast<int64_t>(l.view.outputs) * l.columns, sums, l.target->c, l.view.c, dw);
}

EAD_CUDA_KERNEL(conv2d_weight_gradient, .run = run, .plan = plan, .half_in = 3);
