/* What a sweep would take, for its --dry-run. */
#pragma once

#include "core/backend/backend.h"
#include "train/sweep/sweep.h"

/* Says on stderr what of the sweep is wrong, as its runs would refuse it; and of the runs with to_do [run_count] how long they
 * take, one at a time, and what models, checkpoints that are kept, caches and reports of them take on the disk when all are
 * done, caches that runs share once. A step of each kind of model, and what is done with a few images, are timed here, unless
 * all is soon done. What cannot be foretold is counted and named, such as runs whose steps depend on data that are not there.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_forecast(const EadSweep *sweep, const bool *to_do, const EadBackend *backend);
