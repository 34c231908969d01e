/* On CUDA, too, a slice is a view and runs nothing; its gradient is a copy between zeros. */
#include "core/cuda/stored.cuh"

#include "core/ops/slice_batch/slice_batch.h"

/* dx[i] = dy[i - begin] for begin <= i < end, else 0. One thread eight elements of dx. */
static __global__ void slice_batch_gradient(int64_t count, int64_t begin, int64_t end, EadStored dy,
                                            EadStored dx) {
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= count) return;
    float v[EAD_GROUP] = {0};
    int n = ead_group_size(at, count);
    if (begin <= at && at + n <= end)
        ead_load(dy, at - begin, n, v);
    else if (begin < at + n && at < end)
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++)
            if (k < n && begin <= at + k && at + k < end) v[k] = ead_get(dy, at + k - begin);
    ead_save(dx, at, n, v);
}

static void run_gradient(const EadCall *call) {
    const EadBatchRange *range = static_cast<const EadBatchRange *>(call->attributes);
    int64_t count = ead_count(call->y), begin = count / call->y->n * range->begin;
    EAD_LAUNCH(slice_batch_gradient, ead_group_blocks(count), EAD_GROUP_BLOCK, 0, call->stream, count, begin,
               begin + ead_count(call->x[0]), ead_stored(call->x[0], begin), ead_stored(call->y));
}

EAD_CUDA_KERNEL(slice_batch, .run = NULL, .half_in = 1, .half_out = true);
EAD_CUDA_KERNEL(slice_batch_gradient, .run = run_gradient, .half_in = 1, .half_out = true);
