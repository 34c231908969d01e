/* Shapes and gradient of average pooling. */
#include "core/ops/avg_pool2d/avg_pool2d.h"

#include "core/graph/op.h"

enum { MAX_KERNEL = 65535 };

EadNode *ead_avg_pool2d(EadGraph *graph, EadNode *x, int kernel, int stride, int padding) {
    EadAvgPool2d attributes = {kernel, stride, padding, x->y.h, x->y.w};
    return ead_graph_add(graph, EAD_OP_avg_pool2d, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus pooled_size(const char *name, int64_t size, const EadAvgPool2d *a, int *out) {
    int64_t padded = size + 2 * (int64_t)a->padding;
    if (padded < a->kernel)
        return ead_fail(EAD_BAD_SHAPE, "%s: window of %d is larger than the padded input of %lld", name,
                        a->kernel, (long long)padded);
    *out = (int)((padded - a->kernel) / a->stride + 1);
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadAvgPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->kernel < 1 || a->kernel > MAX_KERNEL || a->stride < 1 || a->padding < 0 ||
        a->padding > a->kernel / 2)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: kernel %d, stride %d, padding %d; padding must be 0..kernel/2",
                        node->name, a->kernel, a->stride, a->padding);
    EAD_TRY(pooled_size(node->name, y->h, a, &y->h));
    return pooled_size(node->name, y->w, a, &y->w);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadAvgPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h = a->h;
    dx->w = a->w;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_avg_pool2d_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadAvgPool2d));
}

const EadOp ead_op_avg_pool2d = {.name = "avg_pool2d", .shape = shape, .gradient = gradient};
const EadOp ead_op_avg_pool2d_gradient = {.name = "avg_pool2d_gradient", .shape = gradient_shape};
