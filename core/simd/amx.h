/* bf16 products on AMX, the tile registers of recent x86-64 server CPUs: 16 x 32 numbers times 32 x 16
 * numbers in one instruction, summed in fp32. An object of its own, compiled for such a CPU and executed
 * nowhere else; tests build the same kernels with the tile instructions in plain C. bf16 numbers are uint16_t
 * as in core/base/half.h, rounded to nearest even. */
#pragma once

#include "core/base/real.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EAD_AMX_BLOCK = 32,        /* rows and columns of a block of sums, and numbers a step sums over */
    EAD_AMX_TILE = 16 * 32,    /* bf16 numbers of a tile: 16 rows of 64 bytes that follow one another */
    EAD_AMX_SUMS = 32 * 32,    /* numbers of a block of sums */
    EAD_AMX_STEP = 2 * 16 * 32 /* bf16 numbers of one operand of a step: two tiles */
};

/* One block of sums[32][32] = or += A B, summed over steps of 32 numbers.
 * A step's A is two tiles, rows 0-15 and 16-31, each [16 rows][32 numbers].
 * A step's B is two tiles, columns 0-15 and 16-31, each [16 pairs of numbers][16 columns][2]. */
typedef struct EadAmxProduct {
    int64_t steps;
    const uint16_t *a;
    const int64_t *a_offsets; /* from a to each step's first tile; the second follows it */
    const uint16_t *b;
    int64_t b_step, b_half; /* from one step's first tile to the next step's; to the step's second tile */
    float *sums;
    bool accumulate; /* add to sums instead of overwriting them */
} EadAmxProduct;

typedef struct EadAmx {
    const char *name;

    /* Every thread calls begin before its products and end after them. Between the two the thread holds tile
     * state, which slows down its context switches. */
    void (*begin)(void);
    void (*product)(const EadAmxProduct *product);
    void (*end)(void);

    /* `rows` rows of `count` <= 32 numbers, `stride` reals apart -> bf16 to[rows][32], zeros beyond count. */
    void (*narrow)(const real *from, int64_t stride, int64_t rows, int count, uint16_t *to);

    /* Two rows of `count` numbers -> pairs (first[c], second[c]) as to[c / 16 * panel_stride + c % 16 * 2];
     * zeros beyond count in the last of `panels` panels of 16. */
    void (*pair)(const real *first, const real *second, int count, int panels, uint16_t *to,
                 int64_t panel_stride);

    /* y[0..count-1] = sums + bias (may be NULL), then max(y, 0) if relu; a NaN stays one. */
    void (*finish)(const float *sums, int count, const real *bias, bool relu, real *y);
} EadAmx;

/* The kernels of this machine, or NULL if its CPU or system lacks AMX, or EFFICIENTAD_CPU asks for less than
 * v4. Asks the system for permission to use the tiles, which holds for the whole process. */
const EadAmx *ead_amx(void);
