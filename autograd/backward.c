/* The walk: from the loss back through the list, summing what each reader sends to a node. */
#include "autograd/backward.h"

#include "core/backend/backend.h"
#include "core/ops/add/add.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/constant/constant.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"

#include <assert.h>
#include <stdlib.h>

/* Contributions to one node's gradient, as a list in order of arrival. */
typedef struct Contribution {
    EadNode *gradient;
    EadNode *reader; /* the node it came through */
    struct Contribution *next;
} Contribution;

typedef struct Walk {
    EadGraph *graph;
    int count;               /* nodes of the graph before the walk */
    Contribution **incoming; /* by node index */
    EadNode **gradients;     /* by node index, once summed */
} Walk;

static void contribute(Walk *walk, EadNode *target, EadNode *reader, EadNode *gradient) {
    Contribution *added = malloc(sizeof *added);
    if (!added) {
        ead_graph_fail(walk->graph, ead_fail(EAD_NO_MEMORY, "no memory for the backward graph"));
        return;
    }
    *added = (Contribution){gradient, reader, NULL};
    Contribution **tail = &walk->incoming[target->index];
    while (*tail) tail = &(*tail)->next;
    *tail = added;
}

/* Slices that tile their source in order (a batch dealt out to several heads) are put together again by one
 * copy; the general way would pad and add tensors of full size. Returns NULL if they do not tile. */
static EadNode *join_slices(Walk *walk, const EadNode *node, const Contribution *list) {
    EadNode *parts[EAD_MAX_INPUTS];
    int count = 0, next_image = 0;
    while (next_image < node->y.n) {
        const Contribution *found = NULL;
        for (const Contribution *c = list; c; c = c->next)
            if (c->reader->op == EAD_OP_slice_batch && ead_slice_begin(c->reader) == next_image) found = c;
        if (!found || count == EAD_MAX_INPUTS) return NULL;
        parts[count++] = found->gradient;
        next_image += found->gradient->y.n;
    }
    int contributions = 0;
    for (const Contribution *c = list; c; c = c->next) contributions++;
    return contributions == count ? ead_concat_batch(walk->graph, count, parts) : NULL;
}

/* The gradient of a slice, at the size of what was sliced. */
static EadNode *at_full_size(Walk *walk, const EadNode *node, const Contribution *c) {
    if (c->reader->op != EAD_OP_slice_batch) return c->gradient;
    return ead_slice_batch_gradient(walk->graph, c->gradient, ead_slice_begin(c->reader), node->y.n);
}

static EadNode *sum(Walk *walk, const EadNode *node) {
    const Contribution *list = walk->incoming[node->index];
    EadNode *total = join_slices(walk, node, list);
    if (total) return total;
    total = at_full_size(walk, node, list);
    for (const Contribution *c = list->next; c; c = c->next)
        total = ead_add(walk->graph, total, at_full_size(walk, node, c));
    return total;
}

static void visit(Walk *walk, EadNode *node) {
    if (!walk->incoming[node->index]) return;
    EadNode *dy = walk->gradients[node->index] = sum(walk, node);
    if (node->op == EAD_OP_LEAF) return;
    EadNode *dx[EAD_MAX_INPUTS] = {NULL};
    if (node->op == EAD_OP_slice_batch)
        dx[0] = dy; /* stays a slice until it is summed */
    else
        ead_op(node->op)->gradient(walk->graph, node, dy, dx);
    for (int i = 0; i < EAD_MAX_INPUTS; i++)
        if (dx[i] && node->x[i]->needs_gradient) contribute(walk, node->x[i], node, dx[i]);
}

static void free_walk(Walk *walk) {
    for (int i = 0; walk->incoming && i < walk->count; i++)
        while (walk->incoming[i]) {
            Contribution *next = walk->incoming[i]->next;
            free(walk->incoming[i]);
            walk->incoming[i] = next;
        }
    free(walk->incoming);
    free(walk->gradients);
}

static void start_walk(Walk *walk, EadGraph *graph, EadNode *loss) {
    *walk = (Walk){.graph = graph, .count = ead_graph_count(graph)};
    size_t nodes = (size_t)walk->count + 1;
    walk->incoming = calloc(nodes, sizeof *walk->incoming);
    walk->gradients = calloc(nodes, sizeof *walk->gradients);
    if (ead_graph_status(graph) != EAD_OK) return;
    if (!walk->incoming || !walk->gradients)
        ead_graph_fail(graph, ead_fail(EAD_NO_MEMORY, "no memory for the backward graph"));
    else if (ead_count(&loss->y) != 1)
        ead_graph_fail(graph, ead_fail(EAD_BAD_SHAPE, "%s: only a scalar can be differentiated", loss->name));
    else if (loss->needs_gradient)
        contribute(walk, loss, loss, ead_constant(graph, 1));
    for (int i = walk->count - 1; i >= 0 && ead_graph_status(graph) == EAD_OK; i--)
        visit(walk, ead_graph_at(graph, i));
}

void ead_backward(EadGraph *graph, EadNode *loss, int count, EadNode *const wanted[], EadNode *gradients[]) {
    Walk walk;
    start_walk(&walk, graph, loss);
    bool ok = ead_graph_status(graph) == EAD_OK;
    for (int i = 0; i < count; i++) gradients[i] = ok ? walk.gradients[wanted[i]->index] : NULL;
    free_walk(&walk);
}

void ead_backward_to_flat(EadGraph *graph, EadNode *loss, const real *values, int64_t count,
                          real *gradients) {
    Walk walk;
    start_walk(&walk, graph, loss);
    for (int i = 0; i < walk.count && ead_graph_status(graph) == EAD_OK; i++) {
        EadNode *leaf = ead_graph_at(graph, i), *gradient = walk.gradients[i];
        const real *data = leaf->y.data;
        if (leaf->op != EAD_OP_LEAF || !gradient || data < values || data >= values + count) continue;
        if (gradient->caller_memory || ead_op(gradient->op)->alias || gradient->op == EAD_OP_LEAF)
            gradient = ead_scale(graph, gradient, 1);
        if (ead_graph_status(graph) == EAD_OK) ead_write_to(gradient, gradients + (data - values));
    }
    free_walk(&walk);
}
