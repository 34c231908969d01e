/* The table of data set types and what is common to all: the validation split and the checks. */
#include "data/dataset/dataset.h"

#include "core/base/philox.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_types.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* X(name in the config, function) */
#define TYPE_LIST(X)                                                                                         \
    X("folder", ead_dataset_open_folder)                                                                     \
    X("mvtec_ad", ead_dataset_open_mvtec_ad)                                                                 \
    X("mvtec_loco", ead_dataset_open_mvtec_loco)                                                             \
    X("visa", ead_dataset_open_visa)

typedef EadStatus OpenFunction(const EadDatasetSpec *spec, EadDataset *out);

static const struct {
    const char *name;
    OpenFunction *open;
} types[] = {
#define X(name, function) {name, function},
    TYPE_LIST(X)
#undef X
};

const char *ead_dataset_types(void) {
#define X(name, function) ", " name
    static const char names[] = TYPE_LIST(X);
#undef X
    return names + 2;
}

/* Moves the held back images from train to validation; both stay sorted. */
static EadStatus split(EadDataset *dataset, double fraction, uint64_t seed) {
    EadStringList all = dataset->train, rest = {0};
    int held_back = (int)lround(fraction * all.count);
    if (held_back < 1) held_back = 1;
    if (held_back > all.count - 1) held_back = all.count - 1;
    bool *held = calloc((size_t)all.count, sizeof *held);
    if (!held) return ead_fail(EAD_NO_MEMORY, "no memory to split %d images", all.count);
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

static EadStatus check_no_leak(const EadDataset *dataset) {
    for (int i = 0; i < dataset->test_count; i++)
        if (ead_strings_find(&dataset->train, dataset->test[i].path) >= 0 ||
            ead_strings_find(&dataset->validation, dataset->test[i].path) >= 0)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: is both an image to train on and a test image; keep their folders apart",
                            dataset->test[i].path);
    return EAD_OK;
}

static EadStatus open_parts(const EadDatasetSpec *spec, OpenFunction *open, EadDataset *out) {
    EAD_TRY(open(spec, out));
    ead_strings_sort(&out->train);
    EAD_TRY(check_no_leak(out));
    if (out->validation.count > 0) return EAD_OK;
    if (out->train.count < 2)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: the only normal image; one to train on and one for validation is "
                        "the least",
                        out->train.items[0]);
    return split(out, spec->validation_fraction, spec->seed);
}

EadStatus ead_dataset_open(const EadDatasetSpec *spec, EadDataset *out) {
    *out = (EadDataset){0};
    size_t count = sizeof types / sizeof *types, i = 0;
    const char *type = spec->type ? spec->type : "";
    while (i < count && strcmp(types[i].name, type) != 0) i++;
    if (i == count)
        return ead_fail(EAD_BAD_ARGUMENT, "dataset.type \"%s\" is unknown; the types are %s", type,
                        ead_dataset_types());
    if (!spec->path || !*spec->path) return ead_fail(EAD_BAD_ARGUMENT, "dataset.path is missing");
    if (!(spec->validation_fraction > 0 && spec->validation_fraction < 1))
        return ead_fail(EAD_BAD_ARGUMENT, "a validation fraction of %g; it must lie between 0 and 1",
                        spec->validation_fraction);
    EadStatus status = open_parts(spec, types[i].open, out);
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
    *dataset = (EadDataset){0};
}
