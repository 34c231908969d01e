/* A flag that a handler sets. */
#define _GNU_SOURCE /* fopencookie */
#include "core/system/interruption.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted; /* a handler can reach nothing but a global */

static void handle(int number) {
    if (!interrupted) interrupted = number;
    /* Schedulers send SIGTERM to a process and to its parent, which passes it on: that is no hurry. */
    if (number == SIGINT) signal(number, SIG_DFL);
}

void ead_interrupt_catch(void) {
    /* What schedulers send before they kill: Slurm's --signal, SGE's -notify (USR1, USR2), a limit on
     * processor time (XCPU), a lost terminal (HUP). Those are left ignored where the parent wants it, as
     * nohup does. */
    static const int requests[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        bool always = requests[i] == SIGINT || requests[i] == SIGTERM;
        if (always || (sigaction(requests[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN))
            sigaction(requests[i], &action, NULL);
    }
}

bool ead_interrupted(void) {
    return interrupted != 0;
}

int ead_interrupt_signal(void) {
    return interrupted;
}

/* The signal may go to any thread, and come just before a read: so it is looked for now and then. */
static ssize_t read_standard_input(void *unused, char *bytes, size_t size) {
    enum { MILLISECONDS = 100 };
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    (void)unused;
    int ready = 0;
    while (!interrupted && (ready == 0 || (ready < 0 && errno == EINTR)))
        ready = poll(&input, 1, MILLISECONDS);
    if (!interrupted) return read(STDIN_FILENO, bytes, size);
    errno = EINTR;
    return -1;
}

FILE *ead_interrupt_stdin(void) {
    FILE *stream = fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_standard_input});
    if (!stream) ead_fail(EAD_NO_MEMORY, "standard input: no memory to read it");
    return stream;
}
