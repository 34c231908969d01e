/* When a training has converged: the loss on the validation images, measured now and then, falls no more. What has
 * been measured goes into checkpoint and model file, and all else follows from it, so that a resumed run decides alike. */
#pragma once

#include "core/file/safetensors.h"
#include "train/config/config.h"

#define EAD_CONVERGENCE "validation_losses" /* the tensor, in a model file, too */

typedef struct EadConvergence {
    double *losses; /* [count] after steps every, 2 every, ..., owned */
    int count, capacity;
} EadConvergence;

/* Adds what was measured next. Errors: EAD_NO_MEMORY. */
EadStatus ead_convergence_add(EadConvergence *convergence, double loss);

/* The number of measurements after which it had converged: the first at which the mean of the last `window` is not lower
 * than the mean of the `window` before by more than the share `fall`; 0: not yet. */
int ead_convergence_reached(const EadConvergence *convergence, int window, double fall);

/* All steps of a run that converged after `at` of them: those with the dropped rate, behind them, are the share that
 * they are of any run (1 - share, train.lr_drop_at). At most `limit`. */
int64_t ead_convergence_steps(int64_t at, double share, int64_t limit);

/* Adds it to a checkpoint, and reads it back; a file without it leaves it empty. Errors: EAD_NO_MEMORY, EAD_BAD_FILE. */
EadStatus ead_convergence_write(const EadConvergence *convergence, EadSafetensorsWriter *writer);
EadStatus ead_convergence_read(EadConvergence *convergence, const EadSafetensors *file);

/* Harmless on a zeroed one. */
void ead_convergence_free(EadConvergence *convergence);
