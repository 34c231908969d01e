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

/* Numbers as doubles, a vector of them. */
enum { DOUBLES = VECTOR_BYTES / (int)sizeof(double), DISTANCE_SUMS = 4 };
typedef double Doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef real Narrow __attribute__((vector_size(DOUBLES * sizeof(real)), aligned(sizeof(real)), may_alias));

static inline __attribute__((always_inline)) Doubles widened(const real *p) {
    return __builtin_convertvector(*(const Narrow *)p, Doubles);
}

static double squared_distance(const real *a, const real *b, int64_t length) {
    Doubles sums[DISTANCE_SUMS] = {{0}};
    double total = 0;
    int64_t i = 0;
    for (; i + DISTANCE_SUMS * DOUBLES <= length; i += DISTANCE_SUMS * DOUBLES)
        UNROLL for (int k = 0; k < DISTANCE_SUMS; k++) {
            Doubles d = widened(a + i + k * DOUBLES) - widened(b + i + k * DOUBLES);
            sums[k] += d * d;
        }
    for (; i < length; i++) total += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    Doubles all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (int k = 0; k < DOUBLES; k++) total += all[k];
    return total;
}

/* Outputs of a convolution that lie one behind the other. */
static inline __attribute__((always_inline)) Vector finished(const real *x, const real *bias, bool relu) {
    Vector v = load(x);
    if (bias) v += load(bias);
    return relu ? positive_part(v) : v;
}

static inline real finished_number(real x, const real *bias, bool relu) {
    if (bias) x += *bias;
    return relu && x < 0 ? 0 : x;
}

static void pool_rows(const EadPooledRows *p) {
    real *y = p->y;
    for (int i = 0; i < p->pixels; i++, y += p->y_stride) {
        const real *a = p->x[0] + 2 * i * p->x_stride, *b = p->x[1] + 2 * i * p->x_stride, *bias = p->bias;
        int64_t c = 0, next = p->x_stride;
        for (; c + LANES <= p->channels; c += LANES, bias = bias ? bias + LANES : NULL) {
            Vector upper = finished(a + c, bias, p->relu) + finished(a + c + next, bias, p->relu);
            Vector lower = finished(b + c, bias, p->relu) + finished(b + c + next, bias, p->relu);
            store(y + c, (real)0.25 * (upper + lower));
        }
        for (; c < p->channels; c++, bias = bias ? bias + 1 : NULL) {
            real upper = finished_number(a[c], bias, p->relu) + finished_number(a[c + next], bias, p->relu);
            real lower = finished_number(b[c], bias, p->relu) + finished_number(b[c + next], bias, p->relu);
            y[c] = (real)0.25 * (upper + lower);
        }
    }
}

static void add_bias(real *y, int64_t rows, int64_t channels, int64_t stride, const real *bias, bool relu) {
    for (int64_t row = 0; row < rows; row++, y += stride) {
        int64_t c = 0;
        for (; c + LANES <= channels; c += LANES) store(y + c, finished(y + c, bias ? bias + c : NULL, relu));
        for (; c < channels; c++) y[c] = finished_number(y[c], bias ? bias + c : NULL, relu);
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
    .add_bias = add_bias,
    .pool_rows = pool_rows,
    .weighted_sum = weighted_sum,
    .squared_distance = squared_distance,
    .winograd = {WINOGRAD(3), WINOGRAD(4)},
    .tanh_row = tanh_row,
    .exp_row = exp_row,
};
