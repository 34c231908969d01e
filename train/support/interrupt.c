/* The flag that the signal handler sets. */
#include "train/support/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted; /* a handler can reach nothing but a global */

static void handle(int number) {
    interrupted = 1;
    /* Schedulers send SIGTERM to a process and to its parent, which passes it on: that is no hurry. */
    if (number == SIGINT) signal(number, SIG_DFL);
}

void ead_interrupt_catch(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool ead_interrupted(void) {
    return interrupted != 0;
}
