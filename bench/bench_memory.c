/* Linux keeps the high-water mark in /proc/self/status as VmHWM. It is preferred to getrusage's ru_maxrss, in
 * which the memory of a program that was replaced by exec(), or of a forking parent, lives on. */
#include "bench/bench_memory.h"

#include <stdio.h>
#include <sys/resource.h>

void ead_bench_memory_reset(void) {
    FILE *stream = fopen("/proc/self/clear_refs", "w");
    if (!stream) return;
    fputs("5", stream); /* see proc(5): resets the mark to what is resident now */
    fclose(stream);
}

double ead_bench_memory_peak(void) {
    long kilobytes = 0;
    char line[256];
    FILE *stream = fopen("/proc/self/status", "r");
    while (stream && kilobytes == 0 && fgets(line, sizeof line, stream))
        if (sscanf(line, "VmHWM: %ld", &kilobytes) != 1) kilobytes = 0;
    if (stream) fclose(stream);
    struct rusage usage;
    if (kilobytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0) kilobytes = usage.ru_maxrss;
    return 1024.0 * (double)kilobytes;
}
