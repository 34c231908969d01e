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

/* dy at its images of dx, zeros elsewhere. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadBatchRange range = {range_of(node).begin, node->x[0]->y.n};
    dx[0] = ead_graph_add(graph, EAD_OP_slice_batch_gradient, 1, (EadNode *[]){dy}, &range, sizeof range);
}

static EadNode *join_gradients(EadGraph *graph, const EadNode *x, int count, EadNode *const readers[],
                               EadNode *const dy[]) {
    EadNode *parts[EAD_MAX_INPUTS];
    int next_image = 0;
    for (int part = 0; part < count; part++) {
        int i = 0;
        while (i < count && range_of(readers[i]).begin != next_image) i++;
        if (i == count) return NULL;
        parts[part] = dy[i];
        next_image += dy[i]->y.n;
    }
    if (next_image != x->y.n) return NULL;
    return ead_graph_add(graph, EAD_OP_concat_batch, count, parts, NULL, 0);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *y) {
    *y = node->x[0]->y;
    y->n = range_of(node).count;
    y->data = NULL;
    return EAD_OK;
}

const EadOp ead_op_slice_batch = {.name = "slice_batch",
                                  .shape = shape,
                                  .gradient = gradient,
                                  .join_gradients = join_gradients,
                                  .alias = alias};
const EadOp ead_op_slice_batch_gradient = {.name = "slice_batch_gradient", .shape = gradient_shape};

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
