/* AMX in plain C, for EadPlanOptions.amx. */
#ifndef EAD_TEST_AMX_EMULATED_H
#define EAD_TEST_AMX_EMULATED_H

#include "core/simd/amx.h"

extern const EadAmx ead_amx_emulated;

#endif
