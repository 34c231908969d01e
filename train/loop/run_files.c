/* Removal, file by file: what others have put there stays. */
#include "train/loop/run_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static EadStatus drop_file(const char *path, uint64_t *bytes) {
    struct stat entry;
    bool counts = lstat(path, &entry) == 0 && entry.st_nlink == 1;
    if (unlink(path) == 0) {
        if (counts) *bytes += (uint64_t)entry.st_size;
        return EAD_OK;
    }
    return errno == ENOENT ? EAD_OK : ead_fail(EAD_IO, "%s: cannot be removed: %s", path, strerror(errno));
}

EadStatus ead_run_folder_drop(const EadRunFolder *folder, uint64_t *bytes) {
    struct dirent **entries = NULL;
    EadPath cache, file;
    *bytes = 0;
    EadStatus status = drop_file(folder->checkpoint, bytes);
    EAD_TRY(ead_path_in(cache, folder->path, "cache"));
    int count = scandir(cache, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (status == EAD_OK && ead_path_has_extension(entries[i]->d_name, ".cache")) {
            status = ead_path_in(file, cache, entries[i]->d_name);
            if (status == EAD_OK) status = drop_file(file, bytes);
        }
        free(entries[i]);
    }
    free(entries);
    if (count >= 0) rmdir(cache); /* unless there is something else in it */
    return status;
}
