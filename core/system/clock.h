/* The clocks behind rates and timings. */
#pragma once

#include <time.h>

/* Seconds since some fixed moment; never jumps when the time of day is set. */
static inline double ead_clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds that the calling thread has spent on processors, which other work on the machine hardly changes. */
static inline double ead_clock_thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
