/* Gathered rows on CUDA: bound by memory bandwidth. */
#include "core/cuda/stored.cuh"

#include "core/ops/gather_rows/gather_rows.h"

/* A thread has eight numbers of a row. */
static __global__ void gather(EadRows rows, int count, const float *table, const float *index, EadStored y) {
    EadUnit u = ead_unit(rows);
    if (u.n == 0) return;
    for (int64_t i = ead_first_row(); i < rows.rows; i += ead_row_step()) {
        float at = __ldg(index + i), v[EAD_GROUP];
        bool inside = at >= 0 && at < static_cast<float>(count);
        const float *row = table + (inside ? static_cast<int64_t>(at) : 0) * rows.channels + u.c;
#pragma unroll
        for (int k = 0; k < EAD_GROUP; k++) v[k] = k >= u.n ? 0 : inside ? row[k] : NAN;
        ead_save(y, i * rows.channels + u.c, u.n, v);
    }
}

static void run(const EadCall *call) {
    EadRows rows = ead_pixels(call->y);
    EAD_LAUNCH(gather, ead_rows_grid(rows), ead_rows_block(rows), 0, call->stream, rows, call->x[0]->n,
               static_cast<const float *>(call->x[0]->data), static_cast<const float *>(call->x[1]->data),
               ead_stored(call->y, call->y->c));
}

EAD_CUDA_KERNEL(gather_rows, .run = run, .half_out = true);
