/* How Winograd's kernels cut an image into tiles and lay out what they transform. */
#ifndef EAD_CORE_WINOGRAD_LAYOUT_H
#define EAD_CORE_WINOGRAD_LAYOUT_H

#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/simd/simd.h"
#include "core/base/minmax.h"

/* A grid of tiles over the outputs of a convolution of stride 1. Blocks of tiles are worked on together, and
 * number p = (i,j) of all transformed tiles of a block lies together: [tile*tile][tiles][channels]. */
typedef struct EadTileGrid {
    int images, rows, columns;  /* rows and columns of tiles an image */
    int tile, outputs, padding; /* a tile of the grid covers tile x tile inputs, outputs x outputs outputs */
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

/* Pointers to size x size pixels of [images][height][width][channels] from (y,x) on; `zeros` where outside.
 */
void ead_tile_pixels(const real *images, int image, int height, int width, int channels, int y, int x,
                     int size, const real *zeros, const real **pixels);

/* Distance between numbers p and p+1 of a block of `size` reals: a cache line more than needed, or the
 * numbers of one tile would all fall into the same cache set. */
static inline int64_t ead_number_stride(int64_t size) {
    return ead_round_up(size, 16) + 16;
}

/* Distance between the numbers of the transformed inputs of all tiles, where the forward pass keeps them for
 * the weight gradient. */
static inline int64_t ead_winograd_kept_stride(const EadTileGrid *grid) {
    return ead_number_stride(grid->tiles * grid->in_channels);
}

#endif
