/* One row of the ring on CUDA. */
#include "core/cuda/cuda.cuh"

#include "core/ops/ring_write/ring_write.h"

typedef struct Values {
    const float *at[EAD_RECORD_VALUES]; /* NULL: none */
} Values;

/* ring[step % rows][first + c] = value c; one thread a value. */
static __global__ void ring_write(const int64_t *step, int rows, int columns, int first, Values values,
                                  float *ring) {
    int c = static_cast<int>(threadIdx.x);
    if (c < EAD_RECORD_VALUES && values.at[c]) ring[*step % rows * columns + first + c] = *values.at[c];
}

static void run(const EadCall *call) {
    int first = static_cast<const EadRingWrite *>(call->attributes)->first;
    Values values = {};
    for (int c = 0; c < EAD_RECORD_VALUES; c++)
        if (call->x[2 + c]) values.at[c] = static_cast<const float *>(call->x[2 + c]->data);
    EAD_LAUNCH(ring_write, 1, 32, 0, call->stream, static_cast<const int64_t *>(call->x[1]->data), call->y->w,
               call->y->c, first, values, static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(ring_write, .run = run);
