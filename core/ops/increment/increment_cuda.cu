/* Adds one to the counter, on CUDA. */
#include "core/cuda/cuda.cuh"

/* ++*step. One thread. */
static __global__ void increment(int64_t *step) {
    ++*step;
}

static void run(const EadCall *call) {
    EAD_LAUNCH(increment, 1, 1, 0, call->stream, static_cast<int64_t *>(call->y->data));
}

EAD_CUDA_KERNEL(increment, .run = run);
