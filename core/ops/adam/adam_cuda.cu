/* Adam on CUDA: all parameters in one launch, bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/adam/adam.h"

/* The attributes as the kernel wants them. */
typedef struct Factors {
    double beta1, beta2, shrink; /* shrink: the decoupled decay */
    float decay, epsilon;
    int64_t joins; /* steps done before the first update */
} Factors;

/* For each parameter p with gradient g and moments m, v:
 *   g += decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g²;
 *   p = (1 - rate shrink) p - size m / (sqrt(v) / root_correction + epsilon)
 * A thread takes groups of eight; the first of each block computes the powers, which are slow in double. */
static __global__ void adam(int64_t count, Factors f, EadStored p, EadStored g, EadStored m, EadStored v,
                            const int64_t *done, const float *rate) {
    __shared__ float size, root_correction, kept;
    if (*done < f.joins) return;
    if (threadIdx.x == 0) { /* corrected for moments that began at zero */
        double t = static_cast<double>(*done - f.joins + 1);
        size = static_cast<float>(static_cast<double>(*rate) / (1 - pow(f.beta1, t)));
        root_correction = static_cast<float>(sqrt(1 - pow(f.beta2, t)));
        kept = static_cast<float>(1 - static_cast<double>(*rate) * f.shrink);
    }
    __syncthreads();
    float beta1 = static_cast<float>(f.beta1), rest1 = static_cast<float>(1 - f.beta1),
          beta2 = static_cast<float>(f.beta2), rest2 = static_cast<float>(1 - f.beta2);
    int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x * EAD_GROUP;
    for (int64_t at = ead_thread() * EAD_GROUP; at < count; at += stride) {
        float pp[EAD_GROUP], gg[EAD_GROUP], mm[EAD_GROUP], vv[EAD_GROUP];
        int n = ead_group_size(at, count);
        ead_load(p, at, n, pp);
        ead_load(g, at, n, gg);
        ead_load(m, at, n, mm);
        ead_load(v, at, n, vv);
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) {
            float gradient = gg[k] + f.decay * pp[k];
            mm[k] = beta1 * mm[k] + rest1 * gradient;
            vv[k] = beta2 * vv[k] + rest2 * gradient * gradient;
            pp[k] = kept * pp[k] - size * mm[k] / (sqrtf(vv[k]) / root_correction + f.epsilon);
        }
        ead_save(m, at, n, mm);
        ead_save(v, at, n, vv);
        ead_save(p, at, n, pp);
    }
}

constexpr unsigned MAX_BLOCKS = 2048; /* enough for any GPU: each computes powers first */

static void run(const EadCall *call) {
    const EadAdam *a = static_cast<const EadAdam *>(call->attributes);
    Factors f = {a->beta1,
                 a->beta2,
                 a->decoupled ? a->weight_decay : 0,
                 static_cast<float>(a->decoupled ? 0 : a->weight_decay),
                 static_cast<float>(a->epsilon),
                 a->joins};
    int64_t count = ead_count(call->y);
    unsigned blocks = ead_group_blocks(count);
    EAD_LAUNCH(adam, blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS, EAD_GROUP_BLOCK, 0, call->stream, count, f,
               ead_stored(call->x[0]), ead_stored(call->x[1]), ead_stored(call->x[2]), ead_stored(call->x[3]),
               static_cast<const int64_t *>(call->x[4]->data), static_cast<const float *>(call->x[5]->data));
}

EAD_CUDA_KERNEL(adam, .run = run);
