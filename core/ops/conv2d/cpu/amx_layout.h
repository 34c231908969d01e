/* How AMX's convolutions see images: as rasters, in which the pixels under one kernel tap for neighbouring
 * outputs are neighbours too, so that they are the rows of a tile. */
#pragma once

#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/simd/amx.h"

#include <string.h>

/* The pixels of a tensor with zeros around them, one after the other: [image][plane][row][column]. With
 * stride s there are s*s planes; plane (a,b) holds every s-th padded row from a on and column from b on, and
 * a strided convolution becomes one of stride 1 over all planes.
 *
 * Output (row, column) stands at position row * columns + column of its image, and what a tap multiplies lies
 * a fixed shift further. Positions at the end of a row that belong to no output are computed along and
 * dropped: fewer than are lost where each row fills its own tiles. */
typedef struct EadAmxRaster {
    int height, width, channels; /* of the tensor */
    int stride;
    int before_y, before_x; /* zeros above and to the left */
    int planes, rows, columns;
    int64_t images, image; /* positions of one image */
    int64_t positions;     /* in all, with room for tiles that run over the end */
} EadAmxRaster;

/* The raster of x: outputs are those of the convolution. */
EadAmxRaster ead_amx_input_raster(const EadConvGeometry *g);

/* The raster of dy: outputs are the pixels of dx, phase by phase (conv2d_patches.h). */
EadAmxRaster ead_amx_output_raster(const EadConvGeometry *g);

/* Positions from an output to the pixel y padded rows and x padded columns after its patch's corner. */
int64_t ead_amx_shift(const EadAmxRaster *raster, int y, int x);

/* Where the channels of a position begin in the tensor; `zeros` outside it. */
const real *ead_amx_pixel(const EadAmxRaster *raster, const real *tensor, int64_t position,
                          const real *zeros);

/* Blocks of 32 positions that an image's outputs span. */
int64_t ead_amx_blocks(const EadAmxRaster *raster, int rows, int columns);

/* Numbers rounded up to blocks of 32. */
static inline int64_t ead_amx_block_count(int64_t numbers) {
    return (numbers + EAD_AMX_BLOCK - 1) / EAD_AMX_BLOCK;
}

/* to[j][i] = from[i][j], 16 x 16 pairs of numbers. */
static inline void ead_amx_transpose(const uint16_t *from, uint16_t *to) {
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) memcpy(to + (j * 16 + i) * 2, from + (i * 16 + j) * 2, 2 * sizeof *to);
}
