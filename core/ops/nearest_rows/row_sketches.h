/* Sketches: short vectors of rows whose distances are never above those of the rows. With x' = x - mean and orthonormal
 * directions P, the sketch of x is P^T x' and the norm of what is left, |x' - P P^T x'|; that the distance of two
 * sketches is at most that of the rows is Pythagoras in P and the triangle inequality beside it. The nearer the rows
 * lie to the span of P, the closer the bound; P are principal directions of a bank. A square of the distance is
 * computed as height of the one + height of the other - 2 products of the rest, where a height is the square of |x'|
 * less what all rounding, of sketches and products, can have added: the bound holds for the numbers as computed. */
#pragma once

#include "core/simd/simd.h"

typedef struct EadRowSketches {
    const EadSimd *simd;
    int64_t rows; /* of the bank */
    int length;   /* of a row */
    int directions;
    int columns;    /* directions, filled up to whole panels */
    int numbers;    /* of a sketch: products with the directions, norm of the rest, height */
    int sample;     /* rows that the directions are made from */
    real *mean;     /* [length] */
    real *basis;    /* [columns / panel][length][panel] */
    real *sketches; /* [rows][numbers], of the bank */
    real *scratch;  /* [threads][ead_sketch_scratch()] */
} EadRowSketches;

/* The sketches of a bank [rows][length] as they lie in memory of ead_row_sketches_bytes(). */
EadRowSketches ead_row_sketches(int64_t rows, int length, void *memory);
size_t ead_row_sketches_bytes(int64_t rows, int length, int threads);

/* Finds mean and directions and makes the sketches of a bank. The same bits on any number of threads. */
void ead_row_sketches_fill(const EadRowSketches *s, const real *bank, int threads);

enum {
    EAD_SKETCHED_TOGETHER = 64, /* rows, at most */
    EAD_SKETCH_MAX_NUMBERS = 130,
};

/* Sketches of a few rows [count][length] -> [count][numbers], by one thread in its share of the scratch. Of a row
 * that is not finite the height is infinite, of one too large for products -infinite; the rest is 0 then. */
void ead_sketch_rows(const EadRowSketches *s, int thread, const real *rows, int64_t count, real *out);
