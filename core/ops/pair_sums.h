/* Sums of each channel of u and of u v over all pixels, on the CPU. As in channel_sum a fixed number of row ranges is
 * summed side by side in double, then added in order. */
#pragma once

#include "core/graph/kernel.h"

#include <string.h>

enum { EAD_PAIR_PARTS = 16 };

/* Of the workspace: centre [C], to be filled first, then sums [EAD_PAIR_PARTS][2][C]; C is that of the output. */
static inline void ead_pair_sums_plan(EadCall *call) {
    call->workspace_bytes = (2 * EAD_PAIR_PARTS + 1) * (size_t)call->y->c * sizeof(double);
}

/* The sums of u and of u (v - centre) over rows begin .. end-1, for each of c channels. */
static inline void ead_pair_sums_of_rows(const real *u, const real *v, const double *centre, int c,
                                         int64_t begin, int64_t end, double *sums) {
    memset(sums, 0, 2 * (size_t)c * sizeof *sums);
    for (int64_t r = begin; r < end; r++)
        for (int i = 0; i < c; i++) {
            double value = (double)u[r * c + i];
            sums[i] += value;
            sums[c + i] += value * ((double)v[r * c + i] - centre[i]);
        }
}

/* The same over all rows, in the workspace: [2][C]. */
static inline const double *ead_pair_sums(const EadCall *call, const EadTensor *u, const EadTensor *v) {
    int c = u->c;
    const double *centre = call->workspace;
    double *sums = (double *)call->workspace + c;
    int64_t rows = ead_count(u) / c;
#pragma omp parallel for schedule(static)
    for (int part = 0; part < EAD_PAIR_PARTS; part++)
        ead_pair_sums_of_rows(u->data, v->data, centre, c, rows * part / EAD_PAIR_PARTS,
                              rows * (part + 1) / EAD_PAIR_PARTS, sums + (int64_t)part * 2 * c);
    for (int part = 1; part < EAD_PAIR_PARTS; part++)
        for (int i = 0; i < 2 * c; i++) sums[i] += sums[(int64_t)part * 2 * c + i];
    return sums;
}
