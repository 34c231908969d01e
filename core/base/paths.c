/* Joining paths, making folders. */
#include "core/base/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* As snprintf(). */
static int join(char *path, size_t size, const char *folder, const char *name) {
    bool alone = folder[0] == '\0' || name[0] == '/';
    bool slash = !alone && folder[strlen(folder) - 1] != '/';
    return snprintf(path, size, "%s%s%s", alone ? "" : folder, slash ? "/" : "", name);
}

char *ead_path_join(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char *joined = malloc(size);
    if (joined)
        join(joined, size, folder, name);
    else
        ead_fail(EAD_NO_MEMORY, "no memory for the path %s/%s", folder, name);
    return joined;
}

EadStatus ead_path_in(EadPath path, const char *folder, const char *name) {
    int length = join(path, EAD_PATH_SIZE, folder, name);
    if (length >= 0 && length < EAD_PATH_SIZE) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%.200s: a path may have %d bytes, not %d", name, EAD_PATH_SIZE - 1,
                    length);
}

const char *ead_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

EadStatus ead_path_folder(EadPath folder, const char *path) {
    const char *base = ead_path_base(path);
    size_t length = (size_t)(base - path);
    if (length > 1) length--; /* the slash, but for the root's */
    if (length >= EAD_PATH_SIZE)
        return ead_fail(EAD_BAD_ARGUMENT, "%.200s: a path may have %d bytes", path, EAD_PATH_SIZE - 1);
    memcpy(folder, path, length);
    folder[length] = '\0';
    return EAD_OK;
}

EadStatus ead_program_path(EadPath path) {
    ssize_t length = readlink("/proc/self/exe", path, EAD_PATH_SIZE - 1);
    const char *started = length > 0 ? NULL : (const char *)getauxval(AT_EXECFN);
    char *resolved = started ? realpath(started, NULL) : NULL;
    path[length > 0 ? length : 0] = '\0';
    EadStatus status = resolved ? ead_path_in(path, "", resolved)
                       : *path  ? EAD_OK
                                : ead_fail(EAD_IO, "where this program lies cannot be told; mount /proc");
    free(resolved);
    return status;
}

bool ead_path_has_extension(const char *path, const char *extensions) {
    const char *dot = strrchr(ead_path_base(path), '.');
    size_t length = dot ? strlen(dot) : 0;
    for (const char *known = extensions; length > 0 && known; known = strchr(known, ' ')) {
        known += *known == ' ';
        if (strncasecmp(known, dot, length) == 0 && (known[length] == ',' || known[length] == '\0'))
            return true;
    }
    return false;
}

bool ead_path_is_folder(const char *path) {
    struct stat entry;
    return stat(path, &entry) == 0 && S_ISDIR(entry.st_mode);
}

static EadStatus make_directory(const char *path) {
    if (mkdir(path, 0777) == 0) return EAD_OK;
    int error = errno;
    if (ead_path_is_folder(path)) return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot make this folder: %s", path, strerror(error));
}

EadStatus ead_make_directories(const char *path) {
    if (path[0] == '\0') return EAD_OK;
    char *partial = ead_path_join("", path);
    if (!partial) return EAD_NO_MEMORY;
    EadStatus status = EAD_OK;
    for (char *slash = strchr(partial + 1, '/'); slash && status == EAD_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = make_directory(partial);
        *slash = '/';
    }
    if (status == EAD_OK) status = make_directory(partial);
    free(partial);
    return status;
}

EadStatus ead_directory_holds_files(const char *path, bool *holds) {
    *holds = false;
    DIR *directory = opendir(path);
    if (!directory && errno == ENOENT) return EAD_OK;
    if (!directory) return ead_fail(EAD_IO, "%s: cannot be read as a folder: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) *holds = true;
    closedir(directory);
    return EAD_OK;
}
