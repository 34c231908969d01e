/* The fused layer by packed products, for the three channels of an image and whatever else Winograd does not
 * suit. A task is a stretch of one pooled row: the two rows of convolution outputs under it are computed by
 * packed products into a buffer that stays in the cache, then averaged. */
#include "core/ops/conv2d_pool/conv2d_pool.h"

#include "core/ops/conv2d/cpu/conv2d_cpu.h"
#include "core/ops/conv2d/cpu/conv2d_patches.h"
#include "core/base/minmax.h"

#include <omp.h>
#include <string.h>

enum { STRETCH = 24 }; /* pooled pixels of a task: 2 x 48 outputs, a multiple of the register block */

typedef struct Fused {
    EadConvGeometry g; /* of the convolution */
    const EadSimd *simd;
    const EadConv2dPool *attributes;
    int height, width;     /* pooled */
    int64_t k, columns;    /* numbers of a patch; output channels rounded up to panels */
    int64_t share, buffer; /* workspace of a thread; where its outputs begin */
} Fused;

static Fused describe(const EadCall *call) {
    Fused f = {.g = ead_conv2d_pool_geometry(call), .simd = ead_simd(), .attributes = call->attributes};
    f.height = call->y->h;
    f.width = call->y->w;
    f.k = (int64_t)f.g.kh * f.g.kw * f.g.i;
    f.columns = ead_round_up(f.g.o, f.simd->panel);
    f.buffer = ead_round_up(2 * STRETCH * f.k, 16);
    f.share = f.buffer + 2 * 2 * STRETCH * f.columns;
    return f;
}

static void pack_weights(const EadCall *call) {
    Fused f = describe(call);
    ead_conv_pack_weights(f.simd, call->x[1]->data, f.g.o, f.k, call->packed);
}

/* Convolution outputs of one row from column `first` on, 2*STRETCH of them into out [2*STRETCH][columns];
 * zeros where the pooling's padding is. */
static void compute_row(const EadCall *call, const Fused *f, int image, int row, int first, real *patches,
                        real *out) {
    const EadConvGeometry *g = &f->g;
    int begin = ead_max(first, 0), end = ead_min(first + 2 * STRETCH, g->ow);
    bool inside = row >= 0 && row < g->oh && begin < end;
    if (!inside || begin != first || end != first + 2 * STRETCH)
        memset(out, 0, (size_t)(2 * STRETCH * f->columns) * sizeof(real));
    if (!inside) return;
    int64_t pixel = ((int64_t)image * g->oh + row) * g->ow + begin;
    out += (begin - first) * f->columns;
    ead_gather_patches(g, call->x[0]->data, pixel, pixel + end - begin, 0, g->kh, patches, f->k);
    ead_conv_multiply_packed(f->simd, end - begin, f->k, patches, call->packed, out, f->columns);
    ead_add_bias(out, end - begin, g->o, f->columns, call->x[2] ? call->x[2]->data : NULL,
                 f->attributes->conv.relu);
}

static void run(const EadCall *call) {
    Fused f = describe(call);
    int stretches = (f.width + STRETCH - 1) / STRETCH, padding = f.attributes->padding;
    if (!call->packed_at_plan) pack_weights(call);
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < (int64_t)f.g.n * f.height * stretches; task++) {
        int64_t line = task / stretches;
        int image = (int)(line / f.height), y = (int)(line % f.height);
        int first = (int)(task % stretches) * STRETCH, end = ead_min(first + STRETCH, f.width);
        real *workspace = (real *)call->workspace + f.share * omp_get_thread_num();
        real *upper = workspace + f.buffer, *lower = upper + 2 * STRETCH * f.columns;
        real *to = (real *)call->y->data + (line * f.width + first) * f.g.o;
        compute_row(call, &f, image, 2 * y - padding, 2 * first - padding, workspace, upper);
        compute_row(call, &f, image, 2 * y - padding + 1, 2 * first - padding, workspace, lower);
        for (int x = first; x < end; x++, to += f.g.o, upper += 2 * f.columns, lower += 2 * f.columns)
            for (int c = 0; c < f.g.o; c++)
                to[c] = (real)0.25 * ((upper[c] + upper[c + f.columns]) + (lower[c] + lower[c + f.columns]));
    }
}

void ead_conv2d_pool_direct_plan(EadCall *call) {
    Fused f = describe(call);
    call->algorithm = "direct";
    call->multiply_adds = (double)ead_conv_multiply_adds(&f.g);
    call->run = run;
    call->pack_weights = pack_weights;
    call->packed_bytes = (size_t)(f.columns * f.k) * sizeof(real);
    call->workspace_bytes = (size_t)(f.share * omp_get_max_threads()) * sizeof(real);
}
