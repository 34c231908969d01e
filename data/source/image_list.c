/* Walks over folders, and lists of images in files and archives. */
#include "data/source/image_list.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"
#include "data/source/tar_members.h"

#include <dirent.h>
#include <errno.h>
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

static EadStatus walk(EadStringList *list, const char *folder, EadFileWanted *wanted,
                      const Ancestor *parent) {
    struct stat info;
    if (stat(folder, &info) != 0) return ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
    Ancestor here = {parent, info.st_dev, info.st_ino, parent ? parent->depth + 1 : 0};
    if (here.depth > MAX_DEPTH)
        return ead_fail(EAD_BAD_FILE, "%s: more than %d folders deep", folder, MAX_DEPTH);
    for (const Ancestor *above = parent; above; above = above->parent)
        if (above->device == here.device && above->inode == here.inode) return EAD_OK;
    DIR *stream = opendir(folder);
    if (!stream) return ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
    EadStatus status = EAD_OK;
    while (status == EAD_OK) {
        EadPath path;
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry && errno) status = ead_fail(EAD_IO, "%s: cannot read: %s", folder, strerror(errno));
        if (!entry) break;
        if (entry->d_name[0] == '.') continue;
        status = ead_path_in(path, folder, entry->d_name);
        if (status != EAD_OK) break;
        bool there = stat(path, &info) == 0, add = wanted(path);
        if (!there && add) status = ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
        if (there && S_ISDIR(info.st_mode)) status = walk(list, path, wanted, &here);
        if (there && S_ISREG(info.st_mode) && add) status = ead_strings_add(list, path);
    }
    closedir(stream);
    return status;
}

EadStatus ead_list_files(EadStringList *list, const char *folder, EadFileWanted *wanted) {
    int first = list->count;
    EAD_TRY(walk(list, folder, wanted, NULL));
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
        EadPath path;
        status = ead_path_in(path, folder, entry->d_name);
        if (status == EAD_OK && ead_path_is_folder(path)) status = ead_strings_add(list, path);
    }
    closedir(stream);
    if (status == EAD_OK) ead_strings_sort_from(list, first);
    return status;
}

/* ---- images ---- */

/* Appends an image with a copy of its name. */
static EadStatus add_place(EadImageList *list, const char *name, EadImagePlace place) {
    EAD_TRY(ead_grow(&list->items, &list->capacity, list->count, sizeof *list->items, "a list of images"));
    place.name = ead_strdup(name);
    if (!place.name) return EAD_NO_MEMORY;
    list->items[list->count++] = place;
    return EAD_OK;
}

static EadStatus add_file(EadImageList *list, const char *path) {
    return add_place(list, path, (EadImagePlace){.archive = -1});
}

static bool is_image_or_archive(const char *name) {
    return ead_image_has_known_extension(name) || ead_path_has_extension(name, ".tar");
}

/* Hidden members are what macOS's tar adds beside each file: no images, though they are called so. */
static EadStatus add_member(void *context, const char *member, int64_t offset, int64_t size) {
    EadImageList *list = context;
    const char *base = ead_path_base(member);
    if (base[0] == '.' || !ead_image_has_known_extension(base)) return EAD_OK;
    int archive = list->archives.count - 1;
    char *name = ead_path_join(list->archives.items[archive], member[0] == '/' ? member + 1 : member);
    EadStatus status = EAD_NO_MEMORY;
    if (name) status = add_place(list, name, (EadImagePlace){NULL, archive, offset, size});
    free(name);
    return status;
}

static EadStatus add_archive(EadImageList *list, const char *path) {
    EAD_TRY(ead_strings_add(&list->archives, path));
    return ead_tar_visit(path, add_member, list);
}

EadStatus ead_image_list_add(EadImageList *list, const char *path) {
    EadStringList files = {0};
    if (!ead_path_is_folder(path))
        return ead_image_has_known_extension(path) ? add_file(list, path) : add_archive(list, path);
    EadStatus status = ead_list_files(&files, path, is_image_or_archive);
    for (int i = 0; i < files.count && status == EAD_OK; i++)
        status = ead_path_has_extension(files.items[i], ".tar") ? add_archive(list, files.items[i])
                                                                : add_file(list, files.items[i]);
    ead_strings_free(&files);
    return status;
}

EadStatus ead_image_list_add_files(EadImageList *list, const EadStringList *files) {
    for (int i = 0; i < files->count; i++) EAD_TRY(add_file(list, files->items[i]));
    return EAD_OK;
}

EadStatus ead_image_list_add_all(EadImageList *list, const EadImageList *other) {
    int first = list->archives.count;
    for (int i = 0; i < other->archives.count; i++)
        EAD_TRY(ead_strings_add(&list->archives, other->archives.items[i]));
    for (int i = 0; i < other->count; i++) {
        EadImagePlace place = other->items[i];
        if (place.archive >= 0) place.archive += first;
        EAD_TRY(add_place(list, place.name, place));
    }
    return EAD_OK;
}

const char *ead_image_list_file(const EadImageList *list, int index) {
    const EadImagePlace *place = &list->items[index];
    return place->archive < 0 ? place->name : list->archives.items[place->archive];
}

EadStatus ead_image_list_load(const EadImageList *list, int index, EadImage *out) {
    const EadImagePlace *place = &list->items[index];
    if (place->archive < 0) return ead_image_load(place->name, out);
    return ead_image_load_part(list->archives.items[place->archive], place->offset, place->size, place->name,
                               out);
}

void ead_image_list_free(EadImageList *list) {
    for (int i = 0; i < list->count; i++) free(list->items[i].name);
    free(list->items);
    ead_strings_free(&list->archives);
    *list = (EadImageList){0};
}
