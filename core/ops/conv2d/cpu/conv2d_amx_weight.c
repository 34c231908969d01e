/* Weight gradient in bf16 on AMX: for every tap dw = dy^T x, summed over positions of the raster of x
 * (amx_layout.h), where dy is zero at those that belong to no output.
 *
 * Positions being what is summed over, dy is transposed and x interleaved in pairs of positions. A tap's
 * shift may be odd, so x is kept twice: pairs that begin at even positions, and at odd ones. A task is 32
 * output by 32 input channels of one kernel row and runs over all positions in order. */
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

#include "core/ops/conv2d/cpu/amx_layout.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

enum { CHUNK = 8, PANEL = 16, NUMBERS_A_LINE = 32 };

typedef struct Weight {
    const EadAmx *amx;
    EadConvGeometry g;
    EadAmxRaster raster;
    int64_t outputs, inputs; /* blocks of 32 channels */
    int64_t blocks;          /* of 32 positions, an image */
    int64_t panel, copy;     /* numbers of a panel of 16 channels of x, of one of the two copies */
    int64_t zero_count;
    const real *x, *dy;
    real *zeros, *dw;
    uint16_t *pairs;      /* [2][panel of 16 channels][pair of positions][16][2] */
    uint16_t *transposed; /* [outputs][image][block][32 channels][32 positions] */
    float *sums;          /* [thread][kw] */
} Weight;

static Weight describe(const EadCall *call) {
    Weight w = {.amx = call->amx, .g = ead_conv_weight_gradient_geometry(call)};
    w.raster = ead_amx_input_raster(&w.g);
    w.outputs = ead_amx_block_count(w.g.o);
    w.inputs = ead_amx_block_count(w.g.i);
    w.blocks = ead_amx_blocks(&w.raster, w.g.oh, w.g.ow);
    w.panel = w.raster.positions / 2 * NUMBERS_A_LINE;
    w.copy = 2 * w.inputs * w.panel;
    w.zero_count = (w.outputs > w.inputs ? w.outputs : w.inputs) * EAD_AMX_BLOCK;
    return w;
}

static void pair_pixels(const Weight *w) {
#pragma omp for schedule(static)
    for (int64_t p = 0; p < w->raster.positions; p += 2) {
        const real *pixels[3];
        for (int i = 0; i < 3; i++) pixels[i] = ead_amx_pixel(&w->raster, w->x, p + i, w->zeros);
        for (int copy = 0; copy < 2; copy++)
            w->amx->pair(pixels[copy], pixels[copy + 1], w->g.i, (int)(2 * w->inputs),
                         w->pairs + copy * w->copy + p / 2 * NUMBERS_A_LINE, w->panel);
    }
}

/* Where dy's channels begin at a position of its image; zeros between the outputs' rows. */
static const real *output_pixel(const Weight *w, int64_t image, int64_t position) {
    int64_t row = position / w->raster.columns, column = position % w->raster.columns;
    if (row >= w->g.oh || column >= w->g.ow) return w->zeros;
    return w->dy + ((image * w->g.oh + row) * w->g.ow + column) * w->g.o;
}

static void transpose_outputs(const Weight *w) {
#pragma omp for schedule(static)
    for (int64_t task = 0; task < w->g.n * w->blocks; task++) {
        int64_t image = task / w->blocks, block = task % w->blocks;
        const real *pixels[EAD_AMX_BLOCK];
        for (int p = 0; p < EAD_AMX_BLOCK; p++) pixels[p] = output_pixel(w, image, block * EAD_AMX_BLOCK + p);
        for (int64_t o = 0; o < w->outputs; o++) {
            uint16_t pairs[EAD_AMX_STEP]; /* [panel][16 pairs of positions][16 channels][2] */
            int count = ead_min(w->g.o - o * EAD_AMX_BLOCK, EAD_AMX_BLOCK);
            uint16_t *to = w->transposed + ((o * w->g.n + image) * w->blocks + block) * EAD_AMX_STEP;
            for (int p = 0; p < EAD_AMX_BLOCK; p += 2)
                w->amx->pair(pixels[p] + o * EAD_AMX_BLOCK, pixels[p + 1] + o * EAD_AMX_BLOCK, count, 2,
                             pairs + p / 2 * NUMBERS_A_LINE, EAD_AMX_TILE);
            ead_amx_transpose(pairs, to);
            ead_amx_transpose(pairs + EAD_AMX_TILE, to + EAD_AMX_TILE);
        }
    }
}

/* Adds CHUNK blocks of positions to the sums of every tap of a kernel row; dy stays in the cache. */
static void add_blocks(const Weight *w, int64_t o, int64_t i, int ky, int64_t image, int64_t block,
                       float *sums) {
    enum { STEP = EAD_AMX_STEP };
    static const int64_t at[CHUNK] = {0, STEP, 2 * STEP, 3 * STEP, 4 * STEP, 5 * STEP, 6 * STEP, 7 * STEP};
    const uint16_t *a = w->transposed + ((o * w->g.n + image) * w->blocks + block) * EAD_AMX_STEP;
    for (int kx = 0; kx < w->g.kw; kx++) {
        int64_t position =
            image * w->raster.image + block * EAD_AMX_BLOCK + ead_amx_shift(&w->raster, ky, kx);
        const uint16_t *copy = w->pairs + position % 2 * w->copy;
        w->amx->product(&(EadAmxProduct){.steps = ead_min(w->blocks - block, CHUNK),
                                         .a = a,
                                         .a_offsets = at,
                                         .b = copy + 2 * i * w->panel + position / 2 * NUMBERS_A_LINE,
                                         .b_step = EAD_AMX_TILE,
                                         .b_half = w->panel,
                                         .sums = sums + (int64_t)kx * EAD_AMX_SUMS,
                                         .accumulate = image > 0 || block > 0});
    }
}

static void run_task(const Weight *w, int64_t o, int64_t i, int ky, float *sums) {
    int rows = ead_min(w->g.o - o * EAD_AMX_BLOCK, EAD_AMX_BLOCK);
    int columns = ead_min(w->g.i - i * EAD_AMX_BLOCK, EAD_AMX_BLOCK);
    for (int image = 0; image < w->g.n; image++)
        for (int64_t block = 0; block < w->blocks; block += CHUNK)
            add_blocks(w, o, i, ky, image, block, sums);
    for (int row = 0; row < rows; row++)
        for (int kx = 0; kx < w->g.kw; kx++) {
            int64_t tap = ((o * EAD_AMX_BLOCK + row) * w->g.kh + ky) * w->g.kw + kx;
            w->amx->finish(sums + kx * EAD_AMX_SUMS + row * EAD_AMX_BLOCK, columns, NULL, false,
                           w->dw + tap * w->g.i + i * EAD_AMX_BLOCK);
        }
}

static int64_t transposed_numbers(const Weight *w) {
    return w->outputs * w->g.n * w->blocks * EAD_AMX_STEP;
}

static void run(const EadCall *call) {
    Weight w = describe(call);
    w.dy = call->x[0]->data;
    w.x = call->x[1]->data;
    w.dw = call->y->data;
    w.pairs = call->workspace;
    w.transposed = w.pairs + 2 * w.copy;
    w.sums = (float *)(void *)(w.transposed + transposed_numbers(&w));
    w.zeros = (real *)(void *)(w.sums + (int64_t)omp_get_max_threads() * w.g.kw * EAD_AMX_SUMS);
    memset(w.zeros, 0, (size_t)w.zero_count * sizeof(real));
#pragma omp parallel
    {
        float *sums = w.sums + (int64_t)omp_get_thread_num() * w.g.kw * EAD_AMX_SUMS;
        pair_pixels(&w);
        transpose_outputs(&w);
        w.amx->begin();
#pragma omp for schedule(static)
        for (int64_t task = 0; task < w.outputs * w.inputs * w.g.kh; task++)
            run_task(&w, task / w.g.kh / w.inputs, task / w.g.kh % w.inputs, (int)(task % w.g.kh), sums);
        w.amx->end();
    }
}

void ead_conv2d_weight_gradient_amx_plan(EadCall *call) {
    Weight w = describe(call);
    int64_t numbers = 2 * w.copy + transposed_numbers(&w);
    int64_t positions = w.g.n * w.blocks * EAD_AMX_BLOCK, taps = (int64_t)w.g.kh * w.g.kw;
    call->algorithm = "amx";
    call->multiply_adds = (double)(positions * taps) * (double)(w.outputs * w.inputs * EAD_AMX_SUMS);
    call->run = run;
    call->workspace_bytes = (size_t)numbers * sizeof(uint16_t) +
                            (size_t)(omp_get_max_threads() * w.g.kw * EAD_AMX_SUMS) * sizeof(float) +
                            (size_t)w.zero_count * sizeof(real);
}
