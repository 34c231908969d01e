/* JSON files. */
#include "train/support/json_file.h"

#include "core/base/atomic_file.h"

#include <stdio.h>

EadStatus ead_write_json(const char *path, json_t *root, int digits) {
    if (!root) return ead_fail(EAD_NO_MEMORY, "%s: no memory for its contents", path);
    EadAtomicFile file;
    EadStatus status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) {
        /* A failed write shows in ferror(), which commit() checks. */
        json_dumpf(root, file.stream, JSON_INDENT(2) | JSON_REAL_PRECISION((size_t)digits));
        putc('\n', file.stream);
        status = ead_atomic_file_commit(&file);
    }
    json_decref(root);
    return status;
}
