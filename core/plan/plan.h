/* The planner: gives every value of a graph a place in one arena, from its lifetime, and makes the fixed list
 * of kernel calls that a run walks through. Nothing is allocated after planning.
 *
 * Only nodes that an output (ead_keep) or an op with effects depends on are run. A plan belongs to one graph,
 * which must outlive it, and a graph to one plan. */
#pragma once

#include "core/backend/backend.h"
#include "core/simd/amx.h"

#include <stdio.h>

typedef struct EadPlan EadPlan;

typedef struct EadPlanOptions {
    const EadBackend *backend; /* NULL = CPU */
    bool no_reuse;             /* every value its own memory, nothing in place, nothing saved: for tests */
    bool no_capture;        /* CUDA: launch kernel by kernel instead of replaying one graph; the same bits */
    int streams;            /* CUDA: branches that may run side by side, 1 to 4; 0: 3. The same bits */
    EadPrecision precision; /* of the convolutions' multiplications */
    const EadAmx *amx;      /* kernels for bf16; NULL: those of this machine. For tests */
    FILE *print;            /* where the finished plan is written, see ead_plan_print(); NULL: nowhere */
} EadPlanOptions;

/* Plans the graph. options may be NULL. Errors: the graph's own first error; EAD_NO_MEMORY, with what was
 * asked, what is free and what to lower; EAD_UNSUPPORTED for a precision that the backend lacks. */
EadStatus ead_plan_new(EadGraph *graph, const EadPlanOptions *options, EadPlan **out);
void ead_plan_free(EadPlan *plan);

/* Bytes of the arena that such a plan would have (ead_plan_bytes); takes no memory for it and leaves the graph as it
 * is. Errors: those of ead_plan_new, but for this memory. */
EadStatus ead_plan_measure(EadGraph *graph, const EadPlanOptions *options, size_t *bytes);

/* Runs every kernel once, in order. Cannot fail. On a device it only hands the work over: errors come out
 * where a value is fetched. */
void ead_plan_run(const EadPlan *plan);

/* Must be called when values of constant leaves (weights that are not trainable in this graph) have changed
 * since planning, because kernels have packed them in a form of their own; on a device when anything in the
 * caller's memory has changed, because the device has a copy, made when the graph was planned. */
void ead_plan_update_weights(const EadPlan *plan);

/* Copies what runs have changed in the caller's memory (parameters, optimizer state, counters) back there.
 * Nothing to do on the CPU. Errors: those of ead_plan_synchronize. */
EadStatus ead_plan_download(const EadPlan *plan);

/* Gives a leaf without memory of the caller's its value: `host` holds as many bytes as the leaf and may be
 * changed as soon as this returns. Later runs see it, earlier ones do not. */
void ead_plan_write(const EadPlan *plan, const EadNode *leaf, const void *host);

/* The same for one image of a table (ead_table()): `host` holds as many bytes as that image. */
void ead_plan_write_image(const EadPlan *plan, const EadNode *table, int image, const void *host);

/* Memory of the host to make a leaf's value in: passed to ead_plan_write() afterwards, it saves a copy. */
void *ead_plan_input_buffer(const EadPlan *plan, const EadNode *leaf);

/* The value of an output (ead_keep) after the runs so far, in the node's own type: copied to `host`, or as an
 * address that is valid until the next run or fetch. Waits for the runs. Errors: those of
 * ead_plan_synchronize. */
EadStatus ead_plan_read(const EadPlan *plan, const EadNode *node, void *host);
EadStatus ead_plan_fetch(const EadPlan *plan, const EadNode *node, const void **value);

/* Waits until the runs so far are done. Errors: EAD_UNSUPPORTED with what stopped the device; EAD_NOT_FINITE,
 * see ead_debug(). */
EadStatus ead_plan_synchronize(const EadPlan *plan);

/* Bytes of the arena (values, leaves without own memory, workspaces; on a device also copies of the
 * caller's memory). */
size_t ead_plan_bytes(const EadPlan *plan);

/* Whether the environment's EAD_DEBUG, a list such as "nan,graph", names it. The plan's own is
 *   nan    every output is looked at after its kernel (slow; a device then runs call by call); the first that
 *          holds an infinity or a NaN becomes an error of ead_plan_synchronize() and of what calls it
 * and "graph" is the program's: it has every plan printed. */
bool ead_debug(const char *what);

/* Writes a table of all values in order: node, op, name, shape, type, bytes, place in the arena; of computed
 * ones also algorithm, bytes of workspace, packed weights and saved input. */
void ead_plan_print(const EadPlan *plan, FILE *stream);

/* The calls of the plan, for the bench: their number, and call i with the node it computes. */
int ead_plan_call_count(const EadPlan *plan);
const EadCall *ead_plan_call(const EadPlan *plan, int index, const EadNode **node);
