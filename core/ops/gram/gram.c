/* The mean products of channels: shapes, gradient, kernels for the CPU. */
#include "core/ops/gram/gram.h"

#include "core/base/minmax.h"
#include "core/graph/op.h"
#include "core/ops/batch_norm/batch_norm.h"
#include "core/ops/fill_cells/fill_cells.h"
#include "core/ops/mean/mean.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"

enum { MAX_CHANNELS = 16384, LANES = 64 /* products that are summed side by side */ };

EadNode *ead_gram(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_gram, 1, (EadNode *[]){x}, NULL, 0);
}

EadNode *ead_correlation_loss(EadGraph *graph, EadNode *x, double epsilon) {
    int channels = x->y.c;
    int64_t products = (int64_t)channels * channels;
    real *ones = ead_graph_memory(graph, channels, sizeof *ones, "a loss of correlations");
    real *zeros = ead_graph_memory(graph, channels, sizeof *zeros, "a loss of correlations");
    real *different = ead_graph_memory(graph, products, sizeof *different, "a loss of correlations");
    for (int c = 0; ones && c < channels; c++) ones[c] = 1;
    for (int64_t i = 0; different && i < products; i++) different[i] = i % (channels + 1) != 0;
    EadNode *z = ead_batch_norm(graph, x, ead_batch_statistics(graph, x),
                                ead_leaf(graph, "ones", EAD_REAL, 1, 1, 1, channels, ones),
                                ead_leaf(graph, "zeros", EAD_REAL, 1, 1, 1, channels, zeros), epsilon);
    EadNode *correlations = ead_fill_cells(
        graph, ead_gram(graph, z),
        ead_leaf(graph, "different channels", EAD_REAL, 1, channels, channels, 1, different), 0);
    EadNode *mean = ead_mean(graph, ead_squared_difference(graph, correlations, NULL));
    return ead_scale(graph, mean, (double)products);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    if (y->c > MAX_CHANNELS)
        return ead_fail(EAD_BAD_SHAPE, "%s: %d channels; at most %d can be multiplied with one another",
                        node->name, y->c, MAX_CHANNELS);
    y->h = y->w = y->c;
    y->n = y->c = 1;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_gram_gradient, 2, (EadNode *[]){dy, node->x[0]}, NULL, 0);
}

/* Inputs: dy, x. */
static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadTensor *x = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->n = x->n, dx->h = x->h, dx->w = x->w, dx->c = x->c;
    return EAD_OK;
}

const EadOp ead_op_gram = {.name = "gram", .shape = shape, .gradient = gradient};
const EadOp ead_op_gram_gradient = {.name = "gram_gradient", .shape = gradient_shape};

/* y[i, first .. first + lanes - 1]. */
static void multiply(const EadTensor *x, int i, int first, int lanes, real *restrict y) {
    int64_t rows = ead_count(x) / x->c;
    double sums[LANES] = {0};
    for (int64_t r = 0; r < rows; r++) {
        const real *row = (const real *)x->data + r * x->c;
        double value = (double)row[i];
        for (int k = 0; k < lanes; k++) sums[k] += value * (double)row[first + k];
    }
    for (int k = 0; k < lanes; k++) y[first + k] = (real)(sums[k] / (double)rows);
}

static void gram(const EadCall *call) {
    const EadTensor *x = call->x[0];
    int c = x->c;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < c; i++)
        for (int first = 0; first < c; first += LANES)
            multiply(x, i, first, ead_min(c - first, LANES), (real *)call->y->data + (int64_t)i * c);
}

/* dx[r,i] = sum over j of (dy[i,j] + dy[j,i]) x[r,j] / rows. */
static void gram_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data;
    const EadTensor *x = call->x[1];
    int c = x->c;
    int64_t rows = ead_count(x) / c;
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < c; i++) {
            const real *row = (const real *)x->data + r * c;
            double sum = 0;
            for (int64_t j = 0; j < c; j++)
                sum += ((double)dy[(int64_t)i * c + j] + (double)dy[j * c + i]) * (double)row[j];
            ((real *)call->y->data)[r * c + i] = (real)(sum / (double)rows);
        }
}

const EadKernel ead_gram_cpu = {.run = gram};
const EadKernel ead_gram_gradient_cpu = {.run = gram_gradient};
