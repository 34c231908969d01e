/* The mean products of channels on CUDA: for batches of vectors, of which a thread goes through all. */
#include "core/cuda/cuda.cuh"

static __global__ void gram(int64_t rows, int channels, const float *x, float *y) {
    int64_t at = ead_thread();
    if (at >= static_cast<int64_t>(channels) * channels) return;
    int64_t i = at / channels, j = at - i * channels;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++)
        sum += static_cast<double>(__ldg(x + r * channels + i)) * __ldg(x + r * channels + j);
    y[at] = static_cast<float>(sum / static_cast<double>(rows));
}

static __global__ void gram_gradient(int64_t rows, int channels, const float *dy, const float *x, float *dx) {
    int64_t at = ead_thread();
    if (at >= rows * channels) return;
    int64_t r = at / channels, i = at - r * channels;
    double sum = 0;
    for (int64_t j = 0; j < channels; j++)
        sum += (static_cast<double>(__ldg(dy + i * channels + j)) + __ldg(dy + j * channels + i)) *
               __ldg(x + r * channels + j);
    dx[at] = static_cast<float>(sum / static_cast<double>(rows));
}

static const float *floats(const EadTensor *t) {
    return static_cast<const float *>(t->data);
}

static void run(const EadCall *call) {
    const EadTensor *x = call->x[0];
    EAD_LAUNCH(gram, ead_blocks(ead_count(call->y)), EAD_BLOCK, 0, call->stream, ead_count(x) / x->c, x->c,
               floats(x), static_cast<float *>(call->y->data));
}

static void run_gradient(const EadCall *call) {
    const EadTensor *x = call->x[1];
    EAD_LAUNCH(gram_gradient, ead_blocks(ead_count(x)), EAD_BLOCK, 0, call->stream, ead_count(x) / x->c, x->c,
               floats(call->x[0]), floats(x), static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(gram, .run = run);
EAD_CUDA_KERNEL(gram_gradient, .run = run_gradient);
