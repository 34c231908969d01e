/* The permutation of channels: shapes, gradient, kernels for the CPU. */
#include "core/ops/permute_channels/permute_channels.h"

#include "core/graph/op.h"

EadNode *ead_permute_channels(EadGraph *graph, EadNode *x, EadNode *order) {
    return ead_graph_add(graph, EAD_OP_permute_channels, 2, (EadNode *[]){x, order}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *order = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (order->type != EAD_I64 || order->c != y->c || ead_count(order) != y->c)
        return ead_fail(EAD_BAD_SHAPE, "%s: the order must be %d whole numbers", node->name, y->c);
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_permute_channels_gradient, 2, (EadNode *[]){dy, node->x[1]}, NULL, 0);
}

const EadOp ead_op_permute_channels = {.name = "permute_channels", .shape = shape, .gradient = gradient};
const EadOp ead_op_permute_channels_gradient = {.name = "permute_channels_gradient", .shape = shape};

static void permute_channels(const EadCall *call) {
    const int64_t *order = call->x[1]->data;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++) {
        const real *x = (const real *)call->x[0]->data + p * channels;
        real *y = (real *)call->y->data + p * channels;
        for (int c = 0; c < channels; c++) y[c] = x[order[c]];
    }
}

/* dx[order[c]] = dy[c]: each element is written once. */
static void permute_channels_gradient(const EadCall *call) {
    const int64_t *order = call->x[1]->data;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->y) / channels;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++) {
        const real *dy = (const real *)call->x[0]->data + p * channels;
        real *dx = (real *)call->y->data + p * channels;
        for (int c = 0; c < channels; c++) dx[order[c]] = dy[c];
    }
}

const EadKernel ead_permute_channels_cpu = {.run = permute_channels};
const EadKernel ead_permute_channels_gradient_cpu = {.run = permute_channels_gradient};
