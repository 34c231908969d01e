/* Batch normalisation on the CPU. */
#include "core/ops/batch_norm/batch_norm.h"

#include "core/graph/kernel.h"
#include "core/ops/pair_sums.h"

#include <tgmath.h>

static void batch_statistics(const EadCall *call) {
    const EadTensor *x = call->x[0];
    real *y = call->y->data;
    int c = x->c;
    double rows = (double)(ead_count(x) / c);
    memset(call->workspace, 0, (size_t)c * sizeof(double));
    const double *sums = ead_pair_sums(call, x, x);
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
    const double *sums = ead_pair_sums(call, call->x[0], call->x[1]);
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

const EadKernel ead_batch_statistics_cpu = {.run = batch_statistics, .plan = ead_pair_sums_plan};
const EadKernel ead_batch_norm_update_cpu = {.run = batch_norm_update};
const EadKernel ead_batch_norm_cpu = {.run = batch_norm, .plan = ead_pair_sums_plan};
const EadKernel ead_batch_norm_gradient_sums_cpu = {.run = batch_norm_gradient_sums,
                                                    .plan = ead_pair_sums_plan};
const EadKernel ead_batch_norm_gradient_cpu = {.run = batch_norm_gradient, .plan = ead_pair_sums_plan};
