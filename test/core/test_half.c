/* binary16 and bfloat16 conversions, exhaustively: every bit pattern against a formula with ldexp, and every
 * rounding boundary between neighbours. */
#include "core/base/half.h"
#include "test/support/suite.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The value of a sign-exponent-fraction pattern, straight from the definition of the IEEE formats. */
static double value_of(unsigned bits, int fraction_bits, int exponent_bits) {
    int exponent = (int)(bits >> fraction_bits & ((1u << exponent_bits) - 1));
    int bias = (1 << (exponent_bits - 1)) - 1, fraction = (int)(bits & ((1u << fraction_bits) - 1));
    double sign = bits >> (fraction_bits + exponent_bits) ? -1 : 1;
    if (exponent == 2 * bias + 1) return fraction ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0) return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

static bool same(double a, double b) {
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

START_TEST(widening_is_exact) {
    for (unsigned bits = 0; bits < 65536; bits++) {
        double half = (double)ead_half_to_float((uint16_t)bits);
        double brain = (double)ead_bfloat16_to_float((uint16_t)bits);
        ck_assert_msg(same(half, value_of(bits, 10, 5)), "half %04x is %g", bits, half);
        ck_assert_msg(same(brain, value_of(bits, 7, 8)), "bfloat16 %04x is %g", bits, brain);
    }
}
END_TEST

START_TEST(arrays_widen_like_single_numbers) {
    static uint16_t halves[1 << 16];
    static float floats[1 << 16];
    for (int i = 0; i < 1 << 16; i++) halves[i] = (uint16_t)i;
    ead_halves_to_floats(halves, 1 << 16, floats);
    for (int i = 0; i < 1 << 16; i++) {
        float expected = ead_half_to_float((uint16_t)i);
        ck_assert_msg(memcmp(&floats[i], &expected, sizeof expected) == 0, "%04x: %g, expected %g",
                      (unsigned)i, (double)floats[i], (double)expected);
    }
}
END_TEST

START_TEST(narrowing_undoes_widening) {
    for (unsigned bits = 0; bits < 65536; bits++) {
        float half = ead_half_to_float((uint16_t)bits), brain = ead_bfloat16_to_float((uint16_t)bits);
        if (isnan(half))
            ck_assert(isnan(ead_half_to_float(ead_half_from_float(half))));
        else
            ck_assert_uint_eq(ead_half_from_float(half), bits);
        if (isnan(brain))
            ck_assert(isnan(ead_bfloat16_to_float(ead_bfloat16_from_float(brain))));
        else
            ck_assert_uint_eq(ead_bfloat16_from_float(brain), bits);
    }
}
END_TEST

/* Between each finite value and the next larger: below, on and above the middle, with both signs. The step
 * after the largest finite value counts as if the exponent went on: its far end rounds to infinity. */
static void check_rounding(uint16_t narrow(float), int fraction_bits, int exponent_bits) {
    unsigned infinity = ((1u << exponent_bits) - 1) << fraction_bits;
    for (unsigned bits = 0; bits < infinity; bits++) {
        double low = value_of(bits, fraction_bits, exponent_bits);
        double previous = value_of(bits ? bits - 1 : 0, fraction_bits, exponent_bits);
        double high =
            bits + 1 < infinity ? value_of(bits + 1, fraction_bits, exponent_bits) : 2 * low - previous;
        float middle = (float)((low + high) / 2);
        unsigned even = bits % 2 ? bits + 1 : bits;
        ck_assert((double)middle == (low + high) / 2);
        ck_assert_uint_eq(narrow(middle), even);
        ck_assert_uint_eq(narrow(-middle), even | 0x8000u);
        ck_assert_uint_eq(narrow(nextafterf(middle, 0)), bits);
        ck_assert_uint_eq(narrow(nextafterf(middle, INFINITY)), bits + 1);
    }
    ck_assert_uint_eq(narrow(INFINITY), infinity);
    ck_assert_uint_eq(narrow(-INFINITY), infinity | 0x8000u);
}

START_TEST(narrowing_rounds_to_nearest_even) {
    check_rounding(ead_half_from_float, 10, 5);
    check_rounding(ead_bfloat16_from_float, 7, 8);
    ck_assert_uint_eq(ead_half_from_float(1e30f), 0x7C00u);
    ck_assert_uint_eq(ead_half_from_float(0x1p-149f), 0);
}
END_TEST

/* A NaN whose payload lies only in bits that narrowing drops must not turn into infinity. */
START_TEST(nan_stays_nan) {
    uint32_t bits = 0x7F800001u;
    float value;
    memcpy(&value, &bits, sizeof value);
    ck_assert(isnan(ead_half_to_float(ead_half_from_float(value))));
    ck_assert(isnan(ead_bfloat16_to_float(ead_bfloat16_from_float(value))));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("half");
    TCase *cases = tcase_create("conversions");
    tcase_add_test(cases, widening_is_exact);
    tcase_add_test(cases, arrays_widen_like_single_numbers);
    tcase_add_test(cases, narrowing_undoes_widening);
    tcase_add_test(cases, narrowing_rounds_to_nearest_even);
    tcase_add_test(cases, nan_stays_nan);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
