/* Philox4x32-10 and the stateless shuffle built on it. */
#include "core/philox.h"

#include "core/philox_rounds.h"

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

/* A bijection on [0, 4^half_bits): six Feistel rounds keyed by the epoch. */
static uint32_t feistel(uint64_t seed, uint64_t stream, uint64_t epoch, uint32_t value, unsigned half_bits) {
    uint32_t mask = (1u << half_bits) - 1, left = value >> half_bits, right = value & mask;
    for (uint32_t round = 0; round < 6; round++) {
        uint32_t block[4];
        ead_philox(seed ^ (epoch * UINT64_C(0x9E3779B97F4A7C15)), stream, ((uint64_t)round << 32) | right,
                   block);
        uint32_t next = left ^ (block[0] & mask);
        left = right;
        right = next;
    }
    return (left << half_bits) | right;
}

uint32_t ead_shuffled_index(uint64_t seed, uint64_t stream, uint64_t step, uint32_t count) {
    assert(count > 0 && count <= UINT32_C(0x80000000));
    unsigned half_bits = 1;
    while (half_bits < 16 && (UINT64_C(1) << (2 * half_bits)) < count) half_bits++;
    uint32_t value = (uint32_t)(step % count);
    do value = feistel(seed, stream, step / count, value, half_bits);
    while (value >= count); /* walk the cycle until it is back inside */
    return value;
}
