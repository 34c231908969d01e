/* The signals of a service, taken by a thread of their own, so that the service ends in time whatever its other threads
 * wait for. SIGHUP asks for a reload; all others that would end a program ask for the end. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>

typedef struct EadServiceSignals EadServiceSignals;

/* How it ends where it does not end by itself. */
typedef struct EadServiceEnd {
    double timeout; /* seconds from the first signal; a second one ends that time */
    void (*cut_off)(void *context,
                    bool late); /* called last; late: the time was over; else it had not begun to serve */
    void *context;
} EadServiceEnd;

/* Blocks the signals in this thread, and so in all that it starts from now on. Until ead_service_signals_serve() a signal
 * ends the process as though nobody had taken it. A closed pipe (SIGPIPE) is an error like any other. Errors: EAD_NO_MEMORY. */
EadStatus ead_service_signals_start(const EadServiceEnd *end, EadServiceSignals **out);

/* From now on the end is asked for, and the process ended with exit code 1 soon after its time is over. */
void ead_service_signals_serve(EadServiceSignals *signals);

/* Waits for `seconds`, or until more than `known` signals have asked for the end; gives how many have. */
int ead_service_signals_wait(EadServiceSignals *signals, int known, double seconds);

/* Waits until a reload is asked for; false: the end is. */
bool ead_service_signals_reload(EadServiceSignals *signals);

/* Ends the thread, which no other may use any more; harmless on NULL. */
void ead_service_signals_end(EadServiceSignals *signals);
