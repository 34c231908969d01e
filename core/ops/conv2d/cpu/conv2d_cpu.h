/* The algorithms of convolutions on the CPU and the choice between them, for the ops that contain one. Each
 * plans a call of conv2d or of one of its gradients. With none do results depend on the number of threads. */
#pragma once

#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/simd/simd.h"

#include <stdbool.h>

typedef enum EadConvAlgorithm {
    EAD_CONV_DIRECT,
    EAD_CONV_WINOGRAD,
    EAD_CONV_AMX,
    EAD_CONV_ALGORITHMS
} EadConvAlgorithm;

/* By precision, shape and EFFICIENTAD_CONV, at plan time; sets call->amx where that is what it takes. */
EadConvAlgorithm ead_conv2d_choose(EadCall *call, EadConvGeometry g);

/* Plans a call of conv2d with it. */
void ead_conv2d_plan(EadCall *call, EadConvAlgorithm algorithm);

/* Direct: patches of a block of output pixels gathered into the cache, multiplied with packed weights by our
 * own vector kernels. For every kernel, stride and padding; what is not worth a Winograd transform runs here:
 * three input channels, stride 2, 1x1, bottlenecks, tiny images. */
void ead_conv2d_direct_plan(EadCall *call);
void ead_conv2d_input_gradient_direct_plan(EadCall *call);
void ead_conv2d_weight_gradient_direct_plan(EadCall *call);

/* Its weights [o][k] as [panel][k][panel width] of the level's product, zeros beyond the last channel. */
void ead_conv_pack_weights(const EadSimd *simd, const real *weights, int o, int64_t k, real *packed);

/* Winograd's minimal filtering (Lavin and Gray, 2016) for 3x3 and 4x4 kernels of stride 1: tiles of 8x8
 * inputs are transformed, multiplied channel by channel, and transformed back. An output of a 4x4 kernel
 * costs 2.56 multiplications instead of 16, of a 3x3 kernel 1.78 instead of 9. Rounding: about 1e-5 of the
 * largest output (256 channels). */
void ead_conv2d_winograd_plan(EadCall *call);
void ead_conv2d_input_gradient_winograd_plan(EadCall *call);
void ead_conv2d_weight_gradient_winograd_plan(EadCall *call);

/* Whether this convolution and its gradients can be done so: square kernel of 3 or 4, stride 1, channel
 * counts that are multiples of the longest vector. */
bool ead_conv2d_winograd_fits(const EadConvGeometry *g);

/* Whether a planned call of conv2d runs so. */
bool ead_conv2d_is_winograd(const EadCall *call);

/* EadKernel.can_save of the weight gradient: the transformed inputs, if the forward pass makes the same. */
size_t ead_conv2d_weight_gradient_can_save(const EadCall *forward, const EadCall *call);

/* AMX: operands rounded to bf16, sums and results fp32; each needs call->amx. For every kernel, stride and
 * padding; worth it where both channel counts are large enough to fill tiles. */
void ead_conv2d_amx_plan(EadCall *call);
void ead_conv2d_input_gradient_amx_plan(EadCall *call);
void ead_conv2d_weight_gradient_amx_plan(EadCall *call);
