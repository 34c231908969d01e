/* Image normalisation on the CPU: there are only 256 values a channel, so they come from a table. */
#include "core/graph/op.h"
#include "core/ops/normalize_image/normalize_image.h"

enum { LEVELS = 256, CHANNELS = 3 };

static void plan(EadCall *call) {
    call->workspace_bytes = LEVELS * CHANNELS * sizeof(real);
}

static void fill_table(real *table) {
    for (int u = 0; u < LEVELS; u++)
        for (int c = 0; c < CHANNELS; c++)
            table[u * CHANNELS + c] =
                ((real)u / (real)255 - (real)ead_imagenet_mean[c]) / (real)ead_imagenet_std[c];
}

static void normalize_image(const EadCall *call) {
    const uint8_t *x = call->x[0]->data;
    real *y = call->y->data, *table = call->workspace;
    int64_t pixels = ead_count(call->y) / CHANNELS;
    fill_table(table);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++)
        for (int c = 0; c < CHANNELS; c++) y[i * CHANNELS + c] = table[x[i * CHANNELS + c] * CHANNELS + c];
}

const EadKernel ead_normalize_image_cpu = {.run = normalize_image, .plan = plan};
