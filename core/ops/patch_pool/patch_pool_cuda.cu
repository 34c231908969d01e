/* Patch pooling on CUDA: one thread an output, whose few inputs lie beside those of its neighbours. */
#include "core/cuda/stored.cuh"

#include "core/ops/patch_pool/patch_pool.h"

/* y[h,w,i] = mean over the window of i; adds in the order of the CPU. */
static __global__ void patch_pool(int64_t count, EadPatchPool a, int height, int width, int channels,
                                  EadStored x, EadStored y) {
    int64_t at = ead_thread();
    if (at >= count) return;
    int64_t pixel = at / a.outputs, i = at - pixel * a.outputs;
    int64_t row = pixel / width, image = row / height;
    int w = static_cast<int>(pixel - row * width), h = static_cast<int>(row - image * height);
    int area = a.kernel * a.kernel, border = a.kernel / 2;
    int64_t length = static_cast<int64_t>(channels) * area;
    int64_t begin = i * length / a.outputs, end = ((i + 1) * length + a.outputs - 1) / a.outputs;
    float sum = 0;
    for (int64_t j = begin; j < end; j++) {
        int64_t c = j / area;
        int k = static_cast<int>(j - c * area);
        int from_h = h + k / a.kernel - border, from_w = w + k % a.kernel - border;
        bool inside = from_h >= 0 && from_h < height && from_w >= 0 && from_w < width;
        sum += inside ? ead_get(x, ((image * height + from_h) * width + from_w) * channels + c) : 0.0f;
    }
    ead_put(y, at, sum / static_cast<float>(end - begin));
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0], *y = call->y;
    int64_t count = ead_count(y);
    EAD_LAUNCH(patch_pool, ead_blocks(count), EAD_BLOCK, 0, call->stream, count,
               *static_cast<const EadPatchPool *>(call->attributes), x->h, x->w, x->c, ead_stored(x),
               ead_stored(y));
}

EAD_CUDA_KERNEL(patch_pool, .run = run, .half_in = 1, .half_out = true);
