/* AMX in plain C, for EadPlanOptions.amx. */
#pragma once

#include "core/simd/amx.h"

extern const EadAmx ead_amx_emulated;
