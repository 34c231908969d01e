/* Tiles and pixel pointers. */
#include "core/ops/conv2d/cpu/winograd_layout.h"

EadTileGrid ead_tile_grid(const EadWinogradKernels *kernels, int images, int padding, const int in[3],
                          const int out[3]) {
    EadTileGrid g = {.images = images,
                     .tile = kernels->tile,
                     .outputs = kernels->outputs,
                     .padding = padding,
                     .in_height = in[0],
                     .in_width = in[1],
                     .in_channels = in[2],
                     .out_height = out[0],
                     .out_width = out[1],
                     .out_channels = out[2]};
    g.rows = (out[0] + g.outputs - 1) / g.outputs;
    g.columns = (out[1] + g.outputs - 1) / g.outputs;
    g.tiles = (int64_t)images * g.rows * g.columns;
    return g;
}

EadTilePlace ead_tile_place(const EadTileGrid *grid, int64_t tile) {
    int64_t in_image = tile % ((int64_t)grid->rows * grid->columns);
    return (EadTilePlace){.image = (int)(tile / ((int64_t)grid->rows * grid->columns)),
                          .y = (int)(in_image / grid->columns) * grid->outputs,
                          .x = (int)(in_image % grid->columns) * grid->outputs};
}

void ead_tile_pixels(const real *images, int image, int height, int width, int channels, int y, int x,
                     int size, const real *zeros, const real **pixels) {
    for (int i = 0; i < size; i++) {
        int row = y + i;
        const real *line = images + (((int64_t)image * height + row) * width + x) * channels;
        for (int j = 0; j < size; j++) {
            int column = x + j, inside = row >= 0 && row < height && column >= 0 && column < width;
            *pixels++ = inside ? line + (int64_t)j * channels : zeros;
        }
    }
}
