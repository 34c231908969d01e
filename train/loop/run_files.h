/* A run's folders and caches: made before it begins, taken back where it does not, and dropped when it has finished. */
#pragma once

#include "core/file/made_folder.h"
#include "train/loop/run.h"

/* Removes the checkpoint and, with `caches`, those (*.cache) in the folder "cache" of the run's own folder, if any, and then
 * that folder; *bytes: what they took on the disk, of files without another name. Errors: EAD_IO, naming what cannot be
 * removed. */
EadStatus ead_run_folder_drop(const EadRunFolder *folder, bool caches, uint64_t *bytes);

/* What a run that is about to begin made. */
typedef struct EadRunBegun {
    EadMadeFolder output, cache;
    bool caches_are_own; /* they lie in the run's folder, and all of them are this process's */
} EadRunBegun;

/* Notes what is there, before caches are made in the folder of that name or, with "", in the run's, which is then made and
 * locked. Errors: those of ead_run_folder_make(). */
EadStatus ead_run_begin(EadRunBegun *begun, EadRunFolder *folder, const char *cache);

/* Removes what was made since by this process, and gives the lock back: of a run that was refused nothing stays. Harmless
 * before the folder was made. The thread's message may be another one then. */
void ead_run_take_back(const EadRunBegun *begun, EadRunFolder *folder);
