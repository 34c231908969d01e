/* MVTec AD (Bergmann et al., CVPR 2019):
 *   <path>/<category>/train/good/NNN.png
 *   <path>/<category>/test/<defect>/NNN.png, normal images in test/good
 *   <path>/<category>/ground_truth/<defect>/NNN_mask.png
 * It has no validation images of its own. */
#include "data/dataset/dataset_types.h"

#include "core/base/paths.h"

#include <stdlib.h>

static EadStatus open_parts(const char *train, const char *test, const char *masks, EadDataset *out) {
    if (!train || !test || !masks) return EAD_NO_MEMORY;
    EAD_TRY(ead_dataset_add_train(out, train));
    return ead_dataset_add_test(out, test, EAD_LABEL_BY_FOLDER, masks, EAD_MASK_FILES);
}

EadStatus ead_dataset_open_mvtec_ad(const EadDatasetSpec *spec, EadDataset *out) {
    char *root;
    EAD_TRY(ead_dataset_category_folder(spec, &root));
    char *train = ead_path_join(root, "train/good"), *test = ead_path_join(root, "test");
    char *masks = ead_path_join(root, "ground_truth");
    EadStatus status = open_parts(train, test, masks, out);
    free(train);
    free(test);
    free(masks);
    free(root);
    return status;
}
