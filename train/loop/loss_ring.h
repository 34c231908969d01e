/* The numbers of the last steps, which the graph keeps so that the host need not wait for every step. A
 * training and a distillation have one each. */
#ifndef EAD_TRAIN_LOSS_RING_H
#define EAD_TRAIN_LOSS_RING_H

#include "core/plan/plan.h"

enum { EAD_LOSS_ROWS = 100 };

typedef struct EadLossRing {
    EadNode *rows; /* [EAD_LOSS_ROWS][columns] */
    int columns;
    int64_t count, unread; /* steps started; of these, not yet read */
} EadLossRing;

/* Adds the ring to a graph that counts its steps in `step`. values: scalars, NULL for a column of zeros. */
void ead_loss_ring_build(EadLossRing *ring, EadGraph *graph, EadNode *step, int columns,
                         EadNode *const values[]);

/* Counts a step that was started; starts anew after `count` steps. */
void ead_loss_ring_advance(EadLossRing *ring);
void ead_loss_ring_restart(EadLossRing *ring, int64_t count);

/* The rows [*count][columns] of the steps since the last call, oldest first; *count of them, at most
 * EAD_LOSS_ROWS: call it at least that often. Waits for the steps. Errors: what stopped the device. */
EadStatus ead_loss_ring_read(EadLossRing *ring, const EadPlan *plan, float *rows, int *count);

/* Whether to read after step `done`. Reading waits for the step: on a device that is to happen seldom, so
 * that it never runs out of work. */
bool ead_loss_ring_is_due(const EadBackend *backend, int64_t done);

#endif
