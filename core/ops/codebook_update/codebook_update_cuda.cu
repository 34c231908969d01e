/* The moving codebook on CUDA: a block a code, which looks through the numbers of all vectors for its own. */
#include "core/cuda/reduce.cuh"

#define EAD_DEVICE_FUNCTION __device__
#include "core/base/philox_rounds.h"

#include "core/ops/codebook_update/codebook_update.h"

typedef struct CudaCodebook {
    int codes, channels, vectors;
    EadCodebookUpdate a;
} CudaCodebook;

/* averages[m] <- decay averages[m] + (1 - decay) sums, a thread a column; the last column counts. */
static __global__ void average(CudaCodebook s, const float *x, const float *index, float *averages) {
    int m = static_cast<int>(blockIdx.x);
    for (int k = static_cast<int>(threadIdx.x); k <= s.channels; k += static_cast<int>(blockDim.x)) {
        float *mine = averages + static_cast<int64_t>(m) * (s.channels + 1) + k;
        double sum = 0;
        for (int i = 0; i < s.vectors; i++)
            if (__ldg(index + i) == static_cast<float>(m))
                sum += k < s.channels ? static_cast<double>(x[static_cast<int64_t>(i) * s.channels + k]) : 1;
        *mine = static_cast<float>(s.a.decay * static_cast<double>(*mine) + (1 - s.a.decay) * sum);
    }
}

/* n: the sum of all numbers, by one block. */
static __global__ void sum_numbers(CudaCodebook s, const float *averages, double *n) {
    double sum = 0;
    for (int m = static_cast<int>(threadIdx.x); m < s.codes; m += EAD_REDUCE_BLOCK)
        sum += static_cast<double>(averages[static_cast<int64_t>(m) * (s.channels + 1) + s.channels]);
    sum = ead_block_sum(sum);
    if (threadIdx.x == 0) *n = sum;
}

/* The smoothing, the codes, and those that begin anew. */
static __global__ void move(CudaCodebook s, const double *total, const float *x, const int64_t *step,
                            float *averages, float *codes) {
    int m = static_cast<int>(blockIdx.x);
    float *mine = averages + static_cast<int64_t>(m) * (s.channels + 1);
    double n = *total, count = s.codes,
           size = (static_cast<double>(mine[s.channels]) + s.a.epsilon) / (n + count * s.a.epsilon) * n;
    const float *from = NULL;
    if (size < s.a.least * n / count) {
        uint32_t words[4];
        ead_philox_rounds(s.a.seed, s.a.stream, ead_step_block(*step, m), words);
        from = x + static_cast<int64_t>(ead_drawn_up_to(words[m % 4], s.vectors - 1)) * s.channels;
        size = n / count;
    }
    __syncthreads(); /* all have read the number */
    if (threadIdx.x == 0) mine[s.channels] = static_cast<float>(size);
    for (int k = static_cast<int>(threadIdx.x); k < s.channels; k += static_cast<int>(blockDim.x)) {
        if (from) mine[k] = static_cast<float>(static_cast<double>(from[k]) * size);
        codes[static_cast<int64_t>(m) * s.channels + k] = mine[k] / static_cast<float>(size);
    }
}

static void plan(EadCall *call) {
    call->workspace_bytes = sizeof(double);
}

static void run(const EadCall *call) {
    CudaCodebook s = {call->y->n, call->y->c, static_cast<int>(ead_count(call->x[3])),
                      *static_cast<const EadCodebookUpdate *>(call->attributes)};
    const float *x = static_cast<const float *>(call->x[2]->data);
    float *averages = static_cast<float *>(call->x[1]->data);
    double *n = static_cast<double *>(call->workspace);
    EAD_LAUNCH(average, static_cast<unsigned>(s.codes), EAD_BLOCK, 0, call->stream, s, x,
               static_cast<const float *>(call->x[3]->data), averages);
    EAD_LAUNCH(sum_numbers, 1, EAD_REDUCE_BLOCK, 0, call->stream, s, averages, n);
    EAD_LAUNCH(move, static_cast<unsigned>(s.codes), EAD_BLOCK, 0, call->stream, s, n, x,
               static_cast<const int64_t *>(call->x[4]->data), averages, static_cast<float *>(call->y->data));
}

EAD_CUDA_KERNEL(codebook_update, .run = run, .plan = plan);
