/* MVTec AD (Bergmann et al., CVPR 2019):
 *   <path>/<category>/train/good/NNN.png
 *   <path>/<category>/test/<defect>/NNN.png, normal images in test/good
 *   <path>/<category>/ground_truth/<defect>/NNN_mask.png
 * It has no validation images of its own. */
#include "data/dataset_types.h"

#include "core/paths.h"

#include <stdio.h>
#include <stdlib.h>

/* The error for a category that is not there: shows which are. */
static EadStatus unknown_category(const EadDatasetSpec *spec) {
    char text[768] = "";
    int length = 0, room = (int)sizeof text;
    EadFileList names = {0};
    EadStatus status = ead_file_list_add_folder_names(&names, spec->path);
    for (int i = 0; status == EAD_OK && i < names.count && length < room; i++)
        length += snprintf(text + length, (size_t)(room - length), "%s%s", i ? ", " : "", names.paths[i]);
    if (status == EAD_OK && names.count == 0)
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: holds no category folders", spec->path);
    else if (status == EAD_OK)
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"; dataset.category can be %s",
                          spec->path, spec->category ? spec->category : "", text);
    ead_file_list_free(&names);
    return status;
}

static EadStatus open_parts(const char *train, const char *test, const char *masks, EadDataset *out) {
    if (!train || !test || !masks) return EAD_NO_MEMORY;
    EAD_TRY(ead_dataset_add_train(out, train));
    return ead_dataset_add_test(out, test, EAD_LABEL_BY_FOLDER, masks);
}

EadStatus ead_dataset_open_mvtec_ad(const EadDatasetSpec *spec, EadDataset *out) {
    if (!spec->category || !*spec->category) return unknown_category(spec);
    char *root = ead_path_join(spec->path, spec->category);
    if (!root) return EAD_NO_MEMORY;
    EadStatus status;
    if (!ead_path_is_folder(root))
        status = unknown_category(spec);
    else {
        char *train = ead_path_join(root, "train/good"), *test = ead_path_join(root, "test");
        char *masks = ead_path_join(root, "ground_truth");
        status = open_parts(train, test, masks, out);
        free(train);
        free(test);
        free(masks);
    }
    free(root);
    return status;
}
