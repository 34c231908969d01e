/* Children that count. */
#define _GNU_SOURCE
#include "bench/bench_load.h"

#include "core/base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void keep_busy(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, SIG_DFL);
    for (volatile unsigned count = 0;; count++) continue;
}

EadStatus ead_bench_load_start(int processes, EadBenchLoad *out) {
    *out = (EadBenchLoad){ead_new(processes, sizeof *out->ids, "a list of processes"), 0};
    if (!out->ids) return EAD_NO_MEMORY;
    while (out->count < processes) {
        pid_t id = fork();
        if (id == 0) keep_busy();
        if (id < 0)
            return ead_fail(EAD_NO_MEMORY, "--load: cannot start process %d of %d: %s", out->count + 1,
                            processes, strerror(errno));
        out->ids[out->count++] = id;
    }
    return EAD_OK;
}

void ead_bench_load_stop(EadBenchLoad *load) {
    for (int i = 0; i < load->count; i++) kill(load->ids[i], SIGKILL);
    for (int i = 0; i < load->count; i++)
        while (waitpid(load->ids[i], NULL, 0) < 0 && errno == EINTR) continue;
    free(load->ids);
    *load = (EadBenchLoad){0};
}
