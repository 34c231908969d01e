/* Lists of images in files and archives. */
#include "data/source/image_list.h"

#include "core/base/paths.h"
#include "data/codec/codec.h"
#include "data/source/tar_members.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static EadStatus add_place(EadImageList *list, EadImagePlace place) {
    if (!place.name) return EAD_NO_MEMORY;
    if (list->count == list->capacity) {
        int capacity = list->capacity ? list->capacity * 2 : 64;
        EadImagePlace *items =
            list->capacity < INT_MAX / 2 ? realloc(list->items, (size_t)capacity * sizeof *items) : NULL;
        if (!items) {
            free(place.name);
            return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d images", list->count);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = place;
    return EAD_OK;
}

static EadStatus add_file(EadImageList *list, const char *path) {
    char *name = strdup(path);
    if (!name) return ead_fail(EAD_NO_MEMORY, "%s: no memory for the file name", path);
    return add_place(list, (EadImagePlace){.name = name, .archive = -1});
}

static bool is_image_or_archive(const char *name) {
    return ead_image_has_known_extension(name) || ead_tar_has_known_extension(name);
}

/* Hidden members are what macOS's tar adds beside each file: no images, though they are called so. */
static EadStatus add_member(void *context, const char *member, int64_t offset, int64_t size) {
    EadImageList *list = context;
    const char *slash = strrchr(member, '/'), *base = slash ? slash + 1 : member;
    if (base[0] == '.' || !ead_image_has_known_extension(base)) return EAD_OK;
    int archive = list->archives.count - 1;
    char *name = ead_path_join(list->archives.items[archive], member[0] == '/' ? member + 1 : member);
    return add_place(list, (EadImagePlace){name, archive, offset, size});
}

static EadStatus add_archive(EadImageList *list, const char *path) {
    EAD_TRY(ead_strings_add(&list->archives, path));
    return ead_tar_visit(path, add_member, list);
}

EadStatus ead_image_list_add(EadImageList *list, const char *path) {
    EadStringList files = {0};
    if (!ead_path_is_folder(path)) return add_archive(list, path);
    EadStatus status = ead_list_files(&files, path, is_image_or_archive);
    for (int i = 0; i < files.count && status == EAD_OK; i++)
        status = ead_tar_has_known_extension(files.items[i]) ? add_archive(list, files.items[i])
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
        place.name = strdup(place.name);
        if (!place.name) return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d images", other->count);
        EAD_TRY(add_place(list, place));
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
