/* Other work on the machine, as a line PC always has it: processes that do nothing but keep a core busy. */
#pragma once

#include "core/base/status.h"

#include <sys/types.h>

typedef struct EadBenchLoad {
    pid_t *ids; /* [count] */
    int count;
} EadBenchLoad;

/* Starts so many processes; they end with this one, too. Errors: EAD_NO_MEMORY. Stop it in every case. */
EadStatus ead_bench_load_start(int processes, EadBenchLoad *out);
void ead_bench_load_stop(EadBenchLoad *load);
