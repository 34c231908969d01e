/* The rounds of Philox4x32-10 and the stateless shuffle of core/base/philox.h, inline, for C and for CUDA
 * kernels: there is one generator. */
#pragma once

#include <stdint.h>

#ifndef EAD_DEVICE_FUNCTION /* a .cu file sets it to __device__ */
#define EAD_DEVICE_FUNCTION
#endif

/* ead_philox() of core/base/philox.h. */
static EAD_DEVICE_FUNCTION inline void ead_philox_rounds(uint64_t seed, uint64_t stream, uint64_t counter,
                                                         uint32_t out[4]) {
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = UINT64_C(0xD2511F53) * c0, product1 = UINT64_C(0xCD9E8D57) * c2;
        uint32_t high0 = (uint32_t)(product0 >> 32), high1 = (uint32_t)(product1 >> 32);
        c0 = high1 ^ c1 ^ key0;
        c1 = (uint32_t)product1;
        c2 = high0 ^ c3 ^ key1;
        c3 = (uint32_t)product0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Ops that draw a word for each element give each step 2^34 words of a stream to itself: element i of step s
 * takes word s * 2^34 + i, which is word i % 4 of this block. So steps and elements never share a number. */
enum { EAD_STEP_WORDS_LOG2 = 34 };
static EAD_DEVICE_FUNCTION inline uint64_t ead_step_block(int64_t step, int64_t element) {
    return ((uint64_t)step << (EAD_STEP_WORDS_LOG2 - 2)) + (uint64_t)element / 4;
}

/* One of 0 .. last, from one word. */
static EAD_DEVICE_FUNCTION inline int ead_drawn_up_to(uint32_t word, int last) {
    return (int)(((uint64_t)word * ((uint64_t)last + 1)) >> 32);
}

/* Uniform in [0,1) with 24 bits, from one word: exact in float and the same in double. */
static EAD_DEVICE_FUNCTION inline float ead_uniform(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24f;
}

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
