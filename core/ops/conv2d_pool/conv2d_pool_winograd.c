/* The fused layer by Winograd. Tiles of a 4x4 kernel have 5x5 outputs, so windows of 2x2 straddle
 * them; they do not straddle blocks of two rows and an even number of columns of tiles. A task is such a
 * block: the outputs of one panel of channels after the other are transformed into a buffer in the thread's
 * cache and averaged from there. The grid begins with the first window, in the padding of the pooling where
 * it has one. */
#include "core/ops/conv2d/cpu/winograd_blocks.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"

#include <omp.h>
#include <string.h>

enum { ROWS = 2 }; /* of tiles in a block */

typedef struct Pooled {
    EadWinograd w;
    int height, width;          /* pooled */
    int rows, columns, padding; /* of the convolution's outputs; padding of the pooling */
    int block_columns;          /* of tiles, even */
    int down, across;           /* blocks of an image */
    int tasks, parts;           /* in all; that share a block's channels */
    int64_t pixel, row;         /* of the buffer: from one pixel and row to the next */
    int64_t buffer, share;      /* reals of the buffer; of a thread's workspace */
    const real *x, *bias, *zeros, *u;
    real *workspace, *y;
    bool relu;
} Pooled;

static int parts(int64_t count, int64_t size) {
    return (int)((count + size - 1) / size);
}

static Pooled describe(const EadCall *call) {
    EadConvGeometry g = ead_conv2d_pool_geometry(call);
    const EadConv2dPool *a = call->attributes;
    Pooled p = {.height = call->y->h, .width = call->y->w, .rows = g.oh, .columns = g.ow};
    p.padding = a->padding;
    p.relu = a->conv.relu;
    g.padding += a->padding;
    g.oh = 2 * p.height;
    g.ow = 2 * p.width;
    p.w = ead_winograd(&g, false);
    const EadTileGrid *grid = &p.w.grid;
    p.across = parts(grid->columns, EAD_WINOGRAD_BLOCK / ROWS);
    p.block_columns = (int)ead_round_up(parts(grid->columns, p.across), 2);
    p.across = parts(grid->columns, p.block_columns);
    p.down = parts(grid->rows, ROWS);
    int blocks = grid->images * p.down * p.across, threads = omp_get_max_threads();
    p.parts = blocks < threads ? ead_min(threads / blocks, p.w.panels) : 1;
    p.tasks = blocks * p.parts;
    ead_winograd_blocks(&p.w, (int64_t)ROWS * p.block_columns, 1);
    p.pixel = p.w.simd->panel;
    p.row = p.block_columns * p.w.grid.outputs * p.pixel;
    p.buffer = ROWS * p.w.grid.outputs * p.row;
    p.share = p.w.v_size + p.w.m_size + ead_round_up(p.buffer, 16);
    return p;
}

/* Tiles [rows][columns] from place (y, x) on. */
typedef struct TileBlock {
    EadTilePlace places[EAD_WINOGRAD_BLOCK + ROWS];
    int image, y, x, rows, columns;
} TileBlock;

static void find_block(const Pooled *p, int index, TileBlock *b) {
    const EadTileGrid *grid = &p->w.grid;
    int row = index / p->across % p->down * ROWS, column = index % p->across * p->block_columns;
    b->image = index / (p->across * p->down);
    b->rows = ead_min(ROWS, grid->rows - row);
    b->columns = ead_min(p->block_columns, grid->columns - column);
    b->y = row * grid->outputs;
    b->x = column * grid->outputs;
    for (int t = 0; t < b->rows * b->columns; t++)
        b->places[t] = (EadTilePlace){.image = b->image,
                                      .y = b->y + t / b->columns * grid->outputs,
                                      .x = b->x + t % b->columns * grid->outputs};
}

/* Zeros where the buffer lies in the padding of the pooling. */
static void clear_padding(const Pooled *p, const TileBlock *b, real *buffer) {
    if (p->padding == 0) return;
    int height = b->rows * p->w.grid.outputs, width = b->columns * p->w.grid.outputs;
    for (int i = 0; i < height; i++) {
        int row = b->y + i - p->padding;
        bool outside = row < 0 || row >= p->rows;
        for (int j = 0; j < width; j++) {
            int column = b->x + j - p->padding;
            if (outside || column < 0 || column >= p->columns)
                memset(buffer + i * p->row + j * p->pixel, 0, (size_t)p->pixel * sizeof(real));
        }
    }
}

static void average(const Pooled *p, const TileBlock *b, int64_t channel, const real *buffer) {
    int outputs = p->w.grid.out_channels, channels = ead_min(p->pixel, outputs - channel);
    int end_y = ead_min(p->height, (b->y + b->rows * p->w.grid.outputs) / 2);
    int end_x = ead_min(p->width, (b->x + b->columns * p->w.grid.outputs) / 2);
    for (int y = b->y / 2; y < end_y; y++)
        for (int x = b->x / 2; x < end_x; x++) {
            const real *x0 = buffer + (2 * y - b->y) * p->row + (2 * x - b->x) * p->pixel;
            const real *x1 = x0 + p->pixel, *x2 = x0 + p->row, *x3 = x1 + p->row;
            real *to = p->y + (((int64_t)b->image * p->height + y) * p->width + x) * outputs + channel;
            for (int c = 0; c < channels; c++) to[c] = (((x0[c] + x1[c]) + x2[c]) + x3[c]) * (real)0.25;
        }
}

static void run_task(const Pooled *p, int task, real *v) {
    const EadWinograd *w = &p->w;
    real *m = v + w->v_size, *buffer = m + w->m_size;
    int part = task % p->parts;
    TileBlock b;
    find_block(p, task / p->parts, &b);
    int count = b.rows * b.columns;
    ead_winograd_inputs(w, b.places, (EadRange){0, count}, p->x, p->zeros, v);
    for (int64_t panel = w->panels * part / p->parts; panel < w->panels * (part + 1) / p->parts; panel++) {
        int64_t channel = panel * p->pixel, channels = ead_min(p->pixel, w->grid.out_channels - channel);
        const real *bias = p->bias ? p->bias + channel : NULL;
        ead_winograd_multiply(w, count, EAD_ALL_NUMBERS, v, p->u, panel, m);
        for (int t = 0; t < count; t++) {
            real *to = buffer + (b.places[t].y - b.y) * p->row + (b.places[t].x - b.x) * p->pixel;
            w->kernels->output(m + t * p->pixel, w->m_stride, channels, bias, p->relu, to, p->row, p->pixel,
                               w->grid.outputs, w->grid.outputs);
        }
        clear_padding(p, &b, buffer);
        average(p, &b, channel, buffer);
    }
}

static void pack_weights(const EadCall *call) {
    EadConvGeometry g = ead_conv2d_pool_geometry(call);
    EadWinograd w = ead_winograd(&g, false);
    ead_winograd_pack_weights(&w, &g, call->x[1]->data, call->packed);
}

static void run(const EadCall *call) {
    Pooled p = describe(call);
    if (!call->packed_at_plan) pack_weights(call);
    p.zeros = memset(call->workspace, 0, (size_t)p.w.grid.in_channels * sizeof(real));
    p.workspace = (real *)call->workspace + ead_round_up(p.w.grid.in_channels, 16);
    p.x = call->x[0]->data, p.u = call->packed, p.y = call->y->data;
    p.bias = call->x[2] ? call->x[2]->data : NULL;
#pragma omp parallel for schedule(dynamic)
    for (int task = 0; task < p.tasks; task++)
        run_task(&p, task, p.workspace + omp_get_thread_num() * p.share);
}

bool ead_conv2d_pool_winograd_suits(const EadCall *call) {
    Pooled p = describe(call);
    return ead_winograd_own_blocks(&p.w);
}

void ead_conv2d_pool_winograd_plan(EadCall *call) {
    Pooled p = describe(call);
    const EadWinograd *w = &p.w;
    int64_t reals = ead_round_up(w->grid.in_channels, 16) + omp_get_max_threads() * p.share;
    call->run = run;
    call->pack_weights = pack_weights;
    ead_winograd_describe_call(w, reals, call);
}
