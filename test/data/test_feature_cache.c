/* The feature cache: records come back, an interrupted filling goes on, and what does not belong is made anew
 * or refused. And the images of a distillation step: which, in which colours, held out or not. */
#include "core/base/half.h"
#include "core/image/color.h"
#include "data/loader/distill_images.h"
#include "test/support/scratch.h"

#include <unistd.h>

#define SCRATCH "build/scratch/test_feature_cache/"
#define FILE_   SCRATCH "f.cache"
#define PARTIAL FILE_ ".partial"

enum { RECORDS = 3, PIXELS = 12, FEATURES = 10, PAGE = 4096, RECORD = PIXELS + 2 * FEATURES + 8 };

static const EadFeatureCacheSpec spec = {FILE_, 77, RECORDS, PIXELS, FEATURES, NULL, 0};

static void set_up(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH), 0);
    make_folders(SCRATCH);
}

static EadFeatureCache *open_cache(int filled) {
    EadFeatureCache *cache;
    ASSERT_OK(ead_feature_cache_open(&spec, &cache));
    ck_assert_int_eq(ead_feature_cache_filled(cache), filled);
    return cache;
}

static float value(int record, int i) {
    return (float)(record * 100 + i) / 8 - 3;
}

static void add(EadFeatureCache *cache, int record) {
    uint8_t pixels[PIXELS];
    float features[FEATURES];
    for (int i = 0; i < PIXELS; i++) pixels[i] = (uint8_t)(record * 20 + i);
    for (int i = 0; i < FEATURES; i++) features[i] = value(record, i);
    ASSERT_OK(ead_feature_cache_write(cache, record, pixels, features));
}

static void check(const EadFeatureCache *cache, int record) {
    uint8_t pixels[PIXELS];
    uint16_t halves[FEATURES];
    ASSERT_OK(ead_feature_cache_read(cache, record, pixels, halves));
    for (int i = 0; i < PIXELS; i++) ck_assert_int_eq(pixels[i], record * 20 + i);
    for (int i = 0; i < FEATURES; i++) ck_assert(ead_half_to_float(halves[i]) == value(record, i));
}

static void fill(int records) {
    EadFeatureCache *cache = open_cache(0);
    for (int r = 0; r < records; r++) add(cache, r);
    if (records == RECORDS) ASSERT_OK(ead_feature_cache_finish(cache, EAD_OK));
    ead_feature_cache_close(cache);
}

START_TEST(an_interrupted_filling_goes_on) {
    fill(2);
    ck_assert(exists(PARTIAL) && !exists(FILE_));
    ck_assert_int_eq(truncate(PARTIAL, PAGE + RECORD + RECORD / 2), 0); /* the second record was cut */
    EadFeatureCache *cache = open_cache(1);
    for (int r = 1; r < RECORDS; r++) add(cache, r);
    ck_assert(!ead_feature_cache_complete(cache));
    ASSERT_OK(ead_feature_cache_finish(cache, EAD_OK));
    ck_assert(ead_feature_cache_complete(cache));
    for (int r = 0; r < RECORDS; r++) check(cache, r);
    ead_feature_cache_close(cache);
    ck_assert(!exists(PARTIAL) && exists(FILE_));
    cache = open_cache(RECORDS);
    for (int r = RECORDS - 1; r >= 0; r--) check(cache, r);
    ead_feature_cache_close(cache);
}
END_TEST

/* All is written, and the process was killed before the file had its name. */
START_TEST(what_only_lacks_its_name_gets_it) {
    fill(RECORDS - 1);
    EadFeatureCache *cache = open_cache(RECORDS - 1);
    add(cache, RECORDS - 1);
    ead_feature_cache_close(cache);
    ck_assert(exists(PARTIAL) && !exists(FILE_));
    cache = open_cache(RECORDS);
    int count;
    (void)ead_feature_cache_missing(cache, &count);
    ck_assert(!ead_feature_cache_complete(cache) && count == 0);
    ASSERT_OK(ead_feature_cache_finish(cache, EAD_OK));
    ead_feature_cache_close(cache);
    ck_assert(!exists(PARTIAL) && exists(FILE_));
}
END_TEST

START_TEST(one_at_a_time_fills_it) {
    EadFeatureCache *cache = open_cache(0), *second;
    ASSERT_FAILS(ead_feature_cache_open(&spec, &second), EAD_BUSY, FILE_ ": another process works there");
    ck_assert_ptr_null(second);
    for (int r = 0; r < RECORDS; r++) add(cache, r);
    ASSERT_OK(ead_feature_cache_finish(cache, EAD_OK));
    ead_feature_cache_close(open_cache(RECORDS)); /* many may read */
    ead_feature_cache_close(cache);
    ck_assert(!exists(FILE_ ".lock"));
}
END_TEST

START_TEST(the_size_is_known_beforehand) {
    fill(RECORDS);
    size_t size;
    free(read_bytes(FILE_, &size));
    ck_assert_uint_eq(size, ead_feature_cache_bytes(&spec));
}
END_TEST

static void damage(const char *path, long offset) {
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    int byte = getc(file);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    putc(byte ^ 1, file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(every_damaged_byte_of_a_record_is_noticed) {
    uint8_t pixels[PIXELS];
    uint16_t halves[FEATURES];
    fill(RECORDS);
    for (long i = 0; i < RECORD; i++) {
        damage(FILE_, PAGE + RECORD + i);
        EadFeatureCache *cache = open_cache(RECORDS);
        check(cache, 0);
        ck_assert_int_eq(ead_feature_cache_read(cache, 1, pixels, halves), EAD_BAD_FILE);
        ead_feature_cache_close(cache);
        damage(FILE_, PAGE + RECORD + i);
    }
}
END_TEST

START_TEST(what_does_not_belong_is_made_anew) {
    for (int field = 8; field < 48; field += 8) { /* version, key, count, sizes */
        set_up();
        fill(RECORDS);
        damage(FILE_, field);
        ead_feature_cache_close(open_cache(0));
    }
    set_up();
    fill(RECORDS);
    ck_assert_int_eq(truncate(FILE_, PAGE + RECORD), 0);
    ead_feature_cache_close(open_cache(0));
}
END_TEST

/* A file, a link or a FIFO that somebody put there, under either name. */
START_TEST(what_is_no_cache_stays) {
    static const char *const names[] = {FILE_, PARTIAL}, *const makers[] = {"echo precious >",
                                                                            "ln -s victim ", "mkfifo "};
    EadFeatureCache *cache;
    for (int i = 0; i < 6; i++) {
        char command[200];
        set_up();
        write_text(SCRATCH "victim", "precious\n");
        snprintf(command, sizeof command, "%s%s", makers[i / 2], names[i % 2]);
        shell_ok(command);
        ASSERT_FAILS(ead_feature_cache_open(&spec, &cache), EAD_IO, "is not a cache of features, and stays");
        ck_assert_ptr_null(cache);
        if (i < 4) assert_file_holds(names[i % 2], "precious\n");
        ck_assert_int_eq(files_in(SCRATCH), 2);
    }
}
END_TEST

START_TEST(what_cannot_be_stored_is_refused) {
    uint8_t pixels[PIXELS] = {0};
    float features[FEATURES] = {0};
    EadFeatureCache *cache = open_cache(0);
    features[7] = 70000;
    ck_assert_int_eq(ead_feature_cache_write(cache, 0, pixels, features), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "feature 7 of image 0 is 70000"));
    ead_feature_cache_close(cache);
    EadFeatureCacheSpec huge = spec;
    huge.beside = UINT64_MAX / 2;
    shell_ok("rm -f " FILE_ "*");
    ASSERT_FAILS(ead_feature_cache_open(&huge, &cache), EAD_IO, " MB beside it, but its disk has room for");
    huge.beside = 0;
    huge.count = 1 << 30, huge.pixel_bytes = 1 << 30; /* an exabyte */
    ck_assert_int_eq(ead_feature_cache_open(&huge, &cache), EAD_IO);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "its disk has room for"));
}
END_TEST

/* ---- images ---- */

enum { FILES = 20, HELD_OUT = 4, SIDE = 64, BATCH = 3, SMALL = SIDE * SIDE * 3 };

/* Pictures of one colour each, so that it tells which file was read. */
static EadDistillImages make_images(void) {
    EadDistillImages images = {.held_out = HELD_OUT,
                               .height = SIDE,
                               .width = SIDE,
                               .batch = ead_ranks_share(NULL, BATCH),
                               .seed = 5,
                               .gray = 0.5};
    for (int i = 0; i < FILES; i++) {
        char path[256];
        EadImage image;
        ASSERT_OK(ead_image_alloc(&image, 9, 7, 3));
        for (int p = 0; p < 9 * 7; p++)
            memcpy(image.pixels + 3 * p, (uint8_t[]){(uint8_t)(10 * i), 200, 30}, 3);
        snprintf(path, sizeof path, SCRATCH "images/%02d.png", i);
        make_folders(path);
        ASSERT_OK(ead_png_write(path, &image));
        ead_image_free(&image);
    }
    ASSERT_OK(ead_image_list_add(&images.files, SCRATCH "images"));
    return images;
}

/* The file whose picture this is, whether gray or not. */
static int file_of(const uint8_t *pixel, bool *gray) {
    for (int i = 0; i < FILES; i++) {
        uint8_t colour[3] = {(uint8_t)(10 * i), 200, 30}, turned[3];
        memcpy(turned, colour, sizeof turned);
        ead_color_gray(turned, 1);
        *gray = memcmp(pixel, turned, 3) == 0;
        if (*gray || memcmp(pixel, colour, 3) == 0) return i;
    }
    ck_abort_msg("no picture of that colour");
    return -1;
}

/* A file, as EadDistillImages sees it. */
static int file_at(const EadDistillImages *images, int position, bool *gray) {
    uint8_t small[SMALL];
    ASSERT_OK(ead_distill_load(images, position, ead_distill_gray(images, position), small, NULL));
    return file_of(small, gray);
}

/* Nine epochs of steps: every training image comes equally often, no held-out one ever, half of them
 * gray, and both sizes show the same picture. */
START_TEST(a_step_sees_training_images_only) {
    enum { TRAINING = FILES - HELD_OUT, EPOCHS = 9 };
    EadDistillImages images = make_images();
    int seen[FILES] = {0}, gray_count = 0, steps = EPOCHS * TRAINING / BATCH;
    uint8_t *slot = malloc(ead_distill_slot_bytes(&images));
    ck_assert_ptr_nonnull(slot);
    ck_assert_uint_eq(ead_distill_slot_bytes(&images), BATCH * 5 * SMALL);
    for (int step = 1; step <= steps; step++) {
        ASSERT_OK(ead_distill_fill(&images, (uint64_t)step, slot));
        for (int b = 0; b < BATCH; b++) {
            bool gray, large_gray;
            int file = file_of(slot + b * SMALL, &gray);
            ck_assert_int_eq(file_of(slot + BATCH * SMALL + b * 4 * SMALL, &large_gray), file);
            ck_assert_int_eq(large_gray, gray);
            seen[file]++;
            gray_count += gray;
        }
    }
    for (int p = 0; p < FILES; p++) {
        bool gray;
        int file = file_at(&images, p, &gray);
        ck_assert_int_eq(seen[file], p < HELD_OUT ? 0 : EPOCHS);
        ck_assert(p >= HELD_OUT || !gray);
    }
    ck_assert_int_gt(gray_count, 48); /* 72 of 144 expected, 4 standard deviations */
    ck_assert_int_lt(gray_count, 96);
    free(slot);
    ead_image_list_free(&images.files);
}
END_TEST

/* One training image and one held-out one turn to junk: the next of their part stand in, whatever the order
 * of asking. A part without any other is an error, and so is junk where none is allowed. */
START_TEST(damaged_images_are_stood_in_for) {
    EadDistillImages images = make_images();
    int files[FILES];
    bool gray;
    for (int p = 0; p < FILES; p++) files[p] = file_at(&images, p, &gray);
    write_bytes(images.files.items[files[FILES - 1]].name, "junk", 4);
    write_bytes(images.files.items[files[1]].name, "junk", 4);
    uint8_t small[SMALL];
    ASSERT_FAILS(ead_distill_load(&images, 1, false, small, NULL), EAD_BAD_FILE,
                 "not an image of a known format");
    ASSERT_OK(ead_skipped_images_new(100 * FILES, 100 * FILES, &images.skipped));
    for (int p = FILES - 1; p >= 0; p--) {
        int expected = p == FILES - 1 ? HELD_OUT : p == 1 ? 2 : p;
        ck_assert_int_eq(file_at(&images, p, &gray), files[expected]);
    }
    ck_assert_int_eq(ead_skipped_images_count(images.skipped), 2);
    images.held_out = 1;
    write_bytes(images.files.items[files[0]].name, "junk", 4);
    ASSERT_FAILS(ead_distill_load(&images, 0, false, small, NULL), EAD_BAD_FILE,
                 "not an image of a known format");
    ead_skipped_images_free(images.skipped);
    ead_image_list_free(&images.files);
}
END_TEST

/* A hash that names the cache changes with everything that the features depend on. */
START_TEST(the_key_changes_with_what_matters) {
    EadDistillImages images = make_images(), changed[5];
    uint64_t key, other;
    for (int i = 0; i < 5; i++) changed[i] = images;
    changed[0].seed++, changed[1].held_out++, changed[2].gray = 0.1, changed[3].width *= 2,
                                              changed[4].files.count--;
    const char *backbone = images.files.items[0].name;
    ASSERT_OK(ead_distill_key(&images, backbone, 0, &key));
    ASSERT_OK(ead_distill_key(&images, backbone, 0, &other));
    ck_assert(key == other);
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(ead_distill_key(&changed[i], backbone, 0, &other));
        ck_assert_msg(key != other, "change %d", i);
    }
    ASSERT_OK(ead_distill_key(&images, backbone, 1, &other));
    ck_assert(key != other);
    ASSERT_OK(ead_distill_key(&images, images.files.items[1].name, 0, &other));
    ck_assert(key != other);
    ck_assert_int_eq(ead_distill_key(&images, SCRATCH "none", 0, &other), EAD_IO);
    ead_image_list_free(&images.files);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("feature_cache");
    TCase *tests = tcase_create("feature_cache");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, an_interrupted_filling_goes_on);
    tcase_add_test(tests, what_only_lacks_its_name_gets_it);
    tcase_add_test(tests, one_at_a_time_fills_it);
    tcase_add_test(tests, the_size_is_known_beforehand);
    tcase_add_test(tests, every_damaged_byte_of_a_record_is_noticed);
    tcase_add_test(tests, what_does_not_belong_is_made_anew);
    tcase_add_test(tests, what_is_no_cache_stays);
    tcase_add_test(tests, what_cannot_be_stored_is_refused);
    tcase_add_test(tests, a_step_sees_training_images_only);
    tcase_add_test(tests, damaged_images_are_stood_in_for);
    tcase_add_test(tests, the_key_changes_with_what_matters);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
