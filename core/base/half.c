/* binary16 and bfloat16 by bit patterns: portable, and the same to the bit on every machine. */
#include "core/base/half.h"

#include <string.h>

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float ead_half_to_float(uint16_t half) {
    uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 0x1Fu, fraction = half & 0x3FFu;
    if (exponent == 31) return float_of(sign | 0x7F800000u | fraction << 13);
    if (exponent == 0) return float_of(sign | bits_of((float)fraction * 0x1p-24f));
    return float_of(sign | (exponent + (127 - 15)) << 23 | fraction << 13);
}

/* Without branches, so that compilers make vectors of it: exponent and fraction moved to a float's place are
 * 2^112 too small, subnormals too. Infinities and NaN come out too small as well; theirs is put back. */
void ead_halves_to_floats(const uint16_t *halves, int64_t count, float *out) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t half = halves[i], special = (half & 0x7C00u) == 0x7C00u ? 0x7F800000u : 0;
        uint32_t magnitude = bits_of(float_of((half & 0x7FFFu) << 13) * 0x1p112f);
        out[i] = float_of((half & 0x8000u) << 16 | magnitude | special);
    }
}

uint16_t ead_half_from_float(float value) {
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000u, x = bits & 0x7FFFFFFFu;
    if (x > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | (x >> 13 & 0x3FFu));
    if (x >= 0x477FF000u) return (uint16_t)(sign | 0x7C00u); /* 65,520: halfway to the next power of two */
    if (x < 0x38800000u)                                     /* below 2^-14; one step of 0.5f is 2^-24 */
        return (uint16_t)(sign | (bits_of(float_of(x) + 0.5f) - bits_of(0.5f)));
    x += 0xFFFu + (x >> 13 & 1u); /* a carry out of the fraction rightly bumps the exponent */
    return (uint16_t)(sign | (x - ((127u - 15u) << 23)) >> 13);
}

float ead_bfloat16_to_float(uint16_t bits) {
    return float_of((uint32_t)bits << 16);
}

uint16_t ead_bfloat16_from_float(float value) {
    uint32_t x = bits_of(value);
    if ((x & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(x >> 16 | 0x40u);
    return (uint16_t)((x + 0x7FFFu + (x >> 16 & 1u)) >> 16);
}
