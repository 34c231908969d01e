/* What comparisons with golden steps of training have in common: numbers drawn on both sides, and those of a file. */
#pragma once

#include "core/base/philox.h"
#include "core/file/safetensors.h"
#include "core/graph/params.h"
#include "test/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 8 };

/* [-1, 1) */
static inline double drawn(const char *name, int64_t i) {
    return 2 * (double)ead_uniform(ead_philox_word(ead_hash_name(name), EAD_STREAM_TEST, (uint64_t)i)) - 1;
}

static inline double *golden_numbers(const EadSafetensors *file, const char *name, int64_t count) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    double *values = malloc((size_t)count * sizeof *values);
    ck_assert_msg(tensor && tensor->count == count && values, "%s is not there with %lld numbers", name,
                  (long long)count);
    ck_assert_int_eq(ead_file_tensor_to_double(file, tensor, values), EAD_OK);
    return values;
}

/* The largest difference, as a part of the largest expected number. */
static inline void check_numbers(const char *what, const double *got, const double *expected, int64_t count,
                                 double allowed) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, isnan(got[i]) ? INFINITY : fabs(got[i] - expected[i]));
        largest = fmax(largest, fabs(expected[i]));
    }
    ck_assert_msg(worst <= allowed * largest, "%s: off by %g of %g", what, worst, largest);
}

/* SAMPLES numbers of each parameter in a buffer that is laid out as the parameters, but for those that skip() names (NULL:
 * none). */
static inline void check_samples(const EadSafetensors *file, const char *name, const EadParams *params,
                                 const real *values, double allowed, bool (*skip)(const char *)) {
    double *expected = golden_numbers(file, name, (int64_t)params->count * SAMPLES), got[SAMPLES];
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        if (skip && skip(p->name)) continue;
        for (int i = 0; i < SAMPLES; i++)
            got[i] = (double)values[p->offset + ead_param_size(p) * i / SAMPLES];
        check_numbers(p->name, got, expected + (int64_t)k * SAMPLES, SAMPLES, allowed);
    }
    free(expected);
}
