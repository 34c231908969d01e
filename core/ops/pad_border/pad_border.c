/* Shapes and gradient of the zero border. */
#include "core/ops/pad_border/pad_border.h"

#include "core/graph/op.h"

#include <limits.h>

enum { MAX_CELLS = 65535 };

EadNode *ead_pad_border(EadGraph *graph, EadNode *x, int cells) {
    EadPadBorder attributes = {cells};
    return ead_graph_add(graph, EAD_OP_pad_border, 1, (EadNode *[]){x}, &attributes, sizeof attributes);
}

static EadStatus shape(const EadNode *node, EadTensor *y) {
    const EadPadBorder *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, y));
    if (a->cells < 0 || a->cells > MAX_CELLS)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: %d cells are outside 0..%d", node->name, a->cells, MAX_CELLS);
    if (y->h > INT_MAX - 2 * MAX_CELLS || y->w > INT_MAX - 2 * MAX_CELLS)
        return ead_fail(EAD_BAD_SHAPE, "%s: [%d,%d,%d,%d] is too large", node->name, y->n, y->h, y->w, y->c);
    y->h += 2 * a->cells;
    y->w += 2 * a->cells;
    return EAD_OK;
}

static EadStatus gradient_shape(const EadNode *node, EadTensor *dx) {
    const EadPadBorder *a = (const void *)node->attributes;
    EAD_TRY(ead_shape_like_first(node, dx));
    dx->h -= 2 * a->cells;
    dx->w -= 2 * a->cells;
    return EAD_OK;
}

/* The gradient of a border of constants: cut it off again. */
static void gradient(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx) {
    dx[0] = ead_graph_add(graph, EAD_OP_pad_border_gradient, 1, (EadNode *[]){dy}, node->attributes,
                          sizeof(EadPadBorder));
}

const EadOp ead_op_pad_border = {.name = "pad_border", .shape = shape, .gradient = gradient};
const EadOp ead_op_pad_border_gradient = {.name = "pad_border_gradient", .shape = gradient_shape};
