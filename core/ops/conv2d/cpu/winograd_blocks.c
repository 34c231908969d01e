/* Tiles, and transforms and products of a block of them. */
#include "core/ops/conv2d/cpu/winograd_blocks.h"

enum { CHANNELS_AT_ONCE = 16 };

/* Reals of transformed weights that stay in the last-level cache beside everything else. */
enum { CACHED_WEIGHTS = 4 << 20 };

EadTileGrid ead_tile_grid(const EadWinogradKernels *kernels, int images, int padding, const int in[3],
                          const int out[3]) {
    EadTileGrid g = {.images = images, .outputs = kernels->outputs, .padding = padding};
    g.in_height = in[0], g.in_width = in[1], g.in_channels = in[2];
    g.out_height = out[0], g.out_width = out[1], g.out_channels = out[2];
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

EadWinograd ead_winograd(const EadConvGeometry *g, bool flipped) {
    EadWinograd w = {.simd = ead_simd(), .flipped = flipped};
    const int x[3] = {g->h, g->w, g->i}, y[3] = {g->oh, g->ow, g->o};
    const int *in = flipped ? y : x, *out = flipped ? x : y;
    int padding = flipped ? g->kh - 1 - g->padding : g->padding;
    w.kernels = ead_winograd_kernels(w.simd, g->kh);
    w.panels = ead_round_up(out[2], w.simd->panel) / w.simd->panel;
    w.grid = ead_tile_grid(w.kernels, g->n, padding, in, out);
    w.u_stride = ead_number_stride(w.panels * in[2] * w.simd->panel);
    return w;
}

bool ead_winograd_own_blocks(const EadWinograd *w) {
    return EAD_WINOGRAD_NUMBERS * w->u_stride <= CACHED_WEIGHTS;
}

void ead_winograd_blocks(EadWinograd *w, int64_t block, int64_t together) {
    w->together = together;
    w->v_stride = ead_number_stride(block * w->grid.in_channels);
    w->m_stride = ead_number_stride(block * together * w->simd->panel);
    w->v_size = EAD_WINOGRAD_NUMBERS * w->v_stride;
    w->m_size = EAD_WINOGRAD_NUMBERS * w->m_stride;
}

void ead_winograd_describe_call(const EadWinograd *w, int64_t reals, EadCall *call) {
    double columns = (double)(w->panels * w->simd->panel);
    call->algorithm = "winograd8";
    call->multiply_adds = (double)(EAD_WINOGRAD_NUMBERS * w->grid.tiles * w->grid.in_channels) * columns;
    call->workspace_bytes = (size_t)reals * sizeof(real);
    call->packed_bytes = (size_t)(EAD_WINOGRAD_NUMBERS * w->u_stride) * sizeof(real);
}

/* Taps of CHANNELS_AT_ONCE input channels from c0 on and one panel of output channels as
 * [tap][channel][panel]. */
static void gather_taps(const EadWinograd *w, const EadConvGeometry *g, const real *weight, int64_t panel,
                        int c0, real *to) {
    int kernel = w->kernels->kernel, width = w->simd->panel, outputs = w->grid.out_channels;
    for (int tap = 0; tap < kernel * kernel; tap++) {
        int from = w->flipped ? kernel * kernel - 1 - tap : tap;
        for (int c = 0; c < CHANNELS_AT_ONCE; c++)
            for (int k = 0; k < width; k++) {
                int64_t n = panel * width + k;
                int64_t o = w->flipped ? c0 + c : n, i = w->flipped ? n : c0 + c;
                *to++ = n < outputs ? weight[(o * kernel * kernel + from) * g->i + i] : 0;
            }
    }
}

void ead_winograd_pack_weights(const EadWinograd *w, const EadConvGeometry *g, const real *weight,
                               real *packed) {
    int taps = w->kernels->kernel * w->kernels->kernel, width = w->simd->panel;
    int64_t groups = w->grid.in_channels / CHANNELS_AT_ONCE;
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < w->panels * groups; task++) {
        real gathered[EAD_WINOGRAD_MAX_TAPS * CHANNELS_AT_ONCE * EAD_SIMD_MAX_PANEL];
        int64_t panel = task / groups, c0 = task % groups * CHANNELS_AT_ONCE;
        gather_taps(w, g, weight, panel, (int)c0, gathered);
        for (int c = 0; c < CHANNELS_AT_ONCE; c++) {
            const real *pointers[EAD_WINOGRAD_MAX_TAPS];
            for (int t = 0; t < taps; t++)
                pointers[t] = gathered + ((int64_t)t * CHANNELS_AT_ONCE + c) * width;
            w->kernels->weight(pointers, width, packed + (panel * w->grid.in_channels + c0 + c) * width,
                               w->u_stride);
        }
    }
}

void ead_winograd_inputs(const EadWinograd *w, const EadTilePlace *places, EadRange tiles, const real *x,
                         const real *zeros, real *v) {
    const EadTileGrid *g = &w->grid;
    for (int64_t t = tiles.begin; t < tiles.end; t++) {
        const real *pixels[EAD_WINOGRAD_NUMBERS];
        ead_tile_pixels(x, places[t].image, g->in_height, g->in_width, g->in_channels,
                        places[t].y - g->padding, places[t].x - g->padding, EAD_WINOGRAD_TILE, zeros, pixels);
        w->kernels->input(pixels, g->in_channels, v + t * g->in_channels, w->v_stride);
    }
}

void ead_winograd_multiply(const EadWinograd *w, int64_t count, EadRange numbers, const real *v,
                           const real *packed, int64_t first, real *m) {
    int64_t width = w->simd->panel, k = w->grid.in_channels, columns = w->together * width;
    for (int64_t p = numbers.begin; p < numbers.end; p++) {
        EadPanelProduct product = {.rows = count, .k = k, .row_stride = k, .k_stride = 1};
        product.a = v + p * w->v_stride, product.c = m + p * w->m_stride, product.ldc = columns;
        product.b = packed + p * w->u_stride + first * k * width, product.ldb = width;
        ead_panel_products(w->simd, columns, k * width, product);
    }
}
