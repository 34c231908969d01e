/* The two 16-bit floats of model files and of reduced-precision inference: IEEE binary16 and bfloat16. C11
 * has no type for either, so they travel as uint16_t bit patterns. Widening is exact; narrowing rounds to
 * nearest, ties to even, keeps subnormals and turns what is too large into infinity. A NaN stays a (quiet)
 * NaN. */
#pragma once

#include <stdint.h>

/* The value of a binary16 bit pattern (1 sign, 5 exponent, 10 fraction bits). */
float ead_half_to_float(uint16_t half);

/* The same for a whole array. */
void ead_halves_to_floats(const uint16_t *halves, int64_t count, float *out);

/* The binary16 nearest to a float; magnitudes from 65,520 on become infinity. */
uint16_t ead_half_from_float(float value);

/* The value of a bfloat16 bit pattern: the upper half of a float. */
float ead_bfloat16_to_float(uint16_t bits);

/* The bfloat16 nearest to a float. */
uint16_t ead_bfloat16_from_float(float value);
