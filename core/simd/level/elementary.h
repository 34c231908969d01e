/* exp and tanh that compilers turn into vector instructions: no branches, no calls. In the double build they are those
 * of the C library. */
#pragma once

#include "core/base/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* LANES_OF_LOOP stands before a loop of these. */
#ifdef EAD_DOUBLE
#define LANES_OF_LOOP
static inline double exp_of(double x) {
    return exp(x);
}
static inline double tanh_of(double x) {
    return tanh(x);
}
#else
#define LANES_OF_LOOP _Pragma("omp simd")
/* e^x = power (1 + rest) with power = 2^n and |rest| < 0.42, for |x| <= 80. */
static inline float exp_parts(float x, float *power) {
    const float to_whole =
        0x1.8p23f; /* a number of this size has no digits behind the point: n is its last bits */
    float shifted = x * 1.44269504f + to_whole, n = shifted - to_whole;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts: the first product is exact */
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + (127u << 23);
    memcpy(power, &bits, sizeof bits);
    /* the series of e^r - 1, |r| <= ln 2 / 2 */
    return r +
           r * r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r / 5040)))));
}

/* x is taken as at most 80 away from 0. */
static inline float exp_of(float x) {
    float power, rest;
    x = x > 80 ? 80 : x;
    x = x < -80 ? -80 : x;
    rest = exp_parts(x, &power);
    return power + power * rest;
}

/* Of e = e^2|x| - 1, which keeps its digits near 0: e / (e + 2). */
static inline float tanh_of(float x) {
    float size = fabsf(x), power, rest;
    size = size > 10 ? 10 : size;
    rest = exp_parts(2 * size, &power);
    float e = (power - 1) + power * rest;
    return copysignf(e / (e + 2), x);
}
#endif
