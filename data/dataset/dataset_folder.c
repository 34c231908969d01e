/* Images of one's own: a folder of normal ones, and optionally folders of normal test images, of defects and
 * of their masks. Where the config names none of them they are found by their names, as people make them:
 *   train[/ok], validation[/ok], test/ok, test/<defect>, masks
 *   ok, nok or any others beside it, masks: every fifth normal image is tested, the others are trained on */
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEST_IMAGE = 5 }; /* every such normal image is tested where nothing else divides them */

static bool given(const char *folder) {
    return folder && *folder;
}

/* ---- folders that the config names ---- */

/* A configured folder as a path of its own; it must exist. "" if none is named. */
static EadStatus resolve(const EadDatasetSpec *spec, const char *folder, EadPath out) {
    out[0] = '\0';
    if (!given(folder)) return EAD_OK;
    EAD_TRY(ead_path_in(out, spec->path, folder));
    return ead_path_is_folder(out) ? EAD_OK : ead_fail(EAD_IO, "%s: no such folder", out);
}

/* A folder of test images that is named must also hold some. */
static EadStatus add_test(EadDataset *out, const char *folder, EadLabel label, const char *masks) {
    int before = out->test_count;
    if (!*folder) return EAD_OK;
    EAD_TRY(ead_dataset_add_test(out, folder, label, *masks ? masks : NULL, EAD_MASK_FILES));
    if (out->test_count > before) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no test images (%s)", folder, ead_image_extensions());
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
    if (!spec->test_only) EAD_TRY(ead_dataset_add_train(out, *normal ? normal : spec->path));
    EAD_TRY(add_test(out, good, EAD_LABEL_GOOD, ""));
    return add_test(out, defects, EAD_LABEL_BY_FOLDER, masks);
}

/* ---- folders found by their names ---- */

static bool means_train(const char *name) {
    return strcasecmp(name, "train") == 0 || strcasecmp(name, "training") == 0;
}

static bool means_validation(const char *name) {
    return strcasecmp(name, "validation") == 0 || strcasecmp(name, "valid") == 0 ||
           strcasecmp(name, "val") == 0;
}

static bool means_test(const char *name) {
    return strcasecmp(name, "test") == 0 || strcasecmp(name, "testing") == 0;
}

static bool means_masks(const char *name) {
    static const char *const names[] = {"ground_truth", "groundtruth", "gt", "masks", "mask", "labels", NULL};
    int i = 0;
    while (names[i] && strcasecmp(name, names[i]) != 0) i++;
    return names[i] != NULL;
}

/* What the folder of a data set holds; "" for what it does not. */
typedef struct Found {
    EadPath train, validation, test, masks, good, bad;
} Found;

/* The first folder in `folder` of such a name. */
static EadStatus find(const char *folder, bool (*means)(const char *name), EadPath out) {
    EadStringList names = {0};
    out[0] = '\0';
    EAD_TRY(ead_list_folders(&names, folder));
    for (int i = 0; i < names.count && !*out; i++)
        if (means(ead_path_base(names.items[i]))) memcpy(out, names.items[i], strlen(names.items[i]) + 1);
    ead_strings_free(&names);
    return EAD_OK;
}

/* Training images lie in a folder of good ones, or are all there are. */
static EadStatus add_good(const char *folder, EadStringList *list, EadLeftOut *left_out) {
    EadPath good, bad;
    EAD_TRY(find(folder, ead_dataset_means_good, good));
    EAD_TRY(find(folder, ead_dataset_means_bad, bad));
    if (*bad && !*good)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: must not be trained on; set dataset.train_good to the folder of good images",
                        bad);
    return ead_list_images(list, *good ? good : folder, left_out);
}

/* Test images whose place does not say what they are. */
static EadStatus check_labelled(const EadDataset *out, const char *folder) {
    size_t length = strlen(folder) + (folder[strlen(folder) - 1] != '/');
    for (int i = 0; i < out->test_count; i++)
        if (!strchr(out->test[i].path + length, '/'))
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: lies outside of the folders of good and of defective images; set "
                            "dataset.train_good, dataset.test_good and dataset.defects",
                            out->test[i].path);
    return EAD_OK;
}

static EadStatus open_divided(const EadDatasetSpec *spec, const Found *found, EadDataset *out) {
    if (!spec->test_only) EAD_TRY(add_good(found->train, &out->train, &out->left_out));
    if (!spec->test_only && *found->validation)
        EAD_TRY(add_good(found->validation, &out->validation, &out->left_out));
    if (*found->test) EAD_TRY(add_test(out, found->test, EAD_LABEL_BY_FOLDER, found->masks));
    if (*found->test) EAD_TRY(check_labelled(out, found->test));
    return ead_dataset_note(out, "%s: trained on %s, tested with %s", spec->path,
                            *found->train ? found->train : "nothing", *found->test ? found->test : "nothing");
}

/* Takes the normal images out of the test images, but for every fifth. */
static EadStatus divide(EadDataset *out, bool test_only) {
    int kept = 0, normal = 0;
    EadStatus status = EAD_OK;
    for (int i = 0; i < out->test_count; i++) {
        EadTestSample *sample = &out->test[i];
        if (sample->anomalous || ++normal % TEST_IMAGE == 0) {
            out->test[kept++] = *sample;
            continue;
        }
        if (status == EAD_OK && !test_only) status = ead_strings_add(&out->train, sample->path);
        free(sample->path);
        free(sample->mask_path);
        free(sample->defect);
    }
    out->test_count = kept;
    return status;
}

static EadStatus open_side_by_side(const EadDatasetSpec *spec, const Found *found, EadDataset *out) {
    EAD_TRY(add_test(out, spec->path, EAD_LABEL_BY_FOLDER, found->masks));
    EAD_TRY(check_labelled(out, spec->path));
    EAD_TRY(divide(out, spec->test_only));
    return ead_dataset_note(out,
                            "%s: every fifth image of %s and all of the folders beside it are tested; "
                            "dataset.train_good and the keys behind it divide them otherwise",
                            spec->path, ead_path_base(found->good));
}

/* Whether a folder has any other folder in it than those of good images and of masks. */
static EadStatus holds_others(const char *folder, bool *others) {
    EadStringList names = {0};
    *others = false;
    EAD_TRY(ead_list_folders(&names, folder));
    for (int i = 0; i < names.count; i++) {
        const char *name = ead_path_base(names.items[i]);
        *others = *others || (!ead_dataset_means_good(name) && !means_masks(name));
    }
    ead_strings_free(&names);
    return EAD_OK;
}

static EadStatus open_found(const EadDatasetSpec *spec, EadDataset *out) {
    Found found;
    bool others;
    EAD_TRY(find(spec->path, means_train, found.train));
    EAD_TRY(find(spec->path, means_validation, found.validation));
    EAD_TRY(find(spec->path, means_test, found.test));
    EAD_TRY(find(spec->path, means_masks, found.masks));
    EAD_TRY(find(spec->path, ead_dataset_means_good, found.good));
    EAD_TRY(holds_others(spec->path, &others));
    if (*found.test && !*found.masks) EAD_TRY(find(found.test, means_masks, found.masks));
    if (*found.train || (*found.test && spec->test_only)) return open_divided(spec, &found, out);
    if (*found.good && others) return open_side_by_side(spec, &found, out);
    return spec->test_only ? EAD_OK : add_good(spec->path, &out->train, &out->left_out);
}

EadStatus ead_dataset_open_folder(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    (void)layout;
    bool named = given(spec->normal_folder) || given(spec->good_folder) || given(spec->defect_folder) ||
                 given(spec->mask_folder);
    EAD_TRY(named ? open_named(spec, out) : open_found(spec, out));
    if (spec->test_only || out->train.count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no images to train on (%s)", spec->path, ead_image_extensions());
}
