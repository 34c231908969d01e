/* Images of one's own: a folder of normal ones, and optionally folders of normal test images, of defects and
 * of their masks. */
#include "data/dataset/dataset_types.h"

#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <stdlib.h>
#include <string.h>

static bool given(const char *folder) {
    return folder && *folder;
}

/* A configured folder as a path of its own; it must exist. */
static EadStatus resolve(const EadDatasetSpec *spec, const char *folder, char **out) {
    *out = NULL;
    if (!given(folder)) return EAD_OK;
    *out = ead_path_join(spec->path, folder);
    if (!*out) return ead_fail(EAD_NO_MEMORY, "%s: no memory for the name", folder);
    return ead_path_is_folder(*out) ? EAD_OK : ead_fail(EAD_IO, "%s: no such folder", *out);
}

/* A folder of test images that is named must also hold some. */
static EadStatus add_test(EadDataset *out, const char *folder, EadLabel label, const char *masks) {
    int before = out->test_count;
    if (!folder) return EAD_OK;
    EAD_TRY(ead_dataset_add_test(out, folder, label, masks, EAD_MASK_FILES));
    if (out->test_count > before) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: no test images (%s)", folder, ead_image_extensions());
}

EadStatus ead_dataset_open_folder(const EadDatasetSpec *spec, EadDataset *out) {
    char *normal = NULL, *good = NULL, *defects = NULL, *masks = NULL;
    if (given(spec->mask_folder) && !given(spec->defect_folder))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: a folder of masks needs a folder of defects",
                        spec->mask_folder);
    EadStatus status = resolve(spec, spec->normal_folder, &normal);
    if (status == EAD_OK) status = resolve(spec, spec->good_folder, &good);
    if (status == EAD_OK) status = resolve(spec, spec->defect_folder, &defects);
    if (status == EAD_OK) status = resolve(spec, spec->mask_folder, &masks);
    if (status == EAD_OK) status = ead_dataset_add_train(out, normal ? normal : spec->path);
    if (status == EAD_OK) status = add_test(out, good, EAD_LABEL_GOOD, NULL);
    if (status == EAD_OK) status = add_test(out, defects, EAD_LABEL_BY_FOLDER, masks);
    free(normal);
    free(good);
    free(defects);
    free(masks);
    return status;
}
