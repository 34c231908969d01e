/* Categories and lists of images. */
#include "data/dataset/dataset_layout.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "data/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

EadStatus ead_dataset_doubt(const EadStringList *names, int total, const char *what, EadStringList *doubts) {
    enum { NAMED = 10 };
    if (names->count == 0) return EAD_OK;
    char *text = ead_name_paths(names, names->count, NAMED);
    if (!text) return EAD_NO_MEMORY;
    EadStatus status = ead_strings_print(doubts, "%d of %d %s: %s", names->count, total, what, text);
    free(text);
    return status;
}

EadStatus ead_dataset_refuse_rows(const char *path, const EadStringList *wrong) {
    enum { NAMED = 5 };
    if (wrong->count == 0) return EAD_OK;
    char *text = ead_name_paths(wrong, wrong->count, NAMED);
    if (!text) return EAD_NO_MEMORY;
    ead_fail(EAD_BAD_FILE, "%s: %d %s wrong: %s", path, wrong->count,
             wrong->count == 1 ? "row is" : "rows are", text);
    free(text);
    return EAD_BAD_FILE;
}

char *ead_dataset_name_folders(const EadStringList *paths, int most) {
    EadStringList names = {0};
    EadStatus status = EAD_OK;
    for (int i = 0; i < paths->count && status == EAD_OK; i++)
        status = ead_strings_add(&names, ead_path_base(paths->items[i]));
    char *text = status == EAD_OK ? ead_name_paths(&names, names.count, most) : NULL;
    ead_strings_free(&names);
    return text;
}

/* The folder's subfolder of that name but for cases; *path stays as it is where there is none. */
static EadStatus find_any_case(EadPath path, const char *folder, const char *name) {
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, folder);
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        if (strcasecmp(ead_path_base(names.items[i]), name) != 0) continue;
        status = ead_path_in(path, "", names.items[i]);
        break;
    }
    ead_strings_free(&names);
    return status;
}

EadStatus ead_dataset_place(EadPath path, const char *folder, const char *name) {
    EadPath above, part;
    EAD_TRY(ead_path_in(path, "", folder));
    for (const char *next = name; *next; next += *next == '/') {
        size_t length = strcspn(next, "/");
        snprintf(part, sizeof part, "%.*s", (int)length, next);
        memcpy(above, path, sizeof above);
        EAD_TRY(ead_path_in(path, above, part));
        if (!ead_path_is_folder(path) && ead_path_is_folder(above)) EAD_TRY(find_any_case(path, above, part));
        next += length;
    }
    return EAD_OK;
}

EadStatus ead_dataset_unknown_category(const EadDatasetSpec *spec, const char *where,
                                       const EadStringList *there) {
    const char *category = spec->category ? spec->category : "";
    bool known = false;
    if (there->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "%s: holds no category folders", where);
    for (const char *const *name = ead_dataset_categories(spec->type); *name; name++)
        known = known || strcmp(*name, category) == 0;
    char *text = ead_dataset_name_folders(there, 0);
    if (!text) return EAD_NO_MEMORY;
    ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"%s; dataset.category can be %s", where, category,
             known ? ", though the full data set has it" : "", text);
    free(text);
    return EAD_BAD_ARGUMENT;
}

EadStatus ead_dataset_is_category(const char *before, const char *path, const char *type) {
    EadPath parent, real;
    const char *name = ead_path_base(path);
    bool spelled = *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    const char *whole = !spelled && ead_path_real(real, path) ? real : path;
    EAD_TRY(ead_path_folder(parent, whole));
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s%s: is a category itself; set %s%s%sdataset.path=%s and dataset.category=%s", before,
                    path, type ? "dataset.type=" : "", type ? type : "", type ? ", " : "",
                    *parent ? parent : ".", ead_path_base(whole));
}

/* People name the category itself, or the folder above all categories. */
static EadStatus no_category(const EadDatasetSpec *spec, const EadLayout *layout,
                             const EadStringList *there) {
    EadPath train, where;
    EAD_TRY(ead_dataset_place(train, spec->path, layout->train));
    const EadLayout *other;
    if (ead_path_is_folder(train)) return ead_dataset_is_category("", spec->path, NULL);
    EAD_TRY(ead_dataset_refuse_foreign(spec->path, false));
    EAD_TRY(ead_dataset_find_other(spec, layout, &other, where));
    if (other)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"", spec->path,
                        spec->category ? spec->category : "");
    EadPath inner;
    for (int i = 0; i < there->count && spec->category && *spec->category; i++) {
        EAD_TRY(ead_path_in(inner, there->items[i], spec->category));
        if (ead_path_is_folder(inner))
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: has no category \"%s\", but %s has; set dataset.path to it", spec->path,
                            spec->category, there->items[i]);
    }
    return ead_dataset_unknown_category(spec, spec->path, there);
}

EadStatus ead_dataset_category_folder(const EadDatasetSpec *spec, const EadLayout *layout, EadPath root) {
    if (spec->category && *spec->category) {
        EAD_TRY(ead_path_in(root, spec->path, spec->category));
        if (ead_path_is_folder(root)) return EAD_OK;
    }
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, spec->path);
    if (status == EAD_OK) status = no_category(spec, layout, &names);
    ead_strings_free(&names);
    return status;
}

EadStatus ead_dataset_no_images(const EadDataset *dataset, const char *folder, const char *what) {
    bool ours = dataset->left_out.counts[EAD_LEFT_OUT_OURS] > 0;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no %s (%s)%s", folder, what, ead_image_extensions(),
                    ours ? " but maps, overlays or masks that this program wrote" : "");
}

EadStatus ead_dataset_add_images(EadDataset *dataset, const char *folder, const char *what,
                                 EadStringList *list) {
    int before = list->count;
    EAD_TRY(ead_list_images(list, folder, &dataset->left_out));
    return list->count > before ? EAD_OK : ead_dataset_no_images(dataset, folder, what);
}

EadStatus ead_dataset_add_sample(EadDataset *dataset, const char *path, const char *defect,
                                 const char *mask_path) {
    EAD_TRY(ead_grow(&dataset->test, &dataset->test_capacity, dataset->test_count, sizeof *dataset->test,
                     "a list of test images"));
    EadTestSample sample = {.path = ead_strdup(path),
                            .defect = ead_strdup(defect),
                            .mask_path = mask_path ? ead_strdup(mask_path) : NULL,
                            .anomalous = strcmp(defect, "good") != 0};
    dataset->test[dataset->test_count++] = sample; /* freed with the data set, also without memory for all */
    if (mask_path && sample.anomalous) dataset->has_masks = true;
    return sample.path && sample.defect && (sample.mask_path || !mask_path) ? EAD_OK : EAD_NO_MEMORY;
}

EadStatus ead_dataset_note_for_training(EadDataset *dataset, const char *folder, int count) {
    if (count == 0) return EAD_OK;
    return ead_strings_print(
        &dataset->notes,
        "%s: %d good %s to the images to train on, and %s not tested: nothing else divides them", folder,
        count, count == 1 ? "image belongs" : "images belong", count == 1 ? "is" : "are");
}

void ead_test_sample_free(EadTestSample *sample) {
    free(sample->path);
    free(sample->mask_path);
    free(sample->defect);
    *sample = (EadTestSample){0};
}

static int by_path(const void *left, const void *right) {
    return strcmp(((const EadTestSample *)left)->path, ((const EadTestSample *)right)->path);
}

void ead_dataset_sort_test(EadDataset *dataset, int first) {
    if (dataset->test_count > first)
        qsort(dataset->test + first, (size_t)(dataset->test_count - first), sizeof *dataset->test, by_path);
}
