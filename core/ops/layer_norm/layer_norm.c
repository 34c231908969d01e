/* Layer normalization: shapes, gradient, kernels for the CPU. With m numbers an image, s = sqrt(variance + epsilon),
 * xhat = (x - mean) / s, u = dy scale, S0 = sum of u and S1 = sum of u xhat over the image: dx = (u - S0 / m - xhat
 * S1 / m) / s; dshift = sum of dy and dscale = sum of dy xhat over the images. */
#include "core/ops/layer_norm/layer_norm.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"
#include "core/ops/slice_batch/slice_batch.h"

#include <tgmath.h>

EadNode *ead_layer_statistics(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_layer_statistics, 1, (EadNode *[]){x}, NULL, 0);
}

EadNode *ead_layer_norm(EadGraph *graph, EadNode *x, EadNode *statistics, EadNode *scale, EadNode *shift,
                        double epsilon) {
    EadLayerNorm attributes = {epsilon};
    return ead_graph_add(graph, EAD_OP_layer_norm, 4, (EadNode *[]){x, statistics, scale, shift}, &attributes,
                         sizeof attributes);
}

static EadStatus statistics_shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    *y = (EadTensor){EAD_REAL, y->n, 1, 1, 2, NULL};
    return EAD_OK;
}

static EadStatus check_elements(const EadNode *node, const EadNode *elements, const EadTensor *y) {
    const EadTensor *t = &elements->y;
    if (t->type == EAD_REAL && t->n == 1 && t->h == y->h && t->w == y->w && t->c == y->c) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "%s: '%s' is [%d,%d,%d,%d] but must be [1,%d,%d,%d]", node->name,
                    elements->name, t->n, t->h, t->w, t->c, y->h, y->w, y->c);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadLayerNorm *a = (const void *)node->attributes;
    if (!(a->epsilon > 0))
        return ead_fail(EAD_BAD_ARGUMENT, "layer_norm: epsilon %g is not above 0", a->epsilon);
    if (node->x[1]->op != EAD_OP_layer_statistics || node->x[1]->x[0] != node->x[0])
        return ead_fail(EAD_BAD_ARGUMENT, "layer_norm: the statistics are not those of '%s'",
                        node->x[0]->name);
    EAD_TRY(ead_shape_like_first(node, y));
    EAD_TRY(check_elements(node, node->x[2], y));
    return check_elements(node, node->x[3], y);
}

static EadStatus sums_shape(const EadNode *node, EadTensor *y) {
    *y = (EadTensor){EAD_REAL, node->x[0]->y.n, 1, 1, 2, NULL};
    return EAD_OK;
}

/* Of shift, then of scale. */
static EadStatus parameters_shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    y->n = 2;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadNode *x = node->x[0], *statistics = node->x[1], *scale = node->x[2], *shift = node->x[3];
    size_t size = sizeof(EadLayerNorm);
    if (x->needs_gradient) {
        EadNode *sums = ead_graph_add(graph, EAD_OP_layer_norm_gradient_sums, 4,
                                      (EadNode *[]){dy, x, statistics, scale}, node->attributes, size);
        dx[0] = ead_graph_add(graph, EAD_OP_layer_norm_gradient, 5,
                              (EadNode *[]){dy, x, statistics, scale, sums}, node->attributes, size);
    }
    if (!scale->needs_gradient && !shift->needs_gradient) return;
    EadNode *both = ead_graph_add(graph, EAD_OP_layer_norm_parameter_gradient, 3,
                                  (EadNode *[]){dy, x, statistics}, node->attributes, size);
    dx[2] = ead_slice_batch(graph, both, 1, 1);
    dx[3] = ead_slice_batch(graph, both, 0, 1);
}

const EadOp ead_op_layer_statistics = {.name = "layer_statistics", .shape = statistics_shape};
const EadOp ead_op_layer_norm = {.name = "layer_norm", .shape = shape, .gradient = gradient};
const EadOp ead_op_layer_norm_gradient_sums = {.name = "layer_norm_gradient_sums", .shape = sums_shape};
const EadOp ead_op_layer_norm_gradient = {
    .name = "layer_norm_gradient", .shape = ead_shape_like_first, .in_place = 1};
const EadOp ead_op_layer_norm_parameter_gradient = {.name = "layer_norm_parameter_gradient",
                                                    .shape = parameters_shape};

/* ---- kernels ---- */

static int64_t elements_of(const EadTensor *t) {
    return (int64_t)t->h * t->w * t->c;
}

static real deviation(const EadCall *call, real variance) {
    return sqrt(variance + (real)((const EadLayerNorm *)call->attributes)->epsilon);
}

/* The sums of u scale and of u scale (v - centre) over `count` numbers; scale may be NULL: ones. */
static void sum_pair(const real *u, const real *v, const real *scale, double centre, int64_t count,
                     double sums[2]) {
    double lanes[2][EAD_SUM_LANES] = {{0}};
    for (int64_t begin = 0; begin < count; begin += EAD_SUM_LANES) {
        int64_t lanes_used = count - begin < EAD_SUM_LANES ? count - begin : EAD_SUM_LANES;
        for (int64_t k = 0; k < lanes_used; k++) {
            int64_t i = begin + k;
            double value = (double)u[i] * (scale ? (double)scale[i] : 1);
            lanes[0][k] += value;
            lanes[1][k] += value * ((double)v[i] - centre);
        }
    }
    sums[0] = ead_sum_partials(lanes[0], EAD_SUM_LANES);
    sums[1] = ead_sum_partials(lanes[1], EAD_SUM_LANES);
}

/* The workspace holds both sums of every chunk of every image; result[image] those of an image. statistics: where
 * the centres are, or NULL. */
static void sum_images(const EadCall *call, const EadTensor *v, const real *statistics, const real *scale) {
    const real *u = call->x[0]->data;
    int images = call->x[0]->n;
    int64_t count = elements_of(call->x[0]), chunks = ead_chunk_count(count);
    double(*sums)[2] = call->workspace;
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < images * chunks; k++) {
        int64_t image = k / chunks, begin = k % chunks * EAD_CHUNK_ELEMENTS, at = image * count + begin;
        sum_pair(u + at, (const real *)v->data + at, scale ? scale + begin : NULL,
                 statistics ? (double)statistics[2 * image] : 0, ead_chunk_size(count, k % chunks), sums[k]);
    }
    for (int64_t image = 0; image < images; image++) {
        double total[2] = {0, 0};
        for (int64_t k = image * chunks; k < (image + 1) * chunks; k++)
            total[0] += sums[k][0], total[1] += sums[k][1];
        sums[image][0] = total[0], sums[image][1] = total[1];
    }
}

static void plan_sums(EadCall *call) {
    int64_t chunks = ead_chunk_count(elements_of(call->x[0]));
    call->workspace_bytes = (size_t)(call->x[0]->n * chunks) * 2 * sizeof(double);
}

static void layer_statistics(const EadCall *call) {
    double count = (double)elements_of(call->x[0]);
    double(*sums)[2] = call->workspace;
    real *y = call->y->data;
    sum_images(call, call->x[0], NULL, NULL);
    for (int n = 0; n < call->x[0]->n; n++) {
        double mean = sums[n][0] / count, variance = sums[n][1] / count - mean * mean;
        y[2 * n] = (real)mean;
        y[2 * n + 1] = (real)(variance < 0 ? 0 : variance); /* a NaN stays one */
    }
}

static void layer_norm_gradient_sums(const EadCall *call) {
    const real *statistics = call->x[2]->data;
    double(*sums)[2] = call->workspace;
    real *y = call->y->data;
    sum_images(call, call->x[1], statistics, call->x[3]->data);
    for (int n = 0; n < call->x[0]->n; n++) {
        y[2 * n] = (real)sums[n][0];
        y[2 * n + 1] = (real)(sums[n][1] / (double)deviation(call, statistics[2 * n + 1]));
    }
}

static void layer_norm(const EadCall *call) {
    const real *scale = call->x[2]->data, *shift = call->x[3]->data;
    int64_t count = elements_of(call->y);
    for (int n = 0; n < call->y->n; n++) {
        const real *x = (const real *)call->x[0]->data + n * count,
                   *statistics = (const real *)call->x[1]->data + 2 * n;
        real *y = (real *)call->y->data + n * count;
        real mean = statistics[0], factor = 1 / deviation(call, statistics[1]);
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < count; i++) y[i] = (x[i] - mean) * factor * scale[i] + shift[i];
    }
}

static void layer_norm_gradient(const EadCall *call) {
    const real *scale = call->x[3]->data;
    int64_t count = elements_of(call->y);
    for (int n = 0; n < call->y->n; n++) {
        const real *dy = (const real *)call->x[0]->data + n * count,
                   *x = (const real *)call->x[1]->data + n * count,
                   *statistics = (const real *)call->x[2]->data + 2 * n,
                   *sums = (const real *)call->x[4]->data + 2 * n;
        real *dx = (real *)call->y->data + n * count;
        real mean = statistics[0], factor = 1 / deviation(call, statistics[1]);
        real constant = sums[0] / (real)count, slope = sums[1] / (real)count * factor;
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < count; i++)
            dx[i] = factor * (dy[i] * scale[i] - constant - (x[i] - mean) * slope);
    }
}

/* Images are added in their order, within blocks that stay in the cache. */
static void layer_norm_parameter_gradient(const EadCall *call) {
    const real *statistics = call->x[2]->data;
    int64_t count = elements_of(call->y), chunks = ead_chunk_count(count);
    real *shift = call->y->data, *scale = shift + count;
#pragma omp parallel for schedule(static)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t begin = chunk * EAD_CHUNK_ELEMENTS, end = begin + ead_chunk_size(count, chunk);
        for (int64_t i = begin; i < end; i++) shift[i] = scale[i] = 0;
        for (int n = 0; n < call->x[0]->n; n++) {
            const real *dy = (const real *)call->x[0]->data + n * count,
                       *x = (const real *)call->x[1]->data + n * count;
            real mean = statistics[2 * n], factor = 1 / deviation(call, statistics[2 * n + 1]);
#pragma omp simd
            for (int64_t i = begin; i < end; i++) {
                shift[i] += dy[i];
                scale[i] += dy[i] * ((x[i] - mean) * factor);
            }
        }
    }
}

const EadKernel ead_layer_statistics_cpu = {.run = layer_statistics, .plan = plan_sums};
const EadKernel ead_layer_norm_cpu = {.run = layer_norm};
const EadKernel ead_layer_norm_gradient_sums_cpu = {.run = layer_norm_gradient_sums, .plan = plan_sums};
const EadKernel ead_layer_norm_gradient_cpu = {.run = layer_norm_gradient};
const EadKernel ead_layer_norm_parameter_gradient_cpu = {.run = layer_norm_parameter_gradient};
