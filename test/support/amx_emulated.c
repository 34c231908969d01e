/* The AMX kernels, the very same source, on emulated tiles: what machines without AMX test. */
#include "test/support/amx_emulated.h"

#include "test/support/amx_tiles_emulated.h"

#define TABLE_NAME ead_amx_emulated
#define TABLE_TEXT "emulated"
#include "core/simd/level/amx_kernels.h"

/* A program that has AMX in emulation (make emulated), for measuring what bf16 does to losses and scores on a machine
 * without it: linked instead of core/simd/amx.c. */
#ifdef EMULATED_PROGRAM
const EadAmx *ead_amx(void) {
    return &ead_amx_emulated;
}
#endif
