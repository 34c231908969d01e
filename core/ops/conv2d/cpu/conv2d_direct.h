/* The direct algorithm: patches of a block of output pixels gathered into the cache, multiplied with packed
 * weights by our own vector kernels. For every kernel, stride and padding; what is not worth a Winograd
 * transform runs here: three input channels, stride 2, 1x1, bottlenecks, tiny images. */
#ifndef EAD_CORE_CONV2D_DIRECT_H
#define EAD_CORE_CONV2D_DIRECT_H

#include "core/graph/op.h"
#include "core/simd/simd.h"

/* Weights [o][k] as [panel][k][panel width] of the level's product, zeros beyond the last channel. */
void ead_conv_pack_weights(const EadSimd *simd, const real *weights, int o, int64_t k, real *packed);

void ead_conv2d_direct_plan(EadCall *call);
void ead_conv2d_input_gradient_direct_plan(EadCall *call);
void ead_conv2d_weight_gradient_direct_plan(EadCall *call);

#endif
