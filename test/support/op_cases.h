/* The op cases of test/support/op_cases.def, ready to build: one table for the gradient check in double, the golden
 * values against PyTorch, planned = unplanned, one thread = two, CUDA against CPU. */
#pragma once

#include "core/plan/plan.h"

enum { OP_CASE_INPUTS = 4, OP_CASE_NUMBERS = 6 };

typedef enum OpCaseKind {
    OP_CASE_NONE,
    OP_CASE_REAL,
    OP_CASE_TIES,
    OP_CASE_CONST,
    OP_CASE_HALF,
    OP_CASE_BYTES,
    OP_CASE_STEP,
    OP_CASE_ORDER
} OpCaseKind;

typedef struct OpCaseInput {
    OpCaseKind kind;
    int n, h, w, c; /* of a step counter, n is its value */
} OpCaseInput;

typedef struct OpCase {
    const char *name;
    EadNode *(*build)(EadGraph *graph, EadNode *const x[], const double *numbers);
    OpCaseInput inputs[OP_CASE_INPUTS];
    double numbers[OP_CASE_NUMBERS];
} OpCase;

int op_case_count(void);
const OpCase *op_case_at(int index);

/* A case as a graph: y and, where y has a gradient, loss = mean((y - target)²) with a random constant target.
 */
typedef struct OpCaseGraph {
    EadGraph *graph;
    EadPlan *plan;
    EadNode *x[OP_CASE_INPUTS], *dx[OP_CASE_INPUTS]; /* dx: NULL where there is none */
    EadNode *y, *loss;
    void *memory[OP_CASE_INPUTS + 1]; /* of the inputs and the target */
} OpCaseGraph;

/* Builds y and loss; fills the inputs. op_case_free() afterwards even if it failed. */
EadStatus op_case_build(const OpCase *op_case, OpCaseGraph *out);

/* Appends the gradients of all trainable inputs, keeps them and y, plans. */
EadStatus op_case_plan(OpCaseGraph *built, const EadPlanOptions *options);
void op_case_free(OpCaseGraph *built);

/* The trainable inputs of a case, in order; returns their number. */
int op_case_trainable(const OpCaseGraph *built, EadNode *out[OP_CASE_INPUTS]);

/* Whether finite differences make sense: not at the kinks and jumps where equal elements sit. */
bool op_case_is_smooth(const OpCase *op_case);

/* The words that op_cases.def and larger_cases.def write inputs in, for the two files that include those. */
#ifdef OP_CASE_WORDS
#define REAL(n, h, w, c)                                                                                     \
    { OP_CASE_REAL, n, h, w, c }
#define TIES(n, h, w, c)                                                                                     \
    { OP_CASE_TIES, n, h, w, c }
#define CONST(n, h, w, c)                                                                                    \
    { OP_CASE_CONST, n, h, w, c }
#define HALF(n, h, w, c)                                                                                     \
    { OP_CASE_HALF, n, h, w, c }
#define BYTES(n, h, w, c)                                                                                    \
    { OP_CASE_BYTES, n, h, w, c }
#define ORDER(c)                                                                                             \
    { OP_CASE_ORDER, 1, 1, 1, c }
#define STEP(value)                                                                                          \
    { OP_CASE_STEP, value, 1, 1, 1 }
#endif
