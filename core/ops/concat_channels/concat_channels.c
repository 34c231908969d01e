/* Joined channels: shape, gradient, kernel for the CPU, which copies pixel by pixel. */
#include "core/ops/concat_channels/concat_channels.h"

#include "core/graph/op.h"
#include "core/ops/slice_channels/slice_channels.h"

#include <stdbool.h>
#include <string.h>

EadNode *ead_concat_channels(EadGraph *graph, int count, EadNode *const parts[]) {
    return ead_graph_add(graph, EAD_OP_concat_channels, count, parts, NULL, 0);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    EAD_TRY(ead_shape_like_first(node, y));
    for (int i = 1; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        const EadTensor *x = &node->x[i]->y;
        y->c += x->c;
        if (x->n > y->n) y->n = x->n;
    }
    for (int i = 0; i < EAD_MAX_INPUTS && node->x[i]; i++) {
        const EadTensor *x = &node->x[i]->y;
        bool all = x->n == y->n || (x->n == 1 && !node->x[i]->needs_gradient);
        if (x->type != EAD_REAL || !all || x->h != y->h || x->w != y->w)
            return ead_fail(EAD_BAD_SHAPE, "concat_channels: maps [%d,%d,%d] and [%d,%d,%d] differ", y->n,
                            y->h, y->w, x->n, x->h, x->w);
    }
    return EAD_OK;
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    for (int i = 0, begin = 0; i < EAD_MAX_INPUTS && node->x[i]; begin += node->x[i++]->y.c)
        if (node->x[i]->needs_gradient) dx[i] = ead_slice_channels(graph, dy, begin, node->x[i]->y.c);
}

const EadOp ead_op_concat_channels = {.name = "concat_channels", .shape = shape, .gradient = gradient};

static void concat_channels(const EadCall *call) {
    const EadTensor *y = call->y;
    int64_t pixels = ead_count(y) / y->c, area = pixels / y->n;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pixels; p++) {
        real *out = (real *)y->data + p * y->c;
        for (int i = 0; i < EAD_MAX_INPUTS && call->x[i]; i++) {
            int channels = call->x[i]->c;
            int64_t from = call->x[i]->n < y->n ? p % area : p;
            memcpy(out, (const real *)call->x[i]->data + from * channels, (size_t)channels * sizeof *out);
            out += channels;
        }
    }
}

const EadKernel ead_concat_channels_cpu = {.run = concat_channels};
