/* Minimum and maximum of whole numbers, for C and C++. */
#pragma once

#include <stdint.h>

static inline int64_t ead_min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* One of the two must fit an int, the other must not lie below an int's range. */
static inline int ead_min(int64_t a, int64_t b) {
    return (int)ead_min64(a, b);
}

static inline int ead_max(int a, int b) {
    return a > b ? a : b;
}
