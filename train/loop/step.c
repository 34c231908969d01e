/* From losses to a plan, and running it. */
#include "train/loop/step.h"

#include "core/ops/ring_write/ring_write.h"
#include "core/system/machine.h"

#include <assert.h>
#include <string.h>

/* Before anything of it is allocated: pages that are not there end the process. */
static EadStatus check_state(const EadStep *step) {
    double bytes = 0, there = (double)ead_machine_available();
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += 3.0 * sizeof(real) * (double)step->parts.groups[g].params->total;
    if (bytes <= there) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY,
                    "gradients and Adam's state take %.0f MB beside the weights, where %.0f MB are free",
                    1e-6 * bytes, 1e-6 * there);
}

/* The rows of losses, and the update by the optimizers that are there. *rows: those of this graph. */
static void append_update(EadStep *s, EadGraph *graph, EadStepParts *parts, EadNode *done, EadNode **rows) {
    EadParamGroup groups[EAD_MAX_GROUPS];
    EadNode *values[EAD_MAX_LOSSES + 1];
    for (int g = 0; g < parts->group_count; g++) {
        const EadStepGroup *group = &parts->groups[g];
        groups[g] = (EadParamGroup){group->params, &s->optimizers[g], group->adam,
                                    ead_lr_schedule(graph, done, group->schedule)};
    }
    memcpy(values, parts->losses, sizeof parts->losses);
    values[s->columns - 1] = groups[0].rate;
    *rows = ead_keep(ead_leaf(graph, "losses", EAD_REAL, 1, 1, EAD_LOSS_ROWS, s->columns, NULL));
    ead_ring_write(graph, *rows, done, values);
    ead_optimizer_append(graph, parts->group_count, groups, parts->total, done, parts->share);
}

static EadStatus new_optimizers(EadStep *step) {
    for (int g = 0; g < step->parts.group_count; g++)
        EAD_TRY(ead_optimizer_new(step->parts.groups[g].params, &step->optimizers[g]));
    return EAD_OK;
}

static EadStatus check_ranks(const EadStep *step, const EadPlanOptions *plan) {
    bool device = plan && plan->backend && plan->backend->device;
    if (!step->parts.share.ranks || !device) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED,
                    "%d ranks share out a batch on the CPU only; use --device cpu, or one process",
                    step->parts.share.ranks->count);
}

EadStatus ead_step_new(EadStep *step, int losses, EadStepBuilder *build, void *context,
                       const EadPlanOptions *plan) {
    assert(losses <= EAD_MAX_LOSSES);
    *step = (EadStep){.graph = ead_graph_new(), .columns = losses + 1};
    if (!step->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *done = ead_leaf(step->graph, "step", EAD_I64, 1, 1, 1, 1, &step->device_done);
    build(context, step->graph, done, &step->parts);
    assert(step->parts.group_count >= 1 && step->parts.group_count <= EAD_MAX_GROUPS);
    EadStatus status = ead_graph_status(step->graph);
    if (status == EAD_OK) status = check_ranks(step, plan);
    if (status == EAD_OK) status = check_state(step);
    if (status == EAD_OK) status = new_optimizers(step);
    if (status == EAD_OK) append_update(step, step->graph, &step->parts, done, &step->rows);
    if (status == EAD_OK) status = ead_plan_new(step->graph, plan, &step->plan);
    if (status != EAD_OK) ead_step_free(step);
    return status;
}

EadStatus ead_step_add_last(EadStep *step, int64_t epoch, EadStepBuilder *build, void *context,
                            const EadPlanOptions *plan) {
    EadLastStep *last = &step->last;
    *last = (EadLastStep){.epoch = epoch, .graph = ead_graph_new()};
    EadStatus status = last->graph ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    if (status == EAD_OK) {
        EadNode *done = ead_leaf(last->graph, "step", EAD_I64, 1, 1, 1, 1, &step->device_done);
        build(context, last->graph, done, &last->parts);
        append_update(step, last->graph, &last->parts, done, &last->rows);
        status = ead_plan_new(last->graph, plan, &last->plan);
    }
    if (status != EAD_OK) ead_step_free(step);
    return status;
}

void ead_step_free(EadStep *step) {
    ead_plan_free(step->plan);
    ead_graph_free(step->graph);
    ead_plan_free(step->last.plan);
    ead_graph_free(step->last.graph);
    for (int g = 0; g < EAD_MAX_GROUPS; g++) ead_optimizer_free(&step->optimizers[g]);
    *step = (EadStep){0};
}

size_t ead_step_slot_bytes(const EadStep *step) {
    size_t bytes = 0;
    for (int i = 0; i < EAD_MAX_STEP_INPUTS && step->parts.inputs[i]; i++)
        bytes += ead_bytes(&step->parts.inputs[i]->y);
    return bytes;
}

/* Whether a step, counted from 0, is the last of its epoch and has a graph of its own. */
static bool is_last(const EadStep *step, int64_t index) {
    return step->last.epoch > 0 && index % step->last.epoch == step->last.epoch - 1;
}

/* On a device each plan has copies of what both change. An error is met again where a value is fetched. */
static void hand_over(EadStep *step, const EadPlan *plan) {
    if (step->latest && step->latest != plan && ead_plan_download(step->latest) == EAD_OK)
        ead_plan_update_weights(plan);
    step->latest = plan;
}

void ead_step_run(EadStep *step, const uint8_t *slot) {
    bool last = is_last(step, step->done);
    const EadStepParts *parts = last ? &step->last.parts : &step->parts;
    const EadPlan *plan = last ? step->last.plan : step->plan;
    hand_over(step, plan);
    for (int i = 0; i < EAD_MAX_STEP_INPUTS && parts->inputs[i]; i++) {
        ead_plan_write(plan, parts->inputs[i], slot);
        slot += ead_bytes(&parts->inputs[i]->y);
    }
    ead_plan_run(plan);
    step->done++;
}

/* Losses of this rank's images become those of all; the learning rate is the same everywhere. */
static void sum_losses(const EadShare *share, float *row, int losses) {
    double sums[EAD_MAX_LOSSES], weight = (double)share->count / (double)share->total;
    for (int c = 0; c < losses; c++) sums[c] = weight * (double)row[c];
    share->ranks->sum_doubles(share->ranks, sums, losses);
    for (int c = 0; c < losses; c++) row[c] = (float)sums[c];
}

EadStatus ead_step_losses(EadStep *step, float *rows, int *count) {
    const void *value, *of_last = NULL;
    size_t columns = (size_t)step->columns;
    assert(step->done - step->read <= EAD_LOSS_ROWS);
    EAD_TRY(ead_plan_fetch(step->plan, step->rows, &value));
    if (step->last.plan) EAD_TRY(ead_plan_fetch(step->last.plan, step->last.rows, &of_last));
    for (*count = 0; step->read < step->done; step->read++, rows += columns, ++*count) {
        const float *from = is_last(step, step->read) ? of_last : value;
        memcpy(rows, from + (size_t)(step->read % EAD_LOSS_ROWS) * columns, columns * sizeof *rows);
        if (step->parts.share.ranks) sum_losses(&step->parts.share, rows, step->columns - 1);
    }
    return EAD_OK;
}

EadStatus ead_step_download(EadStep *step) {
    EAD_TRY(ead_plan_download(step->latest ? step->latest : step->plan));
    assert(step->device_done == step->done);
    return EAD_OK;
}

void ead_step_upload(EadStep *step) {
    ead_plan_update_weights(step->plan);
    if (step->last.plan) ead_plan_update_weights(step->last.plan);
    step->latest = NULL;
    step->done = step->read = step->device_done;
}

size_t ead_step_planned_bytes(const EadStep *step) {
    return ead_plan_bytes(step->plan) + (step->last.plan ? ead_plan_bytes(step->last.plan) : 0);
}

size_t ead_step_bytes(const EadStep *step) {
    size_t bytes = ead_step_planned_bytes(step);
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += 4 * (size_t)step->parts.groups[g].params->total * sizeof(real);
    return bytes;
}
