/* Philox4x32-10 and the stateless shuffle built on it. */
#include "core/base/philox.h"

#include <assert.h>

void ead_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]) {
    ead_philox_rounds(seed, stream, counter, out);
}

uint32_t ead_philox_word(uint64_t seed, uint64_t stream, uint64_t index) {
    uint32_t block[4];
    ead_philox(seed, stream, index / 4, block);
    return block[index % 4];
}

uint32_t ead_hash_name(const char *name) {
    uint32_t hash = 2166136261u;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

uint32_t ead_shuffled_index(uint64_t seed, uint64_t stream, uint64_t step, uint32_t count) {
    assert(count > 0 && count <= UINT32_C(0x80000000));
    return ead_philox_shuffle(seed, stream, step, count);
}
