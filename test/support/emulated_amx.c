/* Gives a program AMX in plain C (make emulated): for measuring what bf16 does to losses and scores on a
 * machine without AMX. Linked instead of core/simd/amx.c. */
#include "test/support/support_amx_emulated.h"

const EadAmx *ead_amx(void) {
    return &ead_amx_emulated;
}
