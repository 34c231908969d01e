/* The draw on CUDA: the same bits as on the CPU. */
#define EAD_DEVICE_FUNCTION __device__
#include "core/cuda/cuda.cuh"

#include "core/ops/sample_index/sample_index.h"
#include "core/base/philox_rounds.h"

/* *index = element *step of the shuffled sequence. One thread. */
static __global__ void sample_index(EadSampleIndex draw, const int64_t *step, const int64_t *count,
                                    int64_t *index) {
    *index = ead_philox_shuffle(draw.seed, draw.stream, static_cast<uint64_t>(*step),
                                static_cast<uint32_t>(*count));
}

static void run(const EadCall *call) {
    EAD_LAUNCH(sample_index, 1, 1, 0, call->stream, *static_cast<const EadSampleIndex *>(call->attributes),
               static_cast<const int64_t *>(call->x[0]->data), static_cast<const int64_t *>(call->x[1]->data),
               static_cast<int64_t *>(call->y->data));
}

EAD_CUDA_KERNEL(sample_index, .run = run);
