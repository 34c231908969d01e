/* What of a run's files is no longer needed when it has finished. */
#pragma once

#include "train/loop/run.h"

/* Removes the checkpoint and the caches (*.cache) in the folder "cache" of the run's own folder, if any, and then that
 * folder; *bytes: what they took on the disk, of files without another name. Errors: EAD_IO, naming what cannot be
 * removed. */
EadStatus ead_run_folder_drop(const EadRunFolder *folder, uint64_t *bytes);
