/* The mean above a threshold and the hard feature loss: shapes, gradient, kernels for the CPU. */
#include "core/ops/masked_mean/masked_mean.h"

#include "core/graph/op.h"
#include "core/ops/quantile/quantile.h"
#include "core/ops/reduction.h"

EadNode *ead_masked_mean(EadGraph *graph, EadNode *x, EadNode *threshold) {
    return ead_graph_add(graph, EAD_OP_masked_mean, 2, (EadNode *[]){x, threshold}, NULL, 0);
}

EadNode *ead_hard_feature_loss(EadGraph *graph, EadNode *d, double q) {
    return ead_masked_mean(graph, d, ead_quantile(graph, d, q));
}

static EadStatus check_scalars(const EadNode *node) {
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++)
        if (node->x[i]->y.type != EAD_REAL || ead_count(&node->x[i]->y) != 1)
            return ead_fail(EAD_BAD_SHAPE, "%s: the threshold must be a scalar", node->name);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    *y = (EadTensor){EAD_REAL, 1, 1, 1, 1, NULL};
    return check_scalars(node);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    EAD_TRY(ead_shape_like_first(node, dx));
    return check_scalars(node);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_masked_mean_gradient, 3, (EadNode *[]){node->x[0], node->x[1], dy},
                          NULL, 0);
}

const EadOp ead_op_masked_mean = {.name = "masked_mean", .shape = shape, .gradient = gradient};
/* May overwrite x: it has counted all of x before it writes. */
const EadOp ead_op_masked_mean_gradient = {
    .name = "masked_mean_gradient", .shape = gradient_shape, .in_place = 1};

/* ---- on the CPU ---- */

/* Sum and number of the selected elements of a chunk. */
typedef struct MaskedSum {
    double sum;
    int64_t count;
} MaskedSum;

/* Lanes as in ead_sum; a comparison selects without a branch. */
static MaskedSum select_chunk(const real *x, int64_t size, real threshold) {
    double sums[EAD_SUM_LANES] = {0};
    MaskedSum partial = {0, 0};
    int64_t i = 0;
    for (; i + EAD_SUM_LANES <= size; i += EAD_SUM_LANES)
        for (int k = 0; k < EAD_SUM_LANES; k++) {
            sums[k] += x[i + k] >= threshold ? (double)x[i + k] : 0;
            partial.count += x[i + k] >= threshold;
        }
    for (int k = 0; i < size; i++, k++) {
        sums[k] += x[i] >= threshold ? (double)x[i] : 0;
        partial.count += x[i] >= threshold;
    }
    for (int k = 0; k < EAD_SUM_LANES; k++) partial.sum += sums[k];
    return partial;
}

static MaskedSum select_all(const EadCall *call) {
    const real *x = call->x[0]->data, threshold = *(const real *)call->x[1]->data;
    MaskedSum *partials = call->workspace, total = {0, 0};
    int64_t count = ead_count(call->x[0]), chunks = ead_chunk_count(count);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < chunks; i++)
        partials[i] = select_chunk(x + i * EAD_CHUNK_ELEMENTS, ead_chunk_size(count, i), threshold);
    for (int64_t i = 0; i < chunks; i++) {
        total.sum += partials[i].sum;
        total.count += partials[i].count;
    }
    return total;
}

static void plan(EadCall *call) {
    call->workspace_bytes = (size_t)ead_chunk_count(ead_count(call->x[0])) * sizeof(MaskedSum);
}

static void masked_mean(const EadCall *call) {
    MaskedSum total = select_all(call);
    *(real *)call->y->data = (real)(total.sum / (double)total.count);
}

static void masked_mean_gradient(const EadCall *call) {
    const real *x = call->x[0]->data, threshold = *(const real *)call->x[1]->data;
    real *dx = call->y->data;
    int64_t count = ead_count(call->y);
    real share = *(const real *)call->x[2]->data / (real)select_all(call).count;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; i++) dx[i] = x[i] >= threshold ? share : 0;
}

const EadKernel ead_masked_mean_cpu = {.run = masked_mean, .plan = plan};
const EadKernel ead_masked_mean_gradient_cpu = {.run = masked_mean_gradient, .plan = plan};
