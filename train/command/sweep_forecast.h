/* What a sweep would take, for its --dry-run. */
#pragma once

#include "core/backend/backend.h"
#include "train/sweep/sweep.h"

/* Says on stderr what of the sweep is wrong, as its runs would refuse it; and of the runs with to_do [run_count] the time of
 * their steps and the size of their models and checkpoints, from a step of each kind of model that is timed here. Only runs of
 * EfficientAD are measured: the steps of other methods depend on their data; and nothing is where all are short.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_forecast(const EadSweep *sweep, const bool *to_do, const EadBackend *backend);
