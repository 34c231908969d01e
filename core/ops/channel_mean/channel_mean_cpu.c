/* Mean over channels on the CPU: bound by memory bandwidth. */
#include "core/graph/op.h"
#include "core/ops/reduction.h"

static void channel_mean(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int channels = call->x[0]->c;
    int64_t pixels = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) y[i] = (real)(ead_sum(x + i * channels, channels) / channels);
}

static void channel_mean_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->x[0]);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) {
        real *dx = (real *)call->y->data + i * channels, share = dy[i] / (real)channels;
        for (int c = 0; c < channels; c++) dx[c] = share;
    }
}

const EadKernel ead_channel_mean_cpu = {.run = channel_mean};
const EadKernel ead_channel_mean_gradient_cpu = {.run = channel_mean_gradient};
