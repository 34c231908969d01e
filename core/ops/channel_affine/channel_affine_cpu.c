/* Per-channel affine map on the CPU: bound by memory bandwidth. */
#include "core/base/half.h"
#include "core/graph/op.h"
#include "core/base/minmax.h"

enum { WIDENED = 64 }; /* channels that are widened at a time */

static void affine(const real *x, const real *scale, const real *shift, int channels, real *y) {
    if (shift)
        for (int c = 0; c < channels; c++) y[c] = x[c] * scale[c] + shift[c];
    else
        for (int c = 0; c < channels; c++) y[c] = x[c] * scale[c];
}

/* The same of a pixel in half precision. */
static void affine_of_halves(const uint16_t *x, const real *scale, const real *shift, int channels, real *y) {
    float widened[WIDENED];
    real part[WIDENED];
    for (int c = 0; c < channels; c += WIDENED) {
        int count = ead_min(channels - c, WIDENED);
        ead_halves_to_floats(x + c, count, widened);
        for (int k = 0; k < count; k++) part[k] = (real)widened[k];
        affine(part, scale + c, shift ? shift + c : NULL, count, y + c);
    }
}

static void channel_affine(const EadCall *call) {
    const EadTensor *x = call->x[0];
    const real *scale = call->x[1]->data, *shift = call->x[2] ? call->x[2]->data : NULL;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) {
        int64_t at = i * channels;
        real *y = (real *)call->y->data + at;
        if (x->type == EAD_F16)
            affine_of_halves((const uint16_t *)x->data + at, scale, shift, channels, y);
        else
            affine((const real *)x->data + at, scale, shift, channels, y);
    }
}

const EadKernel ead_channel_affine_cpu = {.run = channel_affine};
