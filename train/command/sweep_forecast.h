/* What a sweep would take, for its --dry-run. */
#pragma once

#include "core/backend/backend.h"
#include "train/sweep/sweep.h"

/* Says on stderr what of the sweep is wrong, as its runs would refuse it; and of the runs with to_do [run_count] how long they
 * take, one at a time, and what their models take on the disk, and checkpoints that are kept. A step and an image of each
 * kind of model are timed here, unless all is soon done. What cannot be foretold is counted and named, such as runs whose
 * steps depend on data that are not there. Errors: EAD_NO_MEMORY. */
EadStatus ead_sweep_forecast(const EadSweep *sweep, const bool *to_do, const EadBackend *backend);
