/* The table of data set types and what is common to all: the validation split and the checks. */
#include "data/dataset/dataset.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "data/dataset/dataset_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(name, help, ...) static const char *const name##_categories[] = {__VA_ARGS__, NULL};
EAD_DATASET_LIST(X)
#undef X

static const struct {
    const char *name;
    EadDatasetOpen *open;
    const char *const *categories; /* ended by NULL */
} types[] = {
#define X(name, ...) {#name, ead_dataset_open_##name, name##_categories},
    EAD_DATASET_LIST(X)
#undef X
};

enum { TYPES = sizeof types / sizeof *types };

const char *ead_dataset_types(void) {
#define X(name, ...) ", " #name
    static const char names[] = EAD_DATASET_LIST(X);
#undef X
    return names + 2;
}

/* TYPES if there is none of that name. */
static int find_type(const char *name) {
    int i = 0;
    while (i < TYPES && strcmp(types[i].name, name) != 0) i++;
    return i;
}

const char *const *ead_dataset_categories(const char *type) {
    static const char *const none[] = {NULL};
    int index = find_type(type);
    return index < TYPES ? types[index].categories : none;
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

static EadStatus open_parts(const EadDatasetSpec *spec, EadDatasetOpen *open, EadDataset *out) {
    EAD_TRY(open(spec, out));
    ead_strings_sort(&out->train);
    for (int i = 0; i < out->test_count; i++)
        if (ead_strings_find_sorted(&out->train, out->test[i].path) >= 0 ||
            ead_strings_find_sorted(&out->validation, out->test[i].path) >= 0)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: is both an image to train on and a test image; keep their folders apart",
                            out->test[i].path);
    if (out->validation.count > 0) return EAD_OK;
    if (out->train.count < 2)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: the only normal image; one to train on and one for validation is the least",
                        out->train.items[0]);
    return split(out, spec->validation_fraction, spec->seed);
}

EadStatus ead_dataset_open(const EadDatasetSpec *spec, EadDataset *out) {
    *out = (EadDataset){0};
    const char *type = spec->type ? spec->type : "";
    int index = find_type(type);
    if (index == TYPES)
        return ead_fail(EAD_BAD_ARGUMENT, "dataset.type \"%s\" is unknown; the types are %s", type,
                        ead_dataset_types());
    if (!spec->path || !*spec->path) return ead_fail(EAD_BAD_ARGUMENT, "dataset.path is missing");
    if (!(spec->validation_fraction > 0 && spec->validation_fraction < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "a validation fraction of %g; it must lie between 0 and 1",
                        spec->validation_fraction);
    EadStatus status = open_parts(spec, types[index].open, out);
    if (status != EAD_OK) ead_dataset_free(out);
    return status;
}

void ead_dataset_free(EadDataset *dataset) {
    ead_strings_free(&dataset->train);
    ead_strings_free(&dataset->validation);
    for (int i = 0; i < dataset->test_count; i++) {
        free(dataset->test[i].path);
        free(dataset->test[i].mask_path);
        free(dataset->test[i].defect);
    }
    free(dataset->test);
    if (dataset->types) ead_defect_types_free(dataset->types);
    free(dataset->types);
    ead_left_out_free(&dataset->left_out);
    *dataset = (EadDataset){0};
}
