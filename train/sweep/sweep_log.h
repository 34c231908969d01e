/* Why a run of a sweep failed, from its log.txt. */
#ifndef EAD_TRAIN_SWEEP_LOG_H
#define EAD_TRAIN_SWEEP_LOG_H

#include "train/sweep/sweep.h"

#include <sys/types.h>

/* Writes the run's last error line from byte `start` of its log on, else how its process ended (status of
 * waitpid()), into text [size]. */
void ead_sweep_log_reason(const EadSweep *sweep, const EadSweepRun *run, off_t start, int status, char *text,
                          size_t size);

#endif
