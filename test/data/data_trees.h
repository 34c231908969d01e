/* Tiny trees of data sets below SCRATCH, which a suite defines first, and what must come out of them. */
#pragma once

#include "data/dataset/dataset.h"
#include "test/support/scratch.h"

enum { WIDTH = 6, HEIGHT = 5 };

/* A 24-bit BMP, written byte by byte: black, or with one white pixel in its last row. */
static inline void write_bmp(const char *path, bool marked) {
    uint8_t bytes[54 + 20 * HEIGHT] = {'B', 'M', sizeof bytes & 255, sizeof bytes >> 8};
    bytes[10] = 54, bytes[14] = 40, bytes[18] = WIDTH, bytes[22] = HEIGHT, bytes[26] = 1, bytes[28] = 24;
    if (marked) memset(bytes + 54, 255, 3);
    write_bytes(path, bytes, sizeof bytes);
}

static inline void write_mask(const char *path, bool marked) {
    EadImage mask;
    make_folders(path);
    fill_image(&mask, WIDTH, HEIGHT, 1, 0);
    if (marked) mask.pixels[7] = 255;
    ASSERT_OK(ead_png_write(path, &mask));
    ead_image_free(&mask);
}

/* Files below SCRATCH: masks by their names, black ones with a "!" before it; all others are images. */
static inline void make_tree(const char *folder, const char *const *files) {
    char path[512];
    snprintf(path, sizeof path, "rm -rf " SCRATCH "%s", folder);
    shell_ok(path);
    for (int i = 0; files[i]; i++) {
        bool black = files[i][0] == '!';
        snprintf(path, sizeof path, SCRATCH "%s/%s", folder, files[i] + black);
        bool mask = strstr(path, "ground_truth") || strstr(path, "_gt.") || strstr(path, "masks/") ||
                    strstr(path, "_GT") || strstr(path, "_label");
        if (mask && strstr(path, ".bmp"))
            write_bmp(path, !black);
        else if (mask)
            write_mask(path, !black);
        else
            write_noise_png(path, WIDTH, HEIGHT, 3,
                            (uint32_t)i); /* told apart by content, whatever the ending */
    }
}

static inline EadDatasetSpec spec_of(const char *type, const char *path, const char *category) {
    return (EadDatasetSpec){.type = type, .path = path, .category = category, .validation_fraction = 0.1};
}

/* A test image that must come out, by the end of its path; mask: of its mask's path, or NULL. */
typedef struct ExpectedTest {
    const char *path, *defect, *mask;
} ExpectedTest;

static inline bool ends_with(const char *text, const char *end) {
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* The data set has these counts and test images, in any order, with masks that can be read. */
static inline void check(EadDatasetSpec spec, int train, int validation, const ExpectedTest *expected,
                         int tests) {
    EadDataset dataset;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert_int_eq(dataset.train.count, train);
    ck_assert_int_eq(dataset.validation.count, validation);
    ck_assert_int_eq(dataset.test_count, tests);
    for (int i = 0; i < tests; i++) {
        int k = 0;
        while (k < tests && !ends_with(dataset.test[k].path, expected[i].path)) k++;
        ck_assert_msg(k < tests, "no %s", expected[i].path);
        const EadTestSample *sample = &dataset.test[k];
        ck_assert_str_eq(sample->defect, expected[i].defect);
        ck_assert_int_eq(sample->anomalous, strcmp(expected[i].defect, "good") != 0);
        if (!expected[i].mask)
            ck_assert_ptr_null(sample->mask_path);
        else
            ck_assert_msg(sample->mask_path && ends_with(sample->mask_path, expected[i].mask), "%s has no %s",
                          expected[i].path, expected[i].mask);
    }
    ASSERT_OK(ead_dataset_check_tests(&dataset, NULL, false));
    ead_dataset_free(&dataset);
    /* The same test images where only they are asked for. */
    spec.test_only = true;
    ASSERT_OK(ead_dataset_open(&spec, &dataset));
    ck_assert(dataset.test_count == tests && dataset.train.count + dataset.validation.count == 0);
    ead_dataset_free(&dataset);
}

#define CHECK(spec, train, validation, expected)                                                             \
    check(spec, train, validation, expected, (int)(sizeof(expected) / sizeof *(expected)))
