/* The Gaussian: shape, and the kernel for the CPU, which makes each row of the result in one go: the rows around
 * it are mixed, the mixture gets its mirrored ends and is smoothed along itself. */
#include "core/ops/gaussian_filter/gaussian_filter.h"

#include "core/graph/op.h"

#include <omp.h>
#include <string.h>

enum { MAX_SIGMA = 16 };

EadNode *ead_gaussian_filter(EadGraph *graph, EadNode *x, double sigma) {
    EadGaussianFilter attributes = {sigma};
    return ead_graph_add(graph, EAD_OP_gaussian_filter, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadGaussianFilter *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (!(a->sigma >= 0 && a->sigma <= MAX_SIGMA))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: sigma = %g is outside [0,%d]", node->name, a->sigma,
                        MAX_SIGMA);
    return EAD_OK;
}

const EadOp ead_op_gaussian_filter = {.name = "gaussian_filter", .shape = shape};

/* ---- on the CPU ---- */

/* Position i of a mirrored axis. */
static int64_t mirrored(int64_t i, int64_t size) {
    i = i % (2 * size);
    if (i < 0) i += 2 * size;
    return i < size ? i : 2 * size - 1 - i;
}

/* Numbers of a row with its mirrored ends. */
static int64_t padded_row(const EadTensor *x, int radius) {
    return ((int64_t)x->w + 2 * radius) * x->c;
}

static void plan(EadCall *call) {
    EadGaussianTaps t = ead_gaussian_taps(((const EadGaussianFilter *)call->attributes)->sigma);
    call->workspace_bytes =
        (size_t)padded_row(call->x[0], t.radius) * (size_t)omp_get_max_threads() * sizeof(real);
}

/* out[i] = sum over the taps of rows at(-radius) .. at(radius), nearest first. */
static void mix_rows(const real *image, const EadTensor *x, const EadGaussianTaps *t, int h,
                     real *restrict out) {
    int64_t row = (int64_t)x->w * x->c;
    const real *middle = image + h * row;
    for (int64_t i = 0; i < row; i++) out[i] = t->taps[0] * middle[i];
    for (int k = 1; k <= t->radius; k++) {
        const real *above = image + mirrored(h - k, x->h) * row, *below = image + mirrored(h + k, x->h) * row;
        real tap = t->taps[k];
        for (int64_t i = 0; i < row; i++) out[i] += tap * (above[i] + below[i]);
    }
}

static void mirror_ends(const EadTensor *x, int radius, real *padded) {
    size_t bytes = (size_t)x->c * sizeof *padded;
    real *row = padded + (int64_t)radius * x->c;
    for (int64_t k = 1; k <= radius; k++) {
        memcpy(row - k * x->c, row + mirrored(-k, x->w) * x->c, bytes);
        memcpy(row + (x->w - 1 + k) * x->c, row + mirrored(x->w - 1 + k, x->w) * x->c, bytes);
    }
}

static void smooth_row(const EadTensor *x, const EadGaussianTaps *t, const real *row, real *restrict out) {
    int64_t count = (int64_t)x->w * x->c;
    for (int64_t i = 0; i < count; i++) out[i] = t->taps[0] * row[i];
    for (int k = 1; k <= t->radius; k++) {
        const real *left = row - (int64_t)k * x->c, *right = row + (int64_t)k * x->c;
        real tap = t->taps[k];
        for (int64_t i = 0; i < count; i++) out[i] += tap * (left[i] + right[i]);
    }
}

static void gaussian_filter(const EadCall *call) {
    const EadTensor *x = call->x[0];
    EadGaussianTaps t = ead_gaussian_taps(((const EadGaussianFilter *)call->attributes)->sigma);
    int64_t row = (int64_t)x->w * x->c, share = padded_row(x, t.radius);
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < (int64_t)x->n * x->h; r++) {
        const real *image = (const real *)x->data + r / x->h * x->h * row;
        real *padded = (real *)call->workspace + share * omp_get_thread_num();
        real *mixed = padded + (int64_t)t.radius * x->c;
        mix_rows(image, x, &t, (int)(r % x->h), mixed);
        mirror_ends(x, t.radius, padded);
        smooth_row(x, &t, mixed, (real *)call->y->data + r * row);
    }
}

const EadKernel ead_gaussian_filter_cpu = {.run = gaussian_filter, .plan = plan};
