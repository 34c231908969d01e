/* What Winograd convolutions share: how they cut an image into tiles and lay out what they transform, and
 * what they do with one block of tiles: transform its inputs, and multiply them with the transformed weights
 * of one or more panels of output channels. What becomes of the products is the caller's business
 * (conv2d_winograd.c, conv2d_pool_winograd.c). */
#pragma once

#include "core/base/minmax.h"
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

enum { EAD_WINOGRAD_TILE = 8, EAD_WINOGRAD_NUMBERS = 64, EAD_WINOGRAD_MAX_TAPS = 16 };

/* A grid of tiles over the outputs of a convolution of stride 1. Blocks of tiles are worked on together, and
 * number p = (i,j) of all transformed tiles of a block lies together: [64][tiles][channels]. */
typedef struct EadTileGrid {
    int images, rows, columns; /* rows and columns of tiles an image */
    int outputs, padding;      /* a tile of the grid covers 8x8 inputs, outputs x outputs outputs */
    int in_height, in_width, in_channels;
    int out_height, out_width, out_channels;
    int64_t tiles; /* in all */
} EadTileGrid;

/* The grid of a convolution from in to out (height, width, channels). */
EadTileGrid ead_tile_grid(const EadWinogradKernels *kernels, int images, int padding, const int in[3],
                          const int out[3]);

/* Position of a tile. */
typedef struct EadTilePlace {
    int image, y, x; /* first output row and column */
} EadTilePlace;
EadTilePlace ead_tile_place(const EadTileGrid *grid, int64_t tile);

/* Pointers to size x size pixels of [images][height][width][channels] from (y,x) on; zeros outside. */
void ead_tile_pixels(const real *images, int image, int height, int width, int channels, int y, int x,
                     int size, const real *zeros, const real **pixels);

/* Distance between numbers p and p+1 of a block of `size` reals: a cache line more than needed, or the
 * numbers of one tile would all fall into the same cache set. */
static inline int64_t ead_number_stride(int64_t size) {
    return ead_round_up(size, 16) + 16;
}

/* Distance between the numbers of the transformed inputs of all tiles, where the forward pass saves them for
 * the weight gradient. */
static inline int64_t ead_winograd_saved_stride(const EadTileGrid *grid) {
    return ead_number_stride(grid->tiles * grid->in_channels);
}

/* Most tiles of a block of one thread's own. With fewer the weights, which pass through the cache once a
 * block, weigh more; with more a block falls out of the second-level cache. */
enum { EAD_WINOGRAD_BLOCK = 36 };

typedef struct EadWinograd {
    const EadSimd *simd;
    const EadWinogradKernels *kernels;
    EadTileGrid grid;
    bool flipped;                         /* input gradient: the kernel turned over, o and i exchanged */
    int64_t panels, together;             /* of output channels: all; multiplied before the transform back */
    int64_t v_stride, m_stride, u_stride; /* from number to number */
    int64_t v_size, m_size;               /* reals of a block's inputs and products */
} EadWinograd;

/* The convolution g; flipped: its input gradient. Blocks are to be chosen by ead_winograd_blocks. */
EadWinograd ead_winograd(const EadConvGeometry *g, bool flipped);

/* Whether the transformed weights stay in the last-level cache, so that it does not matter how often they are
 * read: then small blocks of one thread's own are faster, else large ones that all threads share. */
bool ead_winograd_own_blocks(const EadWinograd *w);

/* For blocks of at most `block` tiles that multiply `together` panels at a time. */
void ead_winograd_blocks(EadWinograd *w, int64_t block, int64_t together);

/* What a call that needs `reals` of workspace tells the planner and the bench. */
void ead_winograd_describe_call(const EadWinograd *w, int64_t reals, EadCall *call);

/* Transformed weights as [number][panel][in channel][panel width]. */
void ead_winograd_pack_weights(const EadWinograd *w, const EadConvGeometry *g, const real *weight,
                               real *packed);

/* From begin to end, without end: of the tiles of a block, or of the numbers of a tile. */
typedef struct EadRange {
    int64_t begin, end;
} EadRange;

static const EadRange EAD_ALL_NUMBERS = {0, EAD_WINOGRAD_NUMBERS};

/* v [number][tile][in channel] of these tiles. zeros: as many as input channels. */
void ead_winograd_inputs(const EadWinograd *w, const EadTilePlace *places, EadRange tiles, const real *x,
                         const real *zeros, real *v);

/* m [number][tile][panels together x panel width] of these numbers and all `count` tiles, from panel `first` on. */
void ead_winograd_multiply(const EadWinograd *w, int64_t count, EadRange numbers, const real *v,
                           const real *packed, int64_t first, real *m);
