/* Directions by subspace iteration on a sample of the bank, and sketches by panel products. */
#include "core/ops/nearest_rows/row_sketches.h"

#include "core/base/minmax.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#ifdef EAD_DOUBLE
#define ROUNDING (DBL_EPSILON / 2)
#define LEAST    DBL_MIN
#define MOST     DBL_MAX
#else
#define ROUNDING (FLT_EPSILON / 2)
#define LEAST    FLT_MIN
#define MOST     FLT_MAX
#endif

enum {
    LENGTH_A_DIRECTION = 13,
    STEP = 16, /* between numbers of directions */
    LEAST_DIRECTIONS = 32,
    MOST_DIRECTIONS = EAD_SKETCH_MAX_NUMBERS - 2,
    SAMPLE_NUMBERS = 1 << 20,
    LEAST_SAMPLE = MOST_DIRECTIONS,
    MOST_SAMPLE = 1024,
    ITERATIONS = 2,
    CHUNK = 128, /* of a row: sums of single precision are no longer */
    LANES = 8,
};

/* ---- memory ---- */

/* Reals for finding the directions: sample [sample][length], products [sample][columns], directions
 * [length][columns] before and [directions][length], in double, after they are made orthonormal. */
static int64_t fitting_reals(const EadRowSketches *s) {
    int64_t doubles = (int64_t)s->directions * s->length;
    return (int64_t)s->sample * (s->length + s->columns) + (int64_t)s->length * s->columns +
           doubles * (int64_t)(sizeof(double) / sizeof(real));
}

/* The sketches lie where the directions were found. */
static int64_t sketch_reals(const EadRowSketches *s) {
    int64_t reals = s->rows * s->numbers, fitting = fitting_reals(s);
    return (reals > fitting ? reals : fitting) + 1;
}

static int64_t scratch_reals(const EadRowSketches *s) {
    return (int64_t)EAD_SKETCHED_TOGETHER * (s->length + 2 * s->columns);
}

EadRowSketches ead_row_sketches(int64_t rows, int length, void *memory) {
    EadRowSketches s = {.simd = ead_simd(), .rows = rows, .length = length};
    int64_t wanted = (length / LENGTH_A_DIRECTION + STEP - 1) / STEP * STEP;
    s.directions = ead_max(LEAST_DIRECTIONS, ead_min(MOST_DIRECTIONS, wanted));
    s.columns = (s.directions + s.simd->panel - 1) / s.simd->panel * s.simd->panel;
    s.numbers = s.directions + 2;
    s.sample = ead_min(rows, ead_max(LEAST_SAMPLE, ead_min(MOST_SAMPLE, SAMPLE_NUMBERS / length)));
    s.mean = memory;
    if (!memory) return s;
    s.basis = s.mean + length;
    s.sketches = s.basis + (int64_t)length * s.columns;
    s.scratch = s.sketches + sketch_reals(&s);
    return s;
}

size_t ead_row_sketches_bytes(int64_t rows, int length, int threads) {
    EadRowSketches s = ead_row_sketches(rows, length, NULL);
    int64_t reals = length + (int64_t)length * s.columns + sketch_reals(&s) + threads * scratch_reals(&s);
    return (size_t)reals * sizeof(real);
}

/* ---- directions ---- */

static bool finite_row(const real *row, int length) {
    for (int i = 0; i < length; i++)
        if (!isfinite(row[i])) return false;
    return true;
}

/* The mean of the sample's finite rows, and the sample less the mean; other rows become 0. */
static void take_sample(const EadRowSketches *s, const real *bank, real *sample, double *mean) {
    int count = 0;
    memset(mean, 0, (size_t)s->length * sizeof *mean);
    for (int r = 0; r < s->sample; r++) {
        const real *row = bank + r * s->rows / s->sample * s->length;
        if (!finite_row(row, s->length)) continue;
        count++;
        for (int i = 0; i < s->length; i++) mean[i] += ((double)row[i] - mean[i]) / count;
    }
    for (int i = 0; i < s->length; i++) s->mean[i] = (real)mean[i];
    for (int r = 0; r < s->sample; r++) {
        const real *row = bank + r * s->rows / s->sample * s->length;
        bool finite = finite_row(row, s->length);
        for (int i = 0; i < s->length; i++)
            sample[(int64_t)r * s->length + i] = finite ? row[i] - s->mean[i] : 0;
    }
}

static double dot(const double *a, const double *b, int length) {
    double lanes[LANES] = {0}, total = 0;
    int i = 0;
    for (; i + LANES <= length; i += LANES)
        for (int k = 0; k < LANES; k++) lanes[k] += a[i + k] * b[i + k];
    for (int k = 0; i < length; i++, k++) lanes[k] += a[i] * b[i];
    for (int k = 0; k < LANES; k++) total += lanes[k];
    return total;
}

/* Makes q [directions][length] orthonormal, each against those before it, twice; what vanishes becomes 0. */
static void orthonormalize(const EadRowSketches *s, double *q) {
    int length = s->length;
    for (int d = 0; d < s->directions; d++) {
        double *own = q + (int64_t)d * length, before = sqrt(dot(own, own, length));
        for (int e = 0; e < 2 * d; e++) {
            const double *other = q + (int64_t)(e % d) * length;
            double product = dot(own, other, length);
            for (int i = 0; i < length; i++) own[i] -= product * other[i];
        }
        double norm = sqrt(dot(own, own, length));
        bool vanishes = !(norm > 1e-6 * before) || !isfinite(norm);
        for (int i = 0; i < length; i++) own[i] = vanishes ? 0 : own[i] / norm;
    }
}

/* The basis from q [directions][length]. */
static void write_basis(const EadRowSketches *s, const double *q) {
    int width = s->simd->panel;
    memset(s->basis, 0, (size_t)(s->length * (int64_t)s->columns) * sizeof *s->basis);
    for (int d = 0; d < s->directions; d++)
        for (int i = 0; i < s->length; i++)
            s->basis[((int64_t)(d / width) * s->length + i) * width + d % width] =
                (real)q[(int64_t)d * s->length + i];
}

/* out [length][columns] = sample^T (sample basis): the basis's directions turn to those of the largest variance. */
static void multiply_by_sample(const EadRowSketches *s, const real *sample, real *products, real *out,
                               int threads) {
    int width = s->simd->panel;
#pragma omp parallel num_threads(threads)
    {
#pragma omp for schedule(static)
        for (int64_t first = 0; first < s->sample; first += EAD_SKETCHED_TOGETHER) {
            EadPanelProduct p = {.rows = ead_min64(EAD_SKETCHED_TOGETHER, s->sample - first), .k = s->length};
            p.a = sample + first * s->length, p.row_stride = s->length, p.k_stride = 1;
            p.b = s->basis, p.ldb = width, p.c = products + first * s->columns, p.ldc = s->columns;
            ead_panel_products(s->simd, s->columns, (int64_t)s->length * width, p);
        }
#pragma omp for schedule(static)
        for (int64_t first = 0; first < s->length; first += EAD_SKETCHED_TOGETHER) {
            EadPanelProduct p = {.rows = ead_min64(EAD_SKETCHED_TOGETHER, s->length - first), .k = s->sample};
            p.a = sample + first, p.row_stride = 1, p.k_stride = s->length;
            p.b = products, p.ldb = p.ldc = s->columns, p.c = out + first * s->columns;
            ead_panel_products(s->simd, s->columns, width, p);
        }
    }
}

static void find_directions(const EadRowSketches *s, const real *bank, int threads) {
    int64_t length = s->length;
    double *q = (double *)(((uintptr_t)s->sketches + sizeof *q - 1) / sizeof *q * sizeof *q);
    real *sample = (real *)(q + s->directions * length), *products = sample + s->sample * length;
    real *turned = products + (int64_t)s->sample * s->columns;
    take_sample(s, bank, sample, q);
    for (int d = 0; d < s->directions; d++) /* to begin with, rows of the sample */
        for (int64_t i = 0; i < length; i++)
            q[d * length + i] =
                d < s->sample ? (double)sample[(int64_t)d * s->sample / s->directions * length + i] : 0;
    for (int turn = 0; turn < ITERATIONS; turn++) {
        write_basis(s, q);
        multiply_by_sample(s, sample, products, turned, threads);
        for (int d = 0; d < s->directions; d++)
            for (int64_t i = 0; i < length; i++) q[d * length + i] = (double)turned[i * s->columns + d];
        orthonormalize(s, q);
    }
    write_basis(s, q);
}

/* ---- sketches ---- */

/* What P^T x' is off by at most, relative to |x'|: each product by the sums of CHUNK numbers and the sum of these,
 * relative to |P| |x'| (a vector of D numbers: sqrt(D)), P by its rounding, and in double by Gram-Schmidt. */
static double product_error(const EadRowSketches *s) {
    double sums = CHUNK + s->length / CHUNK + 4;
    return sqrt((double)s->directions) * (sums * (double)ROUNDING + s->length * DBL_EPSILON);
}

/* out [count][columns] += rows [count][length] basis, chunk by chunk. */
static void project(const EadRowSketches *s, const real *rows, int64_t count, real *part, real *out) {
    int width = s->simd->panel;
    memset(out, 0, (size_t)(count * s->columns) * sizeof *out);
    for (int64_t first = 0; first < s->length; first += CHUNK) {
        EadPanelProduct p = {.rows = count, .k = ead_min64(CHUNK, s->length - first)};
        p.a = rows + first, p.row_stride = s->length, p.k_stride = 1;
        p.b = s->basis + first * width, p.ldb = width, p.c = part, p.ldc = s->columns;
        ead_panel_products(s->simd, s->columns, (int64_t)s->length * width, p);
        for (int64_t i = 0; i < count * s->columns; i++) out[i] += part[i];
    }
}

/* The norm of the rest is rounded up, by more than the products can be off: then a product of two sketches is never
 * below that of the rows but by the error of P^T x', 2 error |q'| |b'|. With the rounding of x', relative to |q'| and
 * |b'| 4 ROUNDING, of the product of sketches, `numbers` additions of at most 3 (|q'|^2 + |b'|^2), and of the distance
 * that is compared, the height's share of the slack is as below. LEAST: numbers so small that they lose digits. */
static void finish_sketch(const EadRowSketches *s, const real *products, double squared, bool finite,
                          real *out) {
    double error = product_error(s), rest = squared * (1 + 3 * error);
    double slack = 2.5 * error + (3.0 * s->numbers + 20) * (double)ROUNDING;
    if (!(squared < (double)MOST / 16)) {
        memset(out, 0, (size_t)s->numbers * sizeof *out);
        out[s->numbers - 1] = finite ? -(real)INFINITY : (real)INFINITY;
        return;
    }
    for (int d = 0; d < s->directions; d++) rest -= (double)products[d] * (double)products[d];
    memcpy(out, products, (size_t)s->directions * sizeof *out);
    out[s->directions] = (real)sqrt(rest > 0 ? rest : 0);
    out[s->directions + 1] = (real)(squared * (1 - slack) - (double)LEAST);
}

void ead_sketch_rows(const EadRowSketches *s, int thread, const real *rows, int64_t count, real *out) {
    real *centred = s->scratch + thread * scratch_reals(s), *part = centred + count * s->length;
    real *products = part + count * s->columns;
    for (int64_t r = 0; r < count; r++)
        for (int i = 0; i < s->length; i++) centred[r * s->length + i] = rows[r * s->length + i] - s->mean[i];
    project(s, centred, count, part, products);
    for (int64_t r = 0; r < count; r++) {
        double squared = s->simd->squared_distance(rows + r * s->length, s->mean, s->length);
        finish_sketch(s, products + r * s->columns, squared, finite_row(rows + r * s->length, s->length),
                      out + r * s->numbers);
    }
}

void ead_row_sketches_fill(const EadRowSketches *s, const real *bank, int threads) {
    find_directions(s, bank, threads);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t first = 0; first < s->rows; first += EAD_SKETCHED_TOGETHER)
        ead_sketch_rows(s, omp_get_thread_num(), bank + first * s->length,
                        ead_min64(EAD_SKETCHED_TOGETHER, s->rows - first), s->sketches + first * s->numbers);
}
