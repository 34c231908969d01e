/* The tile instructions, all that is used of them. Tile registers are numbered 0-7 by literals. A test has
 * the same in plain C (test/support/amx_tiles_emulated.h). */
#pragma once

#include <immintrin.h>
#include <stdint.h>

/* All eight tiles 16 rows of 64 bytes. */
static inline void tiles_configure(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        config.row_bytes[tile] = 64;
        config.rows[tile] = 16;
    }
    __asm__ volatile("" : : "r"(&config) : "memory"); /* the intrinsic does not tell that it reads all */
    _tile_loadconfig(&config);
}

static inline void tiles_release(void) {
    _tile_release();
}

/* stride: bytes from one row in memory to the next. */
#define TILE_LOAD(tile, address, stride)  _tile_loadd(tile, address, stride)
#define TILE_STORE(tile, address, stride) _tile_stored(tile, address, stride)
#define TILE_ZERO(tile)                   _tile_zero(tile)

/* sums += a b: 16 x 16 fp32 sums, a [16][32], b [16][16][2]. */
#define TILE_MULTIPLY(sums, a, b) _tile_dpbf16ps(sums, a, b)
