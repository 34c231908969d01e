/* Runs on a device. The first run is made call by call, because libraries and kernels set themselves up in
 * it; the second is captured into a graph, which that run and all later ones launch: one call of the driver
 * instead of hundreds. Nothing here waits for the device but what must hand data over to the host. */
#include "core/plan_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Pinned memory for the largest value that the host writes, and for the largest it reads. */
static EadStatus make_staging(EadPlan *plan, EadGraph *graph, const bool *live) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device;
    size_t written = 0, read = 0;
    for (int i = 0; i < plan->node_count; i++) {
        const EadNode *node = ead_graph_at(graph, i);
        if (!live[i]) continue;
        if (node->op == EAD_OP_LEAF && !node->external) written = larger(written, ead_bytes(&node->y));
        if (node->keep) read = larger(read, ead_bytes(&node->y));
    }
    bool made = true;
    for (int i = 0; i < EAD_STAGING_SLOTS; i++) {
        run->staging[i] = device->allocate_pinned(written);
        run->staged[i] = device->event_new();
        made = made && run->staging[i] && run->staged[i];
    }
    run->result = device->allocate_pinned(read);
    if (made && run->result) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "no pinned host memory for images and results (%.1f MB)",
                    1e-6 * (double)(EAD_STAGING_SLOTS * written + read));
}

EadStatus ead_plan_device_new(EadPlan *plan, EadGraph *graph, const bool *live, bool captures) {
    plan->device = calloc(1, sizeof *plan->device);
    if (!plan->device) return ead_fail(EAD_NO_MEMORY, "no memory for a plan");
    plan->device->captures = captures;
    plan->device->stream = plan->backend->device->stream_new();
    if (!plan->device->stream) return ead_fail(EAD_NO_MEMORY, "%s: no more streams", plan->backend->name);
    return make_staging(plan, graph, live);
}

void ead_plan_device_free(EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device;
    if (!run) return;
    if (run->stream) device->synchronize(run->stream);
    if (run->captured) device->graph_free(run->captured);
    for (int i = 0; i < EAD_STAGING_SLOTS; i++) {
        if (run->staged[i]) device->event_free(run->staged[i]);
        if (run->staging[i]) device->release_pinned(run->staging[i]);
    }
    if (run->result) device->release_pinned(run->result);
    if (run->stream) device->stream_free(run->stream);
    free(run);
}

static void run_calls(const EadPlan *plan) {
    for (int i = 0; i < plan->call_count; i++) plan->calls[i].run(&plan->calls[i]);
}

/* A device that cannot capture has run the calls instead, and will again next time. */
static void capture(const EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device;
    device->capture_begin(run->stream);
    run_calls(plan);
    run->captured = device->capture_end(run->stream);
    if (run->captured)
        device->graph_launch(run->captured, run->stream);
    else
        run->captures = false;
}

void ead_plan_device_run(const EadPlan *plan) {
    EadDeviceRun *run = plan->device;
    ead_plan_use_device(plan);
    if (run->captured)
        plan->backend->device->graph_launch(run->captured, run->stream);
    else if (run->captures && run->warm)
        capture(plan);
    else
        run_calls(plan);
    run->warm = true;
}
