/* What an op is. One op = one row in core/ops/op_table.def + one folder core/ops/<op>/, which holds
 *   <op>.h        builder(s): check the attributes, append a node
 *   <op>.c        `const EadOp ead_op_<op>`: shape rule, gradient rule, whether it aliases its input
 *   <op>_cpu.c    `const EadKernel ead_<op>_cpu`: the CPU kernel
 * A backward kernel is an op of its own in its forward op's folder. A row without descriptor or kernel is a
 * link error. */
#ifndef EAD_CORE_OP_H
#define EAD_CORE_OP_H

#include "core/graph.h"
#include "core/simd/amx.h"
#include "core/tensor.h"

typedef struct EadOp {
    const char *name;

    /* Sets type and sizes of the output from the inputs and attributes; ead_fail(EAD_BAD_SHAPE, …) otherwise.
     */
    EadStatus (*shape)(const EadNode *node, EadTensor *y);

    /* Appends the nodes that compute the gradient of each input: dx[i] for every input i that needs one
     * (others may stay NULL), given dy, the gradient of the node's output. NULL: the op passes no gradient.
     */
    void (*gradient)(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx);

    /* If set, the output is no memory of its own: it starts that many elements into input 0 (slices; updates
     * in place). */
    int64_t (*alias)(const EadNode *node);

    int in_place;    /* the kernel may write its output over input 0 when nobody reads that any more */
    int has_effects; /* changes its inputs or state: runs even if nobody reads its output */
} EadOp;

/* One execution of one node: what a kernel gets to see. */
typedef struct EadCall EadCall;
struct EadCall {
    void (*run)(const EadCall *call);   /* NULL: nothing to do (pure views) */
    const EadTensor *x[EAD_MAX_INPUTS]; /* NULL where an optional input is absent */
    const EadTensor *y;
    const void *attributes; /* the op's own struct */
    const EadAmx *amx;      /* convolutions may multiply in bf16, with these kernels; NULL: fp32 only */
    void *workspace;        /* workspace_bytes of scratch, shared with other nodes, content undefined */
    size_t workspace_bytes;
    /* Optional: input 1 in the form that the kernel wants (transformed weights), made by prepare. If input 1
     * is constant, this is done once when the graph is planned; otherwise run must do it each time. */
    void (*prepare)(const EadCall *call);
    void *prepared; /* prepared_bytes of memory for it */
    size_t prepared_bytes;
    int prepared_once; /* set by the planner: prepared is filled already when run is called */
    /* Optional, set by plan, for the bench. */
    const char *algorithm; /* which of several it chose: a string that lasts */
    double multiply_adds;  /* that the algorithm really does; 0: not counted */
};

typedef struct EadKernel {
    void (*run)(const EadCall *call);
    /* Optional: called once at plan time with shapes but no data; sets workspace_bytes and may replace run by
     * the algorithm that fits shape and machine. */
    void (*plan)(EadCall *call);
} EadKernel;

/* Shape rules for elementwise ops: real input 0 gives the output's shape; all inputs have the same shape. */
EadStatus ead_shape_like_first(const EadNode *node, EadTensor *y);
EadStatus ead_shape_all_same(const EadNode *node, EadTensor *y);

#endif
