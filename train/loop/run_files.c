/* Removal, file by file: what others have put there stays. */
#include "train/loop/run_files.h"

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

static EadStatus drop_caches(const EadRunFolder *folder, uint64_t *bytes) {
    EadStringList names = {0};
    EadPath cache, file;
    EAD_TRY(ead_path_in(cache, folder->path, "cache"));
    EadStatus status = ead_folder_names(cache, &names);
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        if (!ead_path_has_extension(names.items[i], ".cache")) continue;
        status = ead_path_in(file, cache, names.items[i]);
        if (status == EAD_OK) status = drop_file(file, bytes);
    }
    ead_strings_free(&names);
    rmdir(cache); /* unless there is something else in it */
    return status;
}

EadStatus ead_run_folder_drop(const EadRunFolder *folder, bool caches, uint64_t *bytes) {
    *bytes = 0;
    EAD_TRY(drop_file(folder->checkpoint, bytes));
    return caches ? drop_caches(folder, bytes) : EAD_OK;
}

EadStatus ead_run_begin(EadRunBegun *begun, EadRunFolder *folder, const char *cache) {
    EadPath own;
    EAD_TRY(ead_path_in(own, folder->path, "cache"));
    EAD_TRY(ead_made_folder_note(&begun->output, folder->path));
    EAD_TRY(ead_made_folder_note(&begun->cache, *cache ? cache : own));
    begun->caches_are_own = !*cache && !ead_made_folder_was_there(&begun->cache);
    return *cache ? EAD_OK : ead_run_folder_make(folder);
}

void ead_run_take_back(const EadRunBegun *begun, EadRunFolder *folder) {
    uint64_t bytes = 0;
    bool locked = folder->lock.path != NULL; /* else another process may be there */
    if (locked && begun->caches_are_own) (void)drop_caches(folder, &bytes);
    ead_run_folder_release(folder);
    ead_made_folder_take_back(&begun->cache);
    ead_made_folder_take_back(&begun->output);
}
