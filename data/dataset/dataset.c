/* The table of data set types and what is common to all: the validation split and the checks. */
#include "data/dataset/dataset.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/file/file_role.h"
#include "data/dataset/dataset_layout.h"
#include "data/dataset/overlap.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define X(name, help, reader, train, validation, test, masks, ending, sign, ...)                             \
    static const char *const name##_categories[] = {__VA_ARGS__, NULL};
EAD_DATASET_LIST(X)
#undef X

static const EadLayout layouts[] = {
#define X(name, help, reader, train, validation, test, masks, ending, sign, ...)                             \
    {#name, ead_dataset_open_##reader, train, validation, test, masks, ending, sign, name##_categories},
    EAD_DATASET_LIST(X)
#undef X
};

enum { LAYOUTS = sizeof layouts / sizeof *layouts };

const EadLayout *ead_dataset_layout(int index) {
    return index < LAYOUTS ? &layouts[index] : NULL;
}

/* In the order of the list. */
static const char *type_names(void) {
#define X(name, ...) ", " #name
    static const char names[] = EAD_DATASET_LIST(X);
#undef X
    return names + 2;
}

const EadLayout *ead_dataset_find_layout(const char *name) {
    for (int i = 0; i < LAYOUTS; i++)
        if (strcmp(layouts[i].name, name) == 0) return &layouts[i];
    return NULL;
}

const char *const *ead_dataset_categories(const char *type) {
    static const char *const none[] = {NULL};
    const EadLayout *layout = ead_dataset_find_layout(type);
    return layout ? layout->categories : none;
}

/* Moves the held back images from train to validation; both stay sorted. */
static EadStatus split(EadDataset *dataset, double fraction, uint64_t seed) {
    EadStringList all = dataset->train, rest = {0};
    int held_back = (int)lround(fraction * all.count);
    if (held_back < 1) held_back = 1;
    if (held_back > all.count - 1) held_back = all.count - 1;
    bool *held = ead_new(all.count, sizeof *held, "a split of the images");
    if (!held) return EAD_NO_MEMORY;
    for (int i = 0; i < held_back; i++)
        held[ead_shuffled_index(seed, EAD_STREAM_SPLIT, (uint64_t)i, (uint32_t)all.count)] = true;
    EadStatus status = EAD_OK;
    for (int i = 0; status == EAD_OK && i < all.count; i++)
        status = ead_strings_add(held[i] ? &dataset->validation : &rest, all.items[i]);
    free(held);
    ead_strings_free(&all);
    dataset->train = rest;
    return status;
}

/* Doubtful only where there should be some. */
static EadStatus note_no_masks(EadDataset *out) {
    bool anomalous = false;
    for (int i = 0; i < out->test_count; i++) anomalous |= out->test[i].anomalous;
    if (out->has_masks || !anomalous) return EAD_OK;
    return ead_strings_add(out->expects_masks ? &out->doubts : &out->notes,
                           "no masks of the test images: only image metrics are computed");
}

/* A note where good images have several endings: their compressions differ, which a model may learn. */
static EadStatus note_endings(EadDataset *out) {
    enum { KINDS = 8 };
    const char *kinds[KINDS] = {0};
    int counts[KINDS] = {0}, known = 0;
    char text[256] = "";
    const EadStringList *lists[] = {&out->train, &out->validation};
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < lists[l]->count; i++) {
            const char *dot = strrchr(ead_path_base(lists[l]->items[i]), '.');
            int k = 0;
            while (k < known && strcasecmp(kinds[k], dot ? dot : "none") != 0) k++;
            if (k == KINDS) continue; /* enough to tell */
            if (k == known) kinds[known++] = dot ? dot : "none";
            counts[k]++;
        }
    for (int k = 0; k < known; k++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d %.16s", k ? ", " : "", counts[k],
                 kinds[k]);
    return known < 2 ? EAD_OK : ead_strings_print(&out->notes, "good images by their endings: %s", text);
}

static EadStatus open_parts(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    out->expects_masks = layout->open != ead_dataset_open_folder;
    EAD_TRY(layout->open(spec, layout, out));
    EAD_TRY(note_no_masks(out));
    ead_strings_sort(&out->train);
    EAD_TRY(ead_dataset_check_apart(out));
    if (spec->test_only) return EAD_OK;
    EAD_TRY(note_endings(out));
    if (out->train.count == 0)
        return ead_fail(EAD_BAD_ARGUMENT, "%s: no good images to train on", spec->path);
    if (out->validation.count > 0) return EAD_OK;
    if (out->train.count < 2)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: the only normal image; one to train on and one for validation is the least",
                        out->train.items[0]);
    return split(out, spec->validation_fraction, spec->seed);
}

static EadStatus open_all(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    EAD_TRY(open_parts(spec, layout, out));
    return spec->test_only ? EAD_OK : ead_dataset_add_more(spec, out);
}

EadStatus ead_dataset_check_path(const char *path) {
    EadStatus status = ead_file_expect(path, EAD_ROLE(FOLDER), "the folder of a data set");
    if (status == EAD_OK && !ead_path_is_folder(path))
        status = ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "dataset.path: ");
}

EadStatus ead_dataset_open(const EadDatasetSpec *spec, EadDataset *out) {
    *out = (EadDataset){0};
    const char *type = spec->type ? spec->type : "";
    const EadLayout *layout = ead_dataset_find_layout(type);
    if (!layout)
        return ead_fail(EAD_BAD_ARGUMENT, "dataset.type \"%s\" is unknown; the types are %s", type,
                        type_names());
    if (!spec->path || !*spec->path) return ead_fail(EAD_BAD_ARGUMENT, "dataset.path is missing");
    if (!(spec->validation_fraction > 0 && spec->validation_fraction < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "a validation fraction of %g; it must lie between 0 and 1",
                        spec->validation_fraction);
    EAD_TRY(ead_dataset_check_path(spec->path));
    EadStatus status = open_all(spec, layout, out);
    if (status == EAD_OK) return EAD_OK;
    ead_dataset_free(out);
    return status == EAD_NO_MEMORY ? status : ead_dataset_name_other(spec, layout, status);
}

void ead_dataset_free(EadDataset *dataset) {
    ead_strings_free(&dataset->train);
    ead_strings_free(&dataset->validation);
    for (int i = 0; i < dataset->test_count; i++) ead_test_sample_free(&dataset->test[i]);
    free(dataset->test);
    if (dataset->types) ead_defect_types_free(dataset->types);
    free(dataset->types);
    ead_left_out_free(&dataset->left_out);
    ead_strings_free(&dataset->notes);
    ead_strings_free(&dataset->doubts);
    *dataset = (EadDataset){0};
}
