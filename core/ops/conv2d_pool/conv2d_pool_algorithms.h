/* The ways to compute the fused layer on the CPU: each plans a call. */
#ifndef EAD_CORE_CONV2D_POOL_ALGORITHMS_H
#define EAD_CORE_CONV2D_POOL_ALGORITHMS_H

#include "core/graph/op.h"

void ead_conv2d_pool_direct_plan(EadCall *call);

/* Whether the way by Winograd is worth it: only with blocks of a thread's own. */
bool ead_conv2d_pool_winograd_suits(const EadCall *call, int tile);

/* tile: 6 or 8. For what ead_conv2d_winograd_fits says. The same bits as Winograd and pooling one after the
 * other unless the pooling is padded, which moves the tiles. */
void ead_conv2d_pool_winograd_plan(EadCall *call, int tile);

#endif
