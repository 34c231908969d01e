/* Lifetimes, offsets, call list.
 *
 * Every node belongs to the storage of its owner: itself, or input 0's owner for views and for kernels that
 * work in place. A storage lives from its first writer to its last reader. Storages are placed largest first,
 * each at the lowest offset where nothing that lives at the same time lies. */
#include "core/plan.h"

#include <assert.h>
#include <limits.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

typedef struct Storage {
    size_t bytes, offset;
    int first, last; /* nodes between which the content matters, both included */
    bool placed;
} Storage;

struct EadPlan {
    const EadBackend *backend;
    EadCall *calls;
    const EadNode **call_nodes;
    int call_count;
    int threads; /* the most that workspaces have room for */
    unsigned char *arena;
    size_t arena_bytes;
};

/* What planning needs and a plan does not. Storages 0..count-1 are the nodes' own, count..2*count-1 the
 * workspaces of their calls, 2*count..3*count-1 what the calls prepare of their weights. */
typedef struct Planner {
    EadGraph *graph;
    const EadPlanOptions *options;
    int count;
    bool *live;
    int *owner;     /* storage of a node */
    int *last_use;  /* last node that reads a node's own output, directly */
    EadCall *calls; /* by node */
    Storage *storages;
} Planner;

static void mark_live(Planner *p) {
    for (int i = p->count - 1; i >= 0; i--) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (node->keep || ead_op(node->op)->has_effects) p->live[i] = true;
        if (!p->live[i]) continue;
        for (int k = 0; k < EAD_MAX_INPUTS; k++)
            if (node->x[k]) p->live[node->x[k]->index] = true;
    }
}

static size_t aligned(size_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* May this node write its output over its first input? */
static bool can_overwrite(const Planner *p, const EadNode *node) {
    const EadNode *x = node->x[0];
    if (p->options->no_reuse || !ead_op(node->op)->in_place || !x || node->external) return false;
    const Storage *storage = &p->storages[p->owner[x->index]];
    /* A view shares its storage with nodes that may be read later; only storages with one value may be
     * reused. */
    bool sole_value = p->owner[x->index] == x->index || ead_op(x->op)->in_place;
    return sole_value && !x->keep && !x->external && storage->last == node->index &&
           ead_count(&x->y) == ead_count(&node->y) && x->y.type == node->y.type;
}

static int storage_of(const Planner *p, const EadNode *node) {
    if (ead_op(node->op)->alias || can_overwrite(p, node)) return p->owner[node->x[0]->index];
    return node->index;
}

static void extend(Storage *storage, int node) {
    if (storage->last < node) storage->last = node;
}

/* The last reader of every value must be known before anything is decided in place, and views pass their
 * readers on to what they view, so the walk goes backwards first. */
static void find_last_uses(Planner *p) {
    for (int i = p->count - 1; i >= 0; i--) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        if (p->last_use[i] < i) p->last_use[i] = i;
        if (node->keep) p->last_use[i] = INT_MAX;
        for (int k = 0; k < EAD_MAX_INPUTS; k++) {
            if (!node->x[k]) continue;
            int reader = k == 0 && ead_op(node->op)->alias ? p->last_use[i] : i;
            int *use = &p->last_use[node->x[k]->index];
            if (*use < reader) *use = reader;
        }
    }
}

static void assign_storages(Planner *p) {
    for (int i = 0; i < p->count; i++) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        p->owner[i] = storage_of(p, node);
        Storage *storage = &p->storages[p->owner[i]];
        if (p->owner[i] == i)
            *storage = (Storage){.bytes = node->external ? 0 : aligned(ead_bytes(&node->y)), .first = i};
        if (node->op == EAD_OP_LEAF) storage->first = 0;
        extend(storage, p->last_use[i]);
        if (p->options->no_reuse) storage->first = 0, storage->last = INT_MAX;
    }
}

/* Does nothing change this value from run to run? */
static bool is_constant(const EadNode *node) {
    return node && node->op == EAD_OP_LEAF && node->external && !node->needs_gradient;
}

static void plan_calls(Planner *p) {
    for (int i = 0; i < p->count; i++) {
        EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i] || node->op == EAD_OP_LEAF) continue;
        const EadKernel *kernel = p->options->backend->kernels[node->op];
        EadCall *call = &p->calls[i];
        *call = (EadCall){
            .run = kernel->run, .y = &node->y, .attributes = node->attributes, .amx = p->options->amx};
        for (int k = 0; k < EAD_MAX_INPUTS; k++) call->x[k] = node->x[k] ? &node->x[k]->y : NULL;
        if (kernel->plan) kernel->plan(call);
        p->storages[p->count + i] = (Storage){.bytes = aligned(call->workspace_bytes), .first = i, .last = i};
        call->prepared_once = call->prepare && is_constant(node->x[1]);
        Storage prepared = {.bytes = aligned(call->prepared_bytes), .first = i, .last = i};
        if (call->prepared_once) prepared.first = 0, prepared.last = INT_MAX;
        p->storages[2 * p->count + i] = prepared;
    }
}

static bool overlap_in_time(const Storage *a, const Storage *b) {
    return a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *a, const void *b) {
    const Storage *x = *(Storage *const *)a, *y = *(Storage *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : 1; /* equal sizes keep their order, so that plans are reproducible */
}

/* Lowest offset at which `storage` meets no placed storage of its time. */
static size_t find_offset(const Storage *storage, Storage *const *order, int placed) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < placed; i++) {
            const Storage *other = order[i];
            bool meets = offset < other->offset + other->bytes && other->offset < offset + storage->bytes;
            if (!meets || !overlap_in_time(storage, other)) continue;
            offset = other->offset + other->bytes;
            moved = true;
        }
    }
    return offset;
}

static size_t place(Planner *p, Storage **order) {
    int used = 0;
    size_t end = 0;
    for (int i = 0; i < 3 * p->count; i++)
        if (p->storages[i].bytes) order[used++] = &p->storages[i];
    qsort(order, (size_t)used, sizeof *order, by_size);
    for (int i = 0; i < used; i++) {
        order[i]->offset = find_offset(order[i], order, i);
        if (end < order[i]->offset + order[i]->bytes) end = order[i]->offset + order[i]->bytes;
    }
    return end;
}

/* Turns offsets into addresses and compacts the calls into the plan's list. */
static void bind(Planner *p, EadPlan *plan) {
    for (int i = 0; i < p->count; i++) {
        EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        const EadOp *op = ead_op(node->op);
        if (op->alias) {
            size_t skipped = (size_t)op->alias(node) * ead_type_size(node->y.type);
            node->y.data = (unsigned char *)node->x[0]->y.data + skipped;
        } else if (!node->external) {
            node->y.data = plan->arena + p->storages[p->owner[i]].offset;
        }
        if (!p->calls[i].run) continue;
        p->calls[i].workspace = plan->arena + p->storages[p->count + i].offset;
        p->calls[i].prepared = plan->arena + p->storages[2 * p->count + i].offset;
        plan->call_nodes[plan->call_count] = node;
        plan->calls[plan->call_count++] = p->calls[i];
    }
}

static void *allocate(const EadBackend *backend, size_t bytes) {
    void *memory = NULL;
    if (backend->device) return backend->device->allocate(bytes);
    if (posix_memalign(&memory, ALIGNMENT, bytes ? bytes : 1) != 0) return NULL;
    return memset(memory, 0, bytes);
}

static EadStatus fill_plan(Planner *p, EadPlan *plan) {
    size_t nodes = (size_t)p->count;
    Storage **order = malloc(3 * nodes * sizeof *order);
    plan->calls = calloc(nodes, sizeof *plan->calls);
    plan->call_nodes = calloc(nodes, sizeof *plan->call_nodes);
    if (!order || !plan->calls || !plan->call_nodes) {
        free(order);
        return ead_fail(EAD_NO_MEMORY, "no memory to plan %d nodes", p->count);
    }
    mark_live(p);
    find_last_uses(p);
    assign_storages(p);
    plan_calls(p);
    plan->arena_bytes = place(p, order);
    free(order);
    plan->arena = allocate(plan->backend, plan->arena_bytes);
    if (!plan->arena)
        return ead_fail(EAD_NO_MEMORY, "no memory for %.1f MB; lower model.image_size or the batch",
                        (double)plan->arena_bytes * 1e-6);
    bind(p, plan);
    ead_plan_refresh(plan);
    return EAD_OK;
}

/* Fills in what was left open. */
static EadStatus complete(EadPlanOptions *options) {
    if (!options->backend) options->backend = &ead_backend_cpu;
    if (options->precision == EAD_PRECISION_FP32 || options->backend != &ead_backend_cpu) {
        options->amx = NULL;
    } else if (!options->amx) {
        EAD_TRY(ead_precision_check(options->precision, "precision"));
        options->amx = ead_amx();
    }
    return EAD_OK;
}

EadStatus ead_plan_new(EadGraph *graph, const EadPlanOptions *options, EadPlan **out) {
    EAD_TRY(ead_graph_status(graph));
    EadPlanOptions chosen = options ? *options : (EadPlanOptions){0};
    EAD_TRY(complete(&chosen));
    size_t nodes = (size_t)ead_graph_count(graph);
    Planner p = {.graph = graph, .options = &chosen, .count = (int)nodes};
    p.live = calloc(nodes + 1, sizeof *p.live);
    p.owner = calloc(nodes + 1, sizeof *p.owner);
    p.last_use = calloc(nodes + 1, sizeof *p.last_use);
    p.calls = calloc(nodes + 1, sizeof *p.calls);
    p.storages = calloc(3 * nodes + 1, sizeof *p.storages);
    EadPlan *plan = calloc(1, sizeof *plan);
    EadStatus status = EAD_OK;
    if (!p.live || !p.owner || !p.last_use || !p.calls || !p.storages || !plan)
        status = ead_fail(EAD_NO_MEMORY, "no memory to plan %d nodes", p.count);
    if (status == EAD_OK) {
        plan->backend = chosen.backend;
        plan->threads = omp_get_max_threads();
        status = fill_plan(&p, plan);
    }
    free(p.live), free(p.owner), free(p.last_use), free(p.calls), free(p.storages);
    if (status == EAD_OK)
        *out = plan;
    else
        ead_plan_free(plan);
    return status;
}

void ead_plan_free(EadPlan *plan) {
    if (!plan) return;
    if (plan->arena && plan->backend->device)
        plan->backend->device->release(plan->arena);
    else
        free(plan->arena);
    free(plan->calls);
    free(plan->call_nodes);
    free(plan);
}

void ead_plan_refresh(const EadPlan *plan) {
    for (int i = 0; i < plan->call_count; i++)
        if (plan->calls[i].prepared_once) plan->calls[i].prepare(&plan->calls[i]);
}

/* Kernels have given each thread its share of the workspace when they were planned: should the caller have
 * raised the number of threads since, it is lowered for the run. */
void ead_plan_run(const EadPlan *plan) {
    int threads = omp_get_max_threads();
    if (threads > plan->threads) omp_set_num_threads(plan->threads);
    for (int i = 0; i < plan->call_count; i++) plan->calls[i].run(&plan->calls[i]);
    if (threads > plan->threads) omp_set_num_threads(threads);
}

size_t ead_plan_bytes(const EadPlan *plan) {
    return plan->arena_bytes;
}
int ead_plan_call_count(const EadPlan *plan) {
    return plan->call_count;
}

const EadCall *ead_plan_call(const EadPlan *plan, int index, const EadNode **node) {
    *node = plan->call_nodes[index];
    return &plan->calls[index];
}
