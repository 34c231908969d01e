/* The three sums of a convolution in double, one output at a time. */
#include "bench/bench_conv_error.h"

#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/base/philox.h"

#include <math.h>

/* The channels of a pixel; NULL outside, where all are zero. */
static const real *pixel(const EadTensor *t, int n, int h, int w) {
    if (h < 0 || h >= t->h || w < 0 || w >= t->w) return NULL;
    return (const real *)t->data + (((int64_t)n * t->h + h) * t->w + w) * t->c;
}

/* y[n,h,w,o] = bias[o] + sum of x[n, h stride + ky - padding, w stride + kx - padding, i] w[o,ky,kx,i]. */
static double forward(const EadCall *call, int n, int h, int w, int o) {
    const EadConv2d *a = call->attributes;
    const EadTensor *x = call->x[0], *weight = call->x[1], *bias = call->x[2];
    double sum = bias ? ((const real *)bias->data)[o] : 0;
    for (int ky = 0; ky < weight->h; ky++)
        for (int kx = 0; kx < weight->w; kx++) {
            const real *from = pixel(x, n, h * a->stride + ky - a->padding, w * a->stride + kx - a->padding);
            const real *factor = pixel(weight, o, ky, kx);
            for (int i = 0; from && i < x->c; i++) sum += (double)from[i] * (double)factor[i];
        }
    return a->relu && sum < 0 ? 0 : sum;
}

/* The mean of four outputs, those in the pooling's padding being zero. */
static double pooled(const EadCall *call, int n, int h, int w, int o) {
    const EadConv2dPool *a =
        call->attributes; /* begins with those of the convolution, which forward() reads */
    EadConvGeometry g = ead_conv2d_pool_geometry(call);
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        int y = 2 * h - a->padding + i / 2, x = 2 * w - a->padding + i % 2;
        if (y >= 0 && y < g.oh && x >= 0 && x < g.ow) sum += forward(call, n, y, x, o);
    }
    return sum / 4;
}

/* dx[n,h,w,i] = sum of dy[n,oh,ow,o] weight[o,ky,kx,i] over all that forward multiplies with x[n,h,w,i]. */
static double input_gradient(const EadCall *call, int n, int h, int w, int i) {
    const EadConv2dGradient *a = call->attributes;
    const EadTensor *dy = call->x[0], *weight = call->x[1];
    double sum = 0;
    for (int ky = 0; ky < weight->h; ky++)
        for (int kx = 0; kx < weight->w; kx++) {
            int y = h + a->padding - ky, x = w + a->padding - kx;
            if (y < 0 || x < 0 || y % a->stride || x % a->stride) continue;
            const real *from = pixel(dy, n, y / a->stride, x / a->stride);
            for (int o = 0; from && o < dy->c; o++)
                sum += (double)from[o] * (double)pixel(weight, o, ky, kx)[i];
        }
    return sum;
}

/* dw[o,ky,kx,i] = sum over all images and output pixels of dy[n,oh,ow,o] x[n, ...]. */
static double weight_gradient(const EadCall *call, int o, int ky, int kx, int i) {
    const EadConv2dGradient *a = call->attributes;
    const EadTensor *dy = call->x[0], *x = call->x[1];
    double sum = 0;
    for (int n = 0; n < x->n; n++)
        for (int h = 0; h < dy->h; h++)
            for (int w = 0; w < dy->w; w++) {
                const real *from =
                    pixel(x, n, h * a->stride + ky - a->padding, w * a->stride + kx - a->padding);
                if (from) sum += (double)pixel(dy, n, h, w)[o] * (double)from[i];
            }
    return sum;
}

typedef double ConvSum(const EadCall *call, int n, int h, int w, int c);

double ead_bench_conv_error(const EadCall *call, const EadNode *node, int samples, uint64_t seed) {
    const EadTensor *y = call->y;
    const real *values = y->data;
    ConvSum *sum = node->op == EAD_OP_conv2d                   ? forward
                   : node->op == EAD_OP_conv2d_pool            ? pooled
                   : node->op == EAD_OP_conv2d_input_gradient  ? input_gradient
                   : node->op == EAD_OP_conv2d_weight_gradient ? weight_gradient
                                                               : NULL;
    if (!sum) return NAN;
    double worst = 0, largest = 0;
    int64_t count = ead_count(y), tests = count < samples ? count : samples;
    for (int64_t k = 0; k < tests; k++) {
        uint32_t words[4];
        ead_philox(seed, EAD_STREAM_TEST, (uint64_t)k, words);
        int64_t i =
            count <= samples ? k : (int64_t)((((uint64_t)words[0] << 32) | words[1]) % (uint64_t)count);
        int c = (int)(i % y->c), w = (int)(i / y->c % y->w), h = (int)(i / y->c / y->w % y->h);
        double error = fabs(values[i] - sum(call, (int)(i / y->c / y->w / y->h), h, w, c));
        if (!(error <= worst)) worst = error;
        if (isnan(error)) return NAN;
    }
    for (int64_t i = 0; i < count; i++)
        if (fabs((double)values[i]) > largest) largest = fabs((double)values[i]);
    return largest > 0 ? worst / largest : worst; /* of zeros only the absolute error */
}
