/* Which values a plan stores in 16 bits: those that halve the memory traffic between layers and that nobody
 * outside the plan looks at. A value qualifies if its kernel can write 16 bits and every reader can read them
 * there.
 *
 * Views share their value's type, so decisions are made for the value and all its views together: by root. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <stdlib.h>

typedef struct Types {
    const EadPlan *plan;
    EadGraph *graph;
    const bool *live;
    int *root;  /* by node: the node whose memory it is a view of, or itself */
    bool *half; /* by root */
} Types;

static const EadKernel *kernel_of(const Types *t, const EadNode *node) {
    return t->plan->backend->kernels[node->op];
}

/* A view without a kernel takes whatever type it is given. */
static bool is_pure_view(const Types *t, const EadNode *node) {
    return ead_op(node->op)->alias && !kernel_of(t, node)->run;
}

static void find_candidates(Types *t) {
    for (int i = 0; i < t->plan->node_count; i++) {
        const EadNode *node = ead_graph_at(t->graph, i);
        if (!t->live[i]) continue;
        bool view = is_pure_view(t, node), kept = node->is_output || node->caller_memory;
        bool computed = node->op != EAD_OP_LEAF && node->y.type == EAD_REAL;
        t->root[i] = ead_op(node->op)->alias ? t->root[node->x[0]->index] : i;
        if (t->root[i] == i) t->half[i] = true;
        if (!computed || kept || !(view || kernel_of(t, node)->half_out)) t->half[t->root[i]] = false;
        for (int k = 0; k < EAD_MAX_INPUTS; k++)
            if (node->x[k] && !view && !(kernel_of(t, node)->half_in >> k & 1))
                t->half[t->root[node->x[k]->index]] = false;
    }
}

/* Kernels have one type for all their 16-bit inputs: where one input stays in 32, the others do, too. */
static bool make_inputs_agree(Types *t, const EadNode *node) {
    unsigned mask = node->op == EAD_OP_LEAF ? 0 : kernel_of(t, node)->half_in;
    int half = 0, real_inputs = 0;
    for (int k = 0; k < EAD_MAX_INPUTS; k++) {
        if (!node->x[k] || !(mask >> k & 1) || node->x[k]->y.type != EAD_REAL) continue;
        real_inputs++;
        half += t->half[t->root[node->x[k]->index]];
    }
    if (half == 0 || half == real_inputs) return false;
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (node->x[k] && mask >> k & 1) t->half[t->root[node->x[k]->index]] = false;
    return true;
}

EadStatus ead_plan_choose_types(EadPlan *plan, EadGraph *graph, const bool *live, EadPrecision precision) {
    if (precision != EAD_PRECISION_FP16 && precision != EAD_PRECISION_BF16) return EAD_OK;
    Types t = {.plan = plan, .graph = graph, .live = live};
    t.root = ead_new(plan->node_count, sizeof *t.root, "a plan");
    t.half = ead_new(plan->node_count, sizeof *t.half, "a plan");
    bool enough = t.root && t.half;
    if (enough) find_candidates(&t);
    for (bool changed = enough; changed;) {
        changed = false;
        for (int i = 0; i < plan->node_count; i++)
            if (live[i]) changed |= make_inputs_agree(&t, ead_graph_at(graph, i));
    }
    for (int i = 0; enough && i < plan->node_count; i++)
        if (live[i] && t.half[t.root[i]])
            plan->tensors[i].type = precision == EAD_PRECISION_FP16 ? EAD_F16 : EAD_BF16;
    free(t.root);
    free(t.half);
    return enough ? EAD_OK : EAD_NO_MEMORY;
}
