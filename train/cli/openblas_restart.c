/* Restarts the program with OpenBLAS's kernels for this CPU. */
#include "train/cli/openblas_restart.h"

#include "core/base/blas.h"

#include <stdlib.h>
#include <unistd.h>

static const char variable[] = "OPENBLAS_CORETYPE";

void ead_restart_for_openblas(char **argv) {
    if (getenv(variable)) return;
    const char *better = ead_blas_better_core();
    if (!better || setenv(variable, better, 1) != 0) return;
    execv("/proc/self/exe", argv);
    unsetenv(variable);
}
