/* The graph: built by calls that look eager (y = ead_relu(g, x)) but compute nothing; planned once by
 * core/plan/plan.h, then run any number of times.
 *
 * Builders never return NULL: the first error sticks to the graph, later builders do nothing, and
 * ead_plan_new() reports it, so that model code holds no checks. */
#pragma once

#include "core/base/status.h"
#include "core/graph/tensor.h"

#include <stdalign.h>
#include <stdbool.h>

typedef enum EadOpId {
    EAD_OP_LEAF, /* not computed: parameters, images, state */
#define EAD_OP(name) EAD_OP_##name,
#include "core/ops/op_table.def"
#undef EAD_OP
    EAD_OP_COUNT
} EadOpId;

enum { EAD_MAX_INPUTS = 8, EAD_MAX_ATTRIBUTE_BYTES = 64, EAD_NAME_SIZE = 48 };

typedef struct EadNode EadNode;
struct EadNode {
    EadOpId op;
    int index;                  /* position in the graph's list, which is the order of execution */
    EadTensor y;                /* the output; data is set by the planner, or by the owner of a leaf */
    EadNode *x[EAD_MAX_INPUTS]; /* NULL where an optional input is absent */
    bool needs_gradient;        /* a trainable leaf lies below */
    bool is_output;             /* the output survives until the next run */
    bool caller_memory;         /* y.data was given by the caller: written to, or read from, there */
    bool resident;              /* a leaf of ead_table() */
    char name[EAD_NAME_SIZE];   /* for people; may be empty */
    alignas(16) unsigned char attributes[EAD_MAX_ATTRIBUTE_BYTES];
};

typedef struct EadGraph EadGraph;

/* A new empty graph, or NULL without memory. */
EadGraph *ead_graph_new(void);
void ead_graph_free(EadGraph *graph);

/* EAD_OK, or the first error while building (its message is set again for the calling thread). */
EadStatus ead_graph_status(const EadGraph *graph);
EadStatus ead_graph_fail(EadGraph *graph, EadStatus status); /* sticks with the thread's present message */

/* Zeroed memory for a leaf's constants that is freed with the graph; NULL, and an error that sticks, where there is none. */
void *ead_graph_memory(EadGraph *graph, int64_t count, size_t size, const char *what);

int ead_graph_count(const EadGraph *graph);
EadNode *ead_graph_at(const EadGraph *graph, int index);

/* A leaf of that type and size. data: the caller's memory, which must outlive the plan; NULL: the plan gives
 * it zeroed memory that lasts (find it in node->y.data after planning). */
EadNode *ead_leaf(EadGraph *graph, const char *name, EadType type, int n, int h, int w, int c, void *data);

/* A leaf of n images in the plan's memory, for a data set that stays there: images are written one by one
 * with ead_plan_write_image() and cannot be read back. */
EadNode *ead_table(EadGraph *graph, const char *name, EadType type, int n, int h, int w, int c);

/* A leaf as above, but a trainable parameter: gradients flow into it. Asking twice for the same memory and
 * size gives the same node, so that a parameter used twice has one gradient. */
EadNode *ead_trainable_leaf(EadGraph *graph, const char *name, int n, int h, int w, int c, void *data);

/* Appends a node; called by the builders in core/ops. inputs[i] may be NULL where op allows it. attributes
 * are copied. */
EadNode *ead_graph_add(EadGraph *graph, EadOpId op, int input_count, EadNode *const inputs[],
                       const void *attributes, size_t attribute_bytes);

/* Marks a node whose value is read after a run. Returns it. */
EadNode *ead_keep(EadNode *node);

/* Makes a computed node write to the caller's memory. Returns it. */
EadNode *ead_write_to(EadNode *node, void *data);
