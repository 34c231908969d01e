/* The AMX kernels on the CPU's own tile instructions. Compiled for a CPU that has them, so that nothing here
 * may be called before ead_amx() has said that this one does. */
#include "core/simd/level/amx_tiles.h"

#define TABLE_NAME ead_amx_instructions
#define TABLE_TEXT "amx"
#include "core/simd/level/amx_kernels.h"
