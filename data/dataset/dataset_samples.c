/* Lists of images and the pairing of test images with their masks, as every data set type needs them. */
#include "data/dataset/dataset_types.h"

#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder of test images or masks with all that lies below it. */
typedef struct Tree {
    const char *folder;
    size_t prefix; /* bytes of a path up to the part below the folder */
    EadStringList files;
    bool *used; /* [files.count], masks: their image was found */
} Tree;

static EadStatus tree_mark(Tree *tree) {
    tree->used = calloc((size_t)tree->files.count + 1, sizeof *tree->used);
    return tree->used ? EAD_OK : ead_fail(EAD_NO_MEMORY, "%s: no memory for its list", tree->folder);
}

static Tree tree_of(const char *folder) {
    size_t length = strlen(folder);
    return (Tree){.folder = folder, .prefix = length + (length > 0 && folder[length - 1] != '/')};
}

static EadStatus tree_open(Tree *tree, const char *folder) {
    *tree = tree_of(folder);
    if (ead_path_is_folder(folder)) EAD_TRY(ead_list_images(&tree->files, folder));
    return tree_mark(tree);
}

/* Appends the paths of the folders in `folder`. */
static EadStatus add_folders(EadStringList *list, const char *folder) {
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, folder);
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        char *path = ead_path_join(folder, names.items[i]);
        status = path ? ead_strings_add(list, path) : EAD_NO_MEMORY;
        free(path);
    }
    ead_strings_free(&names);
    return status;
}

/* A tree whose leaves are the folders two levels down: <kind of defect>/<image>. */
static EadStatus tree_open_folders(Tree *tree, const char *folder) {
    EadStringList kinds = {0};
    *tree = tree_of(folder);
    EadStatus status = ead_path_is_folder(folder) ? add_folders(&kinds, folder) : EAD_OK;
    for (int i = 0; i < kinds.count && status == EAD_OK; i++)
        status = add_folders(&tree->files, kinds.items[i]);
    ead_strings_sort(&tree->files);
    ead_strings_free(&kinds);
    return status == EAD_OK ? tree_mark(tree) : status;
}

static void tree_close(Tree *tree) {
    ead_strings_free(&tree->files);
    free(tree->used);
    *tree = (Tree){0};
}

EadStatus ead_dataset_add_train(EadDataset *dataset, const char *folder) {
    int before = dataset->train.count;
    EAD_TRY(ead_list_images(&dataset->train, folder));
    if (dataset->train.count > before) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no images to train on (%s)", folder, ead_image_extensions());
}

/* The first folder of a relative path; for the caller to free(). */
static char *first_folder(const char *relative) {
    const char *slash = strchr(relative, '/');
    return slash ? strndup(relative, (size_t)(slash - relative)) : strdup("defect");
}

/* A new sample that owns defect (NULL: no memory for it), with no mask yet; NULL with the message set if
 * there is no memory. */
static EadTestSample *add_sample(EadDataset *dataset, const char *path, char *defect) {
    EadTestSample *test = dataset->test;
    if (dataset->test_count == dataset->test_capacity) {
        int capacity = dataset->test_capacity ? dataset->test_capacity * 2 : 64;
        test = realloc(test, (size_t)capacity * sizeof *test);
        if (test) dataset->test = test, dataset->test_capacity = capacity;
    }
    char *copy = strdup(path);
    if (!test || !copy || !defect) {
        free(copy);
        free(defect);
        ead_fail(EAD_NO_MEMORY, "no memory for a list of %d test images", dataset->test_count);
        return NULL;
    }
    test += dataset->test_count++;
    *test = (EadTestSample){.path = copy, .defect = defect, .anomalous = strcmp(defect, "good") != 0};
    return test;
}

EadStatus ead_dataset_add_sample(EadDataset *dataset, const char *path, const char *defect,
                                 const char *mask_path) {
    EadTestSample *sample = add_sample(dataset, path, strdup(defect));
    if (!sample) return EAD_NO_MEMORY;
    if (!mask_path) return EAD_OK;
    dataset->has_masks = true;
    sample->mask_path = strdup(mask_path);
    return sample->mask_path ? EAD_OK : ead_fail(EAD_NO_MEMORY, "%s: no memory for the file name", mask_path);
}

/* Index of the mask <folder>/<relative path without extension><ending>, whose path stays in buffer, or -1. */
static int find_mask(const Tree *masks, const char *relative, const char *ending, char *buffer, size_t size) {
    int stem = (int)(strrchr(relative, '.') - relative);
    bool slash = masks->prefix > strlen(masks->folder);
    snprintf(buffer, size, "%s%s%.*s%s", masks->folder, slash ? "/" : "", stem, relative, ending);
    return ead_strings_find(&masks->files, buffer);
}

static EadStatus take_mask(Tree *masks, EadMaskLayout layout, EadTestSample *sample, const char *relative) {
    size_t size = strlen(masks->folder) + strlen(relative) + 16;
    char *buffer = malloc(size);
    if (!buffer) return ead_fail(EAD_NO_MEMORY, "%s: no memory for the mask's name", sample->path);
    bool folders = layout == EAD_MASK_FOLDERS;
    int index = find_mask(masks, relative, folders ? "" : ".png", buffer, size);
    if (index < 0 && !folders) index = find_mask(masks, relative, "_mask.png", buffer, size);
    if (index < 0) {
        EadStatus status =
            ead_fail(EAD_BAD_ARGUMENT, "%s: has no mask; it should be %s", sample->path, buffer);
        free(buffer);
        return status;
    }
    masks->used[index] = true;
    sample->mask_path = buffer;
    return EAD_OK;
}

static EadStatus check_all_used(const Tree *masks, const char *image_folder) {
    for (int i = 0; i < masks->files.count; i++)
        if (!masks->used[i])
            return ead_fail(EAD_BAD_ARGUMENT, "%s: a mask without its image in %s", masks->files.items[i],
                            image_folder);
    return EAD_OK;
}

static EadStatus add_images(EadDataset *dataset, const Tree *images, EadLabel label, Tree *masks,
                            EadMaskLayout layout) {
    for (int i = 0; i < images->files.count; i++) {
        const char *path = images->files.items[i], *relative = path + images->prefix;
        char *defect = label == EAD_LABEL_GOOD ? strdup("good") : first_folder(relative);
        EadTestSample *sample = add_sample(dataset, path, defect);
        if (!sample) return EAD_NO_MEMORY;
        if (!masks || !sample->anomalous) continue;
        EAD_TRY(take_mask(masks, layout, sample, relative));
        dataset->has_masks = true;
    }
    return masks ? check_all_used(masks, images->folder) : EAD_OK;
}

EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, EadMaskLayout layout) {
    Tree images = {0}, masks = {0};
    EadStatus status = tree_open(&images, folder);
    if (status == EAD_OK && mask_folder)
        status = layout == EAD_MASK_FOLDERS ? tree_open_folders(&masks, mask_folder)
                                            : tree_open(&masks, mask_folder);
    if (status == EAD_OK) status = add_images(dataset, &images, label, mask_folder ? &masks : NULL, layout);
    tree_close(&images);
    tree_close(&masks);
    return status;
}
