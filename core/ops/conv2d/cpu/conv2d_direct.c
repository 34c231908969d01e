/* Forward by packed products. A task is a block of output pixels: gather their patches, multiply them panel
 * by panel of output channels, add the bias while the block is in the cache. */
#include "core/ops/conv2d/cpu/conv2d_direct.h"

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"

#include <omp.h>
#include <string.h>

/* A block's patches stay in the second-level cache; its pixels are a multiple of the register block. */
enum { BLOCK_BYTES = 192 << 10, MAX_BLOCK = 96 };

typedef struct Direct {
    EadConvGeometry g;
    const EadSimd *simd;
    int64_t k, panels, columns; /* numbers of a patch; panels of output channels and their width in all */
    int64_t pixels, block;
    int64_t share; /* workspace of a thread: patches, then results if the channels fill no whole panels */
} Direct;

static Direct describe(const EadCall *call) {
    Direct d = {.g = ead_conv_geometry(call), .simd = ead_simd()};
    d.k = (int64_t)d.g.kh * d.g.kw * d.g.i;
    d.panels = (d.g.o + d.simd->panel - 1) / d.simd->panel;
    d.columns = d.panels * d.simd->panel;
    d.pixels = (int64_t)d.g.n * d.g.oh * d.g.ow;
    d.block = BLOCK_BYTES / (d.k * (int64_t)sizeof(real)) / EAD_SIMD_ROWS * EAD_SIMD_ROWS;
    if (d.block > MAX_BLOCK) d.block = MAX_BLOCK;
    if (d.block < EAD_SIMD_ROWS) d.block = EAD_SIMD_ROWS;
    int64_t patches = ead_conv_is_matrix(&d.g) ? 0 : d.block * d.k;
    d.share = (patches + (d.columns == d.g.o ? 0 : d.block * d.columns) + 15) / 16 * 16;
    return d;
}

void ead_conv_pack_weights(const EadSimd *simd, const real *weights, int o, int64_t k, real *packed) {
    int width = simd->panel;
    int64_t panels = (o + width - 1) / width;
#pragma omp parallel for schedule(static)
    for (int64_t panel = 0; panel < panels; panel++)
        for (int64_t i = 0; i < k; i++)
            for (int j = 0; j < width; j++) {
                int64_t channel = panel * width + j;
                packed[(panel * k + i) * width + j] = channel < o ? weights[channel * k + i] : 0;
            }
}

static void prepare(const EadCall *call) {
    Direct d = describe(call);
    ead_conv_pack_weights(d.simd, call->x[1]->data, d.g.o, d.k, call->packed);
}

static void run_block(const EadCall *call, const Direct *d, int64_t begin, real *workspace) {
    int64_t end = begin + d->block < d->pixels ? begin + d->block : d->pixels, o = d->g.o,
            width = d->simd->panel;
    bool matrix = ead_conv_is_matrix(&d->g), whole = d->columns == o;
    const real *x = call->x[0]->data, *patches = matrix ? x + begin * d->k : workspace;
    real *y = (real *)call->y->data + begin * o,
         *result = whole ? y : workspace + (matrix ? 0 : d->block * d->k);
    if (!matrix) ead_gather_patches(&d->g, x, begin, end, 0, d->g.kh, workspace, d->k);
    for (int64_t panel = 0; panel < d->panels; panel++)
        d->simd->product(&(EadPanelProduct){.rows = end - begin,
                                            .k = d->k,
                                            .a = patches,
                                            .row_stride = d->k,
                                            .k_stride = 1,
                                            .b = (real *)call->packed + panel * d->k * width,
                                            .ldb = width,
                                            .c = result + panel * width,
                                            .ldc = d->columns});
    for (int64_t p = 0; !whole && p < end - begin; p++)
        memcpy(y + p * o, result + p * d->columns, (size_t)o * sizeof(real));
    ead_add_bias(y, end - begin, d->g.o, o, call->x[2] ? call->x[2]->data : NULL,
                 ((const EadConv2d *)call->attributes)->relu);
}

static void run(const EadCall *call) {
    Direct d = describe(call);
    if (!call->packed_at_plan) prepare(call);
    if (d.pixels <= d.block) { /* no need to wake the other threads */
        run_block(call, &d, 0, call->workspace);
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t begin = 0; begin < d.pixels; begin += d.block)
        run_block(call, &d, begin, (real *)call->workspace + d.share * omp_get_thread_num());
}

void ead_conv2d_direct_plan(EadCall *call) {
    Direct d = describe(call);
    call->algorithm = "direct";
    call->multiply_adds = (double)(d.pixels * d.k) * (double)d.columns;
    call->run = run;
    call->pack_weights = prepare;
    call->packed_bytes = (size_t)(d.columns * d.k) * sizeof(real);
    call->workspace_bytes = (size_t)(d.share * omp_get_max_threads()) * sizeof(real);
}
