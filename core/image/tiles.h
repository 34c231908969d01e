/* Large images in tiles: where these lie, and how the maps of them become one. Networks without padding see the same in a tile
 * as in the whole image; what differs from tile to tile is blended.
 *
 * A map has a cell for each EAD_TILE_STEP pixels; of the cells of a tile, and of the image, networks without padding see none of
 * the outermost `unseen` on each side. */
#pragma once

#include "core/base/real.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { EAD_TILE_STEP = 4 };

typedef struct EadTiles {
    int size;         /* pixels of a side, a multiple of EAD_TILE_STEP; 0: no tiles */
    double overlap;   /* share of a tile that the next one covers, too, 0 .. 0.9; at least what is unseen */
    double scale;     /* images are reduced by this factor first, 1 .. 64 */
    bool whole_image; /* the image reduced to one tile is looked at, too */
} EadTiles;

/* The size at which an image is looked at in tiles: reduced by the scale, no side below that of a tile. */
void ead_tiles_look_at(const EadTiles *tiles, int width, int height, int *looked_width, int *looked_height);

/* Cuts [size][size][3] from an image [height][width][3] at x, y; beyond its edge the last column and row are repeated. */
void ead_tile_cut(const uint8_t *image, int width, int height, int x, int y, int size, uint8_t *out);

/* Tiles along one side, evenly spaced, the last one shifted inwards. */
typedef struct EadTileAxis {
    int length;    /* cells that are seen */
    int each;      /* of them in a tile */
    int count;     /* tiles */
    int stride;    /* cells from one to the next */
    real *weights; /* [count][each]: what each adds to its cells; for every cell they sum to 1 */
} EadTileAxis;

typedef struct EadTiling {
    int size, width, height; /* pixels of a tile and of the image */
    EadTileAxis x, y;
} EadTiling;

/* The grid for an image that is looked at in that size, no side below that of a tile. Errors: EAD_NO_MEMORY; *grid is empty
 * then, and else to be freed. */
EadStatus ead_tiling_new(EadTiling *grid, const EadTiles *tiles, int unseen, int width, int height);
void ead_tiling_free(EadTiling *grid); /* harmless on an empty one */

/* Tiles in it, row by row; cells of its map, grid->y.length rows of grid->x.length. */
int ead_tiling_count(const EadTiling *grid);
int64_t ead_tiling_cells(const EadTiling *grid);

/* Cuts tile `index` out of the image, as ead_tile_cut(). */
void ead_tiling_cut(const EadTiling *grid, const uint8_t *image, int index, uint8_t *out);

/* Adds the map of tile `index`, cells [y.each][x.each], with its weights to the map of the image, zeroed at first: when
 * all are added, it is that of the whole image. */
void ead_tiling_add(const EadTiling *grid, int index, const real *cells, real *map);
