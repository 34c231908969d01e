/* Winograd forward and input gradient: the input gradient of a convolution is the convolution of dy with the
 * flipped kernel, input and output channels exchanged, so one driver serves both.
 *
 * A block of tiles at a time: transform the inputs; for each of the 64 numbers one product [tiles, in]
 * x [in, out]; transform back with bias and ReLU. Two ways to share that out: where the transformed
 * weights stay in the last-level cache, each thread has blocks of its own, small enough for its second-level
 * cache, transforms back after every panel and waits for nobody. Where they do not, they are what is slow to
 * read: all threads work on the same block, as large as the last-level cache allows, and read each weight
 * once. Blocks, or parts of a shared one, are taken by whoever is free, so that a thread that other work holds up
 * costs no more than its part. Nothing depends on how many threads there are, nor on who takes what. */
#include "core/ops/conv2d/cpu/winograd_blocks.h"

#include "core/ops/conv2d/conv2d.h"

#include <math.h>
#include <omp.h>
#include <string.h>

bool ead_conv2d_winograd_fits(const EadConvGeometry *g) {
    bool channels = g->i % EAD_SIMD_MAX_VECTOR == 0 && g->o % EAD_SIMD_MAX_VECTOR == 0;
    return channels && g->kh == g->kw && (g->kh == 3 || g->kh == 4) && g->stride == 1 && g->padding < g->kh;
}

/* Reals and tiles of a shared block. */
enum { SHARED_BLOCK = 5 << 20, MIN_BLOCK = 24, MAX_BLOCK = 256 };

/* Tiles and numbers of a shared block that a thread takes at a time. */
enum { TILES_TAKEN = 4, NUMBERS_TAKEN = 2 };

typedef struct Convolution {
    EadWinograd w;
    bool own_blocks;       /* each thread has its own */
    int64_t blocks, parts; /* of an own block's panels, each for whoever is free */
    real *saved_input;     /* the transformed inputs of all tiles, for the weight gradient; NULL: not saved */
    const real *x, *bias, *zeros, *u;
    real *workspace, *y;
    bool relu;
} Convolution;

static EadConvGeometry geometry(const EadCall *call, bool flipped) {
    return flipped ? ead_conv_input_gradient_geometry(call) : ead_conv_geometry(call);
}

static int64_t parts_of(int64_t whole, int64_t part) {
    return (whole + part - 1) / part;
}

/* About the cycles that a thread takes for a block of so many tiles and panels: transforms of one vector of a tile, the
 * product's multiplications, two vectors a cycle, and the weights, which come from the last-level cache. */
static double block_cycles(const EadWinograd *w, int64_t tiles, int64_t panels) {
    enum { INPUT = 300, OUTPUT = 250, BYTES_A_CYCLE = 8, LEAST_ROWS = 2 };
    int64_t rest = tiles % EAD_SIMD_ROWS, lanes = w->simd->narrow, vectors = w->simd->panel / lanes;
    int64_t rows = tiles - rest + (rest == 0 ? 0 : rest < LEAST_ROWS ? LEAST_ROWS : rest);
    double multiplications = (double)(vectors * rows) / 2;
    double weights = (double)((size_t)w->simd->panel * sizeof(real)) / BYTES_A_CYCLE;
    double product = (double)(EAD_WINOGRAD_NUMBERS * w->grid.in_channels) *
                     (multiplications > weights ? multiplications : weights);
    return (double)(tiles * w->grid.in_channels / lanes * INPUT) +
           (double)panels * (product + (double)(tiles * vectors * OUTPUT));
}

/* Own blocks, and parts of their panels, so that all threads together are done first; none has fewer tiles than the product's
 * register block is high. With parts several threads transform the same inputs, which must then not be saved. */
static void share_out(Convolution *r, int threads, bool saves) {
    int64_t tiles = r->w.grid.tiles, fewest = parts_of(tiles, EAD_WINOGRAD_BLOCK);
    int64_t most = ead_min64(1 + (tiles - 1) / EAD_SIMD_ROWS, fewest > threads ? fewest : threads);
    double least = INFINITY;
    for (int64_t blocks = fewest; blocks <= most; blocks++)
        for (int64_t parts = 1; parts <= (saves ? 1 : r->w.panels); parts++) {
            double rounds = (double)parts_of(blocks * parts, threads);
            double cycles =
                rounds * block_cycles(&r->w, parts_of(tiles, blocks), parts_of(r->w.panels, parts));
            if (!(cycles < least)) continue;
            least = cycles;
            r->blocks = blocks, r->parts = parts;
        }
}

/* By the call's plan; one that has none yet gets it for the threads that there are. */
static Convolution describe(const EadCall *call, bool flipped) {
    EadConvGeometry g = geometry(call, flipped);
    Convolution r = {.w = ead_winograd(&g, flipped), .parts = 1};
    int64_t tiles = r.w.grid.tiles, channels = r.w.grid.in_channels + r.w.panels * r.w.simd->panel;
    int64_t fit = ead_min(SHARED_BLOCK / (EAD_WINOGRAD_NUMBERS * channels), MAX_BLOCK);
    r.own_blocks = ead_winograd_own_blocks(&r.w);
    r.blocks = parts_of(tiles, fit < MIN_BLOCK ? MIN_BLOCK : fit);
    if (r.own_blocks && call->choice[0])
        r.blocks = call->choice[0], r.parts = call->choice[1];
    else if (r.own_blocks)
        share_out(&r, omp_get_max_threads(), call->saved_bytes > 0);
    ead_winograd_blocks(&r.w, (tiles + r.blocks - 1) / r.blocks, r.own_blocks ? 1 : r.w.panels);
    if (call->saved_bytes) {
        r.saved_input = call->saved_input;
        r.w.v_stride = ead_winograd_saved_stride(&r.w.grid);
        r.w.v_size = 0;
    }
    return r;
}

static void transform_outputs(const Convolution *r, const EadTilePlace *places, EadRange tiles, int64_t panel,
                              const real *m) {
    const EadTileGrid *g = &r->w.grid;
    int64_t width = r->w.together * r->w.simd->panel, channel = panel * r->w.simd->panel;
    int64_t pixel = g->out_channels;
    const real *bias = r->bias ? r->bias + channel : NULL;
    for (int64_t t = tiles.begin; t < tiles.end; t++) {
        const EadTilePlace *at = &places[t];
        int64_t first = ((int64_t)at->image * g->out_height + at->y) * g->out_width + at->x;
        r->w.kernels->output(m + t * width, r->w.m_stride, ead_min(width, pixel - channel), bias, r->relu,
                             r->y + first * pixel + channel, g->out_width * pixel, pixel,
                             ead_min(g->outputs, g->out_height - at->y),
                             ead_min(g->outputs, g->out_width - at->x));
    }
}

/* A block of tiles and its memory: transformed inputs, which may be saved elsewhere, and products. */
typedef struct WinogradBlock {
    EadTilePlace places[MAX_BLOCK];
    int64_t count;
    real *v, *m;
} WinogradBlock;

static void find_block(const Convolution *r, int64_t index, real *memory, WinogradBlock *b) {
    const EadWinograd *w = &r->w;
    int64_t first = w->grid.tiles * index / r->blocks;
    b->count = w->grid.tiles * (index + 1) / r->blocks - first;
    b->v = r->saved_input ? r->saved_input + first * w->grid.in_channels : memory;
    b->m = memory + w->v_size;
    for (int64_t t = 0; t < b->count; t++) b->places[t] = ead_tile_place(&w->grid, first + t);
}

static void run_own_block(const Convolution *r, int64_t task, real *memory) {
    WinogradBlock b;
    int64_t part = task % r->parts;
    find_block(r, task / r->parts, memory, &b);
    EadRange all = {0, b.count};
    ead_winograd_inputs(&r->w, b.places, all, r->x, r->zeros, b.v);
    for (int64_t panel = r->w.panels * part / r->parts; panel < r->w.panels * (part + 1) / r->parts;
         panel++) {
        ead_winograd_multiply(&r->w, b.count, EAD_ALL_NUMBERS, b.v, r->u, panel, b.m);
        transform_outputs(r, b.places, all, panel, b.m);
    }
}

/* By all threads of a team, each of which takes the next few tiles or numbers that nobody has taken. */
static void run_shared_block(const Convolution *r, int64_t index, real *memory) {
    WinogradBlock b;
    find_block(r, index, memory, &b);
#pragma omp for schedule(dynamic)
    for (int64_t t = 0; t < b.count; t += TILES_TAKEN)
        ead_winograd_inputs(&r->w, b.places, (EadRange){t, ead_min64(t + TILES_TAKEN, b.count)}, r->x,
                            r->zeros, b.v);
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < EAD_WINOGRAD_NUMBERS; p += NUMBERS_TAKEN)
        ead_winograd_multiply(&r->w, b.count, (EadRange){p, p + NUMBERS_TAKEN}, b.v, r->u, 0, b.m);
#pragma omp for schedule(dynamic)
    for (int64_t t = 0; t < b.count; t += TILES_TAKEN)
        transform_outputs(r, b.places, (EadRange){t, ead_min64(t + TILES_TAKEN, b.count)}, 0, b.m);
}

static void pack_weights(const EadCall *call, bool flipped) {
    EadConvGeometry g = geometry(call, flipped);
    EadWinograd w = ead_winograd(&g, flipped);
    ead_winograd_pack_weights(&w, &g, call->x[1]->data, call->packed);
}

static void run(const EadCall *call, bool flipped) {
    Convolution r = describe(call, flipped);
    if (!call->packed_at_plan) pack_weights(call, flipped);
    r.zeros = memset(call->workspace, 0, (size_t)r.w.grid.in_channels * sizeof(real));
    r.workspace = (real *)call->workspace + ead_round_up(r.w.grid.in_channels, 16);
    r.x = call->x[0]->data, r.u = call->packed, r.y = call->y->data;
    if (!flipped) {
        r.bias = call->x[2] ? call->x[2]->data : NULL;
        r.relu = ((const EadConv2d *)call->attributes)->relu;
    }
    if (r.own_blocks) {
#pragma omp parallel for schedule(dynamic)
        for (int64_t task = 0; task < r.blocks * r.parts; task++)
            run_own_block(&r, task, r.workspace + omp_get_thread_num() * (r.w.v_size + r.w.m_size));
    } else {
#pragma omp parallel
        for (int64_t b = 0; b < r.blocks; b++) run_shared_block(&r, b, r.workspace);
    }
}

static void plan(EadCall *call, bool flipped) {
    call->choice[0] = 0;
    Convolution r = describe(call, flipped);
    const EadWinograd *w = &r.w;
    int owners = r.own_blocks ? omp_get_max_threads() : 1;
    int64_t reals = owners * (w->v_size + w->m_size) + ead_round_up(w->grid.in_channels, 16);
    ead_winograd_describe_call(w, reals, call);
    call->choice[0] = (int)r.blocks, call->choice[1] = (int)r.parts;
}

static void forward(const EadCall *call) {
    run(call, false);
}
static void pack_forward(const EadCall *call) {
    pack_weights(call, false);
}
static void input_gradient(const EadCall *call) {
    run(call, true);
}
static void pack_input_gradient(const EadCall *call) {
    pack_weights(call, true);
}

void ead_conv2d_winograd_plan(EadCall *call) {
    plan(call, false);
    call->run = forward;
    call->pack_weights = pack_forward;
}

bool ead_conv2d_is_winograd(const EadCall *call) {
    return call->run == forward;
}

void ead_conv2d_input_gradient_winograd_plan(EadCall *call) {
    plan(call, true);
    call->run = input_gradient;
    call->pack_weights = pack_input_gradient;
}
