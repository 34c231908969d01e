/* The stateless shuffle of core/base/philox.h, inline, for C and for CUDA kernels: both must draw the same images.
 */
#ifndef EAD_CORE_PHILOX_SHUFFLE_H
#define EAD_CORE_PHILOX_SHUFFLE_H

#include "core/base/philox_rounds.h"

/* A bijection on [0, 4^half_bits): six Feistel rounds keyed by the epoch. */
static EAD_DEVICE_FUNCTION inline uint32_t ead_philox_feistel(uint64_t seed, uint64_t stream, uint64_t epoch,
                                                              uint32_t value, unsigned half_bits) {
    uint32_t mask = (1u << half_bits) - 1, left = value >> half_bits, right = value & mask;
    for (uint32_t round = 0; round < 6; round++) {
        uint32_t block[4];
        ead_philox_rounds(seed ^ (epoch * UINT64_C(0x9E3779B97F4A7C15)), stream,
                          ((uint64_t)round << 32) | right, block);
        uint32_t next = left ^ (block[0] & mask);
        left = right;
        right = next;
    }
    return (left << half_bits) | right;
}

/* ead_shuffled_index(). */
static EAD_DEVICE_FUNCTION inline uint32_t ead_philox_shuffle(uint64_t seed, uint64_t stream, uint64_t step,
                                                              uint32_t count) {
    unsigned half_bits = 1;
    while (half_bits < 16 && (UINT64_C(1) << (2 * half_bits)) < count) half_bits++;
    uint32_t value = (uint32_t)(step % count);
    do value = ead_philox_feistel(seed, stream, step / count, value, half_bits);
    while (value >= count); /* walk the cycle until it is back inside */
    return value;
}

#endif
