/* The direct algorithm: patches of a block of output pixels gathered into the cache, multiplied with packed
 * weights by our own vector kernels. For every kernel, stride and padding; what is not worth a Winograd
 * transform runs here: three input channels, stride 2, 1x1, bottlenecks, tiny images. */
#ifndef EAD_OPS_CONV2D_DIRECT_H
#define EAD_OPS_CONV2D_DIRECT_H

#include "core/op.h"

void ead_conv2d_direct_plan(EadCall *call);
void ead_conv2d_input_gradient_direct_plan(EadCall *call);
void ead_conv2d_weight_gradient_direct_plan(EadCall *call);

#endif
