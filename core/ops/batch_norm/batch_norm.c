/* Batch normalisation: shapes and gradient. With n rows, xhat = (x - mean) / sqrt(variance + epsilon), S0 = sum
 * of dy and S1 = sum of dy xhat: dshift = S0, dscale = S1 and
 *   dx = scale / sqrt(variance + epsilon) (dy - S0 / n - xhat S1 / n). */
#include "core/ops/batch_norm/batch_norm.h"

#include "core/graph/op.h"
#include "core/ops/slice_batch/slice_batch.h"

EadNode *ead_batch_statistics(EadGraph *graph, EadNode *x) {
    return ead_graph_add(graph, EAD_OP_batch_statistics, 1, (EadNode *[]){x}, NULL, 0);
}

EadNode *ead_batch_norm_update(EadGraph *graph, EadNode *running, EadNode *x, EadNode *statistics,
                               double momentum) {
    double rows = (double)x->y.n * x->y.h * x->y.w;
    EadBatchNormUpdate attributes = {momentum, momentum * rows / (rows - 1), 1 - momentum};
    return ead_graph_add(graph, EAD_OP_batch_norm_update, 2, (EadNode *[]){running, statistics}, &attributes,
                         sizeof attributes);
}

EadNode *ead_batch_norm(EadGraph *graph, EadNode *x, EadNode *statistics, EadNode *scale, EadNode *shift,
                        double epsilon) {
    EadBatchNorm attributes = {epsilon};
    return ead_graph_add(graph, EAD_OP_batch_norm, 4, (EadNode *[]){x, statistics, scale, shift}, &attributes,
                         sizeof attributes);
}

static EadStatus statistics_shape(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y;
    if (x->type != EAD_REAL || ead_count(x) < 2 * (int64_t)x->c)
        return ead_fail(EAD_BAD_SHAPE,
                        "batch_norm: [%d,%d,%d,%d] has one value a channel, which has no variance", x->n,
                        x->h, x->w, x->c);
    *y = (EadTensor){EAD_REAL, 2, 1, 1, x->c, NULL};
    return EAD_OK;
}

static EadStatus update_shape(const EadNode *node, EadTensor *y) {
    const EadBatchNormUpdate *a = (const void *)node->attributes;
    if (!(a->mean_weight >= 0 && a->mean_weight <= 1))
        return ead_fail(EAD_BAD_ARGUMENT, "batch_norm: momentum %g is outside [0,1]", a->mean_weight);
    return ead_shape_all_same(node, y);
}

static EadStatus check_channels(const EadNode *node, const EadNode *vector, int channels) {
    const EadTensor *t = &vector->y;
    if (t->type == EAD_REAL && t->c == channels && ead_count(t) == channels) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "%s: '%s' is [%d,%d,%d,%d] but must be [1,1,1,%d]", node->name,
                    vector->name, t->n, t->h, t->w, t->c, channels);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadBatchNorm *a = (const void *)node->attributes;
    if (!(a->epsilon > 0))
        return ead_fail(EAD_BAD_ARGUMENT, "batch_norm: epsilon %g is not above 0", a->epsilon);
    if (node->x[1]->op != EAD_OP_batch_statistics || node->x[1]->x[0] != node->x[0])
        return ead_fail(EAD_BAD_ARGUMENT, "batch_norm: the statistics are not those of '%s'",
                        node->x[0]->name);
    EAD_TRY(ead_shape_like_first(node, y));
    EAD_TRY(check_channels(node, node->x[2], y->c));
    return check_channels(node, node->x[3], y->c);
}

static EadStatus sums_shape(const EadNode *node, EadTensor *y) {
    *y = node->x[2]->y;
    y->data = NULL;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadNode *x = node->x[0], *statistics = node->x[1], *scale = node->x[2];
    EadNode *sums = ead_graph_add(graph, EAD_OP_batch_norm_gradient_sums, 3, (EadNode *[]){dy, x, statistics},
                                  node->attributes, sizeof(EadBatchNorm));
    if (x->needs_gradient)
        dx[0] =
            ead_graph_add(graph, EAD_OP_batch_norm_gradient, 5, (EadNode *[]){dy, x, statistics, sums, scale},
                          node->attributes, sizeof(EadBatchNorm));
    dx[2] = ead_slice_batch(graph, sums, 1, 1);
    dx[3] = ead_slice_batch(graph, sums, 0, 1);
}

const EadOp ead_op_batch_statistics = {.name = "batch_statistics", .shape = statistics_shape};
const EadOp ead_op_batch_norm_update = {
    .name = "batch_norm_update", .shape = update_shape, .alias = ead_alias_first, .has_effects = 1};
const EadOp ead_op_batch_norm = {.name = "batch_norm", .shape = shape, .gradient = gradient};
const EadOp ead_op_batch_norm_gradient_sums = {.name = "batch_norm_gradient_sums", .shape = sums_shape};
const EadOp ead_op_batch_norm_gradient = {
    .name = "batch_norm_gradient", .shape = ead_shape_like_first, .in_place = 1};
