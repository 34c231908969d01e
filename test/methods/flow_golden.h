/* What tests of flows against golden values (test/golden/methods/) have in common. */
#pragma once

#include "core/plan/plan.h"
#include "test/methods/golden_steps.h"

enum { Z_STEP = 37 };

static inline bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), size = strlen(end);
    return length >= size && strcmp(name + length - size, end) == 0;
}

static inline void check_z(const EadSafetensors *file, const char *name, const EadNode *z, double allowed) {
    int64_t count = (ead_count(&z->y) + Z_STEP - 1) / Z_STEP;
    double *expected = golden_numbers(file, name, count), *got = malloc((size_t)count * sizeof *got);
    for (int64_t i = 0; i < count; i++) got[i] = (double)((const real *)z->y.data)[i * Z_STEP];
    check_numbers(name, got, expected, count, allowed);
    free(expected), free(got);
}

/* How far results may lie apart, as parts of the largest number. */
typedef struct Bounds {
    double z, loss, gradient, parameter;
} Bounds;

/* Of a [size][size], by elimination with pivots, which overwrites it. */
static inline double log_determinant(double *a, int size) {
    double sum = 0;
    for (int k = 0; k < size; k++) {
        int pivot = k;
        for (int r = k + 1; r < size; r++)
            if (fabs(a[r * size + k]) > fabs(a[pivot * size + k])) pivot = r;
        for (int c = k; c < size; c++) {
            double kept = a[k * size + c];
            a[k * size + c] = a[pivot * size + c];
            a[pivot * size + c] = kept;
        }
        sum += log(fabs(a[k * size + k]));
        for (int r = k + 1; r < size; r++) {
            double factor = a[r * size + k] / a[k * size + k];
            for (int c = k; c < size; c++) a[r * size + c] -= factor * a[k * size + c];
        }
    }
    return sum;
}
