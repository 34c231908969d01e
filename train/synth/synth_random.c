/* Random numbers and noise of the generated pictures. */
#include "train/synth/synth_random.h"

#include "core/base/philox.h"

#include <math.h>

EadSynthRandom ead_synth_random(uint64_t seed, uint32_t picture) {
    return (EadSynthRandom){seed, (uint64_t)picture << 32};
}

uint32_t ead_synth_bits(EadSynthRandom *random) {
    return ead_philox_word(random->seed, EAD_STREAM_SYNTH, random->index++);
}

float ead_synth_between(EadSynthRandom *random, float low, float high) {
    return low + (high - low) * ead_uniform(ead_synth_bits(random));
}

int ead_synth_below(EadSynthRandom *random, int count) {
    return (int)((uint64_t)ead_synth_bits(random) * (uint64_t)count >> 32);
}

float ead_synth_hash(uint32_t seed, int x, int y) {
    uint32_t word = seed ^ ((uint32_t)x * 0x9E3779B1u) ^ ((uint32_t)y * 0x85EBCA77u);
    word = (word ^ (word >> 16)) * 0x7FEB352Du;
    word = (word ^ (word >> 15)) * 0x846CA68Bu;
    return ead_uniform(word ^ (word >> 16));
}

static float ease(float t) {
    return t * t * (3.0f - 2.0f * t);
}

static float mix(float a, float b, float t) {
    return a + (b - a) * t;
}

float ead_synth_noise(uint32_t seed, float x, float y) {
    float column = floorf(x), row = floorf(y);
    int i = (int)column, j = (int)row;
    float u = ease(x - column), v = ease(y - row);
    float upper = mix(ead_synth_hash(seed, i, j), ead_synth_hash(seed, i + 1, j), u);
    float lower = mix(ead_synth_hash(seed, i, j + 1), ead_synth_hash(seed, i + 1, j + 1), u);
    return mix(upper, lower, v);
}

float ead_synth_octaves(uint32_t seed, float x, float y, int octaves) {
    float sum = 0, weight = 1, total = 0;
    for (int i = 0; i < octaves; i++) {
        sum += weight * ead_synth_noise(seed + (uint32_t)i, x, y);
        total += weight;
        weight *= 0.5f;
        x *= 2;
        y *= 2;
    }
    return sum / total;
}
