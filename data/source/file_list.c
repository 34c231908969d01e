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

/* A search: what it wants and where it puts it. */
typedef struct Search {
    EadStringList *list;
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
    return wanted && S_ISREG(info.st_mode) ? ead_strings_add(search->list, path) : EAD_OK;
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

EadStatus ead_list_files(EadStringList *list, const char *folder, EadFileWanted *wanted) {
    int first = list->count;
    EAD_TRY(walk(&(Search){list, wanted}, folder, NULL));
    ead_strings_sort_from(list, first);
    return EAD_OK;
}

EadStatus ead_list_images(EadStringList *list, const char *folder) {
    return ead_list_files(list, folder, ead_image_has_known_extension);
}

EadStatus ead_list_folders(EadStringList *list, const char *folder) {
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
            status = ead_strings_add(list, entry->d_name);
        free(path);
    }
    closedir(stream);
    if (status == EAD_OK) ead_strings_sort_from(list, first);
    return status;
}
