/* Perlin noise, of which masks of drawn defects are made. */
#pragma once

#include <stdint.h>

enum { EAD_PERLIN_MOST_CELLS = 32 };

/* A field of noise: gradients of length 1 at the corners of its cells, in random directions. */
typedef struct EadPerlin {
    int rows, columns; /* cells, 1 .. EAD_PERLIN_MOST_CELLS */
    double down[EAD_PERLIN_MOST_CELLS + 1][EAD_PERLIN_MOST_CELLS + 1];
    double right[EAD_PERLIN_MOST_CELLS + 1][EAD_PERLIN_MOST_CELLS + 1];
} EadPerlin;

/* The direction of corner (r, c) is that of word r (columns + 1) + c behind block `counter` of the stream. */
EadPerlin ead_perlin(int rows, int columns, uint64_t seed, uint64_t stream, uint64_t counter);

/* The noise at a place, row in 0 .. rows and column in 0 .. columns, in cells: in about [-1, 1]; 0 at the corners. */
double ead_perlin_at(const EadPerlin *perlin, double row, double column);
