/* Whether this machine has AMX: the CPU must know it, and the system must let this process have the 8 KB of
 * tile registers. */
#define _DEFAULT_SOURCE /* syscall() */

#include "core/simd/amx.h"

#include "core/simd/simd.h"

#include <stddef.h>

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const EadAmx ead_amx_instructions;

/* From the processor manual and the system's asm/prctl.h, which old systems lack. */
enum { FEATURE_LEAF = 7, AMX_BF16_BIT = 22, AMX_TILE_BIT = 24, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

const EadAmx *ead_amx(void) {
    unsigned a, b, c, d, wanted = 1u << AMX_BF16_BIT | 1u << AMX_TILE_BIT;
    if (strcmp(ead_simd()->name, "v4") != 0) return NULL; /* the object is compiled for it */
    if (!__get_cpuid_count(FEATURE_LEAF, 0, &a, &b, &c, &d) || (d & wanted) != wanted) return NULL;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 ? &ead_amx_instructions : NULL;
}

#else

const EadAmx *ead_amx(void) {
    return NULL;
}

#endif
