/* AMX's tile instructions in plain C, by the processor manual's description: tile registers of a thread,
 * products of bf16 pairs summed in two fp32 sums that are added to the third at the end, denormals taken and
 * given as zero. Stands in for core/simd/level/amx_tiles.h. */
#pragma once

#include <assert.h>
#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, ROWS_AT_ONCE = 4 };

typedef struct Tile {
    uint8_t bytes[TILE_ROWS][TILE_ROW_BYTES];
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

/* The 16 columns of a row of sums side by side: vectors keep emulation fast enough for whole trainings. */
typedef float Columns __attribute__((vector_size(64)));
typedef int32_t ColumnBits __attribute__((vector_size(64)));

static inline void flush(Columns *value) {
    Columns magnitude = (Columns)((ColumnBits)*value & INT32_MAX);
    *value = (Columns)((ColumnBits)*value & ~(magnitude < FLT_MIN));
}

/* Even (shift 16) or odd (shift 0) bf16 numbers of 16 pairs as fp32. */
static inline void widen(const void *pairs, int shift, Columns *out) {
    ColumnBits bits;
    memcpy(&bits, pairs, sizeof bits);
    *out = (Columns)((bits << shift) & (int32_t)0xFFFF0000);
    flush(out);
}

/* Number k of a row of bf16 numbers as fp32. */
static inline float number_of(const uint8_t *row, int k) {
    uint16_t number;
    memcpy(&number, row + 2 * k, sizeof number);
    uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value > -FLT_MIN && value < FLT_MIN ? 0 : value;
}

/* A product of two bf16 numbers is exact in fp32, so product and sum are the CPU's fused multiply-add. */
static inline void TILE_MULTIPLY(int sums, int a, int b) {
    Columns even_b[16], odd_b[16];
    for (int k = 0; k < 16; k++) {
        widen(tiles[b].bytes[k], 16, &even_b[k]);
        widen(tiles[b].bytes[k], 0, &odd_b[k]);
    }
    for (int m = 0; m < TILE_ROWS; m += ROWS_AT_ONCE) {
        Columns even[ROWS_AT_ONCE] = {{0}}, odd[ROWS_AT_ONCE] = {{0}}, sum;
        for (int k = 0; k < 16; k++)
            for (int r = 0; r < ROWS_AT_ONCE; r++) {
                even[r] += number_of(tiles[a].bytes[m + r], 2 * k) * even_b[k];
                odd[r] += number_of(tiles[a].bytes[m + r], 2 * k + 1) * odd_b[k];
                flush(&even[r]);
                flush(&odd[r]);
            }
        for (int r = 0; r < ROWS_AT_ONCE; r++) {
            even[r] += odd[r];
            flush(&even[r]);
            memcpy(&sum, tiles[sums].bytes[m + r], sizeof sum);
            sum += even[r];
            flush(&sum);
            memcpy(tiles[sums].bytes[m + r], &sum, sizeof sum);
        }
    }
}
