/* The gray image on CUDA: the same bytes as on the CPU. */
#define EAD_DEVICE_FUNCTION __device__
#include "core/cuda/cuda.cuh"

#include "core/image/color_pixels.h"
#include "core/ops/random_grayscale/random_grayscale.h"

/* One thread a pixel; all draw the same number. */
static __global__ void random_grayscale(int64_t pixels, EadRandomGrayscale draw, const int64_t *step,
                                        const uint8_t *x, uint8_t *y) {
    int64_t i = ead_thread();
    if (i >= pixels) return;
    uint32_t words[4];
    ead_philox_rounds(draw.seed, draw.stream, static_cast<uint64_t>(*step) + 1, words);
    bool turned = ead_uniform(words[0]) < draw.probability;
    uint8_t gray = static_cast<uint8_t>(ead_gray_of(x + 3 * i));
    for (int c = 0; c < 3; c++) y[3 * i + c] = turned ? gray : x[3 * i + c];
}

static void run(const EadCall *call) {
    int64_t pixels = ead_count(call->y) / 3;
    EAD_LAUNCH(random_grayscale, ead_blocks(pixels), EAD_BLOCK, 0, call->stream, pixels,
               *static_cast<const EadRandomGrayscale *>(call->attributes),
               static_cast<const int64_t *>(call->x[1]->data), static_cast<const uint8_t *>(call->x[0]->data),
               static_cast<uint8_t *>(call->y->data));
}

EAD_CUDA_KERNEL(random_grayscale, .run = run);
