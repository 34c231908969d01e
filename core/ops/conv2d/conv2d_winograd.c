/* Winograd forward and input gradient: the input gradient of a convolution is the convolution of dy with the
 * flipped kernel, input and output channels exchanged, so one driver serves both.
 *
 * A block of tiles at a time: transform the inputs; for each of the tile*tile numbers one matrix product
 * [tiles, in] x [in, out] with the transformed weights; transform back with bias and ReLU. Each step is split
 * over the threads by tile or by number; nothing depends on how many there are. */
#include "core/ops/conv2d/conv2d_winograd.h"

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/winograd_layout.h"

#include <string.h>

enum { MAX_TILE = 8, TAPS = 16, CHANNELS_AT_ONCE = 16 };

typedef struct Winograd {
    const EadSimd *simd;
    const EadWinogradKernels *kernels;
    EadTileGrid grid;
    int numbers;                          /* tile * tile */
    int64_t panels;                       /* of output channels */
    int64_t v_stride, m_stride, u_stride; /* from number to number */
    bool flipped;                         /* input gradient */
} Winograd;

bool ead_conv2d_winograd_fits(const EadConvGeometry *g) {
    bool channels = g->i % EAD_SIMD_MAX_VECTOR == 0 && g->o % EAD_SIMD_MAX_VECTOR == 0;
    return channels && g->kh == g->kw && (g->kh == 3 || g->kh == 4) && g->stride == 1 && g->padding < g->kh;
}

static Winograd describe(const EadConvGeometry *g, int tile, bool flipped) {
    Winograd w = {.simd = ead_simd(), .flipped = flipped, .numbers = tile * tile};
    const int x[3] = {g->h, g->w, g->i}, y[3] = {g->oh, g->ow, g->o};
    const int *in = flipped ? y : x, *out = flipped ? x : y;
    w.kernels = ead_winograd_kernels(w.simd, tile, g->kh);
    w.panels = ead_round_up(out[2], w.simd->panel) / w.simd->panel;
    int64_t columns = w.panels * w.simd->panel;
    w.grid = ead_tile_grid(w.kernels, g->n, flipped ? g->kh - 1 - g->padding : g->padding, in, out,
                           w.numbers * (in[2] + columns));
    w.v_stride = ead_number_stride(w.grid.block * in[2]);
    w.m_stride = ead_number_stride(w.grid.block * columns);
    w.u_stride = ead_number_stride(columns * in[2]);
    return w;
}

/* ---- weights ---- */

/* Taps of CHANNELS_AT_ONCE input channels from c0 on and one panel of output channels as
 * [tap][channel][panel]. */
static void gather_taps(const Winograd *w, const EadConvGeometry *g, const real *weight, int64_t panel,
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

/* Transformed weights as [number][panel][in channel][panel width]. */
static void prepare(const EadCall *call, const Winograd *w, const EadConvGeometry *g) {
    int taps = w->kernels->kernel * w->kernels->kernel, width = w->simd->panel;
    int64_t groups = w->grid.in_channels / CHANNELS_AT_ONCE;
    real *prepared = call->prepared;
    const real *weight = call->x[1]->data;
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < w->panels * groups; task++) {
        real gathered[TAPS * CHANNELS_AT_ONCE * EAD_SIMD_MAX_PANEL];
        int64_t panel = task / groups, c0 = task % groups * CHANNELS_AT_ONCE;
        gather_taps(w, g, weight, panel, (int)c0, gathered);
        for (int c = 0; c < CHANNELS_AT_ONCE; c++) {
            const real *pointers[TAPS];
            for (int t = 0; t < taps; t++)
                pointers[t] = gathered + ((int64_t)t * CHANNELS_AT_ONCE + c) * width;
            int64_t row = panel * w->grid.in_channels + c0 + c;
            w->kernels->weight(pointers, width, prepared + row * width, w->u_stride);
        }
    }
}

/* ---- a block of tiles ---- */

typedef struct Block {
    const Winograd *w;
    int64_t first, count;
    const real *x, *bias, *zeros;
    const real *u;
    real *v, *m, *y;
    int relu;
} Block;

static void transform_inputs(const Block *b) {
    const EadTileGrid *g = &b->w->grid;
#pragma omp for schedule(static)
    for (int64_t t = 0; t < b->count; t++) {
        const real *pixels[MAX_TILE * MAX_TILE];
        EadTilePlace place = ead_tile_place(g, b->first + t);
        ead_tile_pixels(b->x, place.image, g->in_height, g->in_width, g->in_channels, place.y - g->padding,
                        place.x - g->padding, g->tile, b->zeros, pixels);
        b->w->kernels->input(pixels, g->in_channels, b->v + t * g->in_channels, b->w->v_stride);
    }
}

static void multiply(const Block *b) {
    const Winograd *w = b->w;
    int64_t width = w->simd->panel, k = w->grid.in_channels, columns = w->panels * width;
#pragma omp for schedule(static)
    for (int p = 0; p < w->numbers; p++)
        for (int64_t panel = 0; panel < w->panels; panel++)
            w->simd->product(&(EadPanelProduct){.rows = b->count,
                                                .k = k,
                                                .a = b->v + p * w->v_stride,
                                                .row_stride = k,
                                                .k_stride = 1,
                                                .b = b->u + p * w->u_stride + panel * k * width,
                                                .ldb = width,
                                                .c = b->m + p * w->m_stride + panel * width,
                                                .ldc = columns});
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static void transform_outputs(const Block *b) {
    const Winograd *w = b->w;
    const EadTileGrid *g = &w->grid;
    int64_t columns = w->panels * w->simd->panel, pixel = g->out_channels;
#pragma omp for schedule(static)
    for (int64_t t = 0; t < b->count; t++) {
        EadTilePlace place = ead_tile_place(g, b->first + t);
        int64_t at = ((int64_t)place.image * g->out_height + place.y) * g->out_width + place.x;
        w->kernels->output(b->m + t * columns, w->m_stride, pixel, b->bias, b->relu, b->y + at * pixel,
                           g->out_width * pixel, pixel, smaller(g->outputs, g->out_height - place.y),
                           smaller(g->outputs, g->out_width - place.x));
    }
}

static void run(const EadCall *call, const Winograd *w, const EadConvGeometry *g) {
    if (!call->prepared_once) prepare(call, w, g);
    real *zeros = call->workspace, *v = zeros + ead_round_up(w->grid.in_channels, 16);
    memset(zeros, 0, (size_t)w->grid.in_channels * sizeof(real));
    Block block = {.w = w,
                   .x = call->x[0]->data,
                   .zeros = zeros,
                   .u = call->prepared,
                   .v = v,
                   .m = v + w->numbers * w->v_stride,
                   .y = call->y->data};
    if (!w->flipped) {
        block.bias = call->x[2] ? call->x[2]->data : NULL;
        block.relu = ((const EadConv2d *)call->attributes)->relu;
    }
#pragma omp parallel firstprivate(block)
    for (int64_t first = 0; first < w->grid.tiles; first += w->grid.block) {
        block.first = first;
        block.count = first + w->grid.block < w->grid.tiles ? w->grid.block : w->grid.tiles - first;
        transform_inputs(&block);
        multiply(&block);
        transform_outputs(&block);
    }
}

static void plan(EadCall *call, const Winograd *w) {
    int64_t numbers = w->numbers * (w->v_stride + w->m_stride) + ead_round_up(w->grid.in_channels, 16);
    double columns = (double)(w->panels * w->simd->panel);
    call->algorithm = w->kernels->tile == 8 ? "winograd8" : "winograd6";
    call->multiply_adds = (double)(w->numbers * w->grid.tiles * w->grid.in_channels) * columns;
    call->workspace_bytes = (size_t)numbers * sizeof(real);
    call->prepared_bytes = (size_t)(w->numbers * w->u_stride) * sizeof(real);
}

/* ---- the entry points: forward and input gradient, tile 6 and 8 ---- */

#define ENTRY(tile)                                                                                          \
    static void forward_##tile(const EadCall *call) {                                                        \
        EadConvGeometry g = ead_conv_geometry(call);                                                         \
        Winograd w = describe(&g, tile, false);                                                              \
        run(call, &w, &g);                                                                                   \
    }                                                                                                        \
    static void prepare_forward_##tile(const EadCall *call) {                                                \
        EadConvGeometry g = ead_conv_geometry(call);                                                         \
        Winograd w = describe(&g, tile, false);                                                              \
        prepare(call, &w, &g);                                                                               \
    }                                                                                                        \
    static void input_gradient_##tile(const EadCall *call) {                                                 \
        EadConvGeometry g = ead_conv_input_gradient_geometry(call);                                          \
        Winograd w = describe(&g, tile, true);                                                               \
        run(call, &w, &g);                                                                                   \
    }                                                                                                        \
    static void prepare_input_gradient_##tile(const EadCall *call) {                                         \
        EadConvGeometry g = ead_conv_input_gradient_geometry(call);                                          \
        Winograd w = describe(&g, tile, true);                                                               \
        prepare(call, &w, &g);                                                                               \
    }

ENTRY(6)
ENTRY(8)

void ead_conv2d_winograd_plan(EadCall *call, int tile) {
    EadConvGeometry g = ead_conv_geometry(call);
    Winograd w = describe(&g, tile, false);
    plan(call, &w);
    call->run = tile == 8 ? forward_8 : forward_6;
    call->prepare = tile == 8 ? prepare_forward_8 : prepare_forward_6;
}

void ead_conv2d_input_gradient_winograd_plan(EadCall *call, int tile) {
    EadConvGeometry g = ead_conv_input_gradient_geometry(call);
    Winograd w = describe(&g, tile, true);
    plan(call, &w);
    call->run = tile == 8 ? input_gradient_8 : input_gradient_6;
    call->prepare = tile == 8 ? prepare_input_gradient_8 : prepare_input_gradient_6;
}
