/* Runs on a device. The first run is made call by call, because libraries and kernels set themselves up in
 * it; the second is captured into a graph, which that run and all later ones launch: one call of the driver
 * instead of hundreds. Nothing here waits for the device but what must hand data over to the host. */
#include "core/base/memory.h"
#include "core/plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

static EadStatus no_more(const EadPlan *plan) {
    return ead_fail(EAD_NO_MEMORY, "%s: no more streams or events", plan->backend->name);
}

EadStatus ead_plan_device_new(EadPlan *plan, EadGraph *graph, const bool *live,
                              const EadPlanOptions *options) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device = ead_new(1, sizeof *plan->device, "a plan");
    if (!run) return EAD_NO_MEMORY;
    run->captures = !options->no_capture;
    run->stream_count = options->streams;
    for (int s = 0; s < run->stream_count; s++) {
        run->streams[s] = device->stream_new();
        run->ends[s] = device->event_new();
        if (!run->streams[s] || !run->ends[s]) return no_more(plan);
    }
    /* pinned memory for the largest value that the host writes, and for the largest it reads */
    size_t written = 0, read = 0;
    for (int i = 0; i < plan->node_count; i++) {
        const EadNode *node = ead_graph_at(graph, i);
        size_t bytes = ead_bytes(&node->y), piece = node->resident ? bytes / (size_t)node->y.n : bytes;
        if (live[i] && node->op == EAD_OP_LEAF && !node->caller_memory && written < piece) written = piece;
        if (live[i] && node->is_output && read < bytes) read = bytes;
    }
    bool made = (run->result = device->allocate_pinned(read));
    for (int i = 0; i < EAD_STAGING_SLOTS; i++) {
        run->staging[i] = device->allocate_pinned(written);
        run->staged[i] = device->event_new();
        made = made && run->staging[i] && run->staged[i];
    }
    if (made) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "no pinned host memory for images and results (%.1f MB)",
                    1e-6 * (double)(EAD_STAGING_SLOTS * written + read));
}

EadStatus ead_plan_device_schedule(EadPlan *plan) {
    EadDeviceRun *run = plan->device;
    EAD_TRY(ead_plan_schedule(plan, run->stream_count));
    run->done = ead_new(plan->call_count, sizeof *run->done, "a plan");
    if (!run->done) return EAD_NO_MEMORY;
    for (int i = 0; i < plan->call_count; i++) {
        plan->calls[i].stream = run->streams[run->lanes[i].stream];
        if (!run->lanes[i].awaited) continue;
        run->done[i] = plan->backend->device->event_new();
        if (!run->done[i]) return no_more(plan);
    }
    return EAD_OK;
}

EadStatus ead_plan_synchronize(const EadPlan *plan) {
    EAD_TRY(ead_plan_debug_status(plan));
    if (!plan->device) return EAD_OK;
    ead_plan_use_device(plan);
    for (int s = plan->device->stream_count - 1; s > 0; s--)
        EAD_TRY(plan->backend->device->synchronize(plan->device->streams[s]));
    return plan->backend->device->synchronize(plan->device->streams[0]);
}

void ead_plan_device_free(EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device;
    if (!run) return;
    for (int s = 0; s < run->stream_count; s++)
        if (run->streams[s]) device->synchronize(run->streams[s]);
    if (run->captured) device->graph_free(run->captured);
    for (int i = 0; i < plan->call_count && run->done; i++)
        if (run->done[i]) device->event_free(run->done[i]);
    for (int i = 0; i < EAD_STAGING_SLOTS; i++) {
        if (run->staged[i]) device->event_free(run->staged[i]);
        if (run->staging[i]) device->release_pinned(run->staging[i]);
    }
    if (run->result) device->release_pinned(run->result);
    for (int s = 0; s < run->stream_count; s++) {
        if (run->ends[s]) device->event_free(run->ends[s]);
        if (run->streams[s]) device->stream_free(run->streams[s]);
    }
    free(run->lanes);
    free(run->done);
    free(run);
}

void ead_plan_fork_streams(const EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    const EadDeviceRun *run = plan->device;
    if (run->stream_count > 1) device->event_record(run->ends[0], run->streams[0]);
    for (int s = 1; s < run->stream_count; s++) device->event_wait(run->ends[0], run->streams[s]);
}

void ead_plan_join_streams(const EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    const EadDeviceRun *run = plan->device;
    for (int s = 1; s < run->stream_count; s++) {
        device->event_record(run->ends[s], run->streams[s]);
        device->event_wait(run->ends[s], run->streams[0]);
    }
}

static void run_calls(const EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    const EadDeviceRun *run = plan->device;
    ead_plan_fork_streams(plan);
    for (int i = 0; i < plan->call_count; i++) {
        const EadCall *call = &plan->calls[i];
        for (int s = 0; s < run->stream_count; s++)
            if (run->lanes[i].waits[s] >= 0)
                device->event_wait(run->done[run->lanes[i].waits[s]], call->stream);
        call->run(call);
        if (run->done[i]) device->event_record(run->done[i], call->stream);
        if (plan->debug) ead_plan_debug_call(plan, i);
    }
    ead_plan_join_streams(plan);
}

void ead_plan_device_run(const EadPlan *plan) {
    const EadDevice *device = plan->backend->device;
    EadDeviceRun *run = plan->device;
    bool capturing = !run->captured && run->captures && run->warm;
    ead_plan_use_device(plan);
    if (capturing) device->capture_begin(run->streams[0]);
    if (!run->captured) run_calls(plan);
    if (capturing) run->captured = device->capture_end(run->streams[0]);
    /* a device that cannot capture has run the calls instead, and will again next time */
    if (capturing) run->captures = run->captured;
    if (run->captured) device->graph_launch(run->captured, run->streams[0]);
    run->warm = true;
}
