/* From losses to a plan, and running it. */
#include "train/loop/step.h"

#include "core/ops/ring_write/ring_write.h"

#include <assert.h>
#include <string.h>

/* The rows of losses, and the update. */
static EadStatus append_update(EadStep *s, EadNode *done) {
    EadParamGroup groups[EAD_MAX_GROUPS];
    EadNode *values[EAD_MAX_LOSSES + 1];
    for (int g = 0; g < s->parts.group_count; g++) {
        const EadStepGroup *group = &s->parts.groups[g];
        EAD_TRY(ead_optimizer_new(group->params, &s->optimizers[g]));
        groups[g] = (EadParamGroup){group->params, &s->optimizers[g], group->adam,
                                    ead_lr_schedule(s->graph, done, group->schedule)};
    }
    memcpy(values, s->parts.losses, sizeof s->parts.losses);
    values[s->columns - 1] = groups[0].rate;
    s->rows = ead_keep(ead_leaf(s->graph, "losses", EAD_REAL, 1, 1, EAD_LOSS_ROWS, s->columns, NULL));
    ead_ring_write(s->graph, s->rows, done, values);
    ead_optimizer_append(s->graph, s->parts.group_count, groups, s->parts.total, done, s->parts.share);
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
    EadStatus status = check_ranks(step, plan);
    if (status == EAD_OK) status = append_update(step, done);
    if (status == EAD_OK) status = ead_plan_new(step->graph, plan, &step->plan);
    if (status != EAD_OK) ead_step_free(step);
    return status;
}

void ead_step_free(EadStep *step) {
    ead_plan_free(step->plan);
    ead_graph_free(step->graph);
    for (int g = 0; g < EAD_MAX_GROUPS; g++) ead_optimizer_free(&step->optimizers[g]);
    *step = (EadStep){0};
}

size_t ead_step_slot_bytes(const EadStep *step) {
    size_t bytes = 0;
    for (int i = 0; i < EAD_MAX_STEP_INPUTS && step->parts.inputs[i]; i++)
        bytes += ead_bytes(&step->parts.inputs[i]->y);
    return bytes;
}

void ead_step_run(EadStep *step, const uint8_t *slot) {
    for (int i = 0; i < EAD_MAX_STEP_INPUTS && step->parts.inputs[i]; i++) {
        ead_plan_write(step->plan, step->parts.inputs[i], slot);
        slot += ead_bytes(&step->parts.inputs[i]->y);
    }
    ead_plan_run(step->plan);
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
    const void *value;
    size_t columns = (size_t)step->columns;
    assert(step->done - step->read <= EAD_LOSS_ROWS);
    EAD_TRY(ead_plan_fetch(step->plan, step->rows, &value));
    for (*count = 0; step->read < step->done; step->read++, rows += columns, ++*count) {
        memcpy(rows, (const float *)value + (size_t)(step->read % EAD_LOSS_ROWS) * columns,
               columns * sizeof *rows);
        if (step->parts.share.ranks) sum_losses(&step->parts.share, rows, step->columns - 1);
    }
    return EAD_OK;
}

EadStatus ead_step_download(EadStep *step) {
    EAD_TRY(ead_plan_download(step->plan));
    assert(step->device_done == step->done);
    return EAD_OK;
}

void ead_step_upload(EadStep *step) {
    ead_plan_update_weights(step->plan);
    step->done = step->read = step->device_done;
}

size_t ead_step_bytes(const EadStep *step) {
    size_t bytes = ead_plan_bytes(step->plan);
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += 4 * (size_t)step->parts.groups[g].params->total * sizeof(real);
    return bytes;
}
