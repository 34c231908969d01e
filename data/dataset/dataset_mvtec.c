/* MVTec AD (Bergmann et al., CVPR 2019), which has no validation images of its own:
 *   <path>/<category>/train/good/NNN.png
 *   <path>/<category>/test/<defect>/NNN.png, normal images in test/good
 *   <path>/<category>/ground_truth/<defect>/NNN_mask.png
 * MVTec LOCO AD (Bergmann et al., IJCV 2022):
 *   <path>/<category>/train/good/NNN.png, validation/good/NNN.png
 *   <path>/<category>/test/good, logical_anomalies, structural_anomalies
 *   <path>/<category>/ground_truth/<kind>/<NNN of the image>/NNN.png, one channel a defect
 *   <path>/<category>/defects_config.json, what the channels' pixel values mean */
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"

EadStatus ead_dataset_open_mvtec_ad(const EadDatasetSpec *spec, EadDataset *out) {
    EadPath root, train, test, masks;
    EAD_TRY(ead_dataset_category_folder(spec, root));
    EAD_TRY(ead_path_in(train, root, "train/good"));
    EAD_TRY(ead_path_in(test, root, "test"));
    EAD_TRY(ead_path_in(masks, root, "ground_truth"));
    EAD_TRY(ead_dataset_add_train(out, train));
    return ead_dataset_add_test(out, test, EAD_LABEL_BY_FOLDER, masks, EAD_MASK_FILES);
}

EadStatus ead_dataset_open_mvtec_loco(const EadDatasetSpec *spec, EadDataset *out) {
    EadPath root, types, train, validation, test, masks;
    EAD_TRY(ead_dataset_category_folder(spec, root));
    EAD_TRY(ead_path_in(types, root, "defects_config.json"));
    EAD_TRY(ead_path_in(train, root, "train/good"));
    EAD_TRY(ead_path_in(validation, root, "validation/good"));
    EAD_TRY(ead_path_in(test, root, "test"));
    EAD_TRY(ead_path_in(masks, root, "ground_truth"));
    out->types = ead_new(1, sizeof *out->types, "kinds of defects");
    if (!out->types) return EAD_NO_MEMORY;
    EAD_TRY(ead_defect_types_read(types, out->types));
    EAD_TRY(ead_dataset_add_train(out, train));
    EAD_TRY(ead_list_images(&out->validation, validation, &out->left_out));
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
