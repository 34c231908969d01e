/* Winograd's minimal filtering for 3x3 and 4x4 kernels of stride 1: tiles of 6x6 or 8x8 inputs are
 * transformed, multiplied channel by channel, and transformed back. With tile 8 an output of a 4x4 kernel
 * costs 2.56 multiplications instead of 16, of a 3x3 kernel 1.78 instead of 9.
 *
 * Rounding grows with the tile: about 5e-6 of the largest output for tile 6, 1e-5 for tile 8 (256 channels).
 */
#ifndef EAD_CORE_CONV2D_WINOGRAD_H
#define EAD_CORE_CONV2D_WINOGRAD_H

#include "core/graph/op.h"
#include "core/ops/conv2d/conv2d_geometry.h"

#include <stdbool.h>

/* Whether this convolution and its gradients can be done so: square kernel of 3 or 4, stride 1, channel
 * counts that are multiples of the longest vector. */
bool ead_conv2d_winograd_fits(const EadConvGeometry *g);

/* tile: 6 or 8. */
void ead_conv2d_winograd_plan(EadCall *call, int tile);
void ead_conv2d_input_gradient_winograd_plan(EadCall *call, int tile);
void ead_conv2d_weight_gradient_winograd_plan(EadCall *call, int tile);

/* Tile of a planned call of conv2d by Winograd, 0 for any other call. */
int ead_conv2d_winograd_tile(const EadCall *call);

/* EadKernel.can_save of the weight gradient: the transformed inputs, if the forward pass makes the same. */
size_t ead_conv2d_weight_gradient_winograd_keeps(const EadCall *forward, const EadCall *call);

#endif
