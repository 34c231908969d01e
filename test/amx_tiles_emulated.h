/* AMX's tile instructions in plain C, by the processor manual's description: tile registers of a thread,
 * products of bf16 pairs summed in two fp32 sums that are added to the third at the end, denormals taken and
 * given as zero. Stands in for core/simd/level/amx_tiles.h. */
#ifndef EAD_TEST_AMX_TILES_EMULATED_H
#define EAD_TEST_AMX_TILES_EMULATED_H

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64 };

typedef union Tile {
    uint8_t bytes[TILE_ROWS][TILE_ROW_BYTES];
    float sums[TILE_ROWS][16];
    uint16_t numbers[TILE_ROWS][32];
} Tile;

/* As in the CPU: each thread has its own. */
static _Thread_local Tile tiles[8];
static _Thread_local bool tiles_configured;

static inline void tiles_configure(void) {
    memset(tiles, 0, sizeof tiles);
    tiles_configured = true;
}

static inline void tiles_release(void) {
    assert(tiles_configured);
    tiles_configured = false;
}

static inline void TILE_LOAD(int tile, const void *address, int64_t stride) {
    assert(tiles_configured);
    for (int row = 0; row < TILE_ROWS; row++)
        memcpy(tiles[tile].bytes[row], (const uint8_t *)address + row * stride, TILE_ROW_BYTES);
}

static inline void TILE_STORE(int tile, void *address, int64_t stride) {
    assert(tiles_configured);
    for (int row = 0; row < TILE_ROWS; row++)
        memcpy((uint8_t *)address + row * stride, tiles[tile].bytes[row], TILE_ROW_BYTES);
}

static inline void TILE_ZERO(int tile) {
    assert(tiles_configured);
    memset(&tiles[tile], 0, sizeof tiles[tile]);
}

static inline float flushed(float value) {
    return fabsf(value) < FLT_MIN ? 0 : value;
}

static inline float widened(uint16_t number) {
    uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return flushed(value);
}

/* A product of two bf16 numbers is exact in fp32, so product and sum are the CPU's fused multiply-add. */
static inline void TILE_MULTIPLY(int sums, int a, int b) {
    float numbers[TILE_ROWS][2][16]; /* of b, even and odd apart */
    for (int k = 0; k < 16; k++)
        for (int n = 0; n < 32; n++) numbers[k][n % 2][n / 2] = widened(tiles[b].numbers[k][n]);
    for (int m = 0; m < TILE_ROWS; m++) {
        float even[16] = {0}, odd[16] = {0}, *sum = tiles[sums].sums[m];
        for (int k = 0; k < 16; k++) {
            float first = widened(tiles[a].numbers[m][2 * k]), second = widened(tiles[a].numbers[m][2 * k + 1]);
            for (int n = 0; n < 16; n++) even[n] = flushed(even[n] + first * numbers[k][0][n]);
            for (int n = 0; n < 16; n++) odd[n] = flushed(odd[n] + second * numbers[k][1][n]);
        }
        for (int n = 0; n < 16; n++) sum[n] = flushed(sum[n] + flushed(even[n] + odd[n]));
    }
}

#endif
