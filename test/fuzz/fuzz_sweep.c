/* Fuzz target: any bytes as a sweep file, expanded into its runs. */
#include "train/sweep/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Files that a sweep names are opened beside it: in a folder of its own there are none. */
static const char *scratch_file(void) {
    static char folder[] = "/tmp/fuzz_sweep_XXXXXX";
    static char path[sizeof folder + 8];
    if (path[0]) return path;
    if (!mkdtemp(folder)) abort();
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadSweep sweep;
    const char *path = scratch_file();
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) abort();
    /* Absolute names would lead out. */
    bool inside = !memchr(bytes, '/', size);
    if (inside && ead_sweep_load(path, &sweep) == EAD_OK) {
        EadStatus status = ead_sweep_expand(&sweep, "out", NULL, 0);
        for (int i = 0; status == EAD_OK && i < sweep.run_count; i++)
            if (strstr(sweep.runs[i].name, "..") == sweep.runs[i].name) abort();
    }
    if (inside) ead_sweep_free(&sweep);
    return 0;
}
