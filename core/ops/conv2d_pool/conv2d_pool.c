/* Shape of the fused layer, and the choice not to fuse. */
#include "core/ops/conv2d_pool/conv2d_pool.h"

#include "core/graph/op.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"

#include <string.h>

EadNode *ead_conv2d_pool(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias,
                         EadConv2dPool attributes) {
    if (x->needs_gradient || weight->needs_gradient || (bias && bias->needs_gradient))
        return ead_avg_pool2d(graph, ead_conv2d(graph, x, weight, bias, attributes.conv), 2, 2,
                              attributes.padding);
    return ead_graph_add(graph, EAD_OP_conv2d_pool, 3, (EadNode *[]){x, weight, bias}, &attributes,
                         sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EadConv2dPool a;
    memcpy(&a, node->attributes, sizeof a);
    EAD_TRY(ead_conv2d_shape(&node->x[0]->y, node->x[1], node->x[2], &a.conv, y));
    if (a.padding < 0 || a.padding > 1 || y->h + 2 * a.padding < 2 || y->w + 2 * a.padding < 2)
        return ead_fail(EAD_BAD_SHAPE, "conv2d_pool: cannot pool %dx%d with padding %d", y->h, y->w,
                        a.padding);
    y->h = (y->h + 2 * a.padding - 2) / 2 + 1;
    y->w = (y->w + 2 * a.padding - 2) / 2 + 1;
    return EAD_OK;
}

EadConvGeometry ead_conv2d_pool_geometry(const EadCall *call) {
    const EadTensor *x = call->x[0], *w = call->x[1];
    const EadConv2d *conv = &((const EadConv2dPool *)call->attributes)->conv;
    EadConvGeometry g = {.n = x->n, .h = x->h, .w = x->w, .i = x->c, .o = w->n, .kh = w->h, .kw = w->w};
    g.stride = conv->stride;
    g.padding = conv->padding;
    g.oh = (g.h + 2 * g.padding - g.kh) / g.stride + 1;
    g.ow = (g.w + 2 * g.padding - g.kw) / g.stride + 1;
    return g;
}

const EadOp ead_op_conv2d_pool = {.name = "conv2d_pool", .shape = shape};
