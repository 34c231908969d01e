/* Masks beside their images, for good images too, whose masks are black: nothing else says which are good.
 * KolektorSDD (Tabernik et al., J. Intell. Manuf. 2020), 50 items with 7 or 8 parts each, not divided:
 *   kosNN/PartN.jpg, kosNN/PartN_label.bmp
 * KolektorSDD2 (Bozic et al., Computers in Industry 2021), whose training images hold defects, too:
 *   train/NNNNN.png, train/NNNNN_GT.png, test/NNNNN.png, test/NNNNN_GT.png */
#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Items of an undivided data set whose numbers it divides are tested: kos05, kos10, ..., kos50. */
enum { TEST_ITEM = 5 };

static EadStatus marks_defect(const char *path, EadImageNotes *notes, bool *defect) {
    EadImage mask;
    EAD_TRY(ead_mask_load_with(path, &(EadImageRules){.notes = notes}, &mask));
    size_t size = (size_t)mask.width * (size_t)mask.height, i = 0;
    while (i < size && !mask.pixels[i]) i++;
    *defect = i < size;
    ead_image_free(&mask);
    return EAD_OK;
}

/* Whether the file's name ends as those of masks do. */
static bool is_mask(const char *path, const char *ending) {
    size_t length = strlen(ending), stem = ead_path_stem(path);
    return stem > length && strncasecmp(path + stem - length, ending, length) == 0;
}

/* What becomes of the images of a folder. */
typedef enum Part { TRAIN, TEST, BY_ITEM } Part;

typedef struct Pairing {
    const EadDatasetSpec *spec;
    const EadLayout *layout;
    EadDataset *out;
    int left_out;         /* images with defects among those to train on */
    int for_training;     /* good images that a test leaves out */
    int images;           /* met so far */
    EadStringList bare;   /* why nothing says what an image is; one line each */
    EadImageNotes *notes; /* of masks that are not read again as those of test images */
} Pairing;

/* By its name, so that an image has the same part whatever else is there. */
static bool is_test_item(const char *folder) {
    const char *end = folder + strlen(folder), *digits = end;
    while (digits > folder && strchr("0123456789", digits[-1])) digits--;
    return digits < end && strtoul(digits, NULL, 10) % TEST_ITEM == 0;
}

/* Finds an image's mask and whether it marks a defect. Without one it fails, and says where it should be. */
static EadStatus read_mask(const Pairing *pairing, const EadStringList *files, EadMaskUse *uses,
                           const char *path, EadImageNotes *notes, const char **mask, bool *defect) {
    int stem = (int)ead_path_stem(path);
    int index = ead_dataset_find_mask(files, path, stem, pairing->layout->ending, true, uses);
    *mask = index >= 0 ? files->items[index] : NULL;
    if (*mask) uses[index] = EAD_MASK_TAKEN;
    if (*mask) return marks_defect(*mask, notes, defect);
    const EadLeftOut *left = &pairing->out->left_out;
    int lost = ead_dataset_find_mask(&left->paths[EAD_LEFT_OUT_UNREADABLE], path, stem,
                                     pairing->layout->ending, true, NULL);
    if (lost >= 0) return ead_fail(EAD_IO, "%s: its mask %s", path, left->messages.items[lost]);
    return ead_fail(EAD_BAD_ARGUMENT, "%s: has no mask; it should be %.*s%s.png or .bmp", path, stem, path,
                    pairing->layout->ending);
}

static EadStatus add_image(Pairing *pairing, const EadStringList *files, EadMaskUse *uses, const char *path,
                           Part part) {
    EadPath folder;
    const char *mask;
    bool defect = false;
    EadDataset *out = pairing->out;
    EAD_TRY(ead_path_folder(folder, path));
    pairing->images++;
    EadStatus status =
        read_mask(pairing, files, uses, path, part == TEST ? NULL : pairing->notes, &mask, &defect);
    if (status != EAD_OK)
        return status == EAD_NO_MEMORY ? status : ead_strings_add(&pairing->bare, ead_error_message());
    if (part == BY_ITEM) part = defect || is_test_item(folder) ? TEST : TRAIN;
    pairing->left_out += defect && part == TRAIN;
    pairing->for_training += !defect && part == TRAIN && pairing->spec->test_only;
    if (part == TRAIN)
        return defect || pairing->spec->test_only ? EAD_OK : ead_strings_add(&out->train, path);
    return ead_dataset_add_sample(out, path, defect ? "defect" : "good", mask);
}

static EadStatus add_files(Pairing *pairing, const EadStringList *files, EadMaskUse *uses, Part part) {
    int masks = 0;
    for (int i = 0; i < files->count; i++) {
        bool mask = is_mask(files->items[i], pairing->layout->ending);
        masks += mask;
        if (!mask) EAD_TRY(add_image(pairing, files, uses, files->items[i], part));
        if (!mask) uses[i] = EAD_MASK_TAKEN; /* is no stray one */
    }
    return ead_dataset_doubt_strays(files, uses, masks, pairing->out);
}

static EadStatus add_folder(Pairing *pairing, const char *folder, Part part) {
    EadStringList files = {0};
    EAD_TRY(ead_list_images_and_masks(&files, folder, &pairing->out->left_out));
    EadMaskUse *uses = ead_new(files.count, sizeof *uses, "a list of masks");
    EadStatus status = uses ? add_files(pairing, &files, uses, part) : EAD_NO_MEMORY;
    free(uses);
    ead_strings_free(&files);
    return status;
}

/* A part of a divided data set, which must be there. */
static EadStatus add_part(Pairing *pairing, Part part) {
    EadPath folder;
    const char *path = pairing->spec->path,
               *name = part == TRAIN ? pairing->layout->train : pairing->layout->test;
    EAD_TRY(ead_dataset_place(folder, path, name));
    if (!ead_path_is_folder(folder)) return ead_dataset_no_folder(pairing->spec, pairing->layout, path, name);
    return add_folder(pairing, folder, part);
}

/* Tells what lies beside the two parts. */
static EadStatus tell_unused(Pairing *pairing) {
    EadPath train;
    EadStringList places = {0};
    EAD_TRY(ead_dataset_place(train, pairing->spec->path, pairing->layout->train));
    EadStatus status = ead_strings_add(&places, train);
    if (status == EAD_OK) status = ead_dataset_doubt_unused(pairing->out, pairing->spec->path, &places);
    ead_strings_free(&places);
    return status;
}

static EadStatus add_parts(Pairing *pairing) {
    const EadDatasetSpec *spec = pairing->spec;
    const EadLayout *layout = pairing->layout;
    EadDataset *out = pairing->out;
    if (!layout->train[0])
        EAD_TRY(add_folder(pairing, spec->path, BY_ITEM));
    else if (!spec->test_only)
        EAD_TRY(add_part(pairing, TRAIN));
    if (layout->test[0]) EAD_TRY(add_part(pairing, TEST));
    if (pairing->bare.count > 0 && 2 * pairing->bare.count >= pairing->images)
        return ead_fail(EAD_BAD_ARGUMENT, "%s", pairing->bare.items[0]);
    EAD_TRY(ead_dataset_doubt(&pairing->bare, pairing->images,
                              "images have no mask that says what they are, and are left out", &out->doubts));
    if (out->train.count + out->test_count == 0)
        return ead_dataset_no_folder(spec, layout, spec->path, layout->sign + 1);
    if (!layout->train[0] && !spec->test_only && out->train.count == 0)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "%s: no good images to train on: all are of items for tests, whose numbers %d divides",
            spec->path, TEST_ITEM);
    if (!layout->train[0] && !spec->test_only)
        EAD_TRY(ead_strings_print(&out->notes,
                                  "%s: for tests: the good images of items whose numbers %d divides, and all "
                                  "defects (%d); for training: the other good images (%d)",
                                  spec->path, TEST_ITEM, out->test_count, out->train.count));
    EAD_TRY(ead_dataset_note_for_training(out, spec->path, pairing->for_training));
    if (layout->train[0]) EAD_TRY(tell_unused(pairing));
    if (pairing->left_out == 0) return EAD_OK;
    return ead_strings_print(&out->notes, "%s/%s: %d images with a defect are not trained on", spec->path,
                             layout->train, pairing->left_out);
}

EadStatus ead_dataset_open_beside(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    Pairing pairing = {.spec = spec, .layout = layout, .out = out};
    EAD_TRY(ead_image_notes_new(&pairing.notes));
    EadStatus status = add_parts(&pairing);
    if (status == EAD_OK) status = ead_image_notes_take(pairing.notes, &out->doubts);
    ead_image_notes_free(pairing.notes);
    ead_strings_free(&pairing.bare);
    return status;
}
