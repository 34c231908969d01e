/* Stacks where the system's limit (ulimit -s) leaves little: the main thread's, OpenMP's and our own threads'. */
#pragma once

#include "core/base/status.h"

/* Calls run(count, texts) and returns what it returns. Where the limit is below 1 MB it is called on a thread with a
 * stack of its own, and threads that are started get larger stacks than the limit; signals go to these. */
int ead_stacks_run(int (*run)(int count, char **texts), int count, char **texts);

/* Whether OMP_STACKSIZE, which nothing can change any more, leaves the threads of OpenMP enough. Errors:
 * EAD_BAD_ARGUMENT. */
EadStatus ead_stacks_check(void);
