/* Elementwise sum on CUDA. */
#include "core/cuda/cuda.cuh"

/* y[i] = a[i] + b[i]; one thread an element. */
template <typename X, typename Y> static __global__ void add(int64_t count, const X *a, const X *b, Y *y) {
    int64_t i = ead_thread();
    if (i < count) y[i] = ead_store<Y>(ead_float(a[i]) + ead_float(b[i]));
}

template <typename X, typename Y> static void launch(const EadCall *call) {
    int64_t count = ead_count(call->y);
    EAD_LAUNCH((add<X, Y>), ead_blocks(count), EAD_BLOCK, 0, call->stream, count,
               static_cast<const X *>(call->x[0]->data), static_cast<const X *>(call->x[1]->data),
               static_cast<Y *>(call->y->data));
}

static void run(const EadCall *call) {
    EAD_WITH_STORAGES(call->x[0]->type, X, call->y->type, Y, launch<X, Y>(call));
}

EAD_CUDA_KERNEL(add, .run = run, .half_in = 3, .half_out = true);
