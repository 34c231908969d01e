/* External memory on a device. Leaves may be views of one buffer of the caller's (each layer's weights are
 * slices of all parameters, which Adam sees as a whole), so the device must mirror the buffer and not the
 * leaves: ranges that overlap become one region. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <assert.h>
#include <stdlib.h>

static int by_address(const void *a, const void *b) {
    const EadHostRegion *x = a, *y = b;
    return x->host < y->host ? -1 : x->host > y->host;
}

static EadHostRegion *region_of(const EadPlan *plan, const void *host) {
    const unsigned char *address = host;
    int low = 0, high = plan->region_count;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (plan->regions[middle].host <= address)
            low = middle;
        else
            high = middle;
    }
    assert(low < high && plan->regions[low].host <= address);
    return &plan->regions[low];
}

EadStatus ead_plan_collect_regions(EadPlan *plan, EadGraph *graph, const bool *live) {
    EadHostRegion *regions = plan->regions = ead_new(plan->node_count, sizeof *plan->regions, "a plan");
    if (!regions) return EAD_NO_MEMORY;
    int count = 0, merged = 0;
    for (int i = 0; i < plan->node_count; i++) {
        const EadNode *node = ead_graph_at(graph, i);
        if (live[i] && node->caller_memory)
            regions[count++] = (EadHostRegion){
                .host = node->y.data, .bytes = ead_bytes(&node->y), .written = node->op != EAD_OP_LEAF};
    }
    qsort(regions, (size_t)count, sizeof *regions, by_address);
    for (int i = 0; i < count; i++) {
        EadHostRegion *last = &regions[merged - 1];
        if (merged == 0 || regions[i].host >= last->host + last->bytes) {
            regions[merged++] = regions[i];
            continue;
        }
        size_t end = (size_t)(regions[i].host - last->host) + regions[i].bytes;
        if (last->bytes < end) last->bytes = end;
        last->written |= regions[i].written;
    }
    plan->region_count = merged;
    for (int i = 0; i < plan->node_count; i++) { /* ops with effects write to what their inputs are */
        const EadNode *node = ead_graph_at(graph, i);
        bool writes = live[i] && ead_op(node->op)->has_effects;
        for (int k = 0; writes && k < EAD_MAX_INPUTS; k++)
            if (node->x[k] && node->x[k]->caller_memory) region_of(plan, node->x[k]->y.data)->written = true;
    }
    return EAD_OK;
}

void *ead_plan_region_address(const EadPlan *plan, const void *host) {
    const EadHostRegion *region = region_of(plan, host);
    return plan->arena + region->offset + ((const unsigned char *)host - region->host);
}

void ead_plan_upload(const EadPlan *plan) {
    ead_plan_use_device(plan);
    for (int i = 0; i < plan->region_count; i++) {
        const EadHostRegion *region = &plan->regions[i];
        plan->backend->device->copy_in(plan->arena + region->offset, region->host, region->bytes,
                                       plan->device->streams[0]);
    }
}

EadStatus ead_plan_download(const EadPlan *plan) {
    ead_plan_use_device(plan);
    for (int i = 0; i < plan->region_count; i++) {
        const EadHostRegion *region = &plan->regions[i];
        if (region->written)
            plan->backend->device->copy_out(region->host, plan->arena + region->offset, region->bytes,
                                            plan->device->streams[0]);
    }
    return ead_plan_synchronize(plan);
}
