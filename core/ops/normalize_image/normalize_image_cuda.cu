/* Image normalisation on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/normalize_image/normalize_image.h"

enum { CHANNELS = 3 };

typedef struct Colours {
    float mean[CHANNELS], deviation[CHANNELS];
} Colours;

/* Chosen by comparisons: an index that the compiler does not know would put the array into memory. */
static __device__ inline float of_channel(const float values[CHANNELS], int c) {
    return c == 0 ? values[0] : c == 1 ? values[1] : values[2];
}

/* y[i] = (x[i] / 255 - mean[c]) / deviation[c] with c = i % 3. One thread eight elements; words: x may be
 * read as 8-byte words. */
static __global__ void normalize_image(int64_t count, const unsigned char *x, bool words, Colours colours,
                                       EadStored y) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, count), c = static_cast<int>(at % CHANNELS);
    uint2 bytes = make_uint2(0, 0);
    if (words && n == EAD_GROUP) bytes = *reinterpret_cast<const uint2 *>(x + at);
#pragma unroll
    for (int k = 0; k < EAD_GROUP; k++) {
        unsigned char u = static_cast<unsigned char>((k < 4 ? bytes.x : bytes.y) >> 8 * (k % 4));
        if (!(words && n == EAD_GROUP)) u = k < n ? x[at + k] : 0;
        v[k] =
            (static_cast<float>(u) / 255.0f - of_channel(colours.mean, c)) / of_channel(colours.deviation, c);
        c = c == CHANNELS - 1 ? 0 : c + 1;
    }
    ead_save(y, at, n, v);
}

static void run(const EadCall *call) {
    const EadColorScale *scale = static_cast<const EadColorScale *>(call->attributes);
    int64_t count = ead_count(call->y);
    Colours colours;
    for (int c = 0; c < CHANNELS; c++) {
        colours.mean[c] = static_cast<float>(scale->mean[c]);
        colours.deviation[c] = static_cast<float>(scale->std[c]);
    }
    EAD_LAUNCH(normalize_image, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count,
               static_cast<const unsigned char *>(call->x[0]->data),
               reinterpret_cast<uintptr_t>(call->x[0]->data) % sizeof(uint2) == 0, colours,
               ead_stored(call->y));
}

EAD_CUDA_KERNEL(normalize_image, .run = run, .half_out = true);
