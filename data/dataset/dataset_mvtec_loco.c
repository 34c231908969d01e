/* MVTec LOCO AD (Bergmann et al., IJCV 2022):
 *   <path>/<category>/train/good/NNN.png, validation/good/NNN.png
 *   <path>/<category>/test/good, logical_anomalies, structural_anomalies
 *   <path>/<category>/ground_truth/<kind>/<NNN of the image>/NNN.png, one channel a defect
 *   <path>/<category>/defects_config.json, what the channels' pixel values mean */
#include "data/dataset/dataset_types.h"

#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <stdlib.h>

static EadStatus read_types(const char *root, EadDataset *out) {
    char *path = ead_path_join(root, "defects_config.json");
    out->types = calloc(1, sizeof *out->types);
    EadStatus status = path && out->types ? ead_defect_types_read(path, out->types)
                                          : ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", root);
    free(path);
    return status;
}

static EadStatus open_parts(const char *train, const char *validation, const char *test, const char *masks,
                            EadDataset *out) {
    if (!train || !validation || !test || !masks) return EAD_NO_MEMORY;
    EAD_TRY(ead_dataset_add_train(out, train));
    EAD_TRY(ead_list_images(&out->validation, validation));
    if (out->validation.count == 0)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: no validation images (%s)", validation,
                        ead_image_extensions());
    if (!ead_path_is_folder(test)) return ead_fail(EAD_IO, "%s: no such folder", test);
    EAD_TRY(ead_dataset_add_test(out, test, EAD_LABEL_BY_FOLDER, masks, EAD_MASK_FOLDERS));
    if (out->test_count == 0)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: no test images (%s)", test, ead_image_extensions());
    for (int i = 0; i < out->test_count; i++) out->test[i].types = out->types;
    return EAD_OK;
}

EadStatus ead_dataset_open_mvtec_loco(const EadDatasetSpec *spec, EadDataset *out) {
    char *root;
    EAD_TRY(ead_dataset_category_folder(spec, &root));
    char *train = ead_path_join(root, "train/good"), *validation = ead_path_join(root, "validation/good");
    char *test = ead_path_join(root, "test"), *masks = ead_path_join(root, "ground_truth");
    EadStatus status = read_types(root, out);
    if (status == EAD_OK) status = open_parts(train, validation, test, masks, out);
    free(train);
    free(validation);
    free(test);
    free(masks);
    free(root);
    return status;
}
