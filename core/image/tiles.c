/* Positions, windows, sums. */
#include "core/image/tiles.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

void ead_tiles_look_at(const EadTiles *tiles, int width, int height, int *looked_width, int *looked_height) {
    *looked_width = ead_max(tiles->size, (int)lround(width / tiles->scale));
    *looked_height = ead_max(tiles->size, (int)lround(height / tiles->scale));
}

void ead_tile_cut(const uint8_t *image, int width, int height, int x, int y, int size, uint8_t *out) {
    enum { CHANNELS = 3 };
    int inside = ead_min(size, width - x);
    for (int row = 0; row < size; row++, out += (size_t)size * CHANNELS) {
        const uint8_t *from =
            image + ((size_t)ead_min(y + row, height - 1) * (size_t)width + (size_t)x) * CHANNELS;
        memcpy(out, from, (size_t)inside * CHANNELS);
        for (int i = inside; i < size; i++)
            memcpy(out + (size_t)i * CHANNELS, from + (size_t)(inside - 1) * CHANNELS, CHANNELS);
    }
}

/* ---- the grid ---- */

static int first_cell(const EadTileAxis *axis, int index) {
    return ead_min(index * axis->stride, axis->length - axis->each);
}

/* A raised cosine over the tile, above 0 everywhere. */
static double window(int place, int each) {
    return 0.5 - 0.5 * cos(2 * PI * (place + 0.5) / each);
}

static EadStatus weigh(EadTileAxis *axis) {
    double *sums = ead_new(axis->length, sizeof *sums, "the weights of tiles");
    axis->weights = ead_new((int64_t)axis->count * axis->each, sizeof *axis->weights, "the weights of tiles");
    bool there = sums && axis->weights;
    for (int i = 0; there && i < axis->count; i++)
        for (int k = 0; k < axis->each; k++) sums[first_cell(axis, i) + k] += window(k, axis->each);
    for (int i = 0; there && i < axis->count; i++)
        for (int k = 0; k < axis->each; k++)
            axis->weights[i * axis->each + k] = (real)(window(k, axis->each) / sums[first_cell(axis, i) + k]);
    free(sums);
    return there ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus make_axis(EadTileAxis *axis, const EadTiles *tiles, int unseen, int pixels) {
    int cells = (pixels + EAD_TILE_STEP - 1) / EAD_TILE_STEP, of_tile = tiles->size / EAD_TILE_STEP;
    int stride = (int)lround(of_tile * (1 - tiles->overlap));
    *axis = (EadTileAxis){.length = cells - 2 * unseen, .each = of_tile - 2 * unseen};
    axis->stride = ead_max(1, ead_min(stride, axis->each));
    axis->count = 1 + (axis->length - axis->each + axis->stride - 1) / axis->stride;
    return weigh(axis);
}

EadStatus ead_tiling_new(EadTiling *grid, const EadTiles *tiles, int unseen, int width, int height) {
    *grid = (EadTiling){.size = tiles->size, .width = width, .height = height};
    EadStatus status = make_axis(&grid->x, tiles, unseen, width);
    if (status == EAD_OK) status = make_axis(&grid->y, tiles, unseen, height);
    if (status != EAD_OK) ead_tiling_free(grid);
    return status;
}

void ead_tiling_free(EadTiling *grid) {
    free(grid->x.weights);
    free(grid->y.weights);
    *grid = (EadTiling){0};
}

int ead_tiling_count(const EadTiling *grid) {
    return grid->x.count * grid->y.count;
}

int64_t ead_tiling_cells(const EadTiling *grid) {
    return (int64_t)grid->x.length * grid->y.length;
}

void ead_tiling_cut(const EadTiling *grid, const uint8_t *image, int index, uint8_t *out) {
    int x = EAD_TILE_STEP * first_cell(&grid->x, index % grid->x.count),
        y = EAD_TILE_STEP * first_cell(&grid->y, index / grid->x.count);
    ead_tile_cut(image, grid->width, grid->height, x, y, grid->size, out);
}

void ead_tiling_add(const EadTiling *grid, int index, const real *cells, real *map) {
    const EadTileAxis *x = &grid->x, *y = &grid->y;
    int column = index % x->count, row = index / x->count;
    const real *across = x->weights + column * x->each, *down = y->weights + row * y->each;
    for (int v = 0; v < y->each; v++, cells += x->each) {
        real *out = map + (int64_t)(first_cell(y, row) + v) * x->length + first_cell(x, column);
        for (int u = 0; u < x->each; u++) out[u] += down[v] * across[u] * cells[u];
    }
}
