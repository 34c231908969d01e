/* The planner: gives every value of a graph a place in one arena, from its lifetime, and makes the fixed list
 * of kernel calls that a run walks through. Nothing is allocated after planning.
 *
 * Only nodes that something kept (or an op with effects) depends on are run. A plan belongs to one graph,
 * which must outlive it, and a graph to one plan. */
#ifndef EAD_CORE_PLAN_H
#define EAD_CORE_PLAN_H

#include "core/backend.h"
#include "core/precision.h"

typedef struct EadPlan EadPlan;

typedef struct EadPlanOptions {
    const EadBackend *backend; /* NULL = CPU */
    bool no_reuse;             /* every value its own memory, nothing in place: for tests and debugging */
    EadPrecision precision;    /* of the convolutions' multiplications */
    const EadAmx *amx;         /* kernels for bf16; NULL: those of this machine. For tests */
} EadPlanOptions;

/* Plans the graph. options may be NULL. Errors: the graph's own first error; EAD_NO_MEMORY, with the size;
 * EAD_UNSUPPORTED for bf16 on a CPU without AMX. */
EadStatus ead_plan_new(EadGraph *graph, const EadPlanOptions *options, EadPlan **out);
void ead_plan_free(EadPlan *plan);

/* Runs every kernel once, in order. Cannot fail. */
void ead_plan_run(const EadPlan *plan);

/* Must be called when values of constant leaves (weights that are not trainable in this graph) have changed
 * since planning: kernels keep them in another form. */
void ead_plan_refresh(const EadPlan *plan);

/* Bytes of the arena (values, leaves without own memory, workspaces). */
size_t ead_plan_bytes(const EadPlan *plan);

/* The calls of the plan, for the bench: their number, and call i with the node it computes. */
int ead_plan_call_count(const EadPlan *plan);
const EadCall *ead_plan_call(const EadPlan *plan, int index, const EadNode **node);

#endif
