/* Joins batches by copying, all in one launch. */
#include "core/cuda/stored.cuh"

typedef struct Parts {
    EadStored x[EAD_MAX_INPUTS], y[EAD_MAX_INPUTS]; /* y: where the part goes */
    int64_t counts[EAD_MAX_INPUTS];
} Parts;

/* y[p][i] = x[p][i]. blockIdx.y is the part p; one thread eight elements of it. */
static __global__ void concat_batch(Parts parts) {
    unsigned p = blockIdx.y;
    int64_t at = ead_thread() * EAD_GROUP;
    if (at >= parts.counts[p]) return;
    float v[EAD_GROUP];
    int n = ead_group_size(at, parts.counts[p]);
    ead_load(parts.x[p], at, n, v);
    ead_save(parts.y[p], at, n, v);
}

static void run(const EadCall *call) {
    Parts parts = {};
    EadTensor y = *call->y;
    int64_t largest = 0;
    unsigned count = 0;
    for (; count < EAD_MAX_INPUTS && call->x[count]; count++) {
        int64_t elements = ead_count(call->x[count]);
        parts.x[count] = ead_stored(call->x[count]);
        parts.y[count] = ead_stored(&y);
        parts.counts[count] = elements;
        y.data = static_cast<unsigned char *>(y.data) + static_cast<size_t>(elements) * ead_type_size(y.type);
        largest = largest > elements ? largest : elements;
    }
    EAD_LAUNCH(concat_batch, dim3(ead_group_blocks(largest), count), EAD_GROUP_BLOCK, 0, call->stream, parts);
}

EAD_CUDA_KERNEL(concat_batch, .run = run, .half_in = (1 << EAD_MAX_INPUTS) - 1, .half_out = true);
