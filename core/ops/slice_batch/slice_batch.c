/* The batch slice: a view, which runs nothing. Its gradient is a copy between zeros. */
#include "core/ops/slice_batch/slice_batch.h"

#include "core/graph/op.h"

#include <string.h>

static EadBatchRange range_of(const EadNode *node) {
    return *(const EadBatchRange *)(const void *)node->attributes;
}

EadNode *ead_slice_batch(EadGraph *graph, EadNode *x, int begin, int count) {
    EadBatchRange range = {begin, count};
    return ead_graph_add(graph, EAD_OP_slice_batch, 1, (EadNode *[]){x}, &range, sizeof range);
}

EadNode *ead_slice_batch_gradient(EadGraph *graph, EadNode *dy, int begin, int total) {
    EadBatchRange range = {begin, total};
    return ead_graph_add(graph, EAD_OP_slice_batch_gradient, 1, (EadNode *[]){dy}, &range, sizeof range);
}

int ead_slice_begin(const EadNode *slice) {
    return range_of(slice).begin;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *x = &node->x[0]->y;
    EadBatchRange range = range_of(node);
    if (range.begin < 0 || range.count < 1 || range.count > x->n - range.begin)
        return ead_fail(EAD_BAD_SHAPE, "slice_batch: %d images from %d of a batch of %d", range.count,
                        range.begin, x->n);
    *y = *x;
    y->n = range.count;
    y->data = NULL;
    return EAD_OK;
}

static int64_t alias(const EadNode *node) {
    const EadTensor *x = &node->x[0]->y;
    return range_of(node).begin * (ead_count(x) / x->n);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_slice_batch_gradient(graph, dy, range_of(node).begin, node->x[0]->y.n);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    y->n = range_of(node).count;
    y->data = NULL;
    return EAD_OK;
}

const EadOp ead_op_slice_batch = {
    .name = "slice_batch", .shape = shape, .gradient = gradient, .alias = alias};
const EadOp ead_op_slice_batch_gradient = {.name = "slice_batch_gradient", .shape = gradient_shape};

/* ---- on the CPU ---- */

static void slice_batch_gradient(const EadCall *call) {
    const EadBatchRange *range = call->attributes;
    const EadTensor *dy = call->x[0];
    unsigned char *dx = call->y->data;
    size_t image = ead_bytes(dy) / (size_t)dy->n;
    size_t before = (size_t)range->begin * image, after = ead_bytes(call->y) - before - ead_bytes(dy);
    memset(dx, 0, before);
    memcpy(dx + before, dy->data, ead_bytes(dy));
    memset(dx + before + ead_bytes(dy), 0, after);
}

const EadKernel ead_slice_batch_cpu = {.run = NULL};
const EadKernel ead_slice_batch_gradient_cpu = {.run = slice_batch_gradient};
