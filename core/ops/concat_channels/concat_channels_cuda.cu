/* Joins channels by copying, all in one launch. */
#include "core/cuda/stored.cuh"

typedef struct ChannelParts {
    EadStored x[EAD_MAX_INPUTS], y[EAD_MAX_INPUTS]; /* y: where the part goes in the first pixel */
    int channels[EAD_MAX_INPUTS];
    int64_t rows[EAD_MAX_INPUTS]; /* pixels of the part: of all images, or of the one that serves for all */
    int64_t pixels;
    int out_channels;
} ChannelParts;

/* y[i][offset of p + c] = x[p][i][c] for each pixel i. blockIdx.y is the part p; one thread eight channels of
 * a pixel of it. */
static __global__ void concat_channels(ChannelParts parts) {
    unsigned p = blockIdx.y;
    int channels = parts.channels[p], groups = (channels + EAD_GROUP - 1) / EAD_GROUP;
    int64_t unit = ead_thread(), pixel = unit / groups;
    if (pixel >= parts.pixels) return;
    int c = static_cast<int>(unit - pixel * groups) * EAD_GROUP, n = ead_group_size(c, channels);
    float v[EAD_GROUP];
    ead_load(parts.x[p], pixel % parts.rows[p] * channels + c, n, v);
    ead_save(parts.y[p], pixel * parts.out_channels + c, n, v);
}

static void run(const EadCall *call) {
    ChannelParts parts = {};
    EadTensor y = *call->y;
    int largest = 0;
    unsigned count = 0;
    parts.pixels = ead_count(&y) / y.c;
    parts.out_channels = y.c;
    for (; count < EAD_MAX_INPUTS && call->x[count]; count++) {
        int channels = call->x[count]->c;
        parts.x[count] = ead_stored(call->x[count], channels);
        parts.y[count] = ead_stored(&y, y.c);
        parts.channels[count] = channels;
        parts.rows[count] = ead_count(call->x[count]) / channels;
        y.data = static_cast<unsigned char *>(y.data) + static_cast<size_t>(channels) * ead_type_size(y.type);
        largest = largest > channels ? largest : channels;
    }
    int64_t padded = (largest + EAD_GROUP - 1) / EAD_GROUP * EAD_GROUP;
    EAD_LAUNCH(concat_channels, dim3(ead_group_blocks(parts.pixels * padded), count), EAD_GROUP_BLOCK, 0,
               call->stream, parts);
}

EAD_CUDA_KERNEL(concat_channels, .run = run, .half_in = (1 << EAD_MAX_INPUTS) - 1, .half_out = true);
