/* Arrays that may grow beyond what memory should hold: from a budget on they lie in a file without a name, whose pages
 * the system writes out and reads again as they are needed. To whoever uses them they are memory in either case. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* What several arrays share. Zeroed: all stay in memory. */
typedef struct EadSpill {
    const char *folder; /* for the files; borrowed; NULL: there are none */
    size_t budget;      /* bytes that all arrays may take in memory */
    size_t held;        /* that they take */
} EadSpill;

/* An empty one is zeroed. */
typedef struct EadSpillArray {
    void *items;
    size_t bytes; /* that there is room for */
    bool in_file;
    int descriptor; /* of the file */
} EadSpillArray;

/* Makes room for `bytes` and a quarter of those that there were; items may move and keep their values, new ones are not
 * set. what: of what, for messages ("pixels"). Errors: EAD_NO_MEMORY; EAD_IO with the folder, where it has no room; the
 * array is as before then. */
EadStatus ead_spill_reserve(EadSpill *spill, EadSpillArray *array, size_t bytes, const char *what);

/* Leaves an empty array. */
void ead_spill_free(EadSpill *spill, EadSpillArray *array);
