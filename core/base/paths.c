/* Joining paths, comparing them, making folders. */
#include "core/base/paths.h"

#include "core/base/memory.h"

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

EadStatus ead_path_expand(const char *text, char **path) {
    size_t first = strcspn(text, "/");
    *path = NULL;
    if (text[0] != '~') {
        *path = ead_strdup(text);
    } else if (first > 1) { /* a shell leaves ~name as it is where there is no such user */
        struct stat entry;
        EadPath name;
        int length = snprintf(name, sizeof name, "%.*s", (int)first, text);
        if (length >= EAD_PATH_SIZE || lstat(name, &entry) != 0)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "'%.200s': the home folder of another user (~name) is not looked up; write its "
                            "path out, or ./%.80s for a file that is called so",
                            text, text);
        *path = ead_strdup(text);
    } else {
        const char *home = getenv("HOME");
        if (!home || !*home)
            return ead_fail(EAD_BAD_ARGUMENT, "'%.200s': HOME is not set; write the path out", text);
        const char *rest = text + first;
        while (*rest == '/') rest++;
        *path = *rest ? ead_path_join(home, rest) : ead_strdup(home);
    }
    return *path ? EAD_OK : EAD_NO_MEMORY;
}

EadStatus ead_path_in(EadPath path, const char *folder, const char *name) {
    int length = join(path, EAD_PATH_SIZE, folder, name);
    if (length >= 0 && length < EAD_PATH_SIZE) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%.200s: a path may have %d bytes, not %d", name, EAD_PATH_SIZE - 1,
                    length);
}

EadStatus ead_path_absolute(EadPath out, const char *path) {
    EadPath here;
    if (!getcwd(here, sizeof here)) return ead_fail(EAD_IO, "the present folder: %s", strerror(errno));
    return *path ? ead_path_in(out, here, path) : ead_path_in(out, "", here);
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

bool ead_path_real(EadPath out, const char *path) {
    EadPath real;
    if (!realpath(*path ? path : ".", real)) return false;
    strcpy(out, real);
    return true;
}

EadStatus ead_program_path(EadPath path) {
    ssize_t length = readlink("/proc/self/exe", path, EAD_PATH_SIZE - 1);
    const char *started = length > 0 ? NULL : (const char *)getauxval(AT_EXECFN);
    path[length > 0 ? length : 0] = '\0';
    if (*path || (started && ead_path_real(path, started))) return EAD_OK;
    return ead_fail(EAD_IO, "where this program lies cannot be told; mount /proc");
}

size_t ead_path_stem(const char *path) {
    const char *dot = strrchr(ead_path_base(path), '.');
    return dot ? (size_t)(dot - path) : strlen(path);
}

size_t ead_path_prefix(const char *folder) {
    size_t length = strlen(folder);
    return length + (length > 0 && folder[length - 1] != '/');
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

static bool is_entry(const struct stat *entry, const char *path) {
    struct stat other;
    return stat(*path ? path : ".", &other) == 0 && entry->st_dev == other.st_dev &&
           entry->st_ino == other.st_ino;
}

bool ead_path_same(const char *a, const char *b) {
    struct stat entry;
    return stat(*a ? a : ".", &entry) == 0 && is_entry(&entry, b);
}

bool ead_path_lies_within(const char *inner, const char *outer) {
    struct stat folder;
    EadPath path;
    if (stat(*outer ? outer : ".", &folder) != 0 || ead_path_in(path, "", inner) != EAD_OK) return false;
    /* What is not there yet would be made below the part that is. */
    struct stat entry;
    while (*path && stat(path, &entry) != 0) {
        char *slash = strrchr(path, '/');
        path[!slash ? 0 : slash == path ? 1 : slash - path] = '\0';
    }
    EadPath there;
    char *slash = ead_path_real(there, path) ? there : NULL;
    bool within = false;
    while (slash && !within) { /* up to the root, whose name is "" then */
        within = is_entry(&folder, *there ? there : "/");
        slash = strrchr(there, '/');
        if (slash) *slash = '\0';
    }
    return within;
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

EadStatus ead_folder_names(const char *path, EadStringList *names) {
    DIR *directory = opendir(path);
    if (!directory && errno == ENOENT) return EAD_OK;
    EadStatus status = EAD_OK;
    for (struct dirent *entry; directory && status == EAD_OK;) {
        errno = 0;
        if ((entry = readdir(directory)) == NULL) break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = ead_strings_add(names, entry->d_name);
    }
    if (status == EAD_OK && errno)
        status = ead_fail(errno == ENOMEM ? EAD_NO_MEMORY : EAD_IO, "%s: cannot be read as a folder: %s",
                          path, strerror(errno));
    if (directory) closedir(directory);
    ead_strings_sort(names);
    return status;
}

EadStatus ead_directory_holds_files(const char *path, bool *holds) {
    EadStringList names = {0};
    EadStatus status = ead_folder_names(path, &names);
    *holds = names.count > 0;
    ead_strings_free(&names);
    return status;
}
