/* Shape of max pooling. */
#include "core/ops/max_pool2d/max_pool2d.h"

#include "core/graph/op.h"

enum { MAX_KERNEL = 65535 };

EadNode *ead_max_pool2d(EadGraph *graph, EadNode *x, EadMaxPool2d attributes) {
    return ead_graph_add(graph, EAD_OP_max_pool2d, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus pooled_size(int size, const EadMaxPool2d *a, int *out) {
    int64_t room = size + 2 * (int64_t)a->padding - a->kernel;
    if (room < 0)
        return ead_fail(EAD_BAD_SHAPE, "max_pool2d: window of %d is larger than the padded input of %lld",
                        a->kernel, (long long)room + a->kernel);
    int64_t windows = (room + (a->ceil_mode ? a->stride - 1 : 0)) / a->stride + 1;
    if ((windows - 1) * a->stride >= size + a->padding) windows--;
    *out = (int)windows;
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadMaxPool2d *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->kernel < 1 || a->kernel > MAX_KERNEL || a->stride < 1 || a->padding < 0 ||
        a->padding > a->kernel / 2)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "max_pool2d: kernel %d, stride %d, padding %d; padding must be 0..kernel/2",
                        a->kernel, a->stride, a->padding);
    EAD_TRY(pooled_size(y->h, a, &y->h));
    return pooled_size(y->w, a, &y->w);
}

const EadOp ead_op_max_pool2d = {.name = "max_pool2d", .shape = shape};
