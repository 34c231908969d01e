/* A convolution call of the CUDA backend, laid out: what is gathered, packed, multiplied and finished, and
 * the memory in between. The entries (conv2d_layer_cuda.cu, conv2d_weight_gradient_cuda.cu,
 * conv2d_pool_cuda.cu) read it off the call, the steps below do the work. */
#pragma once

#include "core/ops/conv2d/cuda/conv2d_kernel_args.cuh"

extern "C" {
#include "core/ops/conv2d/conv2d_geometry.h"
}

/* EadCall.choice: what plan decides for run. */
enum { EAD_CONV_TILE, EAD_CONV_SPLITS, EAD_CONV_COPIES /* bit k: input k */ };

/* How a product is done. */
struct EadConvChoice {
    int tile;   /* EadConvTileId; EAD_CUDA_CONV_GEMM: im2col and cuBLAS */
    int splits; /* of k */
};
enum { EAD_CUDA_CONV_GEMM = -1 };

/* Rows and columns of a product, tiles of k, and how many such there are. */
struct EadConvProduct {
    int64_t rows, columns, tiles;
    int phases;
    bool narrow, pooled; /* narrow: needs that tile; pooled: no splits */
};

/* The tile and number of splits with the least predicted time on this GPU; EFFICIENTAD_CUDA_CONV overrides:
 * "gemm", or a tile and splits as in "128x64" or "128x64/3". "wgmma", or one of its tiles as in
 * "wgmma128x128/2", takes the kernels of Hopper, for 16-bit operands in whole chunks on compute capability
 * 9.0. What cannot be done as asked is chosen as if nothing had been. */
EadConvChoice ead_conv_choose(const EadConvProduct &product, EadPrecision precision, const char **name);

/* ---- operands ---- */

/* What is multiplied in a precision. */
static inline EadType ead_conv_operand(EadPrecision precision) {
    if (precision == EAD_PRECISION_FP16) return EAD_F16;
    return precision == EAD_PRECISION_BF16 ? EAD_BF16 : EAD_REAL;
}

/* Channels that a gathered tensor needs: whole 16-byte chunks, or four (the image). */
static inline int ead_conv_channels(int channels, EadType operand) {
    if (channels <= 4 || operand == EAD_REAL) return static_cast<int>(ead_round_up(channels, 4));
    return static_cast<int>(ead_round_up(channels, 8));
}

/* An operand that does not lie in memory as kernels need it is copied first: other type, other channels, or
 * an address that is not aligned to 16 bytes. Only tensors that the caller owns can have such an address,
 * which is then known when the call is planned; what was decided there is kept in EadCall.choice. */
struct EadConvOperand {
    const EadTensor *tensor;
    EadType type;
    int channels;
    size_t bytes; /* of the copy; 0: used as it lies */
};
EadConvOperand ead_conv_operand_of(const EadTensor *tensor, EadType type, int channels, bool copied);
bool ead_conv_needs_copy(const EadTensor *tensor, EadType type, int channels);

/* The operand's address: of the tensor, or of a copy made at `copy`. */
const void *ead_conv_stage(const EadConvOperand &operand, void *copy, void *stream);

/* Rounds up to what pointers into a workspace are aligned to. */
static inline size_t ead_conv_aligned(size_t bytes) {
    return (bytes + 255) / 256 * 256;
}

/* ---- forward and input gradient ---- */

struct EadConvLayer {
    EadConvView view;
    EadConvOrder order;
    EadPrecision precision;
    EadConvOperand source;
    const EadTensor *weight, *bias, *target;
    bool relu;
    int phases, rows, tiles; /* rows, tiles: the most of any phase */
    EadConvChoice choice;
    int weight_rows; /* packed: in whole tiles of the choice */
};

/* The layer of a call of conv2d, conv2d_pool or conv2d_input_gradient. */
typedef EadConvLayer EadConvDescribe(const EadCall *call);

/* Sets in a layer of which view (but c), tensors and relu are given all that follows from them and the call's
 * choice. */
void ead_conv_layer_complete(EadConvLayer *layer, const EadCall *call, const EadTensor *source);

/* plan chooses and sets algorithm and the bytes of workspace and packed weights; run does it all. */
void ead_conv_layer_plan(EadCall *call, EadConvDescribe *describe);
void ead_conv_layer_pack_weights(const EadCall *call, EadConvDescribe *describe);
void ead_conv_layer_run(const EadCall *call, EadConvDescribe *describe);

/* The kernel of such an op, from its describe() and the function that reads the geometry off its calls. */
#define EAD_CONV_LAYER_KERNEL(op, describe, geometry)                                                        \
    static void pack_##op(const EadCall *call) {                                                             \
        ead_conv_layer_pack_weights(call, describe);                                                         \
    }                                                                                                        \
    static void run_##op(const EadCall *call) {                                                              \
        ead_conv_layer_run(call, describe);                                                                  \
    }                                                                                                        \
    static void plan_##op(EadCall *call) {                                                                   \
        const EadConvGeometry g = geometry(call);                                                            \
        call->pack_weights = pack_##op;                                                                      \
        call->multiply_adds = static_cast<double>(ead_conv_multiply_adds(&g));                               \
        ead_conv_layer_plan(call, describe);                                                                 \
    }                                                                                                        \
    EAD_CUDA_KERNEL(op, .run = run_##op, .plan = plan_##op, .half_in = 1, .half_out = true)

/* Packs the weights for a layer: [phases][weight_rows][tiles * order.tile] of the operand's type. */
void ead_conv_pack(const EadConvLayer &layer, void *packed, void *stream);

/* Target pixels of rows first .. first+rows-1 of every phase: the sum over splits of partials
 * [splits][phases][rows][outputs], bias, ReLU, pooling. Only one phase if phase >= 0. */
struct EadConvSums {
    const float *partials;
    int splits, first, rows, phase;
};
void ead_conv_finish(const EadConvLayer &layer, const EadConvSums &sums, void *stream);

/* ---- by im2col and cuBLAS ---- */

/* Bytes of workspace, and the work: source and packed weights as the tensor-core kernels have them. */
size_t ead_conv_gemm_bytes(const EadConvLayer &layer);
void ead_conv_gemm_run(const EadConvLayer &layer, const void *source, const void *packed, void *workspace,
                       void *stream);

/* ---- weight gradient ---- */

struct EadConvWeightLayer {
    EadConvView view;
    EadPrecision precision;
    EadConvOperand dy, x;
    const EadTensor *target;
    int pixels, columns; /* columns: taps times padded channels of x */
};

size_t ead_conv_weight_gemm_bytes(const EadConvWeightLayer &layer);
void ead_conv_weight_gemm_run(const EadConvWeightLayer &layer, const void *dy, const void *x, float *sums,
                              void *workspace, void *stream);
