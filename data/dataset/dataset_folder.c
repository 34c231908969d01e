/* Images of one's own: a folder of normal ones, and optionally folders of normal test images, of defects and
 * of their masks, as the config names them. */
#include "data/dataset/dataset_layout.h"

static bool given(const char *folder) {
    return folder && *folder;
}

/* A configured folder as a path of its own; it must exist. "" if none is named. */
static EadStatus resolve(const EadDatasetSpec *spec, const char *folder, EadPath out) {
    out[0] = '\0';
    if (!given(folder)) return EAD_OK;
    EAD_TRY(ead_path_in(out, spec->path, folder));
    return ead_path_is_folder(out) ? EAD_OK : ead_fail(EAD_IO, "%s: no such folder", out);
}

EadStatus ead_dataset_add_tests(EadDataset *out, const char *folder, EadLabel label, const char *masks) {
    int before = out->test_count;
    EAD_TRY(ead_dataset_add_test(out, folder, label, given(masks) ? masks : NULL, "_mask"));
    if (out->test_count > before) return EAD_OK;
    return ead_dataset_no_images(out, folder, "test images");
}

static EadStatus open_named(const EadDatasetSpec *spec, EadDataset *out) {
    EadPath normal, good, defects, masks;
    if (given(spec->mask_folder) && !given(spec->defect_folder))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: a folder of masks needs a folder of defects",
                        spec->mask_folder);
    EAD_TRY(resolve(spec, spec->test_only ? NULL : spec->normal_folder, normal));
    EAD_TRY(resolve(spec, spec->good_folder, good));
    EAD_TRY(resolve(spec, spec->defect_folder, defects));
    EAD_TRY(resolve(spec, spec->mask_folder, masks));
    if (!spec->test_only)
        EAD_TRY(
            ead_dataset_add_images(out, *normal ? normal : spec->path, "images to train on", &out->train));
    if (*good) EAD_TRY(ead_dataset_add_tests(out, good, EAD_LABEL_GOOD, NULL));
    return *defects ? ead_dataset_add_tests(out, defects, EAD_LABEL_BY_FOLDER, masks) : EAD_OK;
}

EadStatus ead_dataset_open_folder(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    (void)layout;
    bool named = given(spec->normal_folder) || given(spec->good_folder) || given(spec->defect_folder) ||
                 given(spec->mask_folder);
    EAD_TRY(named ? open_named(spec, out) : ead_dataset_open_found(spec, out));
    if (spec->test_only || out->train.count > 0) return EAD_OK;
    return ead_dataset_no_images(out, spec->path, "images to train on");
}
