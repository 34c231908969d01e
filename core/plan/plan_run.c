/* Runs of a plan, values into it and out of it, and its end, on the host or on a device. */
#include "core/plan/plan_internal.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Kernels have given each thread its share of the workspace when they were planned: should the caller have
 * raised the number of threads since, it is lowered for the run. */
void ead_plan_run(const EadPlan *plan) {
    if (plan->device) {
        ead_plan_device_run(plan);
        return;
    }
    int threads = omp_get_max_threads();
    if (threads > plan->threads) omp_set_num_threads(plan->threads);
    for (int i = 0; i < plan->call_count; i++) {
        plan->calls[i].run(&plan->calls[i]);
        if (plan->debug) ead_plan_debug_call(plan, i);
    }
    if (threads > plan->threads) omp_set_num_threads(threads);
}

void ead_plan_update_weights(const EadPlan *plan) {
    if (plan->device) {
        ead_plan_upload(plan);
        ead_plan_fork_streams(plan);
    }
    for (int i = 0; i < plan->call_count; i++)
        if (plan->calls[i].packed_at_plan) plan->calls[i].pack_weights(&plan->calls[i]);
    if (plan->device) ead_plan_join_streams(plan);
}

/* The next slot of pinned memory, once what was copied from it last has arrived. */
static void *next_slot(const EadPlan *plan) {
    EadDeviceRun *run = plan->device;
    ead_plan_use_device(plan);
    plan->backend->device->event_synchronize(run->staged[run->turn]);
    return run->staging[run->turn];
}

void *ead_plan_input_buffer(const EadPlan *plan, const EadNode *leaf) {
    assert(leaf->op == EAD_OP_LEAF && !leaf->caller_memory && !leaf->resident);
    return plan->device ? next_slot(plan) : plan->tensors[leaf->index].data;
}

/* to: in the arena; host: may be the place that ead_plan_input_buffer() has given. */
static void send(const EadPlan *plan, void *to, const void *host, size_t bytes) {
    EadDeviceRun *run = plan->device;
    void *memory = run ? next_slot(plan) : to;
    if (memory != host) memcpy(memory, host, bytes);
    if (!run) return;
    plan->backend->device->copy_in(to, memory, bytes, run->streams[0]);
    plan->backend->device->event_record(run->staged[run->turn], run->streams[0]);
    run->turn = (run->turn + 1) % EAD_STAGING_SLOTS;
}

void ead_plan_write(const EadPlan *plan, const EadNode *leaf, const void *host) {
    const EadTensor *tensor = &plan->tensors[leaf->index];
    assert(leaf->op == EAD_OP_LEAF && !leaf->caller_memory && !leaf->resident);
    if (tensor->data) send(plan, tensor->data, host, ead_bytes(tensor)); /* else nobody reads it */
}

void ead_plan_write_image(const EadPlan *plan, const EadNode *table, int image, const void *host) {
    const EadTensor *tensor = &plan->tensors[table->index];
    size_t bytes = ead_bytes(tensor) / (size_t)tensor->n;
    assert(table->resident && image >= 0 && image < tensor->n);
    if (tensor->data) send(plan, (unsigned char *)tensor->data + (size_t)image * bytes, host, bytes);
}

EadStatus ead_plan_fetch(const EadPlan *plan, const EadNode *node, const void **value) {
    const EadTensor *tensor = &plan->tensors[node->index];
    assert(node->is_output);
    *value = tensor->data;
    if (!plan->device) return ead_plan_synchronize(plan);
    ead_plan_use_device(plan);
    plan->backend->device->copy_out(plan->device->result, tensor->data, ead_bytes(tensor),
                                    plan->device->streams[0]);
    *value = plan->device->result;
    return ead_plan_synchronize(plan);
}

EadStatus ead_plan_read(const EadPlan *plan, const EadNode *node, void *host) {
    const void *value;
    EAD_TRY(ead_plan_fetch(plan, node, &value));
    memcpy(host, value, ead_bytes(&node->y));
    return EAD_OK;
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

void ead_plan_free(EadPlan *plan) {
    if (!plan) return;
    ead_plan_use_device(plan);
    ead_plan_debug_free(plan);
    ead_plan_device_free(plan);
    if (!plan->backend->device)
        free(plan->arena);
    else if (plan->arena)
        plan->backend->device->release(plan->arena);
    free(plan->regions);
    free(plan->tensors);
    free(plan->calls);
    free(plan->call_nodes);
    free(plan);
}
