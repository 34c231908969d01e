/* The kernels of core/simd/amx.h as a table TABLE_NAME. The includer provides that name and the tiles: the
 * CPU's own instructions or their emulation. */
#include "core/base/real.h"
#include "core/simd/amx.h"

#include <string.h>

enum { NUMBER_ROW = 32 * 2, SUM_ROW = 32 * 4 }; /* bytes from row to row: of a tile, of a block of sums */

/* Tiles 0-3 hold the block of sums, 4-5 A, 6-7 B: four loads for four products. */
static void product(const EadAmxProduct *p) {
    float *upper = p->sums, *lower = p->sums + EAD_AMX_SUMS / 2;
    if (p->accumulate) {
        TILE_LOAD(0, upper, SUM_ROW);
        TILE_LOAD(1, upper + 16, SUM_ROW);
        TILE_LOAD(2, lower, SUM_ROW);
        TILE_LOAD(3, lower + 16, SUM_ROW);
    } else {
        TILE_ZERO(0);
        TILE_ZERO(1);
        TILE_ZERO(2);
        TILE_ZERO(3);
    }
    for (int64_t step = 0; step < p->steps; step++) {
        const uint16_t *a = p->a + p->a_offsets[step], *b = p->b + step * p->b_step;
        TILE_LOAD(4, a, NUMBER_ROW);
        TILE_LOAD(6, b, NUMBER_ROW);
        TILE_LOAD(7, b + p->b_half, NUMBER_ROW);
        TILE_MULTIPLY(0, 4, 6);
        TILE_LOAD(5, a + EAD_AMX_TILE, NUMBER_ROW);
        TILE_MULTIPLY(1, 4, 7);
        TILE_MULTIPLY(2, 5, 6);
        TILE_MULTIPLY(3, 5, 7);
    }
    TILE_STORE(0, upper, SUM_ROW);
    TILE_STORE(1, upper + 16, SUM_ROW);
    TILE_STORE(2, lower, SUM_ROW);
    TILE_STORE(3, lower + 16, SUM_ROW);
}

/* As ead_bfloat16_from_float(), in a form that compilers turn into vectors. */
static inline uint32_t bfloat16(real value) {
    float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16, quiet_nan = bits >> 16 | 0x40u;
    return (bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet_nan : rounded;
}

static void narrow(const real *from, int64_t stride, int64_t rows, int count, uint16_t *to) {
    for (int64_t row = 0; row < rows; row++, from += stride, to += EAD_AMX_BLOCK) {
        if (count == EAD_AMX_BLOCK) { /* a constant number of turns becomes straight vector code */
            for (int c = 0; c < EAD_AMX_BLOCK; c++) to[c] = (uint16_t)bfloat16(from[c]);
            continue;
        }
        memset(to, 0, EAD_AMX_BLOCK * sizeof *to);
        for (int c = 0; c < count; c++) to[c] = (uint16_t)bfloat16(from[c]);
    }
}

static inline void pair_panel(const real *first, const real *second, int count, uint16_t *to) {
    uint32_t pairs[16];
    for (int c = 0; c < count; c++) pairs[c] = bfloat16(first[c]) | bfloat16(second[c]) << 16;
    memcpy(to, pairs, (size_t)count * sizeof *pairs);
}

static void pair(const real *first, const real *second, int count, int panels, uint16_t *to,
                 int64_t panel_stride) {
    int whole = count / 16;
    for (int p = 0; p < panels; p++, to += panel_stride, first += 16, second += 16) {
        if (p < whole) {
            pair_panel(first, second, 16, to);
            continue;
        }
        memset(to, 0, 16 * sizeof(uint32_t));
        if (p == whole) pair_panel(first, second, count % 16, to);
    }
}

static void finish(const float *sums, int count, const real *bias, bool relu, real *y) {
    for (int c = 0; c < count; c++) {
        real value = (real)sums[c] + (bias ? bias[c] : 0);
        y[c] = relu && value < 0 ? 0 : value;
    }
}

extern const EadAmx TABLE_NAME;
const EadAmx TABLE_NAME = {.name = TABLE_TEXT,
                           .begin = tiles_configure,
                           .product = product,
                           .end = tiles_release,
                           .narrow = narrow,
                           .pair = pair,
                           .finish = finish};
