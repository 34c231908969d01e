/* Categories, lists of images, and the pairing of test images with their masks. */
#include "data/dataset/dataset_layout.h"

#include "core/base/memory.h"
#include "data/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

EadStatus ead_dataset_category_folder(const EadDatasetSpec *spec, EadPath root) {
    if (spec->category && *spec->category) {
        EAD_TRY(ead_path_in(root, spec->path, spec->category));
        if (ead_path_is_folder(root)) return EAD_OK;
    }
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, spec->path);
    if (status == EAD_OK) status = ead_dataset_unknown_category(spec, spec->path, &names);
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
    if (mask_path) dataset->has_masks = true;
    return sample.path && sample.defect && (sample.mask_path || !mask_path) ? EAD_OK : EAD_NO_MEMORY;
}

/* Index of the mask <folder>/<relative path without extension><ending>, or -1; `path` is its path. */
static int find_mask(const Tree *masks, const char *relative, const char *ending, EadPath path) {
    int stem = (int)(strrchr(relative, '.') - relative);
    bool slash = masks->prefix > strlen(masks->folder);
    snprintf(path, EAD_PATH_SIZE, "%s%s%.*s%s", masks->folder, slash ? "/" : "", stem, relative, ending);
    return ead_strings_find_sorted(&masks->files, path);
}

static EadStatus add_images(EadDataset *dataset, const Tree *images, EadLabel label, Tree *masks,
                            EadMaskLayout layout) {
    bool folders = layout == EAD_MASK_FOLDERS;
    for (int i = 0; i < images->files.count; i++) {
        const char *path = images->files.items[i], *relative = path + images->prefix;
        const char *slash = label == EAD_LABEL_BY_FOLDER ? strchr(relative, '/') : NULL;
        EadPath mask, defect = "good";
        if (slash)
            snprintf(defect, sizeof defect, "%.*s", (int)(slash - relative), relative);
        else if (label == EAD_LABEL_BY_FOLDER)
            strcpy(defect, "defect");
        bool masked = masks && strcmp(defect, "good") != 0;
        if (masked) {
            int index = find_mask(masks, relative, folders ? "" : ".png", mask);
            if (index < 0 && !folders) index = find_mask(masks, relative, "_mask.png", mask);
            if (index < 0) return ead_fail(EAD_BAD_ARGUMENT, "%s: has no mask; it should be %s", path, mask);
            masks->used[index] = true;
        }
        EAD_TRY(ead_dataset_add_sample(dataset, path, defect, masked ? mask : NULL));
    }
    for (int i = 0; masks && i < masks->files.count; i++)
        if (!masks->used[i])
            return ead_fail(EAD_BAD_ARGUMENT, "%s: a mask without its image in %s", masks->files.items[i],
                            images->folder);
    return EAD_OK;
}

EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, EadMaskLayout layout) {
    Tree images = {0}, masks = {0};
    EadStatus status = tree_open(&images, folder, EAD_MASK_FILES, &dataset->left_out);
    if (status == EAD_OK && mask_folder) status = tree_open(&masks, mask_folder, layout, NULL);
    if (status == EAD_OK) status = add_images(dataset, &images, label, mask_folder ? &masks : NULL, layout);
    tree_close(&images);
    tree_close(&masks);
    return status;
}
