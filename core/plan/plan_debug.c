/* Help for those who look for a mistake: the plan as a table, and the first value that is not finite. */
#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool ead_debug(const char *what) {
    const char *asked = getenv("EAD_DEBUG");
    size_t length = strlen(what);
    for (; asked && *asked; asked += strspn(asked, ",")) {
        size_t word = strcspn(asked, ",");
        if (word == length && strncmp(asked, what, length) == 0) return true;
        asked += word;
    }
    return false;
}

/* Calls are in the order of their nodes. */
void ead_plan_print(const EadPlan *plan, FILE *stream) {
    static const char *const types[] = {"real", "u8", "i64", "f16", "bf16"}; /* in the order of EadType */
    fprintf(stream,
            "plan of %d calls on %s, %.1f MB\n%4s  %-24s %-24s  %-22s %-4s %12s %12s  %-14s %10s %10s %10s\n",
            plan->call_count, plan->backend->name, 1e-6 * (double)plan->arena_bytes, "node", "op", "name",
            "shape", "type", "bytes", "offset", "algorithm", "workspace", "packed", "saved");
    for (int i = 0, next = 0; i < plan->node_count; i++) {
        const EadNode *node = ead_graph_at(plan->graph, i);
        bool called = next < plan->call_count && plan->call_nodes[next] == node;
        const EadCall *call = called ? &plan->calls[next++] : NULL;
        const EadTensor *y = &plan->tensors[i];
        const unsigned char *data = y->data;
        char shape[64];
        if (!data) continue;
        snprintf(shape, sizeof shape, "[%d,%d,%d,%d]", y->n, y->h, y->w, y->c);
        fprintf(stream, "%4d  %-24s %-24s  %-22s %-4s %12zu", i, ead_op(node->op)->name, node->name, shape,
                types[y->type], ead_bytes(y));
        if (data >= plan->arena && data < plan->arena + plan->arena_bytes)
            fprintf(stream, " %12zu", (size_t)(data - plan->arena));
        else
            fprintf(stream, " %12s", "caller's");
        if (call)
            fprintf(stream, "  %-14s %10zu %10zu %10zu", call->algorithm ? call->algorithm : "",
                    call->workspace_bytes, call->packed_bytes, call->saved_bytes);
        fputc('\n', stream);
    }
    fflush(stream);
}

static double value_at(EadType type, const void *values, int64_t i) {
    if (type == EAD_REAL) return (double)((const real *)values)[i];
    uint16_t half = ((const uint16_t *)values)[i];
    return (double)(type == EAD_F16 ? ead_half_to_float(half) : ead_bfloat16_to_float(half));
}

static void describe(EadPlanDebug *debug, const EadNode *node, const EadTensor *y, int64_t first, int64_t bad,
                     double value) {
    char inputs[256] = "";
    int64_t pixel = first / y->c, row = pixel / y->w;
    for (int k = 0; k < EAD_MAX_INPUTS; k++) {
        size_t length = strlen(inputs);
        if (node->x[k])
            snprintf(inputs + length, sizeof inputs - length, "%s %d '%s'", length ? "," : "",
                     node->x[k]->index, node->x[k]->name);
    }
    snprintf(debug->message, sizeof debug->message,
             "node %d '%s' (%s) [%d,%d,%d,%d]: %lld of %lld values are not finite, the first at "
             "[%lld,%lld,%lld,%lld] is %g; its inputs are%s",
             node->index, node->name, ead_op(node->op)->name, y->n, y->h, y->w, y->c, (long long)bad,
             (long long)ead_count(y), (long long)(row / y->h), (long long)(row % y->h),
             (long long)(pixel % y->w), (long long)(first % y->c), value, *inputs ? inputs : " none");
}

void ead_plan_debug_call(const EadPlan *plan, int i) {
    const EadTensor *y = plan->calls[i].y;
    const void *values = y->data;
    int64_t first = -1, bad = 0;
    if (*plan->debug->message || y->type == EAD_U8 || y->type == EAD_I64) return;
    if (plan->device) {
        plan->backend->device->copy_out(plan->debug->values, y->data, ead_bytes(y), plan->calls[i].stream);
        if (plan->backend->device->synchronize(plan->calls[i].stream) != EAD_OK) return;
        values = plan->debug->values;
    }
    for (int64_t k = 0; k < ead_count(y); k++)
        if (!isfinite(value_at(y->type, values, k)) && bad++ == 0) first = k;
    if (bad) describe(plan->debug, plan->call_nodes[i], y, first, bad, value_at(y->type, values, first));
}

EadStatus ead_plan_debug_status(const EadPlan *plan) {
    if (!plan->debug || !*plan->debug->message) return EAD_OK;
    return ead_fail(EAD_NOT_FINITE, "%s", plan->debug->message);
}

EadStatus ead_plan_debug_new(EadPlan *plan) {
    size_t largest = 0;
    plan->debug = ead_new(1, sizeof *plan->debug, "the search for NaN");
    if (!plan->debug) return EAD_NO_MEMORY;
    for (int i = 0; i < plan->call_count; i++)
        if (largest < ead_bytes(plan->calls[i].y)) largest = ead_bytes(plan->calls[i].y);
    if (!plan->device) return EAD_OK;
    plan->debug->values = plan->backend->device->allocate_pinned(largest);
    return plan->debug->values ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory to look at every value");
}

void ead_plan_debug_free(EadPlan *plan) {
    if (plan->debug && plan->debug->values) plan->backend->device->release_pinned(plan->debug->values);
    free(plan->debug);
}
