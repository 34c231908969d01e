/* Room in a file is taken before it is mapped: a page that finds no room on the disk would end the process. */
#define _GNU_SOURCE /* O_TMPFILE, mremap */
#include "core/system/spill.h"

#include "core/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A new file without a name. -1, with errno, where there can be none. */
static int open_nameless(const char *folder) {
    EadPath path;
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || ead_path_in(path, folder, ".efficientad-XXXXXX") != EAD_OK) return descriptor;
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    return descriptor;
}

static EadStatus fail(const EadSpill *spill, size_t bytes, const char *what, int error) {
    return ead_fail(EAD_IO, "%s: no file of %.0f MB can be kept there for %s: %s", spill->folder,
                    1e-6 * (double)bytes, what, strerror(error));
}

static EadStatus move_to_file(EadSpill *spill, EadSpillArray *array, size_t bytes, const char *what) {
    int descriptor = open_nameless(spill->folder);
    int error = descriptor < 0 ? errno : posix_fallocate(descriptor, 0, (off_t)bytes);
    void *items =
        error == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
    if (error == 0 && items == MAP_FAILED) error = errno;
    if (error != 0) {
        if (descriptor >= 0) close(descriptor);
        return fail(spill, bytes, what, error);
    }
    if (array->bytes) memcpy(items, array->items, array->bytes);
    ead_spill_free(spill, array);
    *array = (EadSpillArray){.items = items, .bytes = bytes, .in_file = true, .descriptor = descriptor};
    return EAD_OK;
}

static EadStatus grow_file(const EadSpill *spill, EadSpillArray *array, size_t bytes, const char *what) {
    int error = posix_fallocate(array->descriptor, 0, (off_t)bytes);
    void *items = error == 0 ? mremap(array->items, array->bytes, bytes, MREMAP_MAYMOVE) : MAP_FAILED;
    if (error == 0 && items == MAP_FAILED) error = errno;
    if (error != 0) return fail(spill, bytes, what, error);
    array->items = items;
    array->bytes = bytes;
    return EAD_OK;
}

EadStatus ead_spill_reserve(EadSpill *spill, EadSpillArray *array, size_t bytes, const char *what) {
    if (array->items && bytes <= array->bytes) return EAD_OK;
    size_t wanted = bytes + array->bytes / 4, others = spill->held - (array->in_file ? 0 : array->bytes);
    if (wanted == 0) wanted = 1;
    if (array->in_file) return grow_file(spill, array, wanted, what);
    if (spill->folder && others + wanted > spill->budget) return move_to_file(spill, array, wanted, what);
    void *items = realloc(array->items, wanted);
    if (!items) return ead_fail(EAD_NO_MEMORY, "no memory for %s of %.0f MB", what, 1e-6 * (double)wanted);
    array->items = items;
    array->bytes = wanted;
    spill->held = others + wanted;
    return EAD_OK;
}

void ead_spill_free(EadSpill *spill, EadSpillArray *array) {
    if (array->in_file) {
        munmap(array->items, array->bytes);
        close(array->descriptor);
    } else {
        free(array->items);
        spill->held -= array->bytes;
    }
    *array = (EadSpillArray){0};
}
