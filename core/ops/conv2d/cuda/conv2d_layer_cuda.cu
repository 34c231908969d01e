/* Forward convolution and input gradient on CUDA: source in the operand's form, weights packed, product, and
 * the sums of its splits finished. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

#include "core/base/minmax.h"

extern "C" {
#include "core/ops/conv2d/conv2d.h"
}

/* Columns of the tiles, of which packed weights have a whole number; cuBLAS takes any, the packing 32 at a
 * time. */
static int column_step(int tile) {
    static const int steps[EAD_CONV_TILE_COUNT] = {
#define TILE(m, n, ...) n,
        EAD_CONV_TILES(TILE) EAD_CONV_WGMMA_TILES(TILE)
#undef TILE
    };
    return tile == EAD_CUDA_CONV_GEMM ? 32 : steps[tile];
}

void ead_conv_layer_complete(EadConvLayer *l, const EadCall *call, const EadTensor *source) {
    const EadType type = ead_conv_operand(call->precision);
    l->precision = call->precision;
    l->source =
        ead_conv_operand_of(source, type, ead_conv_channels(source->c, type), call->choice[EAD_CONV_COPIES]);
    l->view.c = l->source.channels;
    l->order = ead_conv_order(l->view.c, static_cast<int>(ead_type_size(type)));
    l->phases = ead_conv_phases(l->view);
    l->rows = l->tiles = 0;
    for (int i = 0; i < l->phases; i++) {
        const EadConvPhase p = ead_conv_phase(l->view, i);
        l->rows = ead_max(l->rows, ead_conv_rows(l->view, p));
        const int taps = p.y.taps * p.x.taps;
        l->tiles = ead_max(l->tiles, taps ? ead_conv_tiles(l->order, taps) : 0);
    }
    l->choice = {call->choice[EAD_CONV_TILE], call->choice[EAD_CONV_SPLITS]};
    l->weight_rows = static_cast<int>(ead_round_up(l->view.outputs, column_step(l->choice.tile)));
}

/* What the workspace holds after the copy of the source. */
static size_t product_bytes(const EadConvLayer &l) {
    if (l.choice.tile == EAD_CUDA_CONV_GEMM) return ead_conv_gemm_bytes(l);
    if (l.choice.splits == 1) return 0;
    return static_cast<size_t>(l.choice.splits) * static_cast<size_t>(l.phases) *
           static_cast<size_t>(l.rows) * static_cast<size_t>(l.view.outputs) * sizeof(float);
}

void ead_conv_layer_plan(EadCall *call, EadConvDescribe *describe) {
    call->choice[EAD_CONV_TILE] = EAD_CUDA_CONV_GEMM;
    EadConvLayer l = describe(call);
    call->choice[EAD_CONV_COPIES] = ead_conv_needs_copy(l.source.tensor, l.source.type, l.source.channels);
    const bool narrow = l.view.c * ead_type_size(l.source.type) % 16 != 0;
    const EadConvProduct product = {l.rows, l.view.outputs, l.tiles, l.phases, narrow, l.view.pool};
    const EadConvChoice choice = ead_conv_choose(product, l.precision, &call->algorithm);
    call->choice[EAD_CONV_TILE] = choice.tile;
    call->choice[EAD_CONV_SPLITS] = choice.splits;
    l = describe(call);
    call->workspace_bytes = l.source.bytes + product_bytes(l);
    call->packed_bytes = static_cast<size_t>(l.phases) * static_cast<size_t>(l.weight_rows) *
                         static_cast<size_t>(l.tiles * l.order.tile) * ead_type_size(l.source.type);
}

void ead_conv_layer_pack_weights(const EadCall *call, EadConvDescribe *describe) {
    ead_conv_pack(describe(call), call->packed, call->stream);
}

static bool is_even(const void *address, int64_t count, size_t bytes) {
    return count % 2 == 0 && reinterpret_cast<uintptr_t>(address) % (2 * bytes) == 0;
}

static void multiply(const EadConvLayer &l, const void *source, const void *packed, float *partials,
                     void *stream) {
    EadConvTask task = {};
    task.view = l.view, task.order = l.order;
    task.source = source, task.weights = packed;
    task.weight_rows = l.weight_rows, task.tiles = l.tiles, task.rows = l.rows;
    task.splits = l.choice.splits;
    task.partials = l.choice.splits > 1 ? partials : nullptr;
    task.paired = is_even(l.target->data, l.view.outputs, ead_type_size(l.target->type));
    task.target = l.target->data, task.target_type = l.target->type;
    task.bias = l.bias ? static_cast<const float *>(l.bias->data) : nullptr, task.relu = l.relu;
    const bool wgmma = ead_conv_is_wgmma(l.choice.tile);
    if (l.source.type == EAD_F16)
        (wgmma ? ead_conv_multiply_f16_wgmma : ead_conv_multiply_f16)(task, l.choice.tile, stream);
    else if (l.source.type == EAD_BF16)
        (wgmma ? ead_conv_multiply_bf16_wgmma : ead_conv_multiply_bf16)(task, l.choice.tile, stream);
    else
        ead_conv_multiply_tf32(task, l.choice.tile, stream);
    if (task.partials) ead_conv_finish(l, {partials, task.splits, 0, l.rows, -1}, stream);
}

void ead_conv_layer_run(const EadCall *call, EadConvDescribe *describe) {
    const EadConvLayer l = describe(call);
    void *rest = static_cast<unsigned char *>(call->workspace) + l.source.bytes;
    if (!call->packed_at_plan) ead_conv_pack(l, call->packed, call->stream);
    const void *source = ead_conv_stage(l.source, call->workspace, call->stream);
    if (l.choice.tile == EAD_CUDA_CONV_GEMM)
        ead_conv_gemm_run(l, source, call->packed, rest, call->stream);
    else
        multiply(l, source, call->packed, static_cast<float *>(rest), call->stream);
}

/* ---- the ops ---- */

static EadConvLayer forward(const EadCall *call) {
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

/* For each phase a forward convolution of dy with a flipped sub-kernel. */
static EadConvLayer input_gradient(const EadCall *call) {
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

EAD_CONV_LAYER_KERNEL(conv2d, forward, ead_conv_geometry);
EAD_CONV_LAYER_KERNEL(conv2d_input_gradient, input_gradient, ead_conv_input_gradient_geometry);
