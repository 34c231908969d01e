/* Forward and input gradient in bf16 on AMX. Both are passes over a raster (amx_layout.h): forward is one
 * pass over x, the input gradient one over dy for each phase of the stride, with flipped weights.
 *
 * A pass sums over steps, each 32 input channels under one tap, channels outermost: CHUNK steps' weights and
 * the pixels under them fit the first-level cache together, while a group of blocks of positions is taken
 * through the chunk. Weights are packed once, as tiles in the order of the steps. */
#include "core/ops/conv2d/cpu/conv2d_cpu.h"

#include "core/ops/conv2d/cpu/amx_layout.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

enum { CHUNK = 16, MAX_GROUP = 8, TASKS_A_THREAD = 4, NUMBERS_A_LINE = 32 };

typedef struct Amx {
    const EadAmx *amx;
    EadConvGeometry g;
    EadAmxRaster raster;
    bool flipped;           /* input gradient */
    int in, out;            /* channels of the products */
    int64_t chunks, panels; /* blocks of 32 of them */
    int passes;
    uint16_t *pixels; /* [chunks][positions][32] */
    int64_t *offsets; /* of a pass's steps */
    float *sums;      /* [thread][MAX_GROUP] */
} Amx;

typedef struct AmxPass {
    EadConvPhase phase;     /* of the output; the forward output is one phase of stride 1 */
    int origin_y, origin_x; /* of the first tap, from the corner of an output's patch */
    int64_t taps, steps;
    int64_t weights; /* packed numbers of the passes before */
} AmxPass;

static Amx describe(const EadCall *call, bool flipped) {
    EadConvGeometry g = flipped ? ead_conv_input_gradient_geometry(call) : ead_conv_geometry(call);
    Amx a = {.amx = call->amx, .g = g, .flipped = flipped, .in = flipped ? g.o : g.i};
    a.out = flipped ? g.i : g.o;
    a.chunks = ead_amx_block_count(a.in);
    a.panels = ead_amx_block_count(a.out);
    a.raster = flipped ? ead_amx_output_raster(&g) : ead_amx_input_raster(&g);
    a.passes = flipped ? g.stride * g.stride : 1;
    return a;
}

static AmxPass describe_pass(const Amx *a, int index, int64_t weights) {
    const EadConvGeometry *g = &a->g;
    AmxPass p = {.phase = {.rows = g->oh, .columns = g->ow, .taps_y = g->kh, .taps_x = g->kw},
                 .weights = weights};
    if (a->flipped) {
        p.phase = ead_phase(g, index / g->stride, index % g->stride);
        p.origin_y = (p.phase.first_y + g->padding - p.phase.tap_y) / g->stride + a->raster.before_y;
        p.origin_x = (p.phase.first_x + g->padding - p.phase.tap_x) / g->stride + a->raster.before_x;
    }
    p.taps = (int64_t)p.phase.taps_y * p.phase.taps_x;
    p.steps = p.taps * a->chunks;
    return p;
}

static int64_t pass_weights(const Amx *a, const AmxPass *p) {
    return a->panels * p->steps * EAD_AMX_STEP;
}

/* ---- weights: [pass][panel][step][half][16 pairs of inputs][16 outputs][2] ---- */

/* 32 x 32 weights of one tap: outputs follow each other at a distance, inputs lie side by side. */
static void pack_forward(const Amx *a, const real *weight, int64_t panel, int64_t chunk, int64_t tap,
                         uint16_t *to) {
    int64_t taps = (int64_t)a->g.kh * a->g.kw, o = panel * EAD_AMX_BLOCK, i = chunk * EAD_AMX_BLOCK;
    uint16_t rows[EAD_AMX_STEP] = {0};
    a->amx->narrow(weight + (o * taps + tap) * a->in + i, taps * a->in, ead_min(a->out - o, EAD_AMX_BLOCK),
                   ead_min(a->in - i, EAD_AMX_BLOCK), rows);
    ead_amx_transpose(rows, to);
    ead_amx_transpose(rows + EAD_AMX_TILE, to + EAD_AMX_TILE);
}

/* The same with inputs and outputs exchanged: outputs lie side by side. */
static void pack_flipped(const Amx *a, const real *weight, int64_t panel, int64_t chunk, int64_t tap,
                         uint16_t *to) {
    static const real zeros[EAD_AMX_BLOCK];
    int64_t input = (int64_t)a->g.kh * a->g.kw * a->out; /* from one input's weights to the next's */
    int64_t first = chunk * EAD_AMX_BLOCK;
    int count = ead_min(a->out - panel * EAD_AMX_BLOCK, EAD_AMX_BLOCK);
    weight += tap * a->out + panel * EAD_AMX_BLOCK;
    for (int64_t i = first; i < first + EAD_AMX_BLOCK; i += 2, to += NUMBERS_A_LINE)
        a->amx->pair(i < a->in ? weight + i * input : zeros, i + 1 < a->in ? weight + (i + 1) * input : zeros,
                     count, 2, to, EAD_AMX_TILE);
}

static void pack_weights(const EadCall *call, Amx a) {
    uint16_t *packed = call->packed;
    int stride = a.flipped ? a.g.stride : 1;
    for (int i = 0; i < a.passes; i++) {
        AmxPass p = describe_pass(&a, i, 0);
#pragma omp parallel for schedule(static)
        for (int64_t task = 0; task < a.panels * p.steps; task++) {
            int64_t step = task % p.steps, t = step % p.taps;
            int64_t ky = p.phase.tap_y + t / p.phase.taps_x * stride;
            int64_t kx = p.phase.tap_x + t % p.phase.taps_x * stride;
            (a.flipped ? pack_flipped : pack_forward)(&a, call->x[1]->data, task / p.steps, step / p.taps,
                                                      ky * a.g.kw + kx, packed + task * EAD_AMX_STEP);
        }
        packed += pass_weights(&a, &p);
    }
}

/* ---- pixels ---- */

/* One row of the raster, every chunk of channels into its own part. */
static void narrow_row(const Amx *a, const real *tensor, int64_t image, int64_t row) {
    const EadAmxRaster *r = &a->raster;
    int64_t plane = row / r->rows, y = row % r->rows * r->stride + plane / r->stride - r->before_y;
    int shift = (int)(plane % r->stride) - r->before_x, s = r->stride; /* column c shows x = c * s + shift */
    int first = shift < 0 ? ead_min((-shift + s - 1) / s, r->columns) : 0;
    int last = r->width > shift ? ead_min((r->width - shift + s - 1) / s, r->columns) : 0;
    if (y < 0 || y >= r->height || last < first) y = first = last = 0;
    const real *from = tensor + ((image * r->height + y) * r->width + first * s + shift) * r->channels;
    uint16_t *to = a->pixels + (image * r->image + row * r->columns) * NUMBERS_A_LINE;
    for (int64_t c = 0; c < r->channels; c += EAD_AMX_BLOCK, to += r->positions * NUMBERS_A_LINE) {
        size_t line = NUMBERS_A_LINE * sizeof *to;
        memset(to, 0, (size_t)first * line);
        if (first < last)
            a->amx->narrow(from + c, (int64_t)s * r->channels, last - first,
                           ead_min(r->channels - c, EAD_AMX_BLOCK), to + (int64_t)first * NUMBERS_A_LINE);
        memset(to + (int64_t)last * NUMBERS_A_LINE, 0, (size_t)(r->columns - last) * line);
    }
}

/* Positions after the last image belong to no output; they only must be numbers. */
static void narrow_pixels(const Amx *a, const real *tensor) {
    const EadAmxRaster *r = &a->raster;
    int64_t rows = (int64_t)r->planes * r->rows, end = r->images * r->image;
    size_t rest = (size_t)((r->positions - end) * NUMBERS_A_LINE) * sizeof *a->pixels;
#pragma omp for schedule(static)
    for (int64_t task = 0; task < r->images * rows; task++) narrow_row(a, tensor, task / rows, task % rows);
#pragma omp for schedule(static)
    for (int64_t chunk = 0; chunk < a->chunks; chunk++)
        memset(a->pixels + (chunk * r->positions + end) * NUMBERS_A_LINE, 0, rest);
}

/* ---- a pass ---- */

static void set_offsets(const Amx *a, const AmxPass *p) {
    int direction = a->flipped ? -1 : 1;
    for (int64_t step = 0; step < p->steps; step++) {
        int tap_y = (int)(step % p->taps) / p->phase.taps_x, tap_x = (int)(step % p->taps) % p->phase.taps_x;
        int64_t shift =
            ead_amx_shift(&a->raster, p->origin_y + direction * tap_y, p->origin_x + direction * tap_x);
        a->offsets[step] = (step / p->taps * a->raster.positions + shift) * NUMBERS_A_LINE;
    }
}

/* A group of blocks of positions of one image for one panel of output channels. */
typedef struct BlockGroup {
    int64_t image, panel, first, blocks;
    float *sums;
} BlockGroup;

static void multiply(const Amx *a, const AmxPass *p, const uint16_t *weights, const BlockGroup *group) {
    const uint16_t *b = weights + group->panel * p->steps * EAD_AMX_STEP;
    const uint16_t *pixels =
        a->pixels + (group->image * a->raster.image + group->first * EAD_AMX_BLOCK) * NUMBERS_A_LINE;
    if (p->steps == 0) memset(group->sums, 0, (size_t)(group->blocks * EAD_AMX_SUMS) * sizeof(float));
    for (int64_t step = 0; step < p->steps; step += CHUNK, b += CHUNK * EAD_AMX_STEP)
        for (int64_t block = 0; block < group->blocks; block++)
            a->amx->product(&(EadAmxProduct){.steps = ead_min(p->steps - step, CHUNK),
                                             .a = pixels + block * EAD_AMX_BLOCK * NUMBERS_A_LINE,
                                             .a_offsets = a->offsets + step,
                                             .b = b,
                                             .b_step = EAD_AMX_STEP,
                                             .b_half = EAD_AMX_TILE,
                                             .sums = group->sums + block * EAD_AMX_SUMS,
                                             .accumulate = step > 0});
}

static void write_outputs(const EadCall *call, const Amx *a, const AmxPass *p, const BlockGroup *group) {
    const EadTensor *y = call->y, *bias = a->flipped ? NULL : call->x[2];
    bool relu = !a->flipped && ((const EadConv2d *)call->attributes)->relu;
    int64_t c = group->panel * EAD_AMX_BLOCK, first = group->first * EAD_AMX_BLOCK;
    int64_t row = first / a->raster.columns, column = first % a->raster.columns;
    int step = a->flipped ? a->g.stride : 1, count = ead_min(a->out - c, EAD_AMX_BLOCK);
    for (int64_t q = 0; q < group->blocks * EAD_AMX_BLOCK && row < p->phase.rows; q++) {
        int64_t iy = p->phase.first_y + row * step, ix = p->phase.first_x + column * step;
        if (column < p->phase.columns)
            a->amx->finish(group->sums + q * EAD_AMX_BLOCK, count, bias ? (const real *)bias->data + c : NULL,
                           relu, (real *)y->data + ((group->image * y->h + iy) * y->w + ix) * a->out + c);
        if (++column == a->raster.columns) column = 0, row++;
    }
}

/* Panels outermost: a thread keeps a panel's weights in its second-level cache. */
static void run_pass(const EadCall *call, const Amx *a, const AmxPass *p) {
    const uint16_t *weights = (const uint16_t *)call->packed + p->weights;
    int64_t blocks = ead_amx_blocks(&a->raster, p->phase.rows, p->phase.columns);
    /* groups as large as leaves every thread some; their size changes no result */
    int64_t parts = a->panels * a->raster.images, size = MAX_GROUP;
    while (size > 1 && parts * ((blocks + size - 1) / size) < TASKS_A_THREAD * omp_get_max_threads())
        size /= 2;
    int64_t groups = (blocks + size - 1) / size;
    set_offsets(a, p);
#pragma omp parallel
    {
        a->amx->begin();
#pragma omp for schedule(static)
        for (int64_t task = 0; task < parts * groups; task++) {
            int64_t first = task % groups * size;
            BlockGroup group = {.panel = task / groups / a->raster.images,
                                .image = task / groups % a->raster.images,
                                .first = first,
                                .blocks = ead_min(blocks - first, size),
                                .sums = a->sums + omp_get_thread_num() * MAX_GROUP * EAD_AMX_SUMS};
            multiply(a, p, weights, &group);
            write_outputs(call, a, p, &group);
        }
        a->amx->end();
    }
}

/* ---- workspace, entry points ---- */

static int64_t pixel_numbers(const Amx *a) {
    return a->chunks * a->raster.positions * NUMBERS_A_LINE;
}

/* Steps of the pass that has most, rounded up to whole cache lines. */
static int64_t max_steps(const Amx *a) {
    return (a->g.kh * a->g.kw * a->chunks + 7) / 8 * 8;
}

static void run(const EadCall *call, Amx a) {
    int64_t weights = 0;
    a.pixels = call->workspace;
    a.offsets = (int64_t *)(void *)(a.pixels + pixel_numbers(&a));
    a.sums = (float *)(a.offsets + max_steps(&a));
    if (!call->packed_at_plan) pack_weights(call, a);
#pragma omp parallel
    narrow_pixels(&a, call->x[0]->data);
    for (int i = 0; i < a.passes; i++) {
        AmxPass p = describe_pass(&a, i, weights);
        if (p.phase.rows > 0 && p.phase.columns > 0) run_pass(call, &a, &p);
        weights += pass_weights(&a, &p);
    }
}

static void plan(EadCall *call, Amx a) {
    int64_t weights = 0;
    call->algorithm = "amx";
    for (int i = 0; i < a.passes; i++) {
        AmxPass p = describe_pass(&a, i, 0);
        int64_t blocks = a.raster.images * ead_amx_blocks(&a.raster, p.phase.rows, p.phase.columns);
        weights += pass_weights(&a, &p);
        if (p.phase.rows > 0 && p.phase.columns > 0)
            call->multiply_adds += (double)(blocks * EAD_AMX_BLOCK) * (double)pass_weights(&a, &p);
    }
    call->packed_bytes = (size_t)weights * sizeof(uint16_t);
    call->workspace_bytes = (size_t)pixel_numbers(&a) * sizeof(uint16_t) +
                            (size_t)max_steps(&a) * sizeof(int64_t) +
                            (size_t)(omp_get_max_threads() * MAX_GROUP * EAD_AMX_SUMS) * sizeof(float);
}

static void forward(const EadCall *call) {
    run(call, describe(call, false));
}
static void pack_weights_forward(const EadCall *call) {
    pack_weights(call, describe(call, false));
}
static void input_gradient(const EadCall *call) {
    run(call, describe(call, true));
}
static void pack_weights_input_gradient(const EadCall *call) {
    pack_weights(call, describe(call, true));
}

void ead_conv2d_amx_plan(EadCall *call) {
    plan(call, describe(call, false));
    call->run = forward;
    call->pack_weights = pack_weights_forward;
}

void ead_conv2d_input_gradient_amx_plan(EadCall *call) {
    plan(call, describe(call, true));
    call->run = input_gradient;
    call->pack_weights = pack_weights_input_gradient;
}
