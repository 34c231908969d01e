/* The mean over channels: shapes, gradient, kernels for the CPU. */
#include "core/ops/channel_mean/channel_mean.h"

#include "core/graph/op.h"
#include "core/ops/reduction.h"

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

static void channel_mean(const EadCall *call) {
    const real *x = call->x[0]->data;
    real *y = call->y->data;
    int channels = call->x[0]->c;
    int64_t pixels = ead_count(call->y);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) y[i] = (real)(ead_sum(x + i * channels, channels) / channels);
}

static void channel_mean_gradient(const EadCall *call) {
    const real *dy = call->x[0]->data;
    int channels = call->y->c;
    int64_t pixels = ead_count(call->x[0]);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < pixels; i++) {
        real *dx = (real *)call->y->data + i * channels, share = dy[i] / (real)channels;
        for (int c = 0; c < channels; c++) dx[c] = share;
    }
}

const EadKernel ead_channel_mean_cpu = {.run = channel_mean};
const EadKernel ead_channel_mean_gradient_cpu = {.run = channel_mean_gradient};
