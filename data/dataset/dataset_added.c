/* More good images than those of the data set, from folders that dataset.add names, one after another: what an earlier
 * one holds back for validation is held back whatever comes behind it. */
#include "core/base/memory.h"
#include "core/base/philox.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"
#include "data/dataset/overlap.h"

#include <math.h>
#include <stdlib.h>

static const char key[] = "dataset.add";

/* How many of so many images more are for validation: as many as make its share of all images. */
static int held_back(const EadDatasetSpec *spec, const EadDataset *dataset, int fresh) {
    int all = dataset->train.count + dataset->validation.count + fresh;
    int wanted = (int)lround(spec->validation_fraction * all) - dataset->validation.count;
    if (wanted > fresh - 1) wanted = fresh - 1;
    return wanted < 0 ? 0 : wanted;
}

/* Puts images into the two lists. */
static EadStatus divide(const EadDatasetSpec *spec, const EadStringList *fresh, int held, EadDataset *out) {
    bool *marks = ead_new(fresh->count, sizeof *marks, "a split of the images");
    EadStatus status = marks ? EAD_OK : EAD_NO_MEMORY;
    for (int i = 0; i < held && status == EAD_OK; i++)
        marks[ead_shuffled_index(spec->seed, EAD_STREAM_SPLIT, (uint64_t)i, (uint32_t)fresh->count)] = true;
    for (int i = 0; i < fresh->count && status == EAD_OK; i++)
        status = ead_strings_add(marks[i] ? &out->validation : &out->train, fresh->items[i]);
    free(marks);
    return status;
}

static EadStatus list_fresh(const char *folder, EadStringList *fresh, int *known, EadDataset *out) {
    if (!ead_path_is_folder(folder)) return ead_fail(EAD_IO, "%s: no such folder", folder);
    EAD_TRY(ead_list_images(fresh, folder, &out->left_out));
    if (fresh->count == 0)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: no images (%s)", folder, ead_image_extensions());
    EAD_TRY(ead_dataset_check_good(folder, fresh, "name a folder of good images alone", out));
    int listed = fresh->count;
    EAD_TRY(ead_dataset_leave_known(out, fresh, key));
    *known = listed - fresh->count;
    if (fresh->count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: the data set has all of its images (%d) already", folder, listed);
}

static EadStatus add_folder(const EadDatasetSpec *spec, const char *folder, EadDataset *out) {
    EadStringList fresh = {0};
    int known = 0, held = 0;
    EadStatus status = list_fresh(folder, &fresh, &known, out);
    if (status == EAD_OK) held = held_back(spec, out, fresh.count);
    if (status == EAD_OK) status = divide(spec, &fresh, held, out);
    if (status == EAD_OK)
        status = ead_strings_print(&out->notes, "%s: %d more good images to train on, %d for validation",
                                   folder, fresh.count - held, held);
    if (status == EAD_OK && known > 0)
        status =
            ead_strings_print(&out->notes, "%s: %d of %d images are in the data set already, and left out",
                              folder, known, known + fresh.count);
    ead_strings_free(&fresh);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", key);
}

EadStatus ead_dataset_add_more(const EadDatasetSpec *spec, EadDataset *out) {
    for (int i = 0; spec->added && i < spec->added->count; i++)
        EAD_TRY(add_folder(spec, spec->added->items[i], out));
    ead_strings_sort(&out->train);
    ead_strings_sort(&out->validation);
    return EAD_OK;
}
