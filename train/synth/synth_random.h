/* Random numbers and smooth noise of the generated pictures: a walk over one Philox stream for the choices
 * that make a picture, and a cheap hashed lattice for its millions of noise values. */
#ifndef EAD_TRAIN_SYNTH_RANDOM_H
#define EAD_TRAIN_SYNTH_RANDOM_H

#include <stdint.h>

/* A walk that starts at counter `picture` * 2^32: pictures never share a number. */
typedef struct EadSynthRandom {
    uint64_t seed, index;
} EadSynthRandom;

EadSynthRandom ead_synth_random(uint64_t seed, uint32_t picture);

uint32_t ead_synth_bits(EadSynthRandom *random);

/* Uniform in [low, high). */
float ead_synth_between(EadSynthRandom *random, float low, float high);

/* Uniform in 0..count-1. */
int ead_synth_below(EadSynthRandom *random, int count);

/* Uniform in [0,1), a pure function of its arguments. */
float ead_synth_hash(uint32_t seed, int x, int y);

/* Value noise in [0,1): smooth between the whole-numbered points. */
float ead_synth_noise(uint32_t seed, float x, float y);

/* Noise of `octaves` octaves in [0,1), each of twice the frequency and half the weight. */
float ead_synth_octaves(uint32_t seed, float x, float y, int octaves);

#endif
