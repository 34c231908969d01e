/* Random words of a step for a group of elements, the same as on the CPU. */
#pragma once

#define EAD_DEVICE_FUNCTION __device__
#include "core/cuda/stored.cuh"

#include "core/base/philox_rounds.h"

/* Those of elements at .. at + 7 (core/base/philox_rounds.h); at is a multiple of 8. */
static __device__ inline void ead_group_words(uint64_t seed, uint64_t stream, int64_t step, int64_t at,
                                              uint32_t words[EAD_GROUP]) {
    uint64_t block = ead_step_block(step, at);
    ead_philox_rounds(seed, stream, block, words);
    ead_philox_rounds(seed, stream, block + 1, words + 4);
}
