/* Walks over folders, and lists of images in files and archives. */
#define _GNU_SOURCE /* d_type, tdestroy */
#include "data/source/image_list.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/system/interruption.h"
#include "core/file/file_role.h"
#include "data/codec/codec.h"
#include "data/source/masks_beside.h"
#include "data/source/tar_members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 64 };

/* A folder on the way down, on the stack of the recursion: it shows whether a link leads back into it. */
typedef struct Ancestor {
    const struct Ancestor *parent;
    dev_t device;
    ino_t inode;
    int depth;
} Ancestor;

/* Where a folder is, whatever its path. */
typedef struct FolderId {
    dev_t device;
    ino_t inode;
} FolderId;

/* A search: of files by their names or, with left_out, of images. */
typedef struct Search {
    EadStringList *list;
    EadFileWanted *wanted;
    EadLeftOut *left_out;
    void **seen;           /* folders, a tree of tsearch(3) */
    EadStringList *unread; /* messages; NULL: left_out takes them, or the first ends the search */
} Search;

static int compare_folders(const void *left, const void *right) {
    const FolderId *a = left, *b = right;
    if (a->device != b->device) return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

/* *again: whether the search has been in that folder, by another path. */
static EadStatus remember(const Search *search, FolderId folder, bool *again) {
    FolderId *key = ead_new(1, sizeof *key, "a list of folders");
    if (!key) return EAD_NO_MEMORY;
    *key = folder;
    FolderId **found = tsearch(key, search->seen, compare_folders);
    *again = found && *found != key;
    if (!found || *again) free(key);
    return found ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for a list of folders");
}

/* What this process lacks says nothing of the path, which must not be left out for it. */
static EadStatus cannot_read(const char *path) {
    bool lacks = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    return ead_fail(lacks ? EAD_NO_MEMORY : EAD_IO, "%s: cannot read: %s", path, strerror(errno));
}

/* What the search makes of a path that failed with `status`: nothing, if that can be told. */
static EadStatus pass_over(const Search *search, const char *path, EadStatus status) {
    if (search->unread && status != EAD_NO_MEMORY)
        return ead_strings_add(search->unread, ead_error_message());
    if (!search->left_out || status == EAD_NO_MEMORY) return status;
    return ead_left_out_add(search->left_out, EAD_LEFT_OUT_UNREADABLE, path);
}

/* What the `size` bytes at an offset of a file are; hidden pictures are what macOS's tar adds beside each
 * file, too: no images, though they are called so. */
static EadLeftOutKind kind_of(const char *path, int descriptor, int64_t offset, int64_t size) {
    uint8_t first[EAD_FIRST_BYTES];
    size_t there = size < EAD_FIRST_BYTES ? (size_t)size : EAD_FIRST_BYTES;
    bool hidden = ead_path_base(path)[0] == '.', read = ead_read_at(descriptor, first, there, offset);
    EadLeftOutKind kind = ead_picture_kind(path, first, read ? there : 0);
    return hidden && kind != EAD_LEFT_OUT_OTHER ? EAD_LEFT_OUT_HIDDEN : kind;
}

/* What this program keeps in a folder while it works there: locks, and files that are not yet whole. */
static bool is_own(const char *path) {
    const char *base = ead_path_base(path);
    return strcmp(base, ".lock") == 0 || strcmp(base, ".lock.claim") == 0 ||
           strncmp(base, ".efficientad-", strlen(".efficientad-")) == 0;
}

static EadStatus add_by_content(const Search *search, const char *path, int64_t size) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 && is_own(path)) return EAD_OK;
    if (descriptor < 0 && ead_path_base(path)[0] == '.')
        return ead_left_out_add(search->left_out, EAD_LEFT_OUT_OTHER, path);
    if (descriptor < 0) return pass_over(search, path, cannot_read(path));
    EadLeftOutKind kind = kind_of(path, descriptor, 0, size);
    close(descriptor);
    if (kind == EAD_LEFT_OUT_OTHER && is_own(path)) return EAD_OK;
    if (kind == EAD_LEFT_OUT_CONTENT) EAD_TRY(ead_strings_add(search->list, path));
    return ead_left_out_add(search->left_out, kind, path);
}

static EadStatus walk(const Search *search, const char *folder, const Ancestor *parent);

/* The pictures in a hidden folder are hidden ones. */
static EadStatus add_hidden(const Search *search, const char *folder, const Ancestor *parent) {
    EadStringList files = {0};
    EadLeftOut left = {0};
    EadStatus status = walk(&(Search){&files, search->wanted, &left, search->seen, NULL}, folder, parent);
    const EadStringList *const lists[] = {&files, &left.paths[EAD_LEFT_OUT_FORMAT],
                                          &left.paths[EAD_LEFT_OUT_HIDDEN]};
    if (status != EAD_NO_MEMORY && status != EAD_INTERRUPTED)
        status = ead_left_out_add(search->left_out, EAD_LEFT_OUT_FOLDER, folder);
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (int i = 0; i < lists[k]->count && status == EAD_OK; i++)
            status = ead_left_out_add(search->left_out, EAD_LEFT_OUT_HIDDEN, lists[k]->items[i]);
    ead_strings_free(&files);
    ead_left_out_free(&left);
    return status;
}

/* regular: that it is a regular file is known. Then it is not asked once more, if its name is enough: of a million files
 * that takes long. */
static EadStatus visit(const Search *search, const char *folder, const char *name, bool regular,
                       const Ancestor *parent) {
    EadPath path;
    struct stat info;
    EadStatus status = ead_path_in(path, folder, name);
    if (status != EAD_OK) return pass_over(search, folder, status);
    bool hidden = name[0] == '.', wanted = !hidden && search->wanted(path);
    if (hidden && !search->left_out) return EAD_OK;
    if (regular && wanted) return ead_strings_add(search->list, path);
    bool there = stat(path, &info) == 0;
    if (!there && !hidden && (wanted || search->left_out)) return pass_over(search, path, cannot_read(path));
    if (there && S_ISDIR(info.st_mode))
        return hidden ? add_hidden(search, path, parent) : walk(search, path, parent);
    if (there && S_ISREG(info.st_mode) && wanted) return ead_strings_add(search->list, path);
    if (!search->left_out && !(search->unread && wanted)) return EAD_OK;
    if (there && S_ISREG(info.st_mode)) return add_by_content(search, path, info.st_size);
    if (wanted) return pass_over(search, path, ead_fail(EAD_IO, "%s: is not a regular file", path));
    return ead_left_out_add(search->left_out, EAD_LEFT_OUT_OTHER, path);
}

/* The names in a folder, sorted; into `files`, if it is not NULL, those of what is known to be a regular file. */
static EadStatus read_names(EadStringList *names, EadStringList *files, const char *folder) {
    DIR *stream = opendir(folder);
    EadStatus status = stream ? EAD_OK : cannot_read(folder);
    while (status == EAD_OK) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry && errno) status = cannot_read(folder);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = ead_strings_add(files && entry->d_type == DT_REG ? files : names, entry->d_name);
    }
    if (stream) closedir(stream);
    ead_strings_sort(names);
    if (files) ead_strings_sort(files);
    return status;
}

static EadStatus walk(const Search *search, const char *folder, const Ancestor *parent) {
    struct stat info;
    EadStringList names = {0}, files = {0};
    bool again;
    if (ead_interrupted()) return ead_fail(EAD_INTERRUPTED, "stopped while listing %s", folder);
    if (stat(folder, &info) != 0) return cannot_read(folder);
    Ancestor here = {parent, info.st_dev, info.st_ino, parent ? parent->depth + 1 : 0};
    for (const Ancestor *above = parent; above; above = above->parent)
        if (above->device == here.device && above->inode == here.inode) return EAD_OK;
    EAD_TRY(remember(search, (FolderId){info.st_dev, info.st_ino}, &again));
    if (again)
        return search->left_out ? ead_left_out_add(search->left_out, EAD_LEFT_OUT_AGAIN, folder) : EAD_OK;
    EadStatus status = here.depth <= MAX_DEPTH
                           ? read_names(&names, &files, folder)
                           : ead_fail(EAD_BAD_FILE, "%s: more than %d folders deep", folder, MAX_DEPTH);
    if (status != EAD_OK && parent) status = pass_over(search, folder, status);
    for (int f = 0, n = 0;
         f + n < files.count + names.count && status == EAD_OK;) { /* in order of all names */
        bool file = n == names.count || (f < files.count && strcmp(files.items[f], names.items[n]) < 0);
        status = visit(search, folder, file ? files.items[f++] : names.items[n++], file, &here);
    }
    ead_strings_free(&names);
    ead_strings_free(&files);
    return status;
}

static EadStatus list_all(EadStringList *list, const char *folder, EadFileWanted *wanted,
                          EadLeftOut *left_out, EadStringList *unread) {
    int first = list->count;
    void *seen = NULL;
    EadStatus status = walk(&(Search){list, wanted, left_out, &seen, unread}, folder, NULL);
    tdestroy(seen, free);
    EAD_TRY(status);
    ead_strings_sort_from(list, first);
    return left_out ? ead_strings_add(&left_out->folders, folder) : EAD_OK;
}

EadStatus ead_take_out_ours(EadStringList *list, int first, EadPathStays *stays, const void *context,
                            EadLeftOut *left_out) {
    EadStatus status = EAD_OK;
    int kept = first;
    for (int i = first; i < list->count; i++) {
        char *path = list->items[i];
        bool looked_into = status == EAD_OK && !(stays && stays(context, path));
        bool ours = looked_into && ead_image_is_output(path);
        if (ours) status = ead_left_out_add(left_out, EAD_LEFT_OUT_OURS, path);
        if (ours)
            free(path);
        else
            list->items[kept++] = path;
    }
    list->count = kept;
    return status;
}

EadStatus ead_list_files(EadStringList *list, const char *folder, EadFileWanted *wanted,
                         EadLeftOut *left_out) {
    int first = list->count;
    EAD_TRY(list_all(list, folder, wanted, left_out, NULL));
    if (!left_out) return EAD_OK;
    EAD_TRY(ead_take_out_ours(list, first, NULL, NULL, left_out));
    return ead_take_out_masks(list, first, left_out);
}

EadStatus ead_list_named(EadStringList *list, const char *folder, EadFileWanted *wanted,
                         EadStringList *unread) {
    return list_all(list, folder, wanted, NULL, unread);
}

EadStatus ead_list_images(EadStringList *list, const char *folder, EadLeftOut *left_out) {
    return ead_list_files(list, folder, ead_image_has_known_extension, left_out);
}

EadStatus ead_list_images_and_masks(EadStringList *list, const char *folder, EadLeftOut *left_out) {
    return list_all(list, folder, ead_image_has_known_extension, left_out, NULL);
}

EadStatus ead_list_folders(EadStringList *list, const char *folder) {
    EadStringList names = {0};
    EadStatus status = read_names(&names, NULL, folder);
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        EadPath path;
        if (names.items[i][0] == '.') continue;
        status = ead_path_in(path, folder, names.items[i]);
        if (status == EAD_OK && ead_path_is_folder(path)) status = ead_strings_add(list, path);
    }
    ead_strings_free(&names);
    return status;
}

/* ---- images ---- */

/* Appends an image, whose name belongs to the list then. */
static EadStatus take_place(EadImageList *list, EadImagePlace place) {
    EAD_TRY(ead_grow(&list->items, &list->capacity, list->count, sizeof *list->items, "a list of images"));
    list->items[list->count++] = place;
    return EAD_OK;
}

/* The same with a copy of the name. */
static EadStatus add_place(EadImageList *list, const char *name, EadImagePlace place) {
    place.name = ead_strdup(name);
    EadStatus status = place.name ? take_place(list, place) : EAD_NO_MEMORY;
    if (status != EAD_OK) free(place.name);
    return status;
}

static EadStatus add_file(EadImageList *list, const char *path) {
    return add_place(list, path, (EadImagePlace){.archive = -1});
}

static bool is_image_or_archive(const char *name) {
    return ead_image_has_known_extension(name) || ead_path_has_extension(name, ".tar");
}

/* An open archive whose members are being listed. */
typedef struct Members {
    EadImageList *list;
    int descriptor;
} Members;

static EadStatus add_member(void *context, const char *member, int64_t offset, int64_t size) {
    const Members *members = context;
    EadImageList *list = members->list;
    const char *base = ead_path_base(member);
    int archive = list->archives.count - 1;
    bool known = base[0] != '.' && ead_image_has_known_extension(base);
    EadLeftOutKind kind = known ? EAD_LEFT_OUT_KINDS : kind_of(base, members->descriptor, offset, size);
    if (known && ead_path_has_extension(base, ".png") &&
        ead_png_at_is_by(members->descriptor, offset, EAD_PNG_OF_OURS))
        kind = EAD_LEFT_OUT_OURS;
    char *name = ead_path_join(list->archives.items[archive], member[0] == '/' ? member + 1 : member);
    EadStatus status = name ? EAD_OK : EAD_NO_MEMORY;
    if (name && kind < EAD_LEFT_OUT_KINDS) status = ead_left_out_add(&list->left_out, kind, name);
    if (status == EAD_OK && (kind == EAD_LEFT_OUT_KINDS || kind == EAD_LEFT_OUT_CONTENT))
        status = add_place(list, name, (EadImagePlace){NULL, archive, offset, size});
    free(name);
    return status;
}

static EadStatus add_archive(EadImageList *list, const char *path) {
    EAD_TRY(ead_strings_add(&list->archives, path));
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return cannot_read(path);
    EadStatus status = ead_tar_visit_descriptor(descriptor, path, add_member, &(Members){list, descriptor});
    close(descriptor);
    return status;
}

EadStatus ead_image_source_check(const char *path) {
    if (ead_path_is_folder(path) || ead_image_has_known_extension(path)) return EAD_OK;
    EAD_TRY(ead_check_regular(path));
    return ead_file_expect(path, EAD_ROLE(TAR) | EAD_ROLE(COMPRESSED) | EAD_ROLE(EMPTY),
                           "a folder, image or tar archive");
}

static EadStatus add_single_archive(EadImageList *list, const char *path) {
    EAD_TRY(ead_image_source_check(path));
    return add_archive(list, path);
}

EadStatus ead_image_list_add(EadImageList *list, const char *path) {
    EadStringList files = {0};
    if (!ead_path_is_folder(path))
        return ead_image_has_known_extension(path) ? add_file(list, path) : add_single_archive(list, path);
    EadStatus status = ead_list_files(&files, path, is_image_or_archive, &list->left_out);
    for (int i = 0; i < files.count && status == EAD_OK; i++) {
        bool archive = ead_path_has_extension(files.items[i], ".tar");
        status = archive ? add_archive(list, files.items[i])
                         : take_place(list, (EadImagePlace){files.items[i], -1, 0, 0});
        if (!archive && status == EAD_OK) files.items[i] = NULL;
    }
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
    if (place->archive < 0) return ead_image_load_with(place->name, &list->rules, out);
    return ead_image_load_part(list->archives.items[place->archive], place->offset, place->size, place->name,
                               &list->rules, out);
}

void ead_image_list_free(EadImageList *list) {
    for (int i = 0; i < list->count; i++) free(list->items[i].name);
    free(list->items);
    ead_strings_free(&list->archives);
    ead_left_out_free(&list->left_out);
    *list = (EadImageList){0};
}
