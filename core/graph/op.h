/* What an op is. One op = one row in core/ops/op_table.def + one folder core/ops/<op>/, which holds
 *   <op>.h        builder(s): check the attributes, append a node
 *   <op>.c        `const EadOp ead_op_<op>`: shape rule, gradient rule, whether it aliases its input; and
 *                 `const EadKernel ead_<op>_cpu`: the CPU kernel
 *   <op>_cuda.cu  `const EadKernel ead_<op>_cuda`: the CUDA kernel
 * A backward kernel is an op of its own in its forward op's folder. A row without descriptor or kernel is a
 * link error. */
#pragma once

#include "core/graph/kernel.h"

typedef struct EadOp {
    const char *name;

    /* Sets type and sizes of the output from the inputs and attributes, or fails with EAD_BAD_SHAPE. */
    EadStatus (*shape)(const EadNode *node, EadTensor *y);

    /* Appends the nodes that compute the gradient of each input: dx[i] for every input i that needs one
     * (others may stay NULL), given dy, the gradient of the node's output. NULL: the op passes none. */
    void (*gradient)(EadGraph *graph, EadNode *node, EadNode *dy, EadNode **dx);

    /* Optional, for ops whose output is a part of input 0: puts the gradients dy[i] of readers[i] together to
     * that of x, of which they are the only readers; NULL where they do not make up all of x. Their
     * gradient() is then called where these are summed, not before. */
    EadNode *(*join_gradients)(EadGraph *graph, const EadNode *x, int count, EadNode *const readers[],
                               EadNode *const dy[]);

    /* If set, the output is no memory of its own: it starts that many elements into input 0 (slices; updates
     * in place). */
    int64_t (*alias)(const EadNode *node);

    int in_place;    /* the kernel may write its output over input 0 when nobody reads that any more */
    int has_effects; /* changes its inputs or state: runs even if nobody reads its output */
} EadOp;

/* The descriptor of an op. */
const EadOp *ead_op(EadOpId id);

/* Shape rules for elementwise ops: real input 0 gives the output's shape; all inputs have the same shape. */
EadStatus ead_shape_like_first(const EadNode *node, EadTensor *y);
EadStatus ead_shape_all_same(const EadNode *node, EadTensor *y);

/* Shape rule for ops that draw a word for each element of real input 0, which gives the output's shape; input 1 counts
 * the steps (core/base/philox_rounds.h). */
EadStatus ead_shape_of_step_words(const EadNode *node, EadTensor *y);

/* EadOp.alias of updates in place: the output is input 0 itself. */
int64_t ead_alias_first(const EadNode *node);

/* Shape rule for changes of U8 RGB images (input 0) that the step (input 1, one counter) decides on. */
EadStatus ead_shape_image_of_step(const EadNode *node, EadTensor *y);
