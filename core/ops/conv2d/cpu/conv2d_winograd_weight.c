/* Winograd weight gradient, the transpose of the forward pass in its weights: transform inputs and output
 * gradients of all tiles, accumulate their products in the transformed domain over all tiles and images, and
 * transform the sum back once. Where there was memory for it, the forward pass has left the transformed
 * inputs. */
#include "core/ops/conv2d/cpu/winograd_blocks.h"

#include <string.h>

/* Reals of workspace for the transformed tiles of a block: small enough for the last-level cache, large
 * enough that the sums, which pass through once a block, do not count. */
enum { BLOCK_NUMBERS = 5 << 20, MIN_BLOCK = 24 };

typedef struct WeightGradient {
    const EadSimd *simd;
    const EadWinogradKernels *kernels;
    EadTileGrid grid;
    int64_t block;                        /* tiles worked on together */
    int64_t columns;                      /* input channels, rounded up to panels */
    int64_t v_stride, m_stride, u_stride; /* from number to number */
    const real *x, *dy, *zeros;
    real *v, *m, *u;  /* [number][tiles][columns], [number][tiles][out], [number][out][columns] */
    bool saved_input; /* v is there already, of all tiles */
} WeightGradient;

static WeightGradient describe(const EadCall *call) {
    EadConvGeometry g = ead_conv_weight_gradient_geometry(call);
    WeightGradient w = {.simd = ead_simd()};
    const int in[3] = {g.h, g.w, g.i}, out[3] = {g.oh, g.ow, g.o};
    w.kernels = ead_winograd_kernels(w.simd, g.kh);
    w.columns = ead_round_up(g.i, w.simd->panel);
    w.grid = ead_tile_grid(w.kernels, g.n, g.padding, in, out);
    int64_t limit = BLOCK_NUMBERS / (EAD_WINOGRAD_NUMBERS * (w.columns + g.o)), tiles = w.grid.tiles;
    if (limit < MIN_BLOCK) limit = MIN_BLOCK;
    int64_t blocks = (tiles + limit - 1) / limit;
    w.block = ead_round_up((tiles + blocks - 1) / blocks, EAD_SIMD_ROWS);
    w.saved_input = call->saved_bytes > 0;
    w.v_stride = w.saved_input ? ead_winograd_saved_stride(&w.grid) : ead_number_stride(w.block * w.columns);
    w.m_stride = ead_number_stride(w.block * g.o);
    w.u_stride = ead_number_stride(g.o * w.columns);
    return w;
}

/* Reals of workspace for transformed inputs. */
static int64_t own_inputs(const WeightGradient *w) {
    return w->saved_input ? 0 : EAD_WINOGRAD_NUMBERS * w->v_stride;
}

static void transform(const WeightGradient *w, int64_t first, int64_t count) {
    const EadTileGrid *g = &w->grid;
#pragma omp for schedule(dynamic, 4)
    for (int64_t t = 0; t < count; t++) {
        const real *pixels[EAD_WINOGRAD_NUMBERS];
        EadTilePlace place = ead_tile_place(g, first + t);
        if (!w->saved_input) {
            ead_tile_pixels(w->x, place.image, g->in_height, g->in_width, g->in_channels,
                            place.y - g->padding, place.x - g->padding, EAD_WINOGRAD_TILE, w->zeros, pixels);
            w->kernels->input(pixels, g->in_channels, w->v + t * w->columns, w->v_stride);
        }
        ead_tile_pixels(w->dy, place.image, g->out_height, g->out_width, g->out_channels, place.y, place.x,
                        g->outputs, w->zeros, pixels);
        w->kernels->output_gradient(pixels, g->out_channels, w->m + t * g->out_channels, w->m_stride);
    }
}

static void accumulate(const WeightGradient *w, int64_t first, int64_t count) {
    int64_t outputs = w->grid.out_channels;
    const real *v = w->saved_input ? w->v + first * w->columns : w->v;
#pragma omp for schedule(dynamic)
    for (int p = 0; p < EAD_WINOGRAD_NUMBERS; p++) {
        EadPanelProduct product = {.rows = outputs, .k = count, .row_stride = 1, .k_stride = outputs};
        product.a = w->m + p * w->m_stride, product.b = v + p * w->v_stride,
        product.c = w->u + p * w->u_stride;
        product.ldb = product.ldc = w->columns, product.accumulate = first > 0;
        ead_panel_products(w->simd, w->columns, w->simd->panel, product);
    }
}

static void transform_back(const WeightGradient *w, real *dw) {
    int kernel = w->kernels->kernel, inputs = w->grid.in_channels;
#pragma omp for schedule(dynamic, 4)
    for (int o = 0; o < w->grid.out_channels; o++) {
        real *taps[EAD_WINOGRAD_MAX_TAPS];
        for (int t = 0; t < kernel * kernel; t++) taps[t] = dw + ((int64_t)o * kernel * kernel + t) * inputs;
        w->kernels->weight_gradient(w->u + o * w->columns, w->u_stride, inputs, taps);
    }
}

static void run(const EadCall *call) {
    WeightGradient w = describe(call);
    const EadTileGrid *g = &w.grid;
    int64_t widest = ead_round_up(g->in_channels > g->out_channels ? g->in_channels : g->out_channels, 16);
    real *workspace = call->workspace;
    w.dy = call->x[0]->data;
    w.x = call->x[1]->data;
    w.zeros = memset(workspace, 0, (size_t)widest * sizeof(real));
    w.v = w.saved_input ? call->saved_input : workspace + widest;
    w.m = workspace + widest + own_inputs(&w);
    w.u = w.m + EAD_WINOGRAD_NUMBERS * w.m_stride;
    /* The columns between the channels and the end of the last panel are multiplied too: numbers. */
    if (w.columns != g->in_channels)
        memset(w.v, 0, (size_t)(EAD_WINOGRAD_NUMBERS * w.v_stride) * sizeof(real));
#pragma omp parallel
    {
        for (int64_t first = 0; first < g->tiles; first += w.block) {
            int64_t count = first + w.block < g->tiles ? w.block : g->tiles - first;
            transform(&w, first, count);
            accumulate(&w, first, count);
        }
        transform_back(&w, call->y->data);
    }
}

void ead_conv2d_weight_gradient_winograd_plan(EadCall *call) {
    WeightGradient w = describe(call);
    const EadTileGrid *g = &w.grid;
    int64_t widest = g->in_channels > g->out_channels ? g->in_channels : g->out_channels;
    int64_t reals =
        ead_round_up(widest, 16) + own_inputs(&w) + EAD_WINOGRAD_NUMBERS * (w.m_stride + w.u_stride);
    call->algorithm = "winograd8";
    call->multiply_adds = (double)(EAD_WINOGRAD_NUMBERS * g->tiles * g->out_channels) * (double)w.columns;
    call->workspace_bytes = (size_t)reals * sizeof(real);
    call->run = run;
}

size_t ead_conv2d_weight_gradient_can_save(const EadCall *forward, const EadCall *call) {
    if (!ead_conv2d_is_winograd(forward) || call->run != run) return 0;
    EadConvGeometry a = ead_conv_geometry(forward), b = ead_conv_weight_gradient_geometry(call);
    WeightGradient w = describe(call);
    bool same = a.n == b.n && a.h == b.h && a.w == b.w && a.i == b.i && a.oh == b.oh && a.ow == b.ow &&
                a.kh == b.kh && a.padding == b.padding;
    if (!same || w.columns != b.i) return 0;
    return (size_t)(EAD_WINOGRAD_NUMBERS * ead_winograd_saved_stride(&w.grid)) * sizeof(real);
}
