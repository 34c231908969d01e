/* All kernels of one level as a table. The Makefile compiles this file once for each level. */
#include "core/simd/level/elementary.h"
#include "core/simd/level/panel_product.h"
#include "core/simd/level/vector.h"
#include "core/simd/level/winograd_matrices.h"
#include "core/simd/simd.h"

enum { TILE = 8 };

#define KERNEL  3
#define NAME(x) winograd_##x##_3
#include "core/simd/level/winograd_tile.h"
#undef KERNEL
#undef NAME
#define KERNEL  4
#define NAME(x) winograd_##x##_4
#include "core/simd/level/winograd_tile.h"

static void tanh_row(const real *x, real factor, int64_t count, real *y) {
    LANES_OF_LOOP
    for (int64_t i = 0; i < count; i++) y[i] = tanh_of(factor * x[i]);
}

static void exp_row(const real *x, real factor, int64_t count, real *y) {
    LANES_OF_LOOP
    for (int64_t i = 0; i < count; i++) y[i] = exp_of(factor * x[i]);
}

static void weighted_sum(int count, const real *const *x, const real *const *weights, int64_t channels,
                         const real *bias, bool positive, real most, real *y) {
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES) {
        Vector sum = bias ? load(bias + c) : zero();
        for (int t = 0; t < count; t++) sum += load(x[t] + c) * load(weights[t] + c);
        if (positive) sum = positive_part(sum);
        store(y + c, at_most(sum, most));
    }
    for (; c < channels; c++) {
        real sum = bias ? bias[c] : 0;
        for (int t = 0; t < count; t++) sum += x[t][c] * weights[t][c];
        if (positive && sum < 0) sum = 0;
        y[c] = sum > most ? most : sum;
    }
}

#define WINOGRAD(kernel)                                                                                     \
    {                                                                                                        \
        kernel, winograd_outputs_##kernel, winograd_input_##kernel, winograd_output_##kernel,                \
            winograd_output_gradient_##kernel, winograd_weight_##kernel, winograd_weight_gradient_##kernel   \
    }

#define TEXT_OF(x)      #x
#define TEXT(x)         TEXT_OF(x)
#define TABLE_OF(level) ead_simd_##level
#define TABLE(level)    TABLE_OF(level)

extern const EadSimd TABLE(EAD_LEVEL);
const EadSimd TABLE(EAD_LEVEL) = {
    .name = TEXT(EAD_LEVEL),
    .panel = PANEL,
    .product = product,
    .narrow = LANES,
    .narrow_product = narrow_product,
    .weighted_sum = weighted_sum,
    .winograd = {WINOGRAD(3), WINOGRAD(4)},
    .tanh_row = tanh_row,
    .exp_row = exp_row,
};
