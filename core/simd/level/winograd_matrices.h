/* Winograd's matrices for tiles of 8 inputs and kernels of 3 and 4, in one dimension:
 * y = A^T [(G w) * (B^T d)] (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016).
 *
 * Toom-Cook at the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, small numbers in pairs, which halve the
 * work: A^T[i][k] = p_k^i, G[k][j] = p_k^j, B^T the transposed inverse of the points' Vandermonde matrix.
 * Each row of B^T is divided, and the row of G multiplied, by the power of two nearest to its largest entry,
 * so that no product is much larger than another. test/core/double_winograd.c checks them in exact
 * fractions. */
#pragma once

#include "core/base/real.h"

#define F(n, d) ((real)(n) / (d))

static const real winograd_bt[8][8] = {{F(1, 4), 0, F(-21, 16), 0, F(21, 16), 0, F(-1, 4), 0},
                                       {0, F(-2, 9), F(-2, 9), F(17, 18), F(17, 18), F(-2, 9), F(-2, 9), 0},
                                       {0, F(2, 9), F(-2, 9), F(-17, 18), F(17, 18), F(2, 9), F(-2, 9), 0},
                                       {0, F(8, 45), F(4, 45), F(-8, 9), F(-4, 9), F(32, 45), F(16, 45), 0},
                                       {0, F(-8, 45), F(4, 45), F(8, 9), F(-4, 9), F(-32, 45), F(16, 45), 0},
                                       {0, F(16, 45), F(32, 45), F(-4, 9), F(-8, 9), F(4, 45), F(8, 45), 0},
                                       {0, F(-16, 45), F(32, 45), F(4, 9), F(-8, 9), F(-4, 45), F(8, 45), 0},
                                       {0, F(-1, 4), 0, F(21, 16), 0, F(-21, 16), 0, F(1, 4)}};
static const real winograd_g_3[8][3] = {
    {4, 0, 0}, {1, 1, 1},  {1, -1, 1}, {F(1, 32), F(1, 16), F(1, 8)}, {F(1, 32), F(-1, 16), F(1, 8)},
    {4, 2, 1}, {4, -2, 1}, {0, 0, 4}};
static const real winograd_g_4[8][4] = {{4, 0, 0, 0},
                                        {1, 1, 1, 1},
                                        {1, -1, 1, -1},
                                        {F(1, 32), F(1, 16), F(1, 8), F(1, 4)},
                                        {F(1, 32), F(-1, 16), F(1, 8), F(-1, 4)},
                                        {4, 2, 1, F(1, 2)},
                                        {4, -2, 1, F(-1, 2)},
                                        {0, 0, 0, 4}};
static const real winograd_at_3[6][8] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                         {0, 1, -1, 2, -2, F(1, 2), F(-1, 2), 0},
                                         {0, 1, 1, 4, 4, F(1, 4), F(1, 4), 0},
                                         {0, 1, -1, 8, -8, F(1, 8), F(-1, 8), 0},
                                         {0, 1, 1, 16, 16, F(1, 16), F(1, 16), 0},
                                         {0, 1, -1, 32, -32, F(1, 32), F(-1, 32), 1}};
static const real winograd_at_4[5][8] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                         {0, 1, -1, 2, -2, F(1, 2), F(-1, 2), 0},
                                         {0, 1, 1, 4, 4, F(1, 4), F(1, 4), 0},
                                         {0, 1, -1, 8, -8, F(1, 8), F(-1, 8), 0},
                                         {0, 1, 1, 16, 16, F(1, 16), F(1, 16), 1}};

#undef F
