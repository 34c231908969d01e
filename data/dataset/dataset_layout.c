/* Categories, lists of images, and the pairing of test images with their masks. */
#include "data/dataset/dataset_layout.h"

#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "data/source/masks_beside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

EadStatus ead_dataset_note(EadDataset *dataset, const char *format, ...) {
    char text[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return ead_strings_add(&dataset->notes, text);
}

static bool is_among(const char *name, const char *const *names) {
    while (*names && strcasecmp(name, *names) != 0) names++;
    return *names != NULL;
}

bool ead_dataset_means_good(const char *name) {
    static const char *const names[] = {"good",      "ok",      "okay",        "normal",
                                        "pass",      "passed",  "defect_free", "non_defective",
                                        "no_defect", "healthy", "flawless",    NULL};
    return is_among(name, names);
}

bool ead_dataset_means_bad(const char *name) {
    static const char *const names[] = {"bad",       "ko",        "nok",      "ng",        "not_ok",
                                        "not_good",  "defect",    "defects",  "defective", "anomaly",
                                        "anomalies", "anomalous", "abnormal", "fail",      "failed",
                                        "faulty",    "reject",    NULL};
    return is_among(name, names);
}

EadStatus ead_dataset_unknown_category(const EadDatasetSpec *spec, const char *where,
                                       const EadStringList *there) {
    char text[640] = "";
    int length = 0, room = (int)sizeof text;
    const char *category = spec->category ? spec->category : "";
    bool known = false;
    if (there->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "%s: holds no category folders", where);
    for (const char *const *name = ead_dataset_categories(spec->type); *name; name++)
        known = known || strcmp(*name, category) == 0;
    for (int i = 0; i < there->count && length < room; i++)
        length += snprintf(text + length, (size_t)(room - length), "%s%s", i ? ", " : "",
                           ead_path_base(there->items[i]));
    return ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"%s; dataset.category can be %s", where,
                    category, known ? ", though the full data set has it" : "", text);
}

/* People name the category itself, or the folder above all categories. */
static EadStatus no_category(const EadDatasetSpec *spec, const EadLayout *layout,
                             const EadStringList *there) {
    EadPath train;
    EAD_TRY(ead_path_in(train, spec->path, layout->train));
    const char *name = ead_path_base(spec->path), *other = ead_dataset_recognise(spec, spec->path);
    if (ead_path_is_folder(train))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: is a category itself; set dataset.path to the folder above it and "
                        "dataset.category=%s",
                        spec->path, *name ? name : "its name");
    if (other && strcmp(other, layout->name) != 0)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"; this is the layout of dataset.type=%s",
                        spec->path, spec->category ? spec->category : "", other);
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

/* A folder of test images or masks with all that lies below it. */
typedef struct Tree {
    const char *folder;
    size_t prefix; /* bytes of a path up to the part below the folder */
    EadStringList files;
    bool *used; /* [files.count], masks: their image was found */
} Tree;

/* Opens the tree below a folder, empty where there is none. Its leaves are images or, for masks in folders,
 * the folders two levels down: <kind of defect>/<image>. */
static EadStatus tree_open(Tree *tree, const char *folder, EadMaskLayout layout, EadLeftOut *left_out) {
    size_t length = strlen(folder);
    EadStringList kinds = {0};
    EadStatus status = EAD_OK;
    *tree = (Tree){.folder = folder, .prefix = length + (length > 0 && folder[length - 1] != '/')};
    if (ead_path_is_folder(folder))
        status = layout == EAD_MASK_FILES ? ead_list_images(&tree->files, folder, left_out)
                                          : ead_list_folders(&kinds, folder);
    for (int i = 0; i < kinds.count && status == EAD_OK; i++)
        status = ead_list_folders(&tree->files, kinds.items[i]);
    ead_strings_sort(&tree->files);
    ead_strings_free(&kinds);
    if (status == EAD_OK) tree->used = ead_new(tree->files.count, sizeof *tree->used, folder);
    return status != EAD_OK || tree->used ? status : EAD_NO_MEMORY;
}

static void tree_close(Tree *tree) {
    ead_strings_free(&tree->files);
    free(tree->used);
    *tree = (Tree){0};
}

EadStatus ead_dataset_add_train(EadDataset *dataset, const char *folder) {
    int before = dataset->train.count;
    EAD_TRY(ead_list_images(&dataset->train, folder, &dataset->left_out));
    if (dataset->train.count > before) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no images to train on (%s)", folder, ead_image_extensions());
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

static int by_path(const void *left, const void *right) {
    return strcmp(((const EadTestSample *)left)->path, ((const EadTestSample *)right)->path);
}

void ead_dataset_sort_test(EadDataset *dataset, int first) {
    if (dataset->test_count > first)
        qsort(dataset->test + first, (size_t)(dataset->test_count - first), sizeof *dataset->test, by_path);
}

/* ---- masks ---- */

/* Bytes of a path without the extension that its name may have. */
static int stem_of(const char *path) {
    const char *dot = strrchr(ead_path_base(path), '.');
    return dot ? (int)(dot - path) : (int)strlen(path);
}

/* 0: a file with this ending (NULL: with none) behind a stem of `length` bytes; 1: with what people write behind
 * masks' names, where ending is NULL; else -1. */
static int rank_of(const char *file, int length, const char *ending) {
    int stem = stem_of(file), folder = (int)(ead_path_base(file) - file);
    if (ending)
        return stem == length + (int)strlen(ending) && strncasecmp(file + length, ending, strlen(ending)) == 0
                   ? 0
                   : -1;
    if (stem == length) return 0;
    size_t bare = stem > folder ? ead_mask_stem(file + folder, (size_t)(stem - folder)) : 0;
    return bare > 0 && folder + (int)bare == length ? 1 : -1;
}

int ead_dataset_find_mask(const EadStringList *files, const char *stem, int length, const char *ending) {
    int first = 0, found = -1;
    for (int step = files->count; step > 0;) { /* the first file that is not before the stem */
        int half = step / 2;
        bool before = strncmp(files->items[first + half], stem, (size_t)length) < 0;
        first = before ? first + half + 1 : first;
        step = before ? step - half - 1 : half;
    }
    for (int i = first; i < files->count && strncmp(files->items[i], stem, (size_t)length) == 0; i++) {
        int rank = rank_of(files->items[i], length, ending);
        if (rank == 0) return i;
        if (rank == 1 && found < 0) found = i;
    }
    for (int i = 0; i < files->count && found < 0; i++)
        if (strncasecmp(files->items[i], stem, (size_t)length) == 0 &&
            rank_of(files->items[i], length, ending) >= 0)
            found = i;
    return found;
}

/* Index of the mask of the image with that path below its folder, or -1; `path` is the mask's path or, if
 * there is none, what it should be. */
static int find_mask(const Tree *masks, const char *relative, EadMaskLayout layout, EadPath path) {
    bool slash = masks->prefix > strlen(masks->folder);
    int stem = snprintf(path, EAD_PATH_SIZE, "%s%s%.*s", masks->folder, slash ? "/" : "", stem_of(relative),
                        relative);
    if (stem >= EAD_PATH_SIZE) return -1;
    if (layout == EAD_MASK_FOLDERS) return ead_strings_find_sorted(&masks->files, path);
    int index = ead_dataset_find_mask(&masks->files, path, stem, NULL);
    if (index < 0) snprintf(path + stem, (size_t)(EAD_PATH_SIZE - stem), "_mask.png");
    if (index >= 0) snprintf(path, EAD_PATH_SIZE, "%s", masks->files.items[index]);
    return index;
}

/* "good", or the kind of defect. */
static void name_defect(const char *relative, EadLabel label, EadPath defect) {
    const char *slash = strchr(relative, '/');
    snprintf(defect, EAD_PATH_SIZE, "%.*s", slash ? (int)(slash - relative) : 0, relative);
    if (label == EAD_LABEL_GOOD || ead_dataset_means_good(defect))
        strcpy(defect, "good");
    else if (!slash)
        strcpy(defect, "defect");
}

/* Normal images may have masks, too, as converters write them; those are black. */
static EadStatus add_images(EadDataset *dataset, const Tree *images, EadLabel label, Tree *masks,
                            EadMaskLayout layout) {
    for (int i = 0; i < images->files.count; i++) {
        const char *path = images->files.items[i], *relative = path + images->prefix;
        EadPath mask = "", defect;
        name_defect(relative, label, defect);
        bool good = strcmp(defect, "good") == 0;
        int index = masks->files.count ? find_mask(masks, relative, layout, mask) : -1;
        if (index >= 0) masks->used[index] = true;
        if (index < 0 && !good && masks->files.count)
            return ead_fail(EAD_BAD_ARGUMENT, "%s: has no mask; it should be %s", path, mask);
        bool keep = index >= 0 && !(good && layout == EAD_MASK_FOLDERS);
        EAD_TRY(ead_dataset_add_sample(dataset, path, defect, keep ? mask : NULL));
    }
    for (int i = 0; i < masks->files.count; i++)
        if (!masks->used[i])
            return ead_fail(EAD_BAD_ARGUMENT, "%s: a mask without its image in %s", masks->files.items[i],
                            images->folder);
    return EAD_OK;
}

/* Masks in a folder of their own among the images are no images; images among the masks are no masks. */
static void set_apart(Tree *images, Tree *masks) {
    size_t length = strlen(masks->folder), above = images->prefix - 1;
    bool within = length > images->prefix && strncmp(masks->folder, images->folder, above) == 0 &&
                  masks->folder[above] == '/';
    Tree *tree = within ? images : masks;
    int kept = 0;
    for (int i = 0; i < tree->files.count; i++) {
        char *path = tree->files.items[i];
        bool foreign = within ? strncmp(path, masks->folder, length) == 0 && path[length] == '/'
                              : ead_strings_find_sorted(&images->files, path) >= 0;
        if (foreign)
            free(path);
        else
            tree->files.items[kept++] = path;
    }
    tree->files.count = kept;
}

static bool same_folder(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, EadMaskLayout layout) {
    Tree images = {0}, masks = {0};
    EadStatus status = tree_open(&images, folder, EAD_MASK_FILES, &dataset->left_out);
    if (mask_folder && same_folder(folder, mask_folder)) mask_folder = folder; /* however it is spelled */
    if (status == EAD_OK && mask_folder) status = tree_open(&masks, mask_folder, layout, NULL);
    if (status == EAD_OK && mask_folder) set_apart(&images, &masks);
    if (status == EAD_OK) status = add_images(dataset, &images, label, &masks, layout);
    tree_close(&images);
    tree_close(&masks);
    return status;
}
