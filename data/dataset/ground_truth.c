/* The ground truth of a test image: one mask, or the defect channels of MVTec LOCO. */
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/dataset/dataset_layout.h"

#include "data/codec/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ead_ground_truth_free(EadGroundTruth *truth) {
    for (int i = 0; i < truth->channel_count; i++) free(truth->channels[i].mask);
    free(truth->channels);
    ead_image_free(&truth->mask);
    *truth = (EadGroundTruth){0};
}

/* Loads a mask of the sample's size. */
static EadStatus load_mask(const EadTestSample *sample, const char *path, int width, int height,
                           EadImage *mask) {
    int64_t pixels = (int64_t)width * height;
    EadImageRules rules = {.max_pixels = pixels > EAD_IMAGE_MAX_PIXELS ? pixels : EAD_IMAGE_MAX_PIXELS};
    EAD_TRY(ead_mask_load_with(path, &rules, mask));
    if (mask->width == width && mask->height == height) return EAD_OK;
    EadStatus status = ead_fail(EAD_BAD_FILE, "%s: the mask has %d x %d pixels, its image %s %d x %d", path,
                                mask->width, mask->height, sample->path, width, height);
    ead_image_free(mask);
    return status;
}

/* Spreads nonzero to 255. Returns how many such pixels there are; *value and *other are two of their values,
 * the same unless there are several. */
static int64_t normalise(EadImage *mask, int *value, int *other) {
    int64_t size = (int64_t)mask->width * mask->height, area = 0;
    *value = *other = 0;
    for (int64_t i = 0; i < size; i++) {
        if (!mask->pixels[i]) continue;
        if (area++ == 0) *value = *other = mask->pixels[i];
        if (mask->pixels[i] != *value) *other = mask->pixels[i];
        mask->pixels[i] = 255;
    }
    return area;
}

/* Checks the pixel values of a channel, finds its type and saturation, and adds it to the union. One without a
 * pixel is left out. */
static EadStatus add_channel(const EadTestSample *sample, const char *path, EadImage *mask,
                             EadGroundTruth *truth) {
    int value, other, first = 0;
    int64_t area = normalise(mask, &value, &other);
    if (area == 0) return EAD_OK;
    if (other != value)
        return ead_fail(EAD_BAD_FILE,
                        "%s: holds the pixel values %d and %d; a channel is one defect with one value", path,
                        value, other);
    const EadDefectType *type = ead_defect_types_find(sample->types, value);
    if (!type)
        return ead_fail(EAD_BAD_FILE, "%s: pixel value %d names no kind of defect in %s", path, value,
                        sample->types->path);
    while (strcmp(sample->types->items[first].name, type->name) != 0) first++; /* several may have one name */
    truth->channels[truth->channel_count++] = (EadDefectChannel){
        .mask = mask->pixels, .saturation = ead_defect_type_saturation(type, area), .type = first};
    size_t size = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < size; i++) truth->mask.pixels[i] |= mask->pixels[i];
    *mask = (EadImage){0}; /* taken over */
    return EAD_OK;
}

static EadStatus load_channels(const EadTestSample *sample, EadGroundTruth *truth) {
    EadStringList files = {0};
    EadStatus status = ead_list_images(&files, sample->mask_path, NULL);
    if (status == EAD_OK && files.count == 0)
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: no mask in it; it should hold those of %s",
                          sample->mask_path, sample->path);
    truth->channels =
        status == EAD_OK ? ead_new(files.count, sizeof *truth->channels, "an image's masks") : NULL;
    if (status == EAD_OK && !truth->channels) status = EAD_NO_MEMORY;
    for (int i = 0; i < files.count && status == EAD_OK; i++) {
        EadImage mask = {0};
        status = load_mask(sample, files.items[i], truth->mask.width, truth->mask.height, &mask);
        if (status == EAD_OK) status = add_channel(sample, files.items[i], &mask, truth);
        ead_image_free(&mask);
    }
    ead_strings_free(&files);
    return status;
}

EadStatus ead_test_sample_truth(const EadTestSample *sample, int width, int height, EadGroundTruth *truth) {
    *truth = (EadGroundTruth){0};
    EadStatus status;
    bool masked = sample->anomalous && sample->mask_path;
    if (masked && !sample->types) {
        int value, other;
        status = load_mask(sample, sample->mask_path, width, height, &truth->mask);
        if (status == EAD_OK) normalise(&truth->mask, &value, &other);
    } else {
        status = ead_image_alloc(&truth->mask, width, height, 1);
        if (status == EAD_OK) memset(truth->mask.pixels, 0, (size_t)width * (size_t)height);
        truth->types = sample->types;
        if (status == EAD_OK && masked) status = load_channels(sample, truth);
    }
    if (status != EAD_OK) ead_ground_truth_free(truth);
    return status;
}

/* ---- the check of all masks ---- */

/* What is doubtful about them, by path. */
typedef struct Doubts {
    EadStringList empty, graded, inverted;
    EadStringList unusable;   /* why, one line a mask */
    EadStringList unreadable; /* images; why */
    int masks, black;         /* that there should be, of anomalous and of normal images */
} Doubts;

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

static EadStatus note_graded(const char *path, const EadImage *mask, EadStringList *graded) {
    int low = 256, high = 0;
    int64_t size = (int64_t)mask->width * mask->height;
    for (int64_t i = 0; i < size; i++) {
        int value = mask->pixels[i];
        if (value && value < low) low = value;
        if (value > high) high = value;
    }
    if (low >= high) return EAD_OK;
    char text[EAD_PATH_SIZE + 32];
    snprintf(text, sizeof text, "%s (%d to %d)", path, low, high);
    return ead_strings_add(graded, text);
}

/* A mask that is missing or cannot be used costs its region. */
static EadStatus note_unusable(EadTestSample *sample, EadStatus status, Doubts *doubts) {
    if (status == EAD_NO_MEMORY) return status;
    free(sample->mask_path);
    sample->mask_path = NULL;
    return ead_strings_add(&doubts->unusable, ead_error_message());
}

/* Looks at the mask of one sample, which a normal image may have, too; then it marks nothing. */
static EadStatus check_mask(EadTestSample *sample, int width, int height, Doubts *doubts) {
    const char *path = sample->mask_path;
    EadImage mask;
    int value, other;
    EadStatus status = load_mask(sample, path, width, height, &mask);
    if (status != EAD_OK) return note_unusable(sample, status, doubts);
    if (sample->anomalous) status = note_graded(path, &mask, &doubts->graded);
    int64_t area = normalise(&mask, &value, &other);
    if (!sample->anomalous && area > 0)
        status = ead_fail(EAD_BAD_FILE, "%s: marks a defect in %s, a normal image", path, sample->path);
    if (status == EAD_OK && sample->anomalous && area == 0) status = ead_strings_add(&doubts->empty, path);
    if (status == EAD_OK && sample->anomalous && looks_inverted(&mask, area))
        status = ead_strings_add(&doubts->inverted, path);
    ead_image_free(&mask);
    return status;
}

/* The same for a folder of channels, each of which should mark something. */
static EadStatus check_channels(EadTestSample *sample, int width, int height, Doubts *doubts) {
    EadGroundTruth truth;
    EadStringList files = {0};
    EadStatus status = ead_test_sample_truth(sample, width, height, &truth);
    if (status != EAD_OK) return note_unusable(sample, status, doubts);
    status = ead_list_images(&files, sample->mask_path, NULL);
    if (status == EAD_OK && truth.channel_count < files.count)
        status = ead_strings_add(&doubts->empty, sample->mask_path);
    ead_strings_free(&files);
    ead_ground_truth_free(&truth);
    return status;
}

/* Whether a sample that should have a mask has one; if not, says so in the thread's message. */
static bool has_mask(const EadTestSample *sample) {
    const char *mask = sample->mask_path;
    if (mask && (access(mask, F_OK) == 0 || errno != ENOENT)) return true;
    ead_fail(EAD_BAD_FILE, "%s: has no mask%s%s", sample->path, mask ? "; it should be " : "",
             mask ? mask : "");
    return false;
}

static EadStatus check_sample(EadTestSample *sample, bool has_masks, const EadImageRules *rules,
                              Doubts *doubts) {
    int width, height;
    bool wanted = sample->mask_path || (sample->anomalous && has_masks);
    *(sample->anomalous ? &doubts->masks : &doubts->black) += wanted;
    EadStatus status = ead_image_size(sample->path, rules, &width, &height);
    if (status != EAD_OK && status != EAD_NO_MEMORY)
        return ead_strings_add(&doubts->unreadable, ead_error_message());
    if (status != EAD_OK || !wanted) return status;
    if (!has_mask(sample)) return note_unusable(sample, EAD_BAD_FILE, doubts);
    return sample->types ? check_channels(sample, width, height, doubts)
                         : check_mask(sample, width, height, doubts);
}

static EadStatus tell_all(const Doubts *doubts, EadDataset *dataset) {
    EAD_TRY(ead_dataset_doubt(&doubts->unreadable, dataset->test_count,
                              "test images cannot be read and will have no score", dataset));
    EAD_TRY(ead_dataset_doubt(&doubts->unusable, doubts->masks + doubts->black,
                              "masks are missing or cannot be used; their images count, without a region",
                              dataset));
    EAD_TRY(ead_dataset_doubt(&doubts->empty, doubts->masks,
                              "masks mark nothing; their images count as anomalous, without a region",
                              dataset));
    EAD_TRY(ead_dataset_doubt(
        &doubts->graded, doubts->masks,
        "masks hold several values (did they go through JPEG?); each but 0 counts as defect", dataset));
    return ead_dataset_doubt(
        &doubts->inverted, doubts->masks,
        "masks mark most of the image and of its border (are they inverted?); what is not 0 counts as defect",
        dataset);
}

static EadStatus fail_with(EadStatus status, const EadStringList *errors) {
    char *all = ead_name_paths(errors, errors->count, 0);
    if (!all) return EAD_NO_MEMORY;
    if (errors->count == 1)
        ead_fail(status, "%s", all);
    else
        ead_fail(status, "%d masks cannot be used: %s", errors->count, all);
    free(all);
    return status;
}

EadStatus ead_dataset_check_tests(EadDataset *dataset, const EadImageRules *rules) {
    Doubts doubts = {.masks = 0};
    EadStringList errors = {0};
    EadStatus status = EAD_OK;
    for (int i = 0; i < dataset->test_count && status != EAD_NO_MEMORY; i++) {
        status = check_sample(&dataset->test[i], dataset->has_masks, rules, &doubts);
        if (status != EAD_OK && status != EAD_NO_MEMORY)
            status = ead_strings_add(&errors, ead_error_message());
    }
    bool most = 2 * doubts.unusable.count >= doubts.masks + doubts.black;
    for (int i = 0; i < doubts.unusable.count && most && status == EAD_OK; i++)
        status = ead_strings_add(&errors, doubts.unusable.items[i]);
    if (status == EAD_OK)
        status = errors.count > 0 ? fail_with(EAD_BAD_FILE, &errors) : tell_all(&doubts, dataset);
    ead_strings_free(&errors);
    ead_strings_free(&doubts.empty);
    ead_strings_free(&doubts.graded);
    ead_strings_free(&doubts.inverted);
    ead_strings_free(&doubts.unusable);
    ead_strings_free(&doubts.unreadable);
    return status;
}
