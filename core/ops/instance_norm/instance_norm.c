/* Instance normalisation: shapes, gradient, kernels for the CPU. With n pixels an image, y = (x - mean) / s, s = sqrt(variance
 * + epsilon), S0 = sum of dy and S1 = sum of dy y:  dx = (dy - S0 / n - y S1 / n) / s. */
#include "core/ops/instance_norm/instance_norm.h"

#include "core/graph/op.h"

#include <string.h>
#include <tgmath.h>

EadNode *ead_instance_norm(EadGraph *graph, EadNode *x, double epsilon) {
    EadInstanceNorm attributes = {epsilon};
    EadNode *statistics =
        ead_graph_add(graph, EAD_OP_instance_statistics, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
    return ead_graph_add(graph, EAD_OP_instance_norm, 2, (EadNode *[]){x, statistics}, NULL, 0);
}

/* [N,1,2,C]: mean and 1 / s. */
static EadStatus statistics_shape(const EadNode *node, EadTensor *y) {
    const EadInstanceNorm *a = (const void *)node->attributes;
    const EadTensor *x = &node->x[0]->y;
    if (!(a->epsilon > 0))
        return ead_fail(EAD_BAD_ARGUMENT, "instance_norm: epsilon %g is not above 0", a->epsilon);
    if (x->type != EAD_REAL || (int64_t)x->h * x->w < 2)
        return ead_fail(EAD_BAD_SHAPE, "instance_norm: a channel of [%d,%d,%d,%d] has no variance", x->n,
                        x->h, x->w, x->c);
    *y = (EadTensor){EAD_REAL, x->n, 1, 2, x->c, NULL};
    return EAD_OK;
}

/* [N,1,2,C]: S0 and S1. */
static EadStatus sums_shape(const EadNode *node, EadTensor *y) {
    *y = node->x[2]->y;
    y->data = NULL;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadNode *x = node->x[0], *statistics = node->x[1];
    EadNode *sums = ead_graph_add(graph, EAD_OP_instance_norm_gradient_sums, 3,
                                  (EadNode *[]){dy, x, statistics}, NULL, 0);
    dx[0] = ead_graph_add(graph, EAD_OP_instance_norm_gradient, 4, (EadNode *[]){dy, x, statistics, sums},
                          NULL, 0);
}

const EadOp ead_op_instance_statistics = {.name = "instance_statistics", .shape = statistics_shape};
const EadOp ead_op_instance_norm = {
    .name = "instance_norm", .shape = ead_shape_like_first, .gradient = gradient, .in_place = 1};
const EadOp ead_op_instance_norm_gradient_sums = {.name = "instance_norm_gradient_sums", .shape = sums_shape};
const EadOp ead_op_instance_norm_gradient = {
    .name = "instance_norm_gradient", .shape = ead_shape_like_first, .in_place = 1};

/* ---- on the CPU: a fixed number of row ranges of each image is summed side by side in double, then added in order ---- */

enum { PARTS = 8 };

typedef struct PixelSums {
    int images, channels;
    int64_t pixels; /* of an image */
    double *centre; /* [images][channels]: what is taken from v */
    double *sums;   /* [images][PARTS][2][channels] */
} PixelSums;

static void plan_sums(EadCall *call) {
    const EadTensor *x = call->x[0];
    call->workspace_bytes = (2 * PARTS + 1) * (size_t)x->n * (size_t)x->c * sizeof(double);
}

static PixelSums pixel_sums(const EadCall *call) {
    const EadTensor *x = call->x[0];
    double *centre = call->workspace;
    return (PixelSums){x->n, x->c, (int64_t)x->h * x->w, centre, centre + (int64_t)x->n * x->c};
}

/* Sums of u - centre_u and of (u - centre_u) (v - centre) over the pixels begin .. end-1 of an image. */
static void sum_part(const real *u, const real *v, const double *centre, bool centred, int c, int64_t begin,
                     int64_t end, double *sums) {
    memset(sums, 0, 2 * (size_t)c * sizeof *sums);
    for (int64_t p = begin; p < end; p++)
        for (int i = 0; i < c; i++) {
            double value = (double)u[p * c + i] - (centred ? centre[i] : 0);
            sums[i] += value;
            sums[c + i] += value * ((double)v[p * c + i] - centre[i]);
        }
}

/* Of all images, into the first part of each. centred: u is v. */
static void sum_pixels(const PixelSums *s, const real *u, const real *v, bool centred) {
    int c = s->channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < (int64_t)s->images * PARTS; i++) {
        int64_t image = i / PARTS, part = i % PARTS, at = image * s->pixels * c;
        sum_part(u + at, v + at, s->centre + image * c, centred, c, s->pixels * part / PARTS,
                 s->pixels * (part + 1) / PARTS, s->sums + i * 2 * c);
    }
    for (int64_t image = 0; image < s->images; image++) {
        double *sums = s->sums + image * PARTS * 2 * c;
        for (int i = 2 * c; i < PARTS * 2 * c; i++) sums[i % (2 * c)] += sums[i];
    }
}

/* Centred on the first pixel, so that a small variance beside a large mean is not lost. */
static void instance_statistics(const EadCall *call) {
    PixelSums s = pixel_sums(call);
    double epsilon = ((const EadInstanceNorm *)call->attributes)->epsilon, pixels = (double)s.pixels;
    const real *x = call->x[0]->data;
    int c = s.channels;
    for (int64_t image = 0; image < s.images; image++)
        for (int i = 0; i < c; i++) s.centre[image * c + i] = (double)x[image * s.pixels * c + i];
    sum_pixels(&s, x, x, true);
    for (int64_t image = 0; image < s.images; image++) {
        const double *sums = s.sums + image * PARTS * 2 * c;
        real *y = (real *)call->y->data + image * 2 * c;
        for (int i = 0; i < c; i++) {
            double mean = sums[i] / pixels, variance = sums[c + i] / pixels - mean * mean;
            y[i] = (real)(s.centre[image * c + i] + mean);
            y[c + i] = (real)(1 / sqrt((variance < 0 ? 0 : variance) + epsilon)); /* a NaN stays one */
        }
    }
}

static void instance_norm_gradient_sums(const EadCall *call) {
    PixelSums s = pixel_sums(call);
    const real *statistics = call->x[2]->data;
    real *y = call->y->data;
    int c = s.channels;
    for (int64_t image = 0; image < s.images; image++)
        for (int i = 0; i < c; i++) s.centre[image * c + i] = (double)statistics[image * 2 * c + i];
    sum_pixels(&s, call->x[0]->data, call->x[1]->data, false);
    for (int64_t image = 0; image < s.images; image++)
        for (int i = 0; i < c; i++) {
            const double *sums = s.sums + image * PARTS * 2 * c;
            y[image * 2 * c + i] = (real)sums[i];
            y[image * 2 * c + c + i] = (real)(sums[c + i] * (double)statistics[image * 2 * c + c + i]);
        }
}

static void instance_norm(const EadCall *call) {
    const EadTensor *t = call->y;
    int c = t->c;
    int64_t pixels = (int64_t)t->h * t->w;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < t->n * pixels; p++) {
        const real *x = (const real *)call->x[0]->data + p * c,
                   *mean = (const real *)call->x[1]->data + p / pixels * 2 * c;
        real *y = (real *)call->y->data + p * c;
        for (int i = 0; i < c; i++) y[i] = (x[i] - mean[i]) * mean[c + i];
    }
}

static void instance_norm_gradient(const EadCall *call) {
    const EadTensor *t = call->y;
    int c = t->c;
    int64_t pixels = (int64_t)t->h * t->w;
    real share = 1 / (real)pixels;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < t->n * pixels; p++) {
        const real *dy = (const real *)call->x[0]->data + p * c, *x = (const real *)call->x[1]->data + p * c,
                   *mean = (const real *)call->x[2]->data + p / pixels * 2 * c,
                   *sums = (const real *)call->x[3]->data + p / pixels * 2 * c;
        real *dx = (real *)call->y->data + p * c;
        for (int i = 0; i < c; i++)
            dx[i] = mean[c + i] *
                    (dy[i] - share * sums[i] - (x[i] - mean[i]) * mean[c + i] * (share * sums[c + i]));
    }
}

const EadKernel ead_instance_statistics_cpu = {.run = instance_statistics, .plan = plan_sums};
const EadKernel ead_instance_norm_cpu = {.run = instance_norm};
const EadKernel ead_instance_norm_gradient_sums_cpu = {.run = instance_norm_gradient_sums, .plan = plan_sums};
const EadKernel ead_instance_norm_gradient_cpu = {.run = instance_norm_gradient};
