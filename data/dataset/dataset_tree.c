/* A folder for each category, with folders of images to train on and to test with; which, says the row of the
 * type. Test images lie in subfolders: good ones, and one for each kind of defect; their masks in a tree of
 * the same folders. As published:
 * MVTec AD (Bergmann et al., CVPR 2019), and MPDD (Jezek et al., ICUMT 2021):
 *   train/good/NNN.png, test/<defect>/NNN.png, test/good, ground_truth/<defect>/NNN_mask.png
 * BTAD (Mishra et al., ISIE 2021), images and masks .bmp or .png, as the category has it:
 *   train/ok/NNNN.bmp, test/ok, test/ko, ground_truth/ko/NNNN.png
 * MVTec AD 2 (Heckler-Kram et al., 2025); test_private and test_private_mixed come without labels:
 *   train/good/NNN_regular.png, validation/good, test_public/good, test_public/bad/NNN_<light>.png,
 *   test_public/ground_truth/bad/NNN_<light>_mask.png
 * MVTec LOCO AD (Bergmann et al., IJCV 2022):
 *   train/good/NNN.png, validation/good, test/good, test/logical_anomalies, test/structural_anomalies,
 *   ground_truth/<kind>/<NNN of the image>/NNN.png, one channel a defect, and
 *   defects_config.json, what the channels' pixel values mean */
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"

#include <string.h>
#include <unistd.h>

/* Images to train on, and those for validation that the authors have chosen. */
static EadStatus add_train(const EadDatasetSpec *spec, const EadLayout *layout, const char *root,
                           EadDataset *out) {
    EadPath train, validation;
    EAD_TRY(ead_dataset_place(train, root, layout->train));
    if (!ead_path_is_folder(train)) return ead_dataset_no_folder(spec, layout, root, layout->train);
    EAD_TRY(ead_dataset_add_images(out, train, "images to train on", &out->train));
    if (!layout->validation[0]) return EAD_OK;
    EAD_TRY(ead_dataset_place(validation, root, layout->validation));
    if (!ead_path_is_folder(validation)) return ead_dataset_no_folder(spec, layout, root, layout->validation);
    return ead_dataset_add_images(out, validation, "validation images", &out->validation);
}

/* A folder without test images is one to train on only, unless it looks like that of another type. */
static EadStatus add_test(const EadDatasetSpec *spec, const EadLayout *layout, const char *root,
                          EadDataset *out) {
    EadPath test, mask_folder;
    EAD_TRY(ead_dataset_place(test, root, layout->test));
    EAD_TRY(ead_dataset_place(mask_folder, root, layout->masks));
    if (!ead_path_is_folder(mask_folder))
        EAD_TRY(ead_dataset_place(mask_folder, test, ead_path_base(layout->masks)));
    EadPath train;
    EAD_TRY(ead_dataset_place(train, root, layout->train));
    bool there = ead_path_is_folder(test), needed = !layout->ending || !ead_path_is_folder(train);
    if (!there && (needed || ead_dataset_recognise(root) || ead_dataset_recognise(spec->path)))
        return ead_dataset_no_folder(spec, layout, root, layout->test);
    if (!there)
        return ead_strings_print(&out->notes, "%s: no folder %s, so there is nothing to test with", root,
                                 layout->test);
    EAD_TRY(ead_dataset_add_test(out, test, EAD_LABEL_BY_FOLDER, mask_folder, layout->ending));
    if (out->test_count > 0 || !needed) return EAD_OK;
    return ead_dataset_no_images(out, test, "test images");
}

/* Tells what the category holds besides. MVTec AD 2 comes with test images that have no labels; they are meant to be
 * left out. */
static EadStatus tell_unused(const EadLayout *layout, const char *root, EadDataset *out) {
    const char *const used[] = {layout->train, layout->validation, layout->test, layout->masks};
    static const char *const unlabelled[] = {"test_private", "test_private_mixed"};
    EadStringList places = {0};
    EadPath folder;
    EadStatus status = EAD_OK;
    for (size_t i = 0; i < sizeof used / sizeof *used && status == EAD_OK; i++) {
        if (!*used[i]) continue;
        status = ead_dataset_place(folder, root, used[i]);
        if (status == EAD_OK) status = ead_strings_add(&places, folder);
    }
    for (size_t i = 0; i < sizeof unlabelled / sizeof *unlabelled && status == EAD_OK; i++) {
        status = ead_path_in(folder, root, unlabelled[i]);
        if (status != EAD_OK || !ead_path_is_folder(folder)) continue;
        status = ead_strings_add(&places, folder);
        if (status == EAD_OK)
            status = ead_strings_print(&out->notes, "%s: is no part of the layout, and not used", folder);
    }
    if (status == EAD_OK) status = ead_dataset_doubt_unused(out, root, &places);
    ead_strings_free(&places);
    return status;
}

EadStatus ead_dataset_open_tree(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    EadPath root;
    EAD_TRY(ead_dataset_category_folder(spec, layout, root));
    EAD_TRY(ead_dataset_refuse_foreign(root, true));
    if (!spec->test_only) EAD_TRY(add_train(spec, layout, root, out));
    EAD_TRY(add_test(spec, layout, root, out));
    return tell_unused(layout, root, out);
}

EadStatus ead_dataset_open_channels(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    EadPath root, types;
    EAD_TRY(ead_dataset_category_folder(spec, layout, root));
    EAD_TRY(ead_path_in(types, root, layout->sign));
    if (access(types, F_OK) != 0) return ead_dataset_no_folder(spec, layout, root, layout->sign);
    out->types = ead_new(1, sizeof *out->types, "kinds of defects");
    if (!out->types) return EAD_NO_MEMORY;
    EAD_TRY(ead_defect_types_read(types, out->types));
    if (!spec->test_only) EAD_TRY(add_train(spec, layout, root, out));
    EAD_TRY(add_test(spec, layout, root, out));
    EAD_TRY(tell_unused(layout, root, out));
    for (int i = 0; i < out->test_count; i++) out->test[i].types = out->types;
    return EAD_OK;
}
