/* Rasters of both sides of a convolution. */
#include "core/ops/conv2d/cpu/amx_layout.h"

#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/base/minmax.h"

static EadAmxRaster measured(EadAmxRaster r) {
    r.image = (int64_t)r.planes * r.rows * r.columns;
    r.positions = (ead_amx_block_count(r.images * r.image) + 2) * EAD_AMX_BLOCK;
    return r;
}

EadAmxRaster ead_amx_input_raster(const EadConvGeometry *g) {
    int s = g->stride;
    EadAmxRaster r = {.images = g->n, .height = g->h, .width = g->w, .channels = g->i, .stride = s};
    r.before_y = r.before_x = g->padding;
    r.planes = s * s;
    r.rows = (g->h + 2 * g->padding + s - 1) / s;
    r.columns = (g->w + 2 * g->padding + s - 1) / s;
    return measured(r);
}

/* A phase's taps reach from `taps` - 1 rows before its first row of dy, which is `origin`, to its last. */
EadAmxRaster ead_amx_output_raster(const EadConvGeometry *g) {
    EadAmxRaster r = {.images = g->n, .height = g->oh, .width = g->ow, .channels = g->o, .stride = 1};
    int rows = g->oh, columns = g->ow;
    for (int phase = 0; phase < g->stride * g->stride; phase++) {
        EadConvPhase p = ead_phase(g, phase / g->stride, phase % g->stride);
        int origin_y = (p.first_y + g->padding - p.tap_y) / g->stride;
        int origin_x = (p.first_x + g->padding - p.tap_x) / g->stride;
        r.before_y = ead_max(r.before_y, p.taps_y - 1 - origin_y);
        r.before_x = ead_max(r.before_x, p.taps_x - 1 - origin_x);
        rows = ead_max(rows, p.rows + origin_y);
        columns = ead_max(columns, p.columns + origin_x);
    }
    r.planes = 1;
    r.rows = r.before_y + rows;
    r.columns = r.before_x + columns;
    return measured(r);
}

int64_t ead_amx_shift(const EadAmxRaster *r, int y, int x) {
    int64_t plane = (int64_t)(y % r->stride) * r->stride + x % r->stride;
    return (plane * r->rows + y / r->stride) * r->columns + x / r->stride;
}

const real *ead_amx_pixel(const EadAmxRaster *r, const real *tensor, int64_t position, const real *zeros) {
    int64_t n = position / r->image, row = position % r->image / r->columns, plane = row / r->rows;
    int64_t y = row % r->rows * r->stride + plane / r->stride - r->before_y;
    int64_t x = position % r->image % r->columns * r->stride + plane % r->stride - r->before_x;
    bool inside = n < r->images && y >= 0 && y < r->height && x >= 0 && x < r->width;
    return inside ? tensor + ((n * r->height + y) * r->width + x) * r->channels : zeros;
}

int64_t ead_amx_blocks(const EadAmxRaster *r, int rows, int columns) {
    return ead_amx_block_count((int64_t)(rows - 1) * r->columns + columns);
}
