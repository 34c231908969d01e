/* Ctrl-C, SIGTERM and their like: a request to stop at the next good moment. In a host of the library, which catches
 * nothing, there is none. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdio.h>

/* From now on SIGINT, SIGTERM, and unless they are ignored SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU, only set a
 * flag; the second SIGINT kills as usual, for those in a hurry; a second one of the others changes
 * nothing. */
void ead_interrupt_catch(void);

/* Whether one has arrived; the number of the first, 0 for none: the program's exit code is then 128 more. */
bool ead_interrupted(void);
int ead_interrupt_signal(void);

/* Standard input, which is waited for only until such a request: reading then fails with EINTR. NULL without memory;
 * the caller closes it, which leaves standard input open. */
FILE *ead_interrupt_stdin(void);
