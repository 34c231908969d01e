/* Convolutions on CUDA through every algorithm, against sums in double: the cases and the comparison, for the
 * host runner (test/cuda_host/host_test_conv.c) and for a GPU (test/core/test_cuda_conv.c).
 *
 * Inputs are small multiples of 1/16: all formats hold them, and float sums of their products are exact in
 * any order. So results must agree bit for bit, and a slip in an index cannot hide behind a tolerance. What
 * rounding does to arbitrary numbers is tested apart, against the bound that follows from the format. */
#pragma once

#include "core/backend/backend.h"

typedef struct CudaConvCase {
    const char *name;
    int n, h, w, i, o, kh, kw, stride, padding;
    bool relu, bias;
    int pool; /* padding of the pooling, or CUDA_CONV_NO_POOL */
} CudaConvCase;

enum { CUDA_CONV_NO_POOL = -1, CUDA_CONV_SMALL = 23, CUDA_CONV_LAYERS = 20 };

/* Every geometry of test/support/op_cases.def, and channels around the multiples that copies and tiles
 * have. */
extern const CudaConvCase cuda_conv_small[CUDA_CONV_SMALL];

/* The layers of both models, the autoencoder and a discriminator on few pixels: channels, kernels, strides and paddings. */
extern const CudaConvCase cuda_conv_layers[CUDA_CONV_LAYERS];

/* How a case is computed: precision, storage types of inputs and outputs, what EFFICIENTAD_CUDA_CONV says. */
typedef struct CudaConvSetup {
    EadPrecision precision;
    EadType in, out;
    const char *algorithm;
    bool packed;   /* the weights, before the run */
    bool with_nan; /* the first number of x is a NaN, which must show in all that it reaches and nowhere else
                    */
} CudaConvSetup;

/* The precisions of tensor cores, and im2col, each tile with and without splits, and last the plan's own
 * choice. */
enum { CUDA_CONV_PRECISIONS = 3, CUDA_CONV_ALGORITHMS = 7 };
extern const EadPrecision cuda_conv_precisions[CUDA_CONV_PRECISIONS];
extern const char *const cuda_conv_algorithms[CUDA_CONV_ALGORITHMS];

/* Setup number k of a precision and an algorithm: storage types and packed weights in turn. */
CudaConvSetup cuda_conv_setup(EadPrecision precision, int algorithm, int k);

/* The same with the products of warpgroups, in fp16 or bf16: each of their tiles with and without splits, and
 * last what the plan chooses of them. */
enum { CUDA_CONV_WGMMA = 6 };
CudaConvSetup cuda_conv_wgmma_setup(EadPrecision precision, int algorithm, int k);

/* Forward and, without pooling, both gradients of a case: all numbers or a sample. device: whose memory the
 * kernels of the backend see; NULL: the host's. exact: multiples of 1/16, bit for bit. Else any numbers,
 * whose results may be off by `error` times the sum of the absolute products. Checks, too, that warpgroups
 * multiply wherever they are asked to and can, and nowhere else. */
void cuda_conv_check(const EadBackend *backend, const EadDevice *device, const CudaConvCase *c,
                     CudaConvSetup setup, bool exact, double error);
