/* The focal loss: shapes, gradient, kernels for the CPU. */
#include "core/ops/focal_loss/focal_loss.h"

#include "core/graph/op.h"

#include <tgmath.h>

EadNode *ead_focal_loss(EadGraph *graph, EadNode *logits, EadNode *target) {
    return ead_graph_add(graph, EAD_OP_focal_loss, 2, (EadNode *[]){logits, target}, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *target = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (y->c != 2 || target->type != EAD_REAL || target->n != y->n || target->h != y->h ||
        target->w != y->w || target->c != 1)
        return ead_fail(EAD_BAD_SHAPE, "focal_loss: logits [%d,%d,%d,%d] and a target [%d,%d,%d,%d]", y->n,
                        y->h, y->w, y->c, target->n, target->h, target->w, target->c);
    y->c = 1;
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *y) {
    *y = node->x[1]->y;
    y->data = NULL;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_focal_loss_gradient, 3, (EadNode *[]){dy, node->x[0], node->x[1]},
                          NULL, 0);
}

const EadOp ead_op_focal_loss = {.name = "focal_loss", .shape = shape, .gradient = gradient};
const EadOp ead_op_focal_loss_gradient = {.name = "focal_loss_gradient", .shape = gradient_shape};

static const real SMOOTH = (real)1e-5;

static real within(real weight) {
    return weight < SMOOTH ? SMOOTH : weight > 1 - SMOOTH ? 1 - SMOOTH : weight;
}

/* Of a pixel: p, and its slope by the second logit, of which that by the first is the negative. */
static real probability(const real *logits, real target, real *slope) {
    real distance = logits[1] - logits[0], good = 1 / (1 + exp(distance)),
         anomalous = 1 / (1 + exp(-distance));
    real of_anomalous = within(target), of_good = within(1 - target);
    *slope = (of_anomalous - of_good) * good * anomalous;
    return of_good * good + of_anomalous * anomalous + SMOOTH;
}

static void focal_loss(const EadCall *call) {
    const real *logits = call->x[0]->data, *target = call->x[1]->data;
    real *y = call->y->data;
    int64_t count = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real slope, p = probability(logits + 2 * i, target[i], &slope);
        y[i] = -(1 - p) * (1 - p) * log(p);
    }
}

/* d y / d p = 2 (1 - p) ln p - (1 - p)² / p. */
static void focal_loss_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data, *logits = call->x[1]->data, *target = call->x[2]->data;
    real *dx = call->y->data;
    int64_t count = ead_count(call->x[0]);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        real slope, p = probability(logits + 2 * i, target[i], &slope);
        real d = dy[i] * slope * (1 - p) * (2 * log(p) - (1 - p) / p);
        dx[2 * i] = -d;
        dx[2 * i + 1] = d;
    }
}

const EadKernel ead_focal_loss_cpu = {.run = focal_loss};
const EadKernel ead_focal_loss_gradient_cpu = {.run = focal_loss_gradient};
