/* The mean over a map on CUDA: bound by memory bandwidth. */
#include "core/cuda/reduce.cuh"

/* A block has eight channels of an image; its threads take its pixels in turns, and their sums meet in double. */
static __global__ void global_avg_pool(int64_t pixels, int channels, EadStored x, float *y) {
    int groups = (channels + EAD_GROUP - 1) / EAD_GROUP;
    int64_t image = blockIdx.x / groups;
    int c = static_cast<int>(blockIdx.x % groups) * EAD_GROUP, n = ead_group_size(c, channels);
    double sums[EAD_GROUP] = {0};
    float v[EAD_GROUP];
    for (int64_t p = threadIdx.x; p < pixels; p += EAD_REDUCE_BLOCK) {
        ead_load(x, (image * pixels + p) * channels + c, n, v);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) sums[k] += static_cast<double>(v[k]);
    }
    for (int k = 0; k < EAD_GROUP; k++) {
        double sum = ead_block_sum(sums[k]);
        if (threadIdx.x == 0 && k < n)
            y[image * channels + c + k] = static_cast<float>(sum / static_cast<double>(pixels));
    }
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0];
    int groups = (x->c + EAD_GROUP - 1) / EAD_GROUP;
    EAD_LAUNCH(global_avg_pool, static_cast<unsigned>(x->n * groups), EAD_REDUCE_BLOCK, 0, call->stream,
               static_cast<int64_t>(x->h) * x->w, x->c, ead_stored(x, x->c),
               static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(global_avg_pool, .run = run, .half_in = 1);
