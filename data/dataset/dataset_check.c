/* What is doubtful about the images and masks of a data set, found before the work. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "data/codec/codec.h"
#include "data/dataset/dataset_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFECTIVE, GOOD, KINDS }; /* masks: of which images */

typedef struct Check {
    EadDataset *dataset;
    EadImageRules rules; /* with notes */
    bool whole;
    EadStringList unreadable;      /* test images; why */
    EadStringList unusable[KINDS]; /* masks; why */
    EadStringList empty, graded, inverted;
    EadStringList wrong; /* masks, where most of them are */
    int masks[KINDS];    /* that there should be */
} Check;

/* The size of an image that can be read. */
static EadStatus read_image(const Check *check, const char *path, int *width, int *height) {
    EadImage image;
    if (!check->whole) return ead_image_size(path, &check->rules, width, height);
    EAD_TRY(ead_image_load_with(path, &check->rules, &image));
    *width = image.width;
    *height = image.height;
    ead_image_free(&image);
    return EAD_OK;
}

/* Adds the thread's message. */
static EadStatus note(EadStatus status, EadStringList *messages) {
    return status == EAD_OK || status == EAD_NO_MEMORY ? status
                                                       : ead_strings_add(messages, ead_error_message());
}

/* Images of one list that cannot be read to their end. */
static EadStatus check_list(const Check *check, const EadStringList *images, const char *what) {
    EadStringList unreadable = {0};
    EadStatus status = EAD_OK;
    int width, height;
    for (int i = 0; i < images->count && status == EAD_OK; i++)
        status = note(read_image(check, images->items[i], &width, &height), &unreadable);
    if (status == EAD_OK)
        status = ead_dataset_doubt(&unreadable, images->count, what, &check->dataset->doubts);
    ead_strings_free(&unreadable);
    return status;
}

/* ---- one mask ---- */

/* Whether a mask marks more than half of its image and of the image's border, as inverted ones do. */
static bool looks_inverted(const EadImage *mask, int64_t area) {
    int64_t border = 0, marked = 0;
    for (int y = 0; y < mask->height; y++) {
        bool edge = y == 0 || y == mask->height - 1;
        for (int x = 0; x < mask->width; x += edge || mask->width == 1 ? 1 : mask->width - 1) {
            border++;
            marked += mask->pixels[(size_t)y * (size_t)mask->width + (size_t)x] != 0;
        }
    }
    return 2 * area > (int64_t)mask->width * mask->height && 2 * marked > border;
}

/* What the mask of an anomalous image marks. */
static EadStatus check_marks(Check *check, const char *path, const EadImage *mask) {
    int low = 256, high = 0;
    int64_t size = (int64_t)mask->width * mask->height, area = 0;
    for (int64_t i = 0; i < size; i++) {
        int value = mask->pixels[i];
        area += value > 0;
        if (value && value < low) low = value;
        if (value > high) high = value;
    }
    if (area == 0) return ead_strings_add(&check->empty, path);
    if (low < high) EAD_TRY(ead_strings_print(&check->graded, "%s (%d to %d)", path, low, high));
    return looks_inverted(mask, area) ? ead_strings_add(&check->inverted, path) : EAD_OK;
}

/* A mask that is missing or cannot be used; the thread's message says why. */
static EadStatus note_unusable(Check *check, EadTestSample *sample, EadStatus status) {
    free(sample->mask_path);
    sample->mask_path = NULL;
    return note(status, &check->unusable[sample->anomalous ? DEFECTIVE : GOOD]);
}

/* That of a normal image marks nothing; one that does costs itself. */
static EadStatus check_black(Check *check, EadTestSample *sample, const EadImage *mask) {
    int64_t size = (int64_t)mask->width * mask->height, i = 0;
    while (i < size && !mask->pixels[i]) i++;
    if (i == size) return EAD_OK;
    ead_fail(EAD_BAD_FILE, "%s: marks a defect in %s, a normal image", sample->mask_path, sample->path);
    return note_unusable(check, sample, EAD_BAD_FILE);
}

static EadStatus check_mask(Check *check, EadTestSample *sample, int width, int height) {
    EadImage mask;
    EadStatus status =
        ead_test_sample_mask(sample, sample->mask_path, width, height, check->rules.notes, &mask);
    if (status != EAD_OK) return note_unusable(check, sample, status);
    status =
        sample->anomalous ? check_marks(check, sample->mask_path, &mask) : check_black(check, sample, &mask);
    ead_image_free(&mask);
    return status;
}

/* The same for a folder of channels, each of which should mark something. */
static EadStatus check_channels(Check *check, EadTestSample *sample, int width, int height) {
    EadGroundTruth truth;
    EadStringList files = {0};
    EadStatus status = ead_test_sample_truth(sample, width, height, check->rules.notes, &truth);
    if (status != EAD_OK) return note_unusable(check, sample, status);
    status = ead_list_images(&files, sample->mask_path, NULL);
    if (status == EAD_OK && truth.channel_count < files.count)
        status = ead_strings_add(&check->empty, sample->mask_path);
    ead_strings_free(&files);
    ead_ground_truth_free(&truth);
    return status;
}

/* Whether a sample that should have a mask has one; if not, says so in the thread's message. */
static bool has_mask(const EadTestSample *sample) {
    struct stat entry;
    const char *mask = sample->mask_path;
    if (mask && (access(mask, F_OK) == 0 || errno != ENOENT)) return true;
    if (mask && lstat(mask, &entry) == 0)
        ead_fail(EAD_BAD_FILE, "%s: its mask %s is a link that leads nowhere", sample->path, mask);
    else
        ead_fail(EAD_BAD_FILE, "%s: has no mask%s%s", sample->path, mask ? "; it should be " : "",
                 mask ? mask : "");
    return false;
}

static EadStatus check_sample(Check *check, EadTestSample *sample) {
    int width, height;
    bool wanted = sample->mask_path || (sample->anomalous && check->dataset->has_masks);
    check->masks[sample->anomalous ? DEFECTIVE : GOOD] += wanted;
    EadStatus status = read_image(check, sample->path, &width, &height);
    if (status != EAD_OK || !wanted) return note(status, &check->unreadable);
    if (!has_mask(sample)) return note_unusable(check, sample, EAD_BAD_FILE);
    return sample->types ? check_channels(check, sample, width, height)
                         : check_mask(check, sample, width, height);
}

/* ---- all of them ---- */

static EadStatus tell_all(const Check *check) {
    const struct {
        const EadStringList *names;
        int total;
        const char *what;
    } rows[] = {
        {&check->unreadable, check->dataset->test_count, "test images cannot be read and will have no score"},
        {&check->unusable[DEFECTIVE], check->masks[DEFECTIVE],
         "masks are missing or cannot be used; their images are left out of the pixel metrics"},
        {&check->unusable[GOOD], check->masks[GOOD],
         "masks of good images are missing or cannot be used; the images count as good"},
        {&check->empty, check->masks[DEFECTIVE],
         "masks mark nothing; their images count as anomalous, without a region"},
        {&check->graded, check->masks[DEFECTIVE],
         "masks hold several values (did they go through JPEG?); each but 0 counts as defect"},
        {&check->inverted, check->masks[DEFECTIVE],
         "masks mark most of the image and of its border (are they inverted?); what is not 0 counts as "
         "defect"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EAD_TRY(ead_dataset_doubt(rows[i].names, rows[i].total, rows[i].what, &check->dataset->doubts));
    return ead_image_notes_take(check->rules.notes, &check->dataset->doubts);
}

static EadStatus fail_with(const EadStringList *errors, int masks) {
    char *all = ead_name_paths(errors, errors->count, 0);
    if (!all) return EAD_NO_MEMORY;
    ead_fail(EAD_BAD_FILE, "%d of %d masks cannot be used: %s", errors->count, masks, all);
    free(all);
    return EAD_BAD_FILE;
}

static EadStatus check_all(Check *check) {
    EadDataset *dataset = check->dataset;
    if (check->whole) EAD_TRY(check_list(check, &dataset->train, "images to train on cannot be read"));
    if (check->whole) EAD_TRY(check_list(check, &dataset->validation, "validation images cannot be read"));
    for (int i = 0; i < dataset->test_count; i++) EAD_TRY(check_sample(check, &dataset->test[i]));
    int masks = check->masks[DEFECTIVE] + check->masks[GOOD];
    bool most = 2 * (check->unusable[DEFECTIVE].count + check->unusable[GOOD].count) >= masks;
    for (int kind = 0; kind < KINDS && most; kind++)
        for (int i = 0; i < check->unusable[kind].count; i++)
            EAD_TRY(ead_strings_add(&check->wrong, check->unusable[kind].items[i]));
    return check->wrong.count > 0 ? fail_with(&check->wrong, masks) : tell_all(check);
}

EadStatus ead_dataset_check_tests(EadDataset *dataset, const EadImageRules *rules, bool whole) {
    Check check = {.dataset = dataset, .whole = whole};
    if (rules) check.rules = *rules;
    EAD_TRY(ead_image_notes_new(&check.rules.notes));
    EadStatus status = check_all(&check);
    EadStringList *const lists[] = {&check.unreadable,     &check.unusable[DEFECTIVE],
                                    &check.unusable[GOOD], &check.empty,
                                    &check.graded,         &check.inverted,
                                    &check.wrong};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) ead_strings_free(lists[i]);
    ead_image_notes_free(check.rules.notes);
    return status;
}
