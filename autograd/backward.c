/* The walk: from the loss back through the list, summing what each reader sends to a node. */
#include "autograd/backward.h"

#include "core/base/memory.h"
#include "core/graph/op.h"
#include "core/ops/add/add.h"
#include "core/ops/constant/constant.h"
#include "core/ops/scale/scale.h"

#include <stdlib.h>

/* Contributions to one node's gradient, as a list in order of arrival. */
typedef struct Contribution {
    EadNode *gradient; /* of the reader's output if that can be joined (join_gradients), else of the node */
    EadNode *reader;   /* the node it came through; NULL: none */
    struct Contribution *next;
} Contribution;

typedef struct BackwardWalk {
    EadGraph *graph;
    int count;               /* nodes of the graph before the walk */
    Contribution **incoming; /* by node index */
    EadNode **gradients;     /* by node index, once summed */
} BackwardWalk;

static void contribute(BackwardWalk *walk, EadNode *target, EadNode *reader, EadNode *gradient) {
    Contribution *added = ead_new(1, sizeof *added, "the backward graph");
    if (!added) {
        ead_graph_fail(walk->graph, EAD_NO_MEMORY);
        return;
    }
    *added = (Contribution){gradient, reader, NULL};
    Contribution **tail = &walk->incoming[target->index];
    while (*tail) tail = &(*tail)->next;
    *tail = added;
}

static bool can_join(const EadNode *reader) {
    return reader && ead_op(reader->op)->join_gradients;
}

/* Parts that tile the node (a batch dealt out to several heads) are put together again by one copy; the
 * general case would pad and add tensors of full size. NULL if they do not tile. */
static EadNode *join(BackwardWalk *walk, const EadNode *node, const Contribution *list) {
    EadNode *readers[EAD_MAX_INPUTS], *parts[EAD_MAX_INPUTS];
    int count = 0;
    for (const Contribution *c = list; c; c = c->next, count++) {
        if (!can_join(c->reader) || c->reader->op != list->reader->op || count == EAD_MAX_INPUTS) return NULL;
        readers[count] = c->reader;
        parts[count] = c->gradient;
    }
    return ead_op(list->reader->op)->join_gradients(walk->graph, node, count, readers, parts);
}

static EadNode *gradient_of(BackwardWalk *walk, const Contribution *c) {
    EadNode *dx[EAD_MAX_INPUTS] = {c->gradient};
    if (can_join(c->reader)) ead_op(c->reader->op)->gradient(walk->graph, c->reader, c->gradient, dx);
    return dx[0];
}

static EadNode *sum(BackwardWalk *walk, const EadNode *node) {
    const Contribution *list = walk->incoming[node->index];
    EadNode *total = join(walk, node, list);
    if (total) return total;
    total = gradient_of(walk, list);
    for (const Contribution *c = list->next; c; c = c->next)
        total = ead_add(walk->graph, total, gradient_of(walk, c));
    return total;
}

static void visit(BackwardWalk *walk, EadNode *node) {
    if (!walk->incoming[node->index]) return;
    EadNode *dy = walk->gradients[node->index] = sum(walk, node);
    if (node->op == EAD_OP_LEAF) return;
    EadNode *dx[EAD_MAX_INPUTS] = {can_join(node) ? dy : NULL};
    if (!can_join(node)) ead_op(node->op)->gradient(walk->graph, node, dy, dx);
    for (int i = 0; i < EAD_MAX_INPUTS; i++)
        if (dx[i] && node->x[i]->needs_gradient) contribute(walk, node->x[i], node, dx[i]);
}

static void free_walk(BackwardWalk *walk) {
    for (int i = 0; walk->incoming && i < walk->count; i++)
        while (walk->incoming[i]) {
            Contribution *next = walk->incoming[i]->next;
            free(walk->incoming[i]);
            walk->incoming[i] = next;
        }
    free(walk->incoming);
    free(walk->gradients);
}

static void start_walk(BackwardWalk *walk, EadGraph *graph, EadNode *loss) {
    *walk = (BackwardWalk){.graph = graph, .count = ead_graph_count(graph)};
    walk->incoming = ead_new(walk->count, sizeof *walk->incoming, "the backward graph");
    walk->gradients = ead_new(walk->count, sizeof *walk->gradients, "the backward graph");
    if (!walk->incoming || !walk->gradients) ead_graph_fail(graph, EAD_NO_MEMORY);
    if (ead_graph_status(graph) != EAD_OK) return;
    if (ead_count(&loss->y) != 1)
        ead_graph_fail(graph, ead_fail(EAD_BAD_SHAPE, "%s: only a scalar can be differentiated", loss->name));
    else if (loss->needs_gradient)
        contribute(walk, loss, NULL, ead_constant(graph, 1));
    for (int i = walk->count - 1; i >= 0 && ead_graph_status(graph) == EAD_OK; i--)
        visit(walk, ead_graph_at(graph, i));
}

void ead_backward(EadGraph *graph, EadNode *loss, int count, EadNode *const wanted[], EadNode *gradients[]) {
    BackwardWalk walk;
    start_walk(&walk, graph, loss);
    bool ok = ead_graph_status(graph) == EAD_OK;
    for (int i = 0; i < count; i++) gradients[i] = ok ? walk.gradients[wanted[i]->index] : NULL;
    free_walk(&walk);
}

/* Where the gradient of a leaf goes; NULL: nowhere. */
static real *flat_place(const EadNode *leaf, int count, const EadFlatGradients flats[]) {
    const real *data = leaf->y.data;
    if (leaf->op != EAD_OP_LEAF) return NULL;
    for (int f = 0; f < count; f++)
        if (data >= flats[f].values && data < flats[f].values + flats[f].count)
            return flats[f].gradients + (data - flats[f].values);
    return NULL;
}

void ead_backward_to_flat(EadGraph *graph, EadNode *loss, int count, const EadFlatGradients flats[]) {
    BackwardWalk walk;
    start_walk(&walk, graph, loss);
    for (int i = 0; i < walk.count && ead_graph_status(graph) == EAD_OK; i++) {
        EadNode *gradient = walk.gradients[i];
        real *place = gradient ? flat_place(ead_graph_at(graph, i), count, flats) : NULL;
        if (!place) continue;
        if (gradient->caller_memory || ead_op(gradient->op)->alias || gradient->op == EAD_OP_LEAF)
            gradient = ead_scale(graph, gradient, 1);
        if (ead_graph_status(graph) == EAD_OK) ead_write_to(gradient, place);
    }
    free_walk(&walk);
}
