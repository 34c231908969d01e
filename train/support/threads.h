/* How many threads compute, and where they run. */
#ifndef EAD_TRAIN_THREADS_H
#define EAD_TRAIN_THREADS_H

#include <stdbool.h>

/* count: threads of the CPU backend; 0 leaves OpenMP's choice, one a core. pin: binds each thread to one of
 * the CPUs that this process may use, in order, so that none is moved and two never share one (Linux only,
 * elsewhere without effect). Results do not depend on either. */
void ead_use_threads(int count, bool pin);

#endif
