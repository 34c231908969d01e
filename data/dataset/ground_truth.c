/* The ground truth of a test image: one mask, or the defect channels of MVTec LOCO. */
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/dataset/dataset_layout.h"

#include "data/codec/codec.h"

#include <stdlib.h>
#include <string.h>

void ead_ground_truth_free(EadGroundTruth *truth) {
    for (int i = 0; i < truth->channel_count; i++) free(truth->channels[i].mask);
    free(truth->channels);
    ead_image_free(&truth->mask);
    *truth = (EadGroundTruth){0};
}

EadStatus ead_test_sample_mask(const EadTestSample *sample, const char *path, int width, int height,
                               EadImageNotes *notes, EadImage *mask) {
    int64_t pixels = (int64_t)width * height;
    EadImageRules rules = {.max_pixels = pixels > EAD_IMAGE_MAX_PIXELS ? pixels : EAD_IMAGE_MAX_PIXELS,
                           .notes = notes};
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

/* Checks the pixel values of a channel, finds its type and saturation, and adds it to the union. One without
 * a pixel is left out. */
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

static EadStatus refuse_empty(const EadTestSample *sample) {
    EadStringList none = {0};
    EadLeftOut left = {0};
    EAD_TRY(ead_list_images(&none, sample->mask_path, &left));
    const EadStringList *foreign = &left.paths[EAD_LEFT_OUT_FORMAT];
    EadStatus status =
        ead_fail(EAD_BAD_ARGUMENT, "%s: no mask in it%s%s; it should hold those of %s", sample->mask_path,
                 foreign->count ? ", but pictures of a format that is not read: " : "",
                 foreign->count ? ead_path_base(foreign->items[0]) : "", sample->path);
    ead_strings_free(&none);
    ead_left_out_free(&left);
    return status;
}

static EadStatus load_channels(const EadTestSample *sample, EadImageNotes *notes, EadGroundTruth *truth) {
    EadStringList files = {0};
    EadStatus status = ead_list_images(&files, sample->mask_path, NULL);
    if (status == EAD_OK && files.count == 0) status = refuse_empty(sample);
    truth->channels =
        status == EAD_OK ? ead_new(files.count, sizeof *truth->channels, "an image's masks") : NULL;
    if (status == EAD_OK && !truth->channels) status = EAD_NO_MEMORY;
    for (int i = 0; i < files.count && status == EAD_OK; i++) {
        EadImage mask = {0};
        status =
            ead_test_sample_mask(sample, files.items[i], truth->mask.width, truth->mask.height, notes, &mask);
        if (status == EAD_OK) status = add_channel(sample, files.items[i], &mask, truth);
        ead_image_free(&mask);
    }
    ead_strings_free(&files);
    return status;
}

EadStatus ead_test_sample_truth(const EadTestSample *sample, int width, int height, EadImageNotes *notes,
                                EadGroundTruth *truth) {
    *truth = (EadGroundTruth){0};
    EadStatus status;
    bool masked = sample->anomalous && sample->mask_path;
    if (masked && !sample->types) {
        int value, other;
        status = ead_test_sample_mask(sample, sample->mask_path, width, height, notes, &truth->mask);
        if (status == EAD_OK) normalise(&truth->mask, &value, &other);
    } else {
        status = ead_image_alloc(&truth->mask, width, height, 1);
        if (status == EAD_OK) memset(truth->mask.pixels, 0, (size_t)width * (size_t)height);
        truth->types = sample->types;
        if (status == EAD_OK && masked) status = load_channels(sample, notes, truth);
    }
    if (status != EAD_OK) ead_ground_truth_free(truth);
    return status;
}
