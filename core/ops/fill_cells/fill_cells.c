/* Filling of positions: shape, gradient, kernel for the CPU. */
#include "core/ops/fill_cells/fill_cells.h"

#include "core/graph/op.h"

EadNode *ead_fill_cells(EadGraph *graph, EadNode *x, EadNode *mask, double value) {
    return ead_graph_add(graph, EAD_OP_fill_cells, 2, (EadNode *[]){x, mask}, &value, sizeof value);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadTensor *mask = &node->x[1]->y;
    EAD_TRY(ead_shape_like_first(node, y));
    if (node->x[1]->needs_gradient)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: '%s' is trainable, which a mask cannot be", node->name,
                        node->x[1]->name);
    if (mask->type == EAD_REAL && mask->n == 1 && mask->h == y->h && mask->w == y->w && mask->c == 1)
        return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE, "%s: the mask is [%d,%d,%d,%d] but must be [1,%d,%d,1]", node->name,
                    mask->n, mask->h, mask->w, mask->c, y->h, y->w);
}

static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_fill_cells(graph, dy, node->x[1], 0);
}

const EadOp ead_op_fill_cells = {.name = "fill_cells", .shape = shape, .gradient = gradient, .in_place = 1};

static void fill_cells(const EadCall *call) {
    const real *x = call->x[0]->data, *mask = call->x[1]->data;
    real *y = call->y->data, value = (real) * (const double *)call->attributes;
    int channels = call->y->c;
    int64_t cells = (int64_t)call->y->h * call->y->w, all = call->y->n * cells;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < all; i++)
        for (int64_t k = i * channels; k < (i + 1) * channels; k++) y[k] = mask[i % cells] > 0 ? x[k] : value;
}

const EadKernel ead_fill_cells_cpu = {.run = fill_cells};
