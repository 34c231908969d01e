/* Lifetimes, offsets, call list.
 *
 * Every node belongs to the storage of its owner: itself, or input 0's owner for views and for kernels that
 * work in place. A storage lives from its first writer to its last reader. Storages are placed largest first,
 * each at the lowest offset where nothing that lives at the same time lies. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"
#include "core/system/machine.h"

#include <assert.h>
#include <limits.h>
#include <omp.h>
#include <stdlib.h>

enum { HOST_ALIGNMENT = 64, DEVICE_ALIGNMENT = 256, DEFAULT_STREAMS = 3 };

typedef struct ArenaStorage {
    size_t bytes, offset;
    int first, last; /* nodes between which the content matters, both included */
} ArenaStorage;

/* What memory of a node is for. */
enum {
    VALUE,
    WORKSPACE,
    PACKED, /* its weights in the form that the call wants */
    STATE,
    SAVED, /* a transform of its input that a later call reads, too */
    STORAGES_OF_NODE
};

/* The share of memory for saved inputs is one in: */
enum { SAVED_SHARE = 8 };

/* What planning needs and a plan does not. ArenaStorage k*count + i is for purpose k of node i. */
typedef struct Planner {
    EadGraph *graph;
    const EadPlanOptions *options;
    EadTensor *tensors; /* the plan's, by node */
    size_t alignment;
    EadOrder *order; /* NULL: calls run one after the other */
    int count;
    bool *live;
    int *owner;      /* storage of a node */
    int *last_use;   /* last node that reads a node's own output, directly */
    EadCall *calls;  /* by node */
    int *saver;      /* node whose call writes the saved input of this node's call */
    size_t may_save; /* bytes that may still be saved */
    ArenaStorage *storages;
    bool measures; /* only the size is wanted */
} Planner;

static ArenaStorage *storage_for(const Planner *p, int purpose, int node) {
    return &p->storages[purpose * p->count + node];
}

static void mark_live(Planner *p) {
    for (int i = p->count - 1; i >= 0; i--) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (node->is_output || ead_op(node->op)->has_effects) p->live[i] = true;
        if (!p->live[i]) continue;
        for (int k = 0; k < EAD_MAX_INPUTS; k++)
            if (node->x[k]) p->live[node->x[k]->index] = true;
    }
}

static size_t aligned(const Planner *p, size_t bytes) {
    return (bytes + p->alignment - 1) / p->alignment * p->alignment;
}

/* May this node write its output over its first input? */
static bool can_overwrite(const Planner *p, const EadNode *node) {
    const EadNode *x = node->x[0];
    if (p->options->no_reuse || !ead_op(node->op)->in_place || !x || node->caller_memory) return false;
    const ArenaStorage *storage = &p->storages[p->owner[x->index]];
    /* A view shares its storage with nodes that may be read later; only storages with one value may be
     * reused. */
    bool sole_value = p->owner[x->index] == x->index || ead_op(x->op)->in_place;
    return sole_value && !x->is_output && !x->caller_memory && storage->last == node->index &&
           ead_count(&x->y) == ead_count(&node->y) &&
           p->tensors[x->index].type == p->tensors[node->index].type;
}

/* The last reader of every value must be known before anything is decided in place, and views pass their
 * readers on to what they view, so the walk goes backwards first. */
static void find_last_uses(Planner *p) {
    for (int i = p->count - 1; i >= 0; i--) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        if (p->last_use[i] < i) p->last_use[i] = i;
        if (node->is_output) p->last_use[i] = INT_MAX;
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
        bool shares = ead_op(node->op)->alias || can_overwrite(p, node);
        p->owner[i] = shares ? p->owner[node->x[0]->index] : i;
        ArenaStorage *storage = &p->storages[p->owner[i]];
        if (p->owner[i] == i)
            *storage = (ArenaStorage){
                .bytes = node->caller_memory ? 0 : aligned(p, ead_bytes(&p->tensors[i])), .first = i};
        if (node->op == EAD_OP_LEAF) storage->first = 0, storage->last = INT_MAX; /* values last */
        if (storage->last < p->last_use[i]) storage->last = p->last_use[i];
        if (p->options->no_reuse) storage->first = 0, storage->last = INT_MAX;
    }
}

/* Does nothing change this value from run to run? */
static bool is_constant(const EadNode *node) {
    return node && node->op == EAD_OP_LEAF && node->caller_memory && !node->needs_gradient;
}

static void plan_call(const Planner *p, int i) {
    const EadNode *node = ead_graph_at(p->graph, i);
    const EadKernel *kernel = p->options->backend->kernels[node->op];
    EadCall *call = &p->calls[i];
    *call = (EadCall){.run = kernel->run, .y = &p->tensors[i], .saved_bytes = call->saved_bytes};
    call->attributes = node->attributes;
    call->precision = p->options->precision;
    call->amx = p->options->amx;
    for (int k = 0; k < EAD_MAX_INPUTS; k++) call->x[k] = node->x[k] ? &p->tensors[node->x[k]->index] : NULL;
    if (kernel->plan) kernel->plan(call);
}

/* Lets an earlier call save its transformed input for call i if it can and there is memory. */
static void save_for(Planner *p, int i) {
    const EadKernel *kernel = p->options->backend->kernels[ead_graph_at(p->graph, i)->op];
    for (int k = 0; kernel->can_save && !p->calls[i].saved_bytes && k < i; k++) {
        EadCall *earlier = &p->calls[k];
        if (!earlier->run || earlier->saved_bytes || earlier->x[0] != p->calls[i].x[1]) continue;
        size_t bytes = kernel->can_save(earlier, &p->calls[i]);
        if (!bytes || bytes > p->may_save) continue;
        p->may_save -= bytes;
        earlier->saved_bytes = p->calls[i].saved_bytes = bytes;
        p->saver[k] = p->saver[i] = k;
        *storage_for(p, SAVED, k) = (ArenaStorage){.bytes = aligned(p, bytes), .first = k, .last = i};
        plan_call(p, k);
        plan_call(p, i);
    }
}

static void plan_calls(Planner *p) {
    for (int i = 0; i < p->count; i++) {
        if (!p->live[i] || ead_graph_at(p->graph, i)->op == EAD_OP_LEAF) continue;
        plan_call(p, i);
        save_for(p, i);
    }
    for (int i = 0; i < p->count; i++) {
        if (!p->live[i]) continue;
        EadCall *call = &p->calls[i];
        call->packed_at_plan = call->pack_weights && is_constant(ead_graph_at(p->graph, i)->x[1]);
        int first = call->packed_at_plan ? 0 : i, last = call->packed_at_plan ? INT_MAX : i;
        *storage_for(p, WORKSPACE, i) = (ArenaStorage){aligned(p, call->workspace_bytes), 0, i, i};
        *storage_for(p, PACKED, i) = (ArenaStorage){aligned(p, call->packed_bytes), 0, first, last};
        *storage_for(p, STATE, i) = (ArenaStorage){aligned(p, call->state_bytes), 0, 0, INT_MAX};
    }
}

static bool may_share_memory(const Planner *p, const ArenaStorage *a, const ArenaStorage *b) {
    const ArenaStorage *early = a->last < b->first ? a : b, *late = early == a ? b : a;
    if (early->last >= late->first) return false;
    return !p->order || ead_order_done_before(p->order, (int)(early - p->storages), late->first);
}

static int by_size(const void *a, const void *b) {
    const ArenaStorage *x = *(ArenaStorage *const *)a, *y = *(ArenaStorage *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : 1; /* equal sizes keep their order, so that plans are reproducible */
}

/* Lowest offset at which `storage` meets no placed storage that it may not share memory with. */
static size_t find_offset(const Planner *p, const ArenaStorage *storage, ArenaStorage *const *order,
                          int placed) {
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < placed; i++) {
            const ArenaStorage *other = order[i];
            bool meets = offset < other->offset + other->bytes && other->offset < offset + storage->bytes;
            if (!meets || may_share_memory(p, storage, other)) continue;
            offset = other->offset + other->bytes;
            moved = true;
        }
    }
    return offset;
}

static void find_users(Planner *p) {
    for (int i = 0; i < p->count; i++) {
        const EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        ead_order_add_user(p->order, p->owner[i], i);
        for (int k = 0; k < EAD_MAX_INPUTS; k++)
            if (node->x[k]) ead_order_add_user(p->order, p->owner[node->x[k]->index], i);
        for (int purpose = WORKSPACE; purpose < STORAGES_OF_NODE; purpose++)
            ead_order_add_user(p->order, purpose * p->count + i, i);
        if (p->calls[i].saved_bytes) ead_order_add_user(p->order, SAVED * p->count + p->saver[i], i);
    }
}

static size_t place(Planner *p, ArenaStorage **order) {
    int used = 0;
    size_t end = 0;
    for (int i = 0; i < STORAGES_OF_NODE * p->count; i++)
        if (p->storages[i].bytes) order[used++] = &p->storages[i];
    qsort(order, (size_t)used, sizeof *order, by_size);
    for (int i = 0; i < used; i++) {
        order[i]->offset = find_offset(p, order[i], order, i);
        if (end < order[i]->offset + order[i]->bytes) end = order[i]->offset + order[i]->bytes;
    }
    return end;
}

static void *address(const Planner *p, const EadPlan *plan, const EadNode *node) {
    const EadOp *op = ead_op(node->op);
    if (op->alias) {
        size_t skipped = (size_t)op->alias(node) * ead_type_size(p->tensors[node->index].type);
        return (unsigned char *)p->tensors[node->x[0]->index].data + skipped;
    }
    if (!node->caller_memory) return plan->arena + p->storages[p->owner[node->index]].offset;
    return plan->device ? ead_plan_region_address(plan, node->y.data) : node->y.data;
}

/* Turns offsets into addresses and compacts the calls into the plan's list. */
static void bind(Planner *p, EadPlan *plan) {
    for (int i = 0; i < p->count; i++) {
        EadNode *node = ead_graph_at(p->graph, i);
        if (!p->live[i]) continue;
        p->tensors[i].data = address(p, plan, node);
        if (!plan->device) node->y.data = p->tensors[i].data;
        if (!p->calls[i].run) continue;
        p->calls[i].workspace = plan->arena + storage_for(p, WORKSPACE, i)->offset;
        p->calls[i].packed = plan->arena + storage_for(p, PACKED, i)->offset;
        p->calls[i].state = plan->arena + storage_for(p, STATE, i)->offset;
        p->calls[i].saved_input = plan->arena + storage_for(p, SAVED, p->saver[i])->offset;
        plan->call_nodes[plan->call_count] = node;
        plan->calls[plan->call_count++] = p->calls[i];
    }
}

static EadStatus allocate(EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    double megabytes = 1e-6 * (double)plan->arena_bytes;
    size_t there = device ? SIZE_MAX : ead_machine_available();
    if (device)
        plan->arena = device->allocate(plan->arena_bytes);
    else
        plan->arena = plan->arena_bytes <= there ? ead_new_large(plan->arena_bytes) : NULL;
    if (plan->arena) return EAD_OK;
    if (device)
        return ead_fail(EAD_NO_MEMORY,
                        "no memory for %.1f MB on %s, where %.1f MB are free; lower model.image_size or the "
                        "batch, use --streams 1, or end what else uses that GPU (nvidia-smi)",
                        megabytes, plan->backend->name, 1e-6 * (double)device->free_memory());
    if (plan->arena_bytes > there)
        return ead_fail(EAD_NO_MEMORY,
                        "no memory for %.1f MB, where %.1f MB are free; lower model.image_size or the batch",
                        megabytes, 1e-6 * (double)there);
    return ead_fail(EAD_NO_MEMORY, "no memory for %.1f MB; lower model.image_size or the batch", megabytes);
}

static EadStatus lay_out(Planner *p, EadPlan *plan) {
    ArenaStorage **order = ead_new((int64_t)STORAGES_OF_NODE * p->count, sizeof *order, "a plan");
    if (!order) return EAD_NO_MEMORY;
    find_last_uses(p);
    assign_storages(p);
    plan_calls(p);
    if (p->order) find_users(p);
    plan->arena_bytes = place(p, order);
    for (int i = 0; i < plan->region_count; i++) { /* the regions follow what runs need */
        plan->regions[i].offset = plan->arena_bytes;
        plan->arena_bytes += aligned(p, plan->regions[i].bytes);
    }
    free(order);
    return EAD_OK;
}

static EadStatus fill_plan(Planner *p, EadPlan *plan) {
    bool on_device = plan->backend->device;
    EadOrder order = {0};
    EadStatus status = EAD_OK;
    mark_live(p);
    if (on_device) {
        EAD_TRY(ead_plan_choose_types(plan, p->graph, p->live, p->options->precision));
        EAD_TRY(ead_plan_collect_regions(plan, p->graph, p->live));
        EAD_TRY(ead_plan_device_new(plan, p->graph, p->live, p->options));
    }
    if (on_device && p->options->streams > 1) {
        p->order = &order;
        status = ead_order_new(p->graph, STORAGES_OF_NODE * p->count, &order);
    }
    if (status == EAD_OK) status = lay_out(p, plan);
    ead_order_free(&order);
    EAD_TRY(status);
    if (p->measures) return EAD_OK;
    EAD_TRY(allocate(plan));
    bind(p, plan);
    if (on_device) EAD_TRY(ead_plan_device_schedule(plan));
    ead_plan_update_weights(plan);
    return ead_debug("nan") ? ead_plan_debug_new(plan) : EAD_OK;
}

static EadStatus allocate_plan(Planner *p, const EadPlanOptions *options, EadPlan **out) {
    EadPlan *plan = *out = ead_new(1, sizeof *plan, "a plan");
    if (!plan) return EAD_NO_MEMORY;
    *plan = (EadPlan){.backend = options->backend, .graph = p->graph, .node_count = p->count};
    plan->threads = omp_get_max_threads();
    plan->tensors = ead_new(p->count, sizeof *plan->tensors, "a plan");
    plan->calls = ead_new(p->count, sizeof *plan->calls, "a plan");
    plan->call_nodes = ead_new(p->count, sizeof *plan->call_nodes, "a plan");
    p->live = ead_new(p->count, sizeof *p->live, "a plan");
    p->owner = ead_new(p->count, sizeof *p->owner, "a plan");
    p->last_use = ead_new(p->count, sizeof *p->last_use, "a plan");
    p->calls = ead_new(p->count, sizeof *p->calls, "a plan");
    p->saver = ead_new(p->count, sizeof *p->saver, "a plan");
    p->storages = ead_new((int64_t)STORAGES_OF_NODE * p->count, sizeof *p->storages, "a plan");
    if (!plan->tensors || !plan->calls || !plan->call_nodes || !p->live || !p->owner || !p->last_use ||
        !p->calls || !p->saver || !p->storages)
        return EAD_NO_MEMORY;
    for (int i = 0; i < p->count; i++) {
        plan->tensors[i] = ead_graph_at(p->graph, i)->y;
        if (!ead_graph_at(p->graph, i)->caller_memory) plan->tensors[i].data = NULL;
    }
    p->tensors = plan->tensors;
    return EAD_OK;
}

/* Fills in what was left open. Kernels for bf16 that were given are taken at their word, whatever this CPU
 * has. */
static EadStatus complete(EadGraph *graph, EadPlanOptions *options) {
    if (!options->backend) options->backend = &ead_backend_cpu;
    bool emulated = options->amx && !options->backend->device;
    if (!emulated) {
        bool trains = false;
        for (int i = 0; i < ead_graph_count(graph); i++) trains |= ead_graph_at(graph, i)->needs_gradient;
        EAD_TRY(ead_precision_check(options->backend, options->precision, false, "precision"));
        options->precision = ead_precision_resolve(options->backend, options->precision, trains);
        options->amx = options->backend->device ? NULL : ead_amx();
    }
    if (options->precision == EAD_PRECISION_FP32) options->amx = NULL;
    if (options->streams < 1) options->streams = DEFAULT_STREAMS;
    if (options->streams > EAD_MAX_STREAMS) options->streams = EAD_MAX_STREAMS;
    if (ead_debug("nan")) options->no_capture = true, options->streams = 1; /* every call is looked at */
    return EAD_OK;
}

static EadStatus make_plan(EadGraph *graph, const EadPlanOptions *options, bool measures, EadPlan **out) {
    EAD_TRY(ead_graph_status(graph));
    EadPlanOptions chosen = options ? *options : (EadPlanOptions){0};
    EAD_TRY(complete(graph, &chosen));
    EadPlan *plan;
    Planner p = {.graph = graph, .options = &chosen, .count = ead_graph_count(graph), .measures = measures};
    const EadDevice *device = chosen.backend->device;
    p.alignment = device ? DEVICE_ALIGNMENT : HOST_ALIGNMENT;
    EadStatus status = allocate_plan(&p, &chosen, &plan);
    if (status == EAD_OK) {
        ead_plan_use_device(plan);
        if (!chosen.no_reuse)
            p.may_save = (device ? device->free_memory() : ead_machine_memory()) / SAVED_SHARE;
        status = fill_plan(&p, plan);
    }
    free(p.live), free(p.owner), free(p.last_use), free(p.calls), free(p.saver), free(p.storages);
    if (status != EAD_OK) {
        ead_plan_free(plan);
        return status;
    }
    *out = plan;
    return EAD_OK;
}

EadStatus ead_plan_new(EadGraph *graph, const EadPlanOptions *options, EadPlan **out) {
    EAD_TRY(make_plan(graph, options, false, out));
    if (options && options->print) ead_plan_print(*out, options->print);
    return EAD_OK;
}

EadStatus ead_plan_measure(EadGraph *graph, const EadPlanOptions *options, size_t *bytes) {
    EadPlan *plan;
    EAD_TRY(make_plan(graph, options, true, &plan));
    *bytes = plan->arena_bytes;
    ead_plan_free(plan);
    return EAD_OK;
}
