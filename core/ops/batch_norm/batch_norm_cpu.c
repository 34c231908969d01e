/* Batch normalisation on the CPU. As in channel_sum a fixed number of row ranges is summed side by side in
 * double, then added in order. */
#include "core/ops/batch_norm/batch_norm.h"

#include "core/graph/kernel.h"

#include <string.h>
#include <tgmath.h>

enum { PARTS = 16 };

/* Of a workspace: centre [C], then sums [PARTS][2][C]. */
static void plan(EadCall *call) {
    call->workspace_bytes = (2 * PARTS + 1) * (size_t)call->y->c * sizeof(double);
}

/* The sums of u and of u (v - centre) over rows begin .. end-1, for each of c channels. */
static void sum_rows(const real *u, const real *v, const double *centre, int c, int64_t begin, int64_t end,
                     double *sums) {
    memset(sums, 0, 2 * (size_t)c * sizeof *sums);
    for (int64_t r = begin; r < end; r++)
        for (int i = 0; i < c; i++) {
            double value = (double)u[r * c + i];
            sums[i] += value;
            sums[c + i] += value * ((double)v[r * c + i] - centre[i]);
        }
}

/* The same over all rows, left in the workspace's first two rows of sums. */
static const double *sum_pairs(const EadCall *call, const EadTensor *u, const EadTensor *v) {
    int c = u->c;
    const double *centre = call->workspace;
    double *sums = (double *)call->workspace + c;
    int64_t rows = ead_count(u) / c;
#pragma omp parallel for schedule(static)
    for (int part = 0; part < PARTS; part++)
        sum_rows(u->data, v->data, centre, c, rows * part / PARTS, rows * (part + 1) / PARTS,
                 sums + (int64_t)part * 2 * c);
    for (int part = 1; part < PARTS; part++)
        for (int i = 0; i < 2 * c; i++) sums[i] += sums[(int64_t)part * 2 * c + i];
    return sums;
}

static void batch_statistics(const EadCall *call) {
    const EadTensor *x = call->x[0];
    real *y = call->y->data;
    int c = x->c;
    double rows = (double)(ead_count(x) / c);
    memset(call->workspace, 0, (size_t)c * sizeof(double));
    const double *sums = sum_pairs(call, x, x);
    for (int i = 0; i < c; i++) {
        double mean = sums[i] / rows, variance = sums[c + i] / rows - mean * mean;
        y[i] = (real)mean;
        y[c + i] = (real)(variance < 0 ? 0 : variance); /* a NaN stays one */
    }
}

static real deviation(const EadCall *call, real variance) {
    return (real)sqrt(variance + (real)((const EadBatchNorm *)call->attributes)->epsilon);
}

static void batch_norm_gradient_sums(const EadCall *call) {
    const real *statistics = call->x[2]->data;
    double *centre = call->workspace;
    real *y = call->y->data;
    int c = call->y->c;
    for (int i = 0; i < c; i++) centre[i] = (double)statistics[i];
    const double *sums = sum_pairs(call, call->x[0], call->x[1]);
    for (int i = 0; i < c; i++) {
        y[i] = (real)sums[i];
        y[c + i] = (real)(sums[c + i] / (double)deviation(call, statistics[c + i]));
    }
}

static void batch_norm_update(const EadCall *call) {
    const EadBatchNormUpdate *a = call->attributes;
    const real *batch = call->x[1]->data;
    real *running = call->y->data;
    int c = call->y->c;
    for (int i = 0; i < 2 * c; i++)
        running[i] =
            (real)a->kept * running[i] + (real)(i < c ? a->mean_weight : a->variance_weight) * batch[i];
}

static void batch_norm(const EadCall *call) {
    const real *mean = call->x[1]->data, *scale = call->x[2]->data, *shift = call->x[3]->data;
    int c = call->y->c;
    int64_t rows = ead_count(call->y) / c;
    real *factor = call->workspace; /* [C] */
    for (int i = 0; i < c; i++) factor[i] = scale[i] / deviation(call, mean[c + i]);
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        const real *x = (const real *)call->x[0]->data + r * c;
        real *y = (real *)call->y->data + r * c;
        for (int i = 0; i < c; i++) y[i] = (x[i] - mean[i]) * factor[i] + shift[i];
    }
}

static void batch_norm_gradient(const EadCall *call) {
    const real *mean = call->x[2]->data, *sums = call->x[3]->data, *scale = call->x[4]->data;
    int c = call->y->c;
    int64_t rows = ead_count(call->y) / c;
    real *factor = call->workspace, *constant = factor + c, *slope = constant + c; /* [C] each */
    for (int i = 0; i < c; i++) {
        real s = deviation(call, mean[c + i]);
        factor[i] = scale[i] / s;
        constant[i] = sums[i] / (real)rows;
        slope[i] = sums[c + i] / (real)rows / s;
    }
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows; r++) {
        const real *dy = (const real *)call->x[0]->data + r * c, *x = (const real *)call->x[1]->data + r * c;
        real *dx = (real *)call->y->data + r * c;
        for (int i = 0; i < c; i++) dx[i] = factor[i] * (dy[i] - constant[i] - (x[i] - mean[i]) * slope[i]);
    }
}

const EadKernel ead_batch_statistics_cpu = {.run = batch_statistics, .plan = plan};
const EadKernel ead_batch_norm_update_cpu = {.run = batch_norm_update};
const EadKernel ead_batch_norm_cpu = {.run = batch_norm, .plan = plan};
const EadKernel ead_batch_norm_gradient_sums_cpu = {.run = batch_norm_gradient_sums, .plan = plan};
const EadKernel ead_batch_norm_gradient_cpu = {.run = batch_norm_gradient, .plan = plan};
