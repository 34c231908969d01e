/* Which tile a product gets, and into how many parts its k is split: whatever a simple model of the GPU says
 * is done first. Host code, at plan time. */
#include "core/ops/conv2d/cuda/conv2d_layer.cuh"

extern "C" {
#include "core/cuda/blas.h"
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiply-adds of 16-bit numbers a multiprocessor does in a cycle with mma.sync and with wgmma, tiles of k
 * by which filling and emptying the pipeline delays a block, bytes of partial sums a multiprocessor writes or
 * reads in a cycle, cycles that the second kernel costs by being launched. */
static const double MMA_RATE = 1200, WGMMA_RATE = 2048, PIPELINE_TILES = 3, SUM_BYTES = 16,
                    FINISH_CYCLES = 4000;
enum { MAX_SPLITS = 64, MIN_TILES = 4 /* of k in a split */ };

struct TileModel {
    int m, n, shared;
    double rate; /* multiply-adds in a cycle */
    const char *name;
};

static const TileModel tiles[EAD_CONV_TILE_COUNT] = {
#define TILE(m, n, wm, wn, stages, rate) {m, n, stages * (m + n) * 128, rate * MMA_RATE, #m "x" #n},
    EAD_CONV_TILES(TILE)
#undef TILE
#define TILE(m, n, stages, rate) {m, n, stages * (m + n) * 128, rate * WGMMA_RATE, "wgmma" #m "x" #n},
        EAD_CONV_WGMMA_TILES(TILE)
#undef TILE
};

static int64_t ceil_divide(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* Cycles until the last block is done. A tile of k is 128 bytes: 64 numbers of 16 bits, and 32 floats at half
 * the rate take as long. */
static double cycles(const EadConvProduct &p, const TileModel &tile, int64_t splits, int multiprocessors) {
    int64_t blocks = ceil_divide(p.rows, tile.m) * ceil_divide(p.columns, tile.n) * p.phases * splits;
    int64_t rounds = ceil_divide(blocks, multiprocessors);
    double block = (double)(tile.m * tile.n * 64) / tile.rate;
    double time = (double)rounds * block * ((double)ceil_divide(p.tiles, splits) + PIPELINE_TILES);
    if (splits > 1) {
        double bytes = (double)(p.rows * p.columns * p.phases * splits) * 2 * sizeof(float);
        time += FINISH_CYCLES + bytes / (SUM_BYTES * multiprocessors);
    }
    return time;
}

/* "128x64" or "128x64/3" for this tile; sets the splits. "wgmma" is none. */
static bool names(const char *wanted, const TileModel &tile, int *splits) {
    size_t length = strlen(tile.name);
    if (strncmp(wanted, tile.name, length) != 0) return false;
    *splits = 1;
    return wanted[length] == '\0' || sscanf(wanted + length, "/%d", splits) == 1;
}

/* The tiles of wgmma have not been seen on a GPU yet, so only who asks for "wgmma..." gets them, and then no
 * others where they can be. */
static bool is_candidate(const EadConvProduct &p, int tile, bool wgmma, int shared_bytes) {
    if (tiles[tile].shared > shared_bytes) return false;
    return p.narrow ? tile == EAD_CONV_NARROW_TILE : ead_conv_is_wgmma(tile) == wgmma;
}

EadConvChoice ead_conv_choose(const EadConvProduct &p, EadPrecision precision, const char **name) {
    const char *wanted = getenv("EFFICIENTAD_CUDA_CONV");
    *name = "gemm";
    if (precision == EAD_PRECISION_FP32 || (wanted && strcmp(wanted, *name) == 0))
        return {EAD_CUDA_CONV_GEMM, 1};
    const EadCudaLimits limits = ead_cuda_limits();
    const bool wgmma =
        wanted && strncmp(wanted, "wgmma", 5) == 0 && limits.wgmma && ead_conv_operand(precision) != EAD_REAL;
    EadConvChoice best = {EAD_CUDA_CONV_GEMM, 1};
    double least = 0;
    for (int t = 0; t < EAD_CONV_TILE_COUNT; t++) {
        if (!is_candidate(p, t, wgmma, limits.shared_bytes)) continue;
        int forced = 0;
        bool chosen = wanted && names(wanted, tiles[t], &forced);
        int64_t limit = p.pooled ? 1 : p.tiles / MIN_TILES;
        for (int s = 1; s == 1 || (s <= limit && s <= MAX_SPLITS); s++) {
            double time = chosen ? -1 : cycles(p, tiles[t], s, limits.multiprocessors);
            if (best.tile != EAD_CUDA_CONV_GEMM && time >= least) continue;
            best = {t, chosen && !p.pooled && forced >= 1 ? forced : s};
            least = time;
        }
    }
    if (best.tile != EAD_CUDA_CONV_GEMM) *name = tiles[best.tile].name;
    return best;
}
