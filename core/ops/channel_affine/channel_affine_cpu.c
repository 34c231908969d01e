/* Per-channel affine map on the CPU: bound by memory bandwidth. */
#include "core/op.h"

static void channel_affine(const EadCall *call) {
    const real *scale = call->x[1]->data, *shift = call->x[2] ? call->x[2]->data : NULL;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) {
        const real *x = (const real *)call->x[0]->data + i * channels;
        real *y = (real *)call->y->data + i * channels;
        if (shift)
            for (int c = 0; c < channels; c++) y[c] = x[c] * scale[c] + shift[c];
        else
            for (int c = 0; c < channels; c++) y[c] = x[c] * scale[c];
    }
}

const EadKernel ead_channel_affine_cpu = {.run = channel_affine};
