/* Reads the geometry off the calls. */
#include "core/ops/conv2d/conv2d_geometry.h"

#include "core/ops/conv2d/conv2d.h"

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
