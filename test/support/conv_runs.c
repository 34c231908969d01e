/* With columns [pixels of y][kh kw i], the patch under each output pixel, a convolution and its gradients are
 *   y = columns w^T + bias,   dw = dy^T columns,   dx = the sum of the patches of dy w where they overlap. */
#include "test/support/conv_runs.h"
#include "test/support/suite.h"

#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/ops/conv2d/conv2d.h"

#include <cblas.h>
#include <string.h>

#ifdef EAD_DOUBLE
#define gemm cblas_dgemm
#else
#define gemm cblas_sgemm
#endif

static real *zeros(int64_t count) {
    real *numbers = calloc((size_t)count, sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    return numbers;
}

/* Calls f with each stretch of channels of one image that lies inside x, and its place in the columns. */
static void for_each_tap(const EadConvGeometry *g, real *image, real *columns,
                         void (*f)(real *pixel, real *column, int channels)) {
    for (int64_t row = 0; row < (int64_t)g->oh * g->ow; row++)
        for (int ky = 0; ky < g->kh; ky++)
            for (int kx = 0; kx < g->kw; kx++, columns += g->i) {
                int y = (int)(row / g->ow) * g->stride - g->padding + ky;
                int x = (int)(row % g->ow) * g->stride - g->padding + kx;
                if (y >= 0 && y < g->h && x >= 0 && x < g->w)
                    f(image + ((int64_t)y * g->w + x) * g->i, columns, g->i);
            }
}

static void gather(real *pixel, real *column, int channels) {
    memcpy(column, pixel, (size_t)channels * sizeof *column);
}

static void scatter(real *pixel, real *column, int channels) {
    for (int c = 0; c < channels; c++) pixel[c] += column[c];
}

static void add_bias(const EadCall *call, real *y) {
    const real *bias = call->x[2] ? call->x[2]->data : NULL;
    int o = call->y->c;
    for (int64_t i = 0; i < ead_count(call->y); i++) {
        if (bias) y[i] += bias[i % o];
        if (((const EadConv2d *)call->attributes)->relu && y[i] < 0) y[i] = 0;
    }
}

real *conv_by_gemm(const EadCall *call, EadOpId op) {
    bool forward = op == EAD_OP_conv2d, to_input = op == EAD_OP_conv2d_input_gradient;
    if (!forward && !to_input && op != EAD_OP_conv2d_weight_gradient) return NULL;
    EadConvGeometry g = forward    ? ead_conv_geometry(call)
                        : to_input ? ead_conv_input_gradient_geometry(call)
                                   : ead_conv_weight_gradient_geometry(call);
    int pixels = g.oh * g.ow, patch = g.kh * g.kw * g.i;
    real *out = zeros(ead_count(call->y)), *columns = zeros((int64_t)pixels * patch);
    for (int n = 0; n < g.n; n++) {
        int64_t x = (int64_t)n * g.h * g.w * g.i, y = (int64_t)n * pixels * g.o;
        const real *first = call->x[0]->data, *second = call->x[1]->data;
        if (forward) {
            for_each_tap(&g, (real *)first + x, columns, gather);
            gemm(CblasRowMajor, CblasNoTrans, CblasTrans, pixels, g.o, patch, 1, columns, patch, second,
                 patch, 0, out + y, g.o);
        } else if (to_input) {
            gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, patch, g.o, 1, first + y, g.o, second,
                 patch, 0, columns, patch);
            for_each_tap(&g, out + x, columns, scatter);
        } else {
            for_each_tap(&g, (real *)second + x, columns, gather);
            gemm(CblasRowMajor, CblasTrans, CblasNoTrans, g.o, patch, pixels, 1, first + y, g.o, columns,
                 patch, n > 0, out, patch);
        }
    }
    if (forward) add_bias(call, out);
    free(columns);
    return out;
}
