/* One step of a fit, planned: the method's losses, backward pass, Adam, and the numbers of the last steps,
 * which the graph keeps so that the host need not wait for every step. The bench times it too. */
#pragma once

#include "autograd/optimizer.h"
#include "core/ops/lr_schedule/lr_schedule.h"
#include "core/plan/plan.h"

enum {
    EAD_LOSS_ROWS = 100,    /* steps whose losses are kept */
    EAD_MAX_LOSSES = 8,     /* columns, the learning rate not counted */
    EAD_MAX_GROUPS = 4,     /* of parameters */
    EAD_MAX_STEP_INPUTS = 4 /* leaves that come with each step */
};

/* Parameters that a phase trains, and how. */
typedef struct EadStepGroup {
    EadParams *params; /* updated in place; must outlive the step */
    EadAdam adam;
    EadLrSchedule schedule;
} EadStepGroup;

/* What a method's builder leaves. */
typedef struct EadStepParts {
    EadNode *losses[EAD_MAX_LOSSES]; /* scalars in the order of the columns; NULL: a column of zeros */
    EadNode *total;                  /* what is minimized */
    EadStepGroup groups[EAD_MAX_GROUPS];
    int group_count;
    EadNode *inputs[EAD_MAX_STEP_INPUTS]; /* leaves that come with each step; NULL behind the last */
    /* Of the batch; zeros: it is one image. Where ranks share it out, the losses are means over this rank's images, the
     * inputs hold these alone, and rows and gradients become those of the whole batch. */
    EadShare share;
} EadStepParts;

/* Builds the losses into a graph; done: the I64 scalar leaf that counts the steps. */
typedef void EadStepBuilder(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts);

/* What runs instead, in the last step of each epoch, on the same parameters and optimizers: of a batch that is smaller. */
typedef struct EadLastStep {
    int64_t epoch; /* steps; 0: there is none */
    EadGraph *graph;
    EadPlan *plan;
    EadStepParts parts;
    EadNode *rows;
} EadLastStep;

/* Must stay where it is while the plan lives. Zeroed: there is none. */
typedef struct EadStep {
    EadGraph *graph;
    EadPlan *plan;
    EadStepParts parts;
    EadOptimizer optimizers[EAD_MAX_GROUPS];
    EadNode *rows;       /* [EAD_LOSS_ROWS][columns], written in turn */
    int columns;         /* losses and the learning rate of the first group */
    int64_t done;        /* steps started, with those before a checkpoint: the one counter of the host */
    int64_t read;        /* of these, steps whose losses were read */
    int64_t device_done; /* the leaf's memory: on a device up to date after a download */
    EadLastStep last;
    const EadPlan *latest; /* that has run since the upload, or NULL */
} EadStep;

/* Plans a step with so many losses. plan may be NULL. Errors: EAD_NO_MEMORY and what the graph's builders
 * find; EAD_UNSUPPORTED for ranks on a device; *step is empty then. */
EadStatus ead_step_new(EadStep *step, int losses, EadStepBuilder *build, void *context,
                       const EadPlanOptions *plan);

/* Adds the graph that runs in the last step of each epoch of so many steps; it has the inputs, losses and parameters of
 * the step's. Errors: as above, and the step is empty then. */
EadStatus ead_step_add_last(EadStep *step, int64_t epoch, EadStepBuilder *build, void *context,
                            const EadPlanOptions *plan);

/* Harmless on an empty step. */
void ead_step_free(EadStep *step);

/* Bytes of what comes with a step: its inputs, one behind another; 0 for none. */
size_t ead_step_slot_bytes(const EadStep *step);

/* Starts one step on a slot of that size, which may change at once; on a device the step itself runs on. */
void ead_step_run(EadStep *step, const uint8_t *slot);

/* The rows [*count][columns] of the steps since the last call, each before its update, oldest first; *count
 * of them, at most EAD_LOSS_ROWS: call it at least that often. Waits for the steps. Errors: what stopped the
 * device. */
EadStatus ead_step_losses(EadStep *step, float *rows, int *count);

/* Parameters and the optimizers' state lie in the host's memory: call download before reading and upload
 * after writing them (or device_done). Errors: what stopped the device. */
EadStatus ead_step_download(EadStep *step);
void ead_step_upload(EadStep *step);

/* Bytes of its arenas, and of all that it takes: these, trained parameters, optimizer state. */
size_t ead_step_planned_bytes(const EadStep *step);
size_t ead_step_bytes(const EadStep *step);
