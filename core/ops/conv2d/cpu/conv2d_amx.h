/* Convolutions in bf16 on AMX: operands rounded to bf16, sums and results fp32. For every kernel, stride and
 * padding; worth it where both channel counts are large enough to fill tiles. Results do not depend on the
 * number of threads: every output is one sum in a fixed order.
 *
 * Each needs call->amx. */
#ifndef EAD_CORE_CONV2D_AMX_H
#define EAD_CORE_CONV2D_AMX_H

#include "core/graph/op.h"

void ead_conv2d_amx_plan(EadCall *call);
void ead_conv2d_input_gradient_amx_plan(EadCall *call);
void ead_conv2d_weight_gradient_amx_plan(EadCall *call);

#endif
