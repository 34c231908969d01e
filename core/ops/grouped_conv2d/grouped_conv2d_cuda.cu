/* Convolution in groups on CUDA, directly: depthwise it is bound by memory bandwidth; other groups are small. */
#include "core/cuda/stored.cuh"

#include "core/ops/grouped_conv2d/grouped_conv2d.h"

/* Sizes as the kernel needs them; in, out: channels of a group. */
typedef struct Geometry {
    int x_height, x_width, x_channels, y_height, kh, kw, top, left, stride, in, out;
    float least, most; /* of y */
} Geometry;

/* sum[k] += outputs c .. c+n-1 at one tap: x is the pixel's first number, w that of weight [0] at the tap. */
static __device__ inline void add_tap(const Geometry &g, const EadStored &x, int64_t pixel, const float *w,
                                      int taps, int c, int n, float sum[EAD_GROUP]) {
    if (g.in == 1 && g.out == 1) {
        float v[EAD_GROUP];
        ead_load(x, pixel + c, n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < n) sum[k] += v[k] * w[static_cast<int64_t>(c + k) * taps];
        return;
    }
    for (int k = 0; k < n; k++) {
        int64_t first = pixel + (c + k) / g.out * g.in;
        const float *weights = w + static_cast<int64_t>(c + k) * taps * g.in;
        for (int i = 0; i < g.in; i++) sum[k] += ead_get(x, first + i) * weights[i];
    }
}

/* rows: those of y; one thread eight channels of a pixel of y. bias may be NULL. */
static __global__ void grouped(EadRows rows, Geometry g, EadStored x, const float *weights, const float *bias,
                               EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    for (int64_t row = ead_first_row(); row < rows.rows; row += ead_row_step()) {
        int64_t image = row / g.y_height;
        int top = static_cast<int>(row - image * g.y_height) * g.stride - g.top,
            left = u.w * g.stride - g.left;
        float sum[EAD_GROUP] = {0};
        for (int h = 0; h < g.kh; h++)
            for (int w = 0; w < g.kw; w++) {
                int iy = top + h, ix = left + w;
                if (iy < 0 || iy >= g.x_height || ix < 0 || ix >= g.x_width) continue;
                add_tap(g, x, ((image * g.x_height + iy) * g.x_width + ix) * g.x_channels,
                        weights + (h * g.kw + w) * g.in, g.kh * g.kw, u.c, u.n, sum);
            }
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            float v = sum[k] + (bias && k < u.n ? bias[u.c + k] : 0);
            v = v < g.least ? g.least : v;
            sum[k] = v > g.most ? g.most : v;
        }
        ead_save(y, (row * rows.width + u.w) * rows.channels + u.c, u.n, sum);
    }
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *w = call->x[1], *y = call->y;
    const EadGroupedConv2d *a = static_cast<const EadGroupedConv2d *>(call->attributes);
    EadRows rows = ead_rows(y);
    Geometry g = {x->h,
                  x->w,
                  x->c,
                  y->h,
                  w->h,
                  w->w,
                  ead_padding_before(a, x->h, y->h, w->h),
                  ead_padding_before(a, x->w, y->w, w->w),
                  a->stride,
                  w->c,
                  w->n / a->groups,
                  a->activation == EAD_ACTIVATION_NONE ? -INFINITY : 0.0f,
                  a->activation == EAD_ACTIVATION_RELU6 ? 6.0f : INFINITY};
    EAD_LAUNCH(grouped, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, g,
               ead_stored(x, x->c), static_cast<const float *>(w->data),
               static_cast<const float *>(call->x[2] ? call->x[2]->data : nullptr), ead_stored(y, y->c));
}

EAD_CUDA_KERNEL(grouped_conv2d, .run = run, .half_in = 1, .half_out = true);
