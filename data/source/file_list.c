/* Lists of paths. */
#include "data/source/file_list.h"

#include "core/base/paths.h"

#include "data/codec/codec.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64 };

/* A folder on the way down, on the stack of the recursion: it shows whether a link leads back into it. */
typedef struct Ancestor {
    const struct Ancestor *parent;
    dev_t device;
    ino_t inode;
    int depth;
} Ancestor;

/* Takes ownership of path, also when it fails. NULL is the failure of whoever made it. */
static EadStatus add_owned(EadFileList *list, char *path) {
    if (!path) return EAD_NO_MEMORY;
    if (list->count == list->capacity) {
        int capacity = list->capacity ? list->capacity * 2 : 64;
        char **paths =
            list->capacity < INT_MAX / 2 ? realloc(list->paths, (size_t)capacity * sizeof *paths) : NULL;
        if (!paths) {
            free(path);
            return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d files", list->count);
        }
        list->paths = paths;
        list->capacity = capacity;
    }
    list->paths[list->count++] = path;
    return EAD_OK;
}

EadStatus ead_file_list_add(EadFileList *list, const char *path) {
    char *copy = strdup(path);
    return copy ? add_owned(list, copy) : ead_fail(EAD_NO_MEMORY, "%s: no memory for the file name", path);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_from(EadFileList *list, int first) {
    if (list->count - first > 1)
        qsort(list->paths + first, (size_t)(list->count - first), sizeof(char *), compare);
}

void ead_file_list_sort(EadFileList *list) {
    sort_from(list, 0);
}

int ead_file_list_find(const EadFileList *list, const char *path) {
    if (list->count == 0) return -1;
    char **found = bsearch(&path, list->paths, (size_t)list->count, sizeof(char *), compare);
    return found ? (int)(found - list->paths) : -1;
}

void ead_file_list_free(EadFileList *list) {
    for (int i = 0; i < list->count; i++) free(list->paths[i]);
    free(list->paths);
    *list = (EadFileList){0};
}

/* A search: what it wants and where it puts it. */
typedef struct Search {
    EadFileList *list;
    EadFileWanted *wanted;
} Search;

static EadStatus walk(const Search *search, const char *folder, const Ancestor *parent);

/* A wanted file, a folder to go into, or something of no interest. */
static EadStatus visit(const Search *search, const char *path, const Ancestor *parent) {
    struct stat info;
    bool wanted = search->wanted(path);
    if (stat(path, &info) != 0) {
        if (!wanted) return EAD_OK;
        return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    if (S_ISDIR(info.st_mode)) return walk(search, path, parent);
    return wanted && S_ISREG(info.st_mode) ? ead_file_list_add(search->list, path) : EAD_OK;
}

static EadStatus visit_entries(const Search *search, DIR *stream, const char *folder, const Ancestor *here) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) break;
        if (entry->d_name[0] == '.') continue;
        char *path = ead_path_join(folder, entry->d_name);
        EadStatus status = path ? visit(search, path, here) : EAD_NO_MEMORY;
        free(path);
        if (status != EAD_OK) return status;
    }
    return errno ? ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno)) : EAD_OK;
}

static EadStatus walk(const Search *search, const char *folder, const Ancestor *parent) {
    struct stat info;
    if (stat(folder, &info) != 0) return ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
    Ancestor here = {parent, info.st_dev, info.st_ino, parent ? parent->depth + 1 : 0};
    if (here.depth > MAX_DEPTH)
        return ead_fail(EAD_BAD_FILE, "%s: more than %d folders deep", folder, MAX_DEPTH);
    for (const Ancestor *above = parent; above; above = above->parent)
        if (above->device == here.device && above->inode == here.inode) return EAD_OK;
    DIR *stream = opendir(folder);
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
    EadStatus status = visit_entries(search, stream, folder, &here);
    closedir(stream);
    return status;
}

EadStatus ead_file_list_add_tree(EadFileList *list, const char *folder, EadFileWanted *wanted) {
    int first = list->count;
    EAD_TRY(walk(&(Search){list, wanted}, folder, NULL));
    sort_from(list, first);
    return EAD_OK;
}

EadStatus ead_file_list_add_images(EadFileList *list, const char *folder) {
    return ead_file_list_add_tree(list, folder, ead_image_has_known_extension);
}

EadStatus ead_file_list_add_folder_names(EadFileList *list, const char *folder) {
    DIR *stream = opendir(folder);
    EadStatus status = EAD_OK;
    int first = list->count;
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
    for (struct dirent *entry; status == EAD_OK && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        char *path = ead_path_join(folder, entry->d_name);
        if (!path)
            status = EAD_NO_MEMORY;
        else if (ead_path_is_folder(path))
            status = ead_file_list_add(list, entry->d_name);
        free(path);
    }
    closedir(stream);
    if (status == EAD_OK) sort_from(list, first);
    return status;
}
