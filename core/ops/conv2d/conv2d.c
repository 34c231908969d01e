/* Shapes and gradients of the convolution. */
#include "core/ops/conv2d/conv2d.h"

#include "core/graph/op.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_sum/channel_sum.h"
#include "core/ops/conv2d/conv2d_geometry.h"
#include "core/ops/relu/relu.h"

EadNode *ead_conv2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias, EadConv2d attributes) {
    return ead_graph_add(graph, EAD_OP_conv2d, 3, (EadNode *[]){x, weight, bias}, &attributes,
                         sizeof attributes);
}

EadNode *ead_conv2d_input_gradient(EadGraph *graph, EadNode *dy, EadNode *weight,
                                   EadConv2dGradient attributes) {
    return ead_graph_add(graph, EAD_OP_conv2d_input_gradient, 2, (EadNode *[]){dy, weight}, &attributes,
                         sizeof attributes);
}

EadNode *ead_conv2d_weight_gradient(EadGraph *graph, EadNode *dy, EadNode *x, EadConv2dGradient attributes) {
    return ead_graph_add(graph, EAD_OP_conv2d_weight_gradient, 2, (EadNode *[]){dy, x}, &attributes,
                         sizeof attributes);
}

EadStatus ead_conv2d_shape(const EadTensor *x, const EadNode *weight, const EadNode *bias, const EadConv2d *a,
                           EadTensor *y) {
    const EadTensor *w = &weight->y;
    if (a->stride < 1 || a->padding < 0 || a->padding > 1 << 20)
        return ead_fail(EAD_BAD_ARGUMENT, "conv2d: stride %d, padding %d", a->stride, a->padding);
    if (x->type != EAD_REAL) return ead_fail(EAD_BAD_SHAPE, "conv2d: the input must be real numbers");
    int height = x->h + 2 * a->padding, width = x->w + 2 * a->padding;
    if (x->c != w->c)
        return ead_fail(EAD_BAD_SHAPE, "conv2d: the input has %d channels, the weights of '%s' take %d", x->c,
                        weight->name, w->c);
    if (height < w->h || width < w->w)
        return ead_fail(EAD_BAD_SHAPE, "conv2d: the %dx%d kernel is larger than the padded image %dx%d", w->h,
                        w->w, height, width);
    if (bias && ead_count(&bias->y) != w->n)
        return ead_fail(EAD_BAD_SHAPE, "conv2d: %d outputs but %d biases", w->n, (int)ead_count(&bias->y));
    *y = (EadTensor){EAD_REAL, x->n, (height - w->h) / a->stride + 1, (width - w->w) / a->stride + 1,
                     w->n,     NULL};
    return EAD_OK;
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadConv2d *a = (const void *)node->attributes;
    return ead_conv2d_shape(&node->x[0]->y, node->x[1], node->x[2], a, y);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    const EadConv2d *a = (const void *)node->attributes;
    EadNode *x = node->x[0], *w = node->x[1], *bias = node->x[2];
    if (a->relu) dy = ead_relu_gradient(graph, dy, node);
    if (x->needs_gradient)
        dx[0] = ead_conv2d_input_gradient(graph, dy, w,
                                          (EadConv2dGradient){a->stride, a->padding, x->y.h, x->y.w});
    if (w->needs_gradient)
        dx[1] = ead_conv2d_weight_gradient(graph, dy, x,
                                           (EadConv2dGradient){a->stride, a->padding, w->y.h, w->y.w});
    if (bias && bias->needs_gradient) dx[2] = ead_channel_sum(graph, dy);
}

EadNode *ead_conv_transpose2d(EadGraph *graph, EadNode *x, EadNode *weight, EadNode *bias, int stride,
                              int padding) {
    EadConv2dGradient attributes = {stride, padding, (x->y.h - 1) * stride - 2 * padding + weight->y.h,
                                    (x->y.w - 1) * stride - 2 * padding + weight->y.w};
    EadNode *y = ead_conv2d_input_gradient(graph, x, weight, attributes);
    if (!bias) return y;
    real *one = ead_graph_memory(graph, 1, sizeof *one, "a factor");
    if (one) *one = 1;
    return ead_channel_affine(graph, y, ead_leaf(graph, "one", EAD_REAL, 1, 1, 1, 1, one), bias);
}

static EadStatus input_gradient_shape(const EadNode *node, EadTensor *y) {
    const EadTensor *dy = &node->x[0]->y, *w = &node->x[1]->y;
    const EadConv2dGradient *a = (const void *)node->attributes;
    if (dy->type != EAD_REAL || dy->c != w->n || a->stride < 1 || a->padding < 0 || a->height < 1 ||
        a->width < 1)
        return ead_fail(EAD_BAD_SHAPE,
                        "conv_transpose2d: weights of %d inputs, stride %d, padding %d for [%d,%d,%d,%d]",
                        w->n, a->stride, a->padding, dy->n, dy->h, dy->w, dy->c);
    *y = (EadTensor){EAD_REAL, dy->n, a->height, a->width, w->c, NULL};
    return EAD_OK;
}

static EadStatus weight_gradient_shape(const EadNode *node, EadTensor *y) {
    const EadConv2dGradient *a = (const void *)node->attributes;
    *y = (EadTensor){EAD_REAL, node->x[0]->y.c, a->height, a->width, node->x[1]->y.c, NULL};
    return EAD_OK;
}

const EadOp ead_op_conv2d = {.name = "conv2d", .shape = shape, .gradient = gradient};
/* Of a transposed convolution: the roles of its input and of dy are exchanged. */
static void transpose_gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    const EadConv2dGradient *a = (const void *)node->attributes;
    EadNode *x = node->x[0], *w = node->x[1];
    if (x->needs_gradient)
        dx[0] = ead_conv2d(graph, dy, w, NULL, (EadConv2d){.stride = a->stride, .padding = a->padding});
    if (w->needs_gradient)
        dx[1] = ead_conv2d_weight_gradient(graph, x, dy,
                                           (EadConv2dGradient){a->stride, a->padding, w->y.h, w->y.w});
}

const EadOp ead_op_conv2d_input_gradient = {
    .name = "conv2d_input_gradient", .shape = input_gradient_shape, .gradient = transpose_gradient};
const EadOp ead_op_conv2d_weight_gradient = {.name = "conv2d_weight_gradient",
                                             .shape = weight_gradient_shape};

EadConvGeometry ead_conv_geometry(const EadCall *call) {
    const EadConv2d *a = call->attributes;
    const EadTensor *x = call->x[0], *w = call->x[1], *y = call->y;
    return (EadConvGeometry){x->n, x->h, x->w, x->c, y->h, y->w, y->c, w->h, w->w, a->stride, a->padding};
}

EadConvGeometry ead_conv_input_gradient_geometry(const EadCall *call) {
    const EadConv2dGradient *a = call->attributes;
    const EadTensor *dy = call->x[0], *w = call->x[1], *dx = call->y;
    return (EadConvGeometry){dx->n, dx->h, dx->w, dx->c,     dy->h,     dy->w,
                             dy->c, w->h,  w->w,  a->stride, a->padding};
}

EadConvGeometry ead_conv_weight_gradient_geometry(const EadCall *call) {
    const EadConv2dGradient *a = call->attributes;
    const EadTensor *dy = call->x[0], *x = call->x[1], *dw = call->y;
    return (EadConvGeometry){x->n,  x->h,  x->w,  x->c,      dy->h,     dy->w,
                             dy->c, dw->h, dw->w, a->stride, a->padding};
}

int64_t ead_conv_multiply_adds(const EadConvGeometry *g) {
    return (int64_t)g->n * g->oh * g->ow * g->o * g->kh * g->kw * g->i;
}
