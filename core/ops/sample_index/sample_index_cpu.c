/* The draw on the CPU. */
#include "core/graph/op.h"
#include "core/ops/sample_index/sample_index.h"
#include "core/base/philox.h"

static void sample_index(const EadCall *call) {
    const EadSampleIndex *draw = call->attributes;
    const int64_t *step = call->x[0]->data, *count = call->x[1]->data;
    *(int64_t *)call->y->data =
        ead_shuffled_index(draw->seed, draw->stream, (uint64_t)*step, (uint32_t)*count);
}

const EadKernel ead_sample_index_cpu = {.run = sample_index};
