/* Shapes and gradient of the mean over channels. */
#include "core/ops/channel_mean/channel_mean.h"

#include "core/graph/op.h"

EadNode *ead_channel_mean(EadGraph *graph, EadNode *x) {
    EadChannelMean attributes = {x->y.c};
    return ead_graph_add(graph, EAD_OP_channel_mean, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    y->c = 1;
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadChannelMean *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->c = a->channels;
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_channel_mean_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadChannelMean));
}

const EadOp ead_op_channel_mean = {.name = "channel_mean", .shape = shape, .gradient = gradient};
const EadOp ead_op_channel_mean_gradient = {.name = "channel_mean_gradient", .shape = gradient_shape};
