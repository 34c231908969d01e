/* Test images and their masks: by their place below a folder of masks, by name in a flat one, or beside each
 * other. */
#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"
#include "data/dataset/folder_names.h"
#include "data/source/masks_beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A folder of test images or masks with all that lies below it. */
typedef struct Tree {
    const char *folder;
    size_t prefix; /* bytes of a path up to the part below the folder */
    EadStringList files;
    EadMaskUse *uses;   /* [files.count], of masks */
    const char *ending; /* of masks, see EadLayout */
} Tree;

static Tree tree_of(const char *folder) {
    return (Tree){.folder = folder, .prefix = ead_path_prefix(folder)};
}

/* The images below a folder, none where there is no folder. */
static EadStatus open_images(Tree *tree, const char *folder, EadLeftOut *left_out) {
    *tree = tree_of(folder);
    return ead_path_is_folder(folder) ? ead_list_images(&tree->files, folder, left_out) : EAD_OK;
}

/* The same for masks, which may be the folders two levels down: <kind of defect>/<image>. One that cannot be
 * read is one all the same, and told when all are read; those of formats that are not read are told in `doubts`. */
static EadStatus open_masks(Tree *tree, const char *folder, const char *ending, EadStringList *doubts) {
    EadStringList kinds = {0}, files = {0};
    EadLeftOut left = {0};
    EadStatus status = EAD_OK;
    const EadStringList *foreign = &left.paths[EAD_LEFT_OUT_FORMAT],
                        *unread = &left.paths[EAD_LEFT_OUT_UNREADABLE];
    *tree = tree_of(folder);
    tree->ending = ending;
    if (ead_path_is_folder(folder)) status = ead_list_images_and_masks(&files, folder, &left);
    if (status == EAD_OK)
        status = ead_dataset_doubt(foreign, files.count + foreign->count,
                                   "masks are of a format that is not read, and are left out", doubts);
    for (int i = 0; i < unread->count && status == EAD_OK; i++)
        status = ead_strings_add(&files, unread->items[i]);
    if (ending) tree->files = files;
    if (!ending) ead_strings_free(&files);
    if (!ending && status == EAD_OK && ead_path_is_folder(folder)) status = ead_list_folders(&kinds, folder);
    for (int i = 0; i < kinds.count && status == EAD_OK; i++)
        status = ead_list_folders(&tree->files, kinds.items[i]);
    ead_strings_sort(&tree->files);
    ead_strings_free(&kinds);
    ead_left_out_free(&left);
    if (status == EAD_OK) tree->uses = ead_new(tree->files.count, sizeof *tree->uses, folder);
    return status != EAD_OK || tree->uses ? status : EAD_NO_MEMORY;
}

static void tree_close(Tree *tree) {
    ead_strings_free(&tree->files);
    free(tree->uses);
    *tree = (Tree){0};
}

/* 0: a file with this ending behind a stem of `length` bytes; 1: with none; 2: with what people write behind
 * masks' names; NO_MASK: with anything else. */
enum { NO_MASK = 3 };
static int rank_of(const char *file, int length, const char *ending) {
    int stem = (int)ead_path_stem(file), folder = (int)(ead_path_base(file) - file),
        size = (int)strlen(ending);
    if (stem == length + size && strncasecmp(file + length, ending, (size_t)size) == 0) return 0;
    if (stem == length) return 1;
    size_t bare = stem > folder ? ead_mask_stem(file + folder, (size_t)(stem - folder)) : 0;
    return bare > 0 && folder + (int)bare == length ? 2 : NO_MASK;
}

int ead_dataset_find_mask(const EadStringList *files, const char *stem, int length, const char *ending,
                          bool only, EadMaskUse *uses) {
    int first = ead_strings_first_from(files, 0, stem, (size_t)length), found = -1, best = only ? 1 : NO_MASK;
    /* First those that agree in case, then all. */
    for (int pass = 0; pass < 2 && found < 0; pass++)
        for (int i = pass ? 0 : first; i < files->count; i++) {
            const char *file = files->items[i];
            int agrees = pass ? strncasecmp(file, stem, (size_t)length) : strncmp(file, stem, (size_t)length);
            if (agrees != 0 && !pass) break;
            int rank = agrees == 0 ? rank_of(file, length, ending) : NO_MASK;
            if (rank < NO_MASK && uses && uses[i] == EAD_MASK_STRAY) uses[i] = EAD_MASK_SECOND;
            if (rank >= best) continue;
            best = rank;
            found = i;
        }
    return found;
}

/* Index of the mask of the image with that path below its folder, or -1; `path` is the mask's path or, if
 * there is none, what it should be. */
static int find_mask(const Tree *masks, const char *relative, EadPath path) {
    bool slash = masks->prefix > strlen(masks->folder);
    int stem = snprintf(path, EAD_PATH_SIZE, "%s%s%.*s", masks->folder, slash ? "/" : "",
                        (int)ead_path_stem(relative), relative);
    if (stem >= EAD_PATH_SIZE) return -1;
    if (!masks->ending) return ead_strings_find_sorted(&masks->files, path);
    int index = ead_dataset_find_mask(&masks->files, path, stem, masks->ending, false, masks->uses);
    if (index < 0) snprintf(path + stem, (size_t)(EAD_PATH_SIZE - stem), "%s.png", masks->ending);
    if (index >= 0) snprintf(path, EAD_PATH_SIZE, "%s", masks->files.items[index]);
    return index;
}

/* "good", or the kind of defect: the first folder, but for numbers and "images". A folder of good images
 * deeper down is one, too. False: no folder says what it is. */
static bool name_defect(const char *relative, EadLabel label, EadPath defect) {
    const char *next, *name = NULL;
    EadFolderMeaning first = EAD_FOLDER_OTHER;
    bool good = label == EAD_LABEL_GOOD;
    for (const char *at = relative; at && !good; at = next) {
        EadFolderMeaning meaning = ead_folder_next(at, &next);
        good = meaning == EAD_FOLDER_GOOD && first != EAD_FOLDER_BAD;
        if (!next || (name && first != EAD_FOLDER_NUMBER) || meaning == EAD_FOLDER_IMAGES) continue;
        if (name && meaning == EAD_FOLDER_NUMBER) continue;
        name = at;
        first = meaning;
    }
    bool known = name && !good && label != EAD_LABEL_GOOD;
    int length = known ? (int)strcspn(name, "/") : 0;
    snprintf(defect, EAD_PATH_SIZE, "%.*s", length, known ? name : "");
    if (!known) strcpy(defect, good ? "good" : "defect");
    return good || known;
}

/* The masks of the samples from `first` on that lie in a folder of masks without subfolders; good images,
 * whose masks are black, take what is left. */
static EadStatus add_flat_masks(EadDataset *dataset, int first, bool anomalous, Tree *masks) {
    for (int i = first; i < dataset->test_count; i++) {
        EadTestSample *sample = &dataset->test[i];
        EadPath mask;
        if (sample->mask_path || sample->anomalous != anomalous) continue;
        int index = find_mask(masks, ead_path_base(sample->path), mask);
        bool taken = index >= 0 && masks->uses[index] == EAD_MASK_TAKEN;
        if (taken && anomalous)
            return ead_fail(
                EAD_BAD_ARGUMENT,
                "%s: is the mask of %s and of another image; put masks into subfolders named like "
                "those of the images",
                mask, sample->path);
        if (index < 0 || taken) continue;
        masks->uses[index] = EAD_MASK_TAKEN;
        sample->mask_path = ead_strdup(mask);
        if (!sample->mask_path) return EAD_NO_MEMORY;
        dataset->has_masks |= anomalous;
    }
    return EAD_OK;
}

/* Where any anomalous image has a mask, all have one: a name that is not there is told when masks are
 * read. */
static EadStatus name_missing(EadDataset *dataset, int first, const Tree *images, const Tree *masks) {
    EadPath mask;
    for (int i = first; i < dataset->test_count && masks->files.count; i++) {
        EadTestSample *sample = &dataset->test[i];
        if (!sample->anomalous || sample->mask_path) continue;
        (void)find_mask(masks, sample->path + images->prefix, mask);
        if (!dataset->has_masks)
            return ead_fail(EAD_BAD_ARGUMENT, "%s: has no mask; it should be %s", sample->path, mask);
        sample->mask_path = ead_strdup(mask);
        if (!sample->mask_path) return EAD_NO_MEMORY;
    }
    return EAD_OK;
}

EadStatus ead_dataset_doubt_strays(const EadStringList *files, const EadMaskUse *uses, int total,
                                   EadDataset *dataset) {
    static const char *const what[] = {
        [EAD_MASK_STRAY] = "masks have no image and are ignored",
        [EAD_MASK_SECOND] = "masks are ignored, their images have another one whose name goes before"};
    EadStatus status = EAD_OK;
    for (EadMaskUse use = EAD_MASK_STRAY; use < EAD_MASK_TAKEN && status == EAD_OK; use++) {
        EadStringList names = {0};
        for (int i = 0; i < files->count && status == EAD_OK; i++)
            if (uses[i] == use) status = ead_strings_add(&names, files->items[i]);
        if (status == EAD_OK) status = ead_dataset_doubt(&names, total, what[use], &dataset->doubts);
        ead_strings_free(&names);
    }
    return status;
}

/* Normal images may have masks, too, as converters write them; those are black. */
static EadStatus add_images(EadDataset *dataset, const Tree *images, EadLabel label, Tree *masks) {
    int first = dataset->test_count;
    for (int i = 0; i < images->files.count; i++) {
        const char *path = images->files.items[i], *relative = path + images->prefix;
        EadPath mask, defect;
        if (!name_defect(relative, label, defect) && label == EAD_LABEL_TOLD)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: lies outside of the folders of good and of defective images; set "
                            "dataset.train_good, dataset.test_good and dataset.defects",
                            path);
        bool good = strcmp(defect, "good") == 0;
        int index = masks->files.count ? find_mask(masks, relative, mask) : -1;
        if (index >= 0) masks->uses[index] = EAD_MASK_TAKEN;
        bool keep = index >= 0 && !(good && !masks->ending);
        EAD_TRY(ead_dataset_add_sample(dataset, path, defect, keep ? mask : NULL));
    }
    bool flat = masks->ending && masks->files.count > 0;
    if (flat) EAD_TRY(add_flat_masks(dataset, first, true, masks));
    if (flat) EAD_TRY(add_flat_masks(dataset, first, false, masks));
    EAD_TRY(name_missing(dataset, first, images, masks));
    return ead_dataset_doubt_strays(&masks->files, masks->uses, masks->files.count, dataset);
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

/* Without a folder of masks: those that lie beside their images, if more than half of the anomalous images
 * have one. `first`: of those that the search has just left out. */
static EadStatus take_masks_beside(const EadDataset *dataset, int first, const Tree *images, EadLabel label,
                                   const char *ending, Tree *masks) {
    const EadStringList *beside = &dataset->left_out.paths[EAD_LEFT_OUT_MASK];
    EadStatus status = EAD_OK;
    int missing = 0, anomalous = 0;
    tree_close(masks);
    *masks = tree_of(images->folder);
    masks->ending = ending;
    for (int i = first; i < beside->count && status == EAD_OK; i++)
        status = ead_strings_add(&masks->files, beside->items[i]);
    ead_strings_sort(&masks->files);
    for (int i = 0; i < images->files.count; i++) {
        EadPath defect, mask;
        const char *relative = images->files.items[i] + images->prefix;
        (void)name_defect(relative, label, defect);
        if (strcmp(defect, "good") == 0) continue;
        anomalous++;
        missing += find_mask(masks, relative, mask) < 0;
    }
    if (missing > 0 && 2 * missing >= anomalous) ead_strings_free(&masks->files);
    masks->uses = ead_new(masks->files.count, sizeof *masks->uses, "a list of masks");
    return masks->uses ? status : EAD_NO_MEMORY;
}

EadStatus ead_dataset_add_test(EadDataset *dataset, const char *folder, EadLabel label,
                               const char *mask_folder, const char *ending) {
    Tree images = {0}, masks = {0};
    dataset->expects_masks |= mask_folder != NULL;
    int beside = dataset->left_out.paths[EAD_LEFT_OUT_MASK].count;
    EadStatus status = open_images(&images, folder, &dataset->left_out);
    if (mask_folder && ead_path_same(folder, mask_folder)) mask_folder = folder; /* however it is spelled */
    if (status == EAD_OK && mask_folder) status = open_masks(&masks, mask_folder, ending, &dataset->doubts);
    if (status == EAD_OK && mask_folder) set_apart(&images, &masks);
    bool wanted = mask_folder || label == EAD_LABEL_TOLD; /* else the config names none */
    if (status == EAD_OK && wanted && ending && masks.files.count == 0)
        status = take_masks_beside(dataset, beside, &images, label, ending, &masks);
    if (status == EAD_OK) status = add_images(dataset, &images, label, &masks);
    tree_close(&images);
    tree_close(&masks);
    return status;
}
