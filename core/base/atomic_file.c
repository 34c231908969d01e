/* Write, sync, rename. */
#include "core/base/atomic_file.h"

#include "core/base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void forget(EadAtomicFile *file) {
    free(file->path);
    free(file->temporary);
    *file = (EadAtomicFile){0};
}

EadStatus ead_atomic_file_open(EadAtomicFile *file, const char *path) {
    static atomic_uint counter; /* names of two files open at once in one process must differ */
    size_t size = strlen(path) + 48;
    *file = (EadAtomicFile){.path = malloc(size), .temporary = malloc(size)};
    if (!file->path || !file->temporary) {
        forget(file);
        return ead_fail(EAD_NO_MEMORY, "%s: no memory for the file name", path);
    }
    memcpy(file->path, path, strlen(path) + 1);
    snprintf(file->temporary, size, "%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&counter, 1u));
    file->stream = fopen(file->temporary, "wb+");
    if (file->stream) return EAD_OK;
    EadStatus status = ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno));
    forget(file);
    return status;
}

/* A rename is durable only once the folder that holds the name is synced. */
static void sync_folder_of(const char *path) {
    EadPath folder;
    if (ead_path_folder(folder, path) != EAD_OK) return;
    int descriptor = open(*folder ? folder : ".", O_RDONLY);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

EadStatus ead_atomic_file_commit(EadAtomicFile *file) {
    int failed = ferror(file->stream) || fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0;
    int reason = failed ? errno : 0;
    if (fclose(file->stream) != 0 && !failed) failed = 1, reason = errno;
    file->stream = NULL;
    if (!failed && rename(file->temporary, file->path) != 0) failed = 1, reason = errno;
    if (failed) {
        EadStatus status =
            ead_fail(EAD_IO, "%s: cannot write: %s", file->path, strerror(reason ? reason : EIO));
        ead_atomic_file_discard(file);
        return status;
    }
    sync_folder_of(file->path);
    forget(file);
    return EAD_OK;
}

void ead_atomic_file_discard(EadAtomicFile *file) {
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    forget(file);
}

/* "<name>.tmp-<digits>-<digits>" */
static bool is_temporary(const char *name) {
    static const char digits[] = "0123456789";
    const char *process = strstr(name, ".tmp-");
    if (!process) return false;
    process += strlen(".tmp-");
    size_t length = strspn(process, digits);
    if (length == 0 || process[length] != '-') return false;
    const char *number = process + length + 1;
    length = strspn(number, digits);
    return length > 0 && number[length] == '\0';
}

void ead_atomic_file_sweep(const char *folder) {
    DIR *directory = opendir(folder);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (is_temporary(entry->d_name)) unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
}

EadStatus ead_atomic_file_write_text(const char *path, const char *text) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    fputs(text, file.stream);
    return ead_atomic_file_commit(&file);
}
