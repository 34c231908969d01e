/* Building of graphs: nodes in execution order, one sticky error. */
#include "core/graph/graph.h"

#include "core/base/memory.h"
#include "core/graph/op.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct EadGraph {
    EadNode **nodes;
    int count, capacity;
    void **blocks; /* of ead_graph_memory() */
    int block_count, block_capacity;
    EadStatus status;
    char message[512];
    EadNode failed; /* what builders return after an error */
};

enum { MAX_ELEMENTS_LOG2 = 40 }; /* far beyond any memory; keeps all size arithmetic inside int64_t */

EadGraph *ead_graph_new(void) {
    EadGraph *graph = calloc(1, sizeof *graph);
    if (graph) graph->failed.index = -1;
    return graph;
}

void ead_graph_free(EadGraph *graph) {
    if (!graph) return;
    for (int i = 0; i < graph->count; i++) free(graph->nodes[i]);
    free(graph->nodes);
    for (int i = 0; i < graph->block_count; i++) free(graph->blocks[i]);
    free(graph->blocks);
    free(graph);
}

void *ead_graph_memory(EadGraph *graph, int64_t count, size_t size, const char *what) {
    EadStatus status = ead_grow(&graph->blocks, &graph->block_capacity, graph->block_count,
                                sizeof *graph->blocks, "a graph");
    void *block = status == EAD_OK ? ead_new(count, size, what) : NULL;
    if (block)
        graph->blocks[graph->block_count++] = block;
    else
        ead_graph_fail(graph, EAD_NO_MEMORY);
    return block;
}

EadStatus ead_graph_status(const EadGraph *graph) {
    return graph->status == EAD_OK ? EAD_OK : ead_fail(graph->status, "%s", graph->message);
}

EadStatus ead_graph_fail(EadGraph *graph, EadStatus status) {
    if (graph->status == EAD_OK) {
        graph->status = status;
        snprintf(graph->message, sizeof graph->message, "%s", ead_error_message());
    }
    return graph->status;
}

int ead_graph_count(const EadGraph *graph) {
    return graph->count;
}
EadNode *ead_graph_at(const EadGraph *graph, int index) {
    return graph->nodes[index];
}

static EadNode *fail(EadGraph *graph, EadStatus status) {
    ead_graph_fail(graph, status);
    return &graph->failed;
}

static EadStatus check_size(const EadNode *node) {
    const EadTensor *y = &node->y;
    int64_t rows = (int64_t)y->n * y->h, columns = (int64_t)y->w * y->c;
    if (y->n < 1 || y->h < 1 || y->w < 1 || y->c < 1)
        return ead_fail(EAD_BAD_SHAPE, "%s: empty tensor [%d,%d,%d,%d]", node->name, y->n, y->h, y->w, y->c);
    if (rows > (INT64_C(1) << MAX_ELEMENTS_LOG2) / columns)
        return ead_fail(EAD_BAD_SHAPE, "%s: tensor [%d,%d,%d,%d] is too large", node->name, y->n, y->h, y->w,
                        y->c);
    return EAD_OK;
}

/* Appends a filled node by value; the list owns the copy. */
static EadNode *append(EadGraph *graph, const EadNode *value) {
    EadStatus status = check_size(value);
    if (status != EAD_OK) return fail(graph, status);
    status = ead_grow(&graph->nodes, &graph->capacity, graph->count, sizeof *graph->nodes, "a graph");
    EadNode *node = status == EAD_OK ? ead_new(1, sizeof *node, "a graph") : NULL;
    if (!node) return fail(graph, EAD_NO_MEMORY);
    *node = *value;
    node->index = graph->count;
    graph->nodes[graph->count++] = node;
    return node;
}

EadNode *ead_leaf(EadGraph *graph, const char *name, EadType type, int n, int h, int w, int c, void *data) {
    if (graph->status != EAD_OK) return &graph->failed;
    EadNode node = {
        .op = EAD_OP_LEAF, .y = {type, n, h, w, c, data}, .caller_memory = data != NULL, .is_output = true};
    snprintf(node.name, sizeof node.name, "%s", name);
    return append(graph, &node);
}

EadNode *ead_table(EadGraph *graph, const char *name, EadType type, int n, int h, int w, int c) {
    EadNode *node = ead_leaf(graph, name, type, n, h, w, c, NULL);
    node->resident = true;
    node->is_output = false;
    return node;
}

EadNode *ead_trainable_leaf(EadGraph *graph, const char *name, int n, int h, int w, int c, void *data) {
    assert(data);
    for (int i = 0; i < graph->count; i++) {
        EadNode *node = graph->nodes[i];
        EadTensor wanted = {EAD_REAL, n, h, w, c, data};
        bool same = node->op == EAD_OP_LEAF && node->needs_gradient && node->y.data == data;
        if (same && ead_same_shape(&node->y, &wanted)) return node;
    }
    EadNode *node = ead_leaf(graph, name, EAD_REAL, n, h, w, c, data);
    node->needs_gradient = true;
    return node;
}

EadNode *ead_graph_add(EadGraph *graph, EadOpId op, int input_count, EadNode *const inputs[],
                       const void *attributes, size_t attribute_bytes) {
    assert(input_count <= EAD_MAX_INPUTS && attribute_bytes <= EAD_MAX_ATTRIBUTE_BYTES);
    if (graph->status != EAD_OK) return &graph->failed;
    EadNode node = {.op = op};
    snprintf(node.name, sizeof node.name, "%s", ead_op(op)->name);
    for (int i = 0; i < input_count; i++) {
        node.x[i] = inputs[i];
        if (inputs[i] && inputs[i]->needs_gradient && ead_op(op)->gradient) node.needs_gradient = true;
    }
    if (attribute_bytes) memcpy(node.attributes, attributes, attribute_bytes);
    EadStatus status = ead_op(op)->shape(&node, &node.y);
    return status == EAD_OK ? append(graph, &node) : fail(graph, status);
}

EadNode *ead_keep(EadNode *node) {
    node->is_output = true;
    return node;
}

EadNode *ead_write_to(EadNode *node, void *data) {
    if (node->index < 0) return node; /* the graph has failed */
    assert(node->op != EAD_OP_LEAF && !ead_op(node->op)->alias && !node->caller_memory);
    node->y.data = data;
    node->caller_memory = node->is_output = true;
    return node;
}
