/* The slice of channels: shapes, gradient, kernels for the CPU, which copy pixel by pixel. */
#include "core/ops/slice_channels/slice_channels.h"

#include "core/graph/op.h"

#include <string.h>

static EadChannelRange range_of(const EadNode *node) {
    return *(const EadChannelRange *)(const void *)node->attributes;
}

EadNode *ead_slice_channels(EadGraph *graph, EadNode *x, int begin, int count) {
    EadChannelRange range = {begin, count};
    return ead_graph_add(graph, EAD_OP_slice_channels, 1, (EadNode *[]){x}, &range, sizeof range);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EadChannelRange range = range_of(node);
    EAD_TRY(ead_shape_like_first(node, y));
    if (range.begin < 0 || range.count < 1 || range.count > y->c - range.begin)
        return ead_fail(EAD_BAD_SHAPE, "slice_channels: %d channels from %d of %d", range.count, range.begin,
                        y->c);
    y->c = range.count;
    return EAD_OK;
}

/* dy at its channels of dx, zeros elsewhere. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    EadChannelRange range = {range_of(node).begin, node->x[0]->y.c};
    dx[0] = ead_graph_add(graph, EAD_OP_slice_channels_gradient, 1, (EadNode *[]){dy}, &range, sizeof range);
}

static EadNode *join_gradients(EadGraph *graph, const EadNode *x, int count, EadNode *const readers[],
                               EadNode *const dy[]) {
    EadNode *parts[EAD_MAX_INPUTS];
    int next_channel = 0;
    for (int part = 0; part < count; part++) {
        int i = 0;
        while (i < count && range_of(readers[i]).begin != next_channel) i++;
        if (i == count) return NULL;
        parts[part] = dy[i];
        next_channel += dy[i]->y.c;
    }
    if (next_channel != x->y.c) return NULL;
    return ead_graph_add(graph, EAD_OP_concat_channels, count, parts, NULL, 0);
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->c = range_of(node).count;
    return EAD_OK;
}

const EadOp ead_op_slice_channels = {
    .name = "slice_channels", .shape = shape, .gradient = gradient, .join_gradients = join_gradients};
const EadOp ead_op_slice_channels_gradient = {.name = "slice_channels_gradient", .shape = gradient_shape};

static void slice_channels(const EadCall *call) {
    const EadChannelRange *range = call->attributes;
    int all = call->x[0]->c, some = call->y->c;
    int64_t pixels = ead_count(call->y) / some;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++)
        memcpy((real *)call->y->data + p * some, (const real *)call->x[0]->data + p * all + range->begin,
               (size_t)some * sizeof(real));
}

static void slice_channels_gradient(const EadCall *call) {
    const EadChannelRange *range = call->attributes;
    int all = call->y->c, some = call->x[0]->c;
    int64_t pixels = ead_count(call->y) / all;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++) {
        real *dx = (real *)call->y->data + p * all;
        memset(dx, 0, (size_t)all * sizeof *dx);
        memcpy(dx + range->begin, (const real *)call->x[0]->data + p * some, (size_t)some * sizeof *dx);
    }
}

const EadKernel ead_slice_channels_cpu = {.run = slice_channels};
const EadKernel ead_slice_channels_gradient_cpu = {.run = slice_channels_gradient};
