/* Copies of the parts of an image that a kernel looks at. */
#include "core/ops/conv2d/cpu/conv2d_patches.h"

#include <string.h>

bool ead_conv_is_matrix(const EadConvGeometry *g) {
    return g->kh == 1 && g->kw == 1 && g->stride == 1 && g->padding == 0;
}

/* One kernel row of one patch: KW*I numbers of x from column ix0 on, zeros outside. */
static void copy_edge(const EadConvGeometry *g, const real *x_row, int ix0, real *to) {
    int first = ix0 < 0 ? -ix0 : 0, last = ix0 + g->kw > g->w ? g->w - ix0 : g->kw;
    if (last < first) last = first;
    size_t pixel = (size_t)g->i * sizeof(real);
    memset(to, 0, (size_t)first * pixel);
    memcpy(to + (int64_t)first * g->i, x_row + ((int64_t)ix0 + first) * g->i, (size_t)(last - first) * pixel);
    memset(to + (int64_t)last * g->i, 0, (size_t)(g->kw - last) * pixel);
}

/* Short rows of three channels are copied a million times a pass: a call of memcpy would cost more than they do. */
static void copy_inside(const real *from, int64_t count, real *to) {
    enum { AT_ONCE = 4, SHORT = 16 * AT_ONCE };
    int64_t i = 0;
    for (; count <= SHORT && i + AT_ONCE <= count; i += AT_ONCE)
        memcpy(to + i, from + i, AT_ONCE * sizeof(real));
    if (i < count) memcpy(to + i, from + i, (size_t)(count - i) * sizeof(real));
}

void ead_gather_patches(const EadConvGeometry *g, const real *x, int64_t begin, int64_t end, int ky0, int ky1,
                        real *columns, int64_t row_stride) {
    int64_t row = (int64_t)g->kw * g->i, line = (int64_t)g->w * g->i;
    int ox = (int)(begin % g->ow), oy = (int)(begin / g->ow % g->oh);
    const real *image = x + begin / g->ow / g->oh * g->h * line;
    for (; begin < end; begin++, columns += row_stride) {
        int ix = ox * g->stride - g->padding;
        for (int ky = ky0; ky < ky1; ky++) {
            int iy = oy * g->stride - g->padding + ky;
            real *to = columns + (ky - ky0) * row;
            if (iy < 0 || iy >= g->h)
                memset(to, 0, (size_t)row * sizeof(real));
            else if (ix < 0 || ix + g->kw > g->w)
                copy_edge(g, image + iy * line, ix, to);
            else
                copy_inside(image + iy * line + (int64_t)ix * g->i, row, to);
        }
        if (++ox < g->ow) continue;
        ox = 0;
        if (++oy < g->oh) continue;
        oy = 0, image += g->h * line;
    }
}

void ead_conv_patches_of_row(const EadConvGeometry *g, const real *x, int64_t begin, int64_t end, real *space,
                             EadPanelProduct *p) {
    int64_t k = (int64_t)g->kh * g->kw * g->i, row = (int64_t)g->w * g->i;
    int y = (int)(begin / g->ow % g->oh) * g->stride - g->padding, n = (int)(begin / g->ow / g->oh);
    int left = (int)(begin % g->ow) * g->stride - g->padding;
    int right = (int)((end - 1) % g->ow) * g->stride - g->padding + g->kw;
    p->rows = end - begin, p->k = k, p->k_stride = 1;
    if (y >= 0 && y + g->kh <= g->h && left >= 0 && right <= g->w) {
        p->a = x + ((int64_t)n * g->h + y) * row + (int64_t)left * g->i;
        p->row_stride = (int64_t)g->stride * g->i;
        p->segment = (int64_t)g->kw * g->i, p->segment_step = row;
        return;
    }
    ead_gather_patches(g, x, begin, end, 0, g->kh, space, k);
    p->a = space, p->row_stride = k, p->segment = 0;
}

static int count_from(int first, int limit, int step) {
    return first < limit ? (limit - first + step - 1) / step : 0;
}

EadConvPhase ead_phase(const EadConvGeometry *g, int ry, int rx) {
    EadConvPhase p = {.tap_y = ry, .tap_x = rx};
    p.first_y = ((ry - g->padding) % g->stride + g->stride) % g->stride;
    p.first_x = ((rx - g->padding) % g->stride + g->stride) % g->stride;
    p.rows = count_from(p.first_y, g->h, g->stride);
    p.columns = count_from(p.first_x, g->w, g->stride);
    p.taps_y = count_from(ry, g->kh, g->stride);
    p.taps_x = count_from(rx, g->kw, g->stride);
    return p;
}

int64_t ead_phase_pixels(const EadConvGeometry *g, const EadConvPhase *p) {
    return (int64_t)g->n * p->rows * p->columns;
}
int64_t ead_phase_patch(const EadConvGeometry *g, const EadConvPhase *p) {
    return (int64_t)p->taps_y * p->taps_x * g->o;
}

void ead_gather_phase_weights(const EadConvGeometry *g, const EadConvPhase *p, const real *w, real *to,
                              int64_t row_stride) {
    for (int ty = 0; ty < p->taps_y; ty++)
        for (int tx = 0; tx < p->taps_x; tx++)
            for (int o = 0; o < g->o; o++, to += row_stride) {
                int ky = p->tap_y + ty * g->stride, kx = p->tap_x + tx * g->stride;
                memcpy(to, w + (((int64_t)o * g->kh + ky) * g->kw + kx) * g->i, (size_t)g->i * sizeof(real));
            }
}

void ead_gather_phase_patches(const EadConvGeometry *g, const EadConvPhase *p, const real *dy, int64_t begin,
                              int64_t end, real *to) {
    size_t bytes = (size_t)g->o * sizeof(real);
    for (int64_t q = begin; q < end; q++) {
        int column = (int)(q % p->columns), row = (int)(q / p->columns % p->rows);
        int64_t n = q / p->columns / p->rows;
        /* (first + step * stride + padding - tap) is divisible by the stride by the choice of the phase */
        int oy0 = (p->first_y + row * g->stride + g->padding - p->tap_y) / g->stride;
        int ox0 = (p->first_x + column * g->stride + g->padding - p->tap_x) / g->stride;
        for (int ty = 0; ty < p->taps_y; ty++)
            for (int tx = 0; tx < p->taps_x; tx++, to += g->o) {
                int oy = oy0 - ty, ox = ox0 - tx;
                bool inside = oy >= 0 && oy < g->oh && ox >= 0 && ox < g->ow;
                if (inside)
                    memcpy(to, dy + ((n * g->oh + oy) * g->ow + ox) * g->o, bytes);
                else
                    memset(to, 0, bytes);
            }
    }
}

real *ead_phase_target(const EadConvGeometry *g, const EadConvPhase *p, int64_t q, real *dx) {
    int64_t ix = p->first_x + q % p->columns * g->stride;
    int64_t iy = p->first_y + q / p->columns % p->rows * g->stride, n = q / p->columns / p->rows;
    return dx + ((n * g->h + iy) * g->w + ix) * g->i;
}

void ead_for_each_phase(const EadCall *call, const EadConvGeometry *g,
                        void (*run)(const EadCall *call, const EadConvGeometry *g, const EadConvPhase *p)) {
    for (int phase = 0; phase < g->stride * g->stride; phase++) {
        EadConvPhase p = ead_phase(g, phase / g->stride, phase % g->stride);
        bool reached = p.taps_y && p.taps_x;
        if (reached && p.rows && p.columns) run(call, g, &p);
        for (int64_t q = 0; !reached && q < ead_phase_pixels(g, &p); q++)
            memset(ead_phase_target(g, &p, q, call->y->data), 0, (size_t)g->i * sizeof(real));
    }
}
