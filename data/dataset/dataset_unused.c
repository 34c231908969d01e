/* Pictures of a data set that its layout has no place for: loose ones, and folders beside those that are searched. */
#include "core/base/printing.h"
#include "data/dataset/dataset_layout.h"

#include <stdlib.h>
#include <string.h>

static bool lies_below(const char *path, const char *folder, size_t length) {
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Whether one of the sorted places is the first `length` bytes of path, or with `below` lies below that folder. */
static bool is_place(const EadStringList *places, const char *path, size_t length, bool below) {
    char end = below ? '/' : '\0';
    int low = 0, high = places->count;
    while (low < high) { /* the first that is not before it */
        int middle = low + (high - low) / 2, order = strncmp(places->items[middle], path, length);
        if (order < 0 || (order == 0 && (uint8_t)places->items[middle][length] < (uint8_t)end))
            low = middle + 1;
        else
            high = middle;
    }
    const char *place = low < places->count ? places->items[low] : "";
    return strncmp(place, path, length) == 0 && place[length] == end;
}

static bool has_place(const char *path, const EadStringList *places) {
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        if (is_place(places, path, (size_t)(slash - path), false)) return true;
    return is_place(places, path, strlen(path), false);
}

/* Bytes of the topmost folder of a path that holds no place at all; of the path itself where there is none. */
static size_t find_topmost(const char *path, size_t prefix, const EadStringList *places) {
    for (const char *slash = strchr(path + prefix, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        if (!is_place(places, path, length, true)) return length;
    }
    return strlen(path);
}

EadStatus ead_dataset_add_named(EadStringList *places, const char *root, const char *name) {
    EadPath path;
    if (!name || !*name || *name == '/' || strstr(name, "..")) return EAD_OK;
    while (strncmp(name, "./", 2) == 0) name += 2;
    EAD_TRY(ead_path_in(path, root, name));
    for (char *more; (more = strstr(path, "//")) || (more = strstr(path, "/./"));)
        memmove(more, more + (more[1] == '/' ? 1 : 2), strlen(more + (more[1] == '/' ? 1 : 2)) + 1);
    return ead_strings_add(places, path);
}

/* All pictures below a folder, sorted, masks and those that are not read, too. */
static EadStatus list_pictures(const char *root, EadStringList *list) {
    EadLeftOut left = {0};
    const EadStringList *const others[] = {&left.paths[EAD_LEFT_OUT_FORMAT],
                                           &left.paths[EAD_LEFT_OUT_HIDDEN]};
    EadStatus status = ead_list_images_and_masks(list, root, &left);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        for (int i = 0; i < others[k]->count && status == EAD_OK; i++)
            status = ead_strings_add(list, others[k]->items[i]);
    ead_strings_sort(list);
    ead_left_out_free(&left);
    return status;
}

/* An EadPathStays: only of pictures without a place it is told that this program wrote them. */
static bool stays(const void *places, const char *path) {
    return has_place(path, places);
}

/* Appends the pictures without a place by their topmost folders: "x/train/bad (12)", "x/loose.png". */
static EadStatus group(const EadStringList *pictures, size_t prefix, const EadStringList *places,
                       EadStringList *groups, int *unused) {
    for (int i = 0, next; i < pictures->count; i = next) {
        const char *path = pictures->items[i];
        next = i + 1;
        if (has_place(path, places)) continue;
        size_t length = find_topmost(path, prefix, places);
        while (next < pictures->count && lies_below(pictures->items[next], path, length)) next++;
        *unused += next - i;
        EAD_TRY(path[length] ? ead_strings_print(groups, "%.*s (%d)", (int)length, path, next - i)
                             : ead_strings_add(groups, path));
    }
    return EAD_OK;
}

EadStatus ead_dataset_doubt_unused(EadDataset *dataset, const char *root, EadStringList *places) {
    enum { NAMED = 10 };
    EadStringList pictures = {0}, groups = {0};
    const EadStringList *searched = &dataset->left_out.folders;
    int unused = 0;
    EadStatus status = list_pictures(root, &pictures);
    for (int i = 0; i < searched->count && status == EAD_OK; i++)
        status = ead_strings_add(places, searched->items[i]);
    ead_strings_sort(places);
    if (status == EAD_OK) status = ead_take_out_ours(&pictures, 0, stays, places, &dataset->left_out);
    if (status == EAD_OK) status = group(&pictures, ead_path_prefix(root), places, &groups, &unused);
    char *names = status == EAD_OK ? ead_name_paths(&groups, groups.count, NAMED) : NULL;
    if (status == EAD_OK && !names) status = EAD_NO_MEMORY;
    if (status == EAD_OK && unused > 0)
        status = ead_strings_print(&dataset->doubts, "%d %s no part of the layout, and not used: %s", unused,
                                   unused == 1 ? "picture is" : "pictures are", names);
    free(names);
    ead_strings_free(&groups);
    ead_strings_free(&pictures);
    return status;
}
