/* The smaller and the larger of two whole numbers: what is left or a block's size, whichever comes first.
 * Readable by C++. */
#ifndef EAD_CORE_MINMAX_H
#define EAD_CORE_MINMAX_H

#include <stdint.h>

static inline int64_t ead_min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Of two numbers whose smaller one fits an int: one of them is an int, and the other is not far below zero.
 */
static inline int ead_min(int64_t a, int64_t b) {
    return (int)ead_min64(a, b);
}

static inline int ead_max(int a, int b) {
    return a > b ? a : b;
}

#endif
