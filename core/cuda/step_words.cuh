/* Elementwise kernels that draw a random word for each element and step, the same as on the CPU. */
#pragma once

#define EAD_DEVICE_FUNCTION __device__
#include "core/cuda/stored.cuh"

#include "core/base/philox_rounds.h"

/* What a kernel that draws a word for each element of x works on; y has the same shape. */
typedef struct EadStepWords {
    int64_t count;
    uint64_t seed, stream;
    const int64_t *step;
    EadStored x, y;
} EadStepWords;

static inline EadStepWords ead_step_words(const EadCall *call, uint64_t seed, uint64_t stream) {
    const int64_t *step = static_cast<const int64_t *>(call->x[1]->data);
    return EadStepWords{ead_count(call->y), seed, stream, step, ead_stored(call->x[0]), ead_stored(call->y)};
}

/* The elements of a thread: the words of the step and the values of x. */
typedef struct EadDrawnGroup {
    int64_t at;
    int n;
    uint32_t words[EAD_GROUP]; /* those of elements at .. at + 7 (core/base/philox_rounds.h) */
    float v[EAD_GROUP];
} EadDrawnGroup;

/* False: there are none left for this thread. */
static __device__ inline bool ead_draw_group(const EadStepWords &drawn, EadDrawnGroup &group) {
    group.at = ead_thread() * EAD_GROUP;
    if (group.at >= drawn.count) return false;
    uint64_t block = ead_step_block(*drawn.step, group.at);
    ead_philox_rounds(drawn.seed, drawn.stream, block, group.words);
    ead_philox_rounds(drawn.seed, drawn.stream, block + 1, group.words + 4);
    group.n = ead_group_size(group.at, drawn.count);
    ead_load(drawn.x, group.at, group.n, group.v);
    return true;
}
