/* The AMX kernels, the very same source, on emulated tiles: what machines without AMX test. */
#include "test/support/support_amx_emulated.h"

#include "test/support/amx_tiles_emulated.h"

#define TABLE_NAME ead_amx_emulated
#define TABLE_TEXT "emulated"
#include "core/simd/level/amx_kernels.h"
