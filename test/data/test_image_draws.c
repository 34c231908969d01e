/* Images decoded when they are drawn: the right ones, kept within the budget, used by other runs, and what stands in for
 * those that cannot be used. A source is made unreadable, with the size and time it had, to see what is decoded anew. */
#include "data/loader/image_draws.h"

#include "core/image/image.h"
#include "data/source/skipped_images.h"
#include "test/support/scratch.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH   "build/scratch/image_draws/"
#define FILE_NAME SCRATCH "draws.cache"
#define CODEC     "test/golden/codec/"

enum { TOTAL = 200, WIDTH = 8, HEIGHT = 6, BYTES = WIDTH * HEIGHT * 3, ALL = TOTAL * BYTES };

/* 200 files, of which the first `bad` of these cannot be decoded: a CMYK JPEG, and text. No cache file. */
static EadImageList make_collection(int bad) {
    static const int places[] = {7, TOTAL - 1, 90};
    EadStringList files = {0};
    EadImageList list = {0};
    unlink(FILE_NAME);
    for (int i = 0; i < TOTAL; i++) {
        char path[256];
        bool damaged = false;
        for (int k = 0; k < bad; k++) damaged |= i == places[k];
        snprintf(path, sizeof path, SCRATCH "%s%d.png", damaged ? "bad" : "good", i);
        if (!damaged)
            write_noise_png(path, 2 * WIDTH + i % 3, 2 * HEIGHT, 3, (uint32_t)i);
        else if (i == places[0])
            copy_file(CODEC "cmyk.jpg", path);
        else
            write_bytes(path, "no image", 8);
        ASSERT_OK(ead_strings_add(&files, path));
    }
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ead_strings_free(&files);
    return list;
}

static EadImageDraws *open_draws(const EadImageList *list, const char *file, uint64_t budget) {
    EadImageDraws *draws;
    EadImageDrawsSpec spec = {list,  "penalty.path", {EAD_FIT_CENTER_CROP, WIDTH, HEIGHT, NULL},
                              TOTAL, file,           budget};
    ASSERT_OK(ead_image_draws_open(&spec, &draws));
    ck_assert_int_eq(ead_image_draws_count(draws), TOTAL);
    ck_assert_uint_eq(ead_image_draws_bytes(draws), BYTES);
    return draws;
}

/* By the plain calls: to twice the size, then its central part. */
static void check_image(EadImageDraws *draws, int index, uint32_t number) {
    char path[64];
    uint8_t got[BYTES], large[4 * BYTES];
    EadImage image;
    snprintf(path, sizeof path, SCRATCH "expected.png");
    write_noise_png(path, 2 * WIDTH + (int)number % 3, 2 * HEIGHT, 3, number);
    ASSERT_OK(ead_image_load(path, &image));
    ASSERT_OK(ead_resize_u8(image.pixels, image.width, image.height, 3, image.width * 3, large, 2 * WIDTH,
                            2 * HEIGHT));
    ead_image_free(&image);
    ASSERT_OK(ead_image_draws_read(draws, index, got));
    for (int y = 0; y < HEIGHT; y++)
        ck_assert_mem_eq(got + y * WIDTH * 3, large + ((HEIGHT / 2 + y) * 2 * WIDTH + WIDTH / 2) * 3,
                         WIDTH * 3);
}

/* Junk of the same size and time. */
static void spoil(const EadImageList *list, int index) {
    struct stat info;
    size_t size;
    const char *path = list->items[index].name;
    ck_assert_int_eq(stat(path, &info), 0);
    uint8_t *bytes = read_bytes(path, &size);
    memset(bytes, 0, size);
    write_bytes(path, bytes, size);
    free(bytes);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){info.st_atim, info.st_mtim}, 0), 0);
}

static bool can_read(EadImageDraws *draws, const EadImageList *list, int index) {
    uint8_t got[BYTES], next[BYTES];
    ASSERT_OK(ead_image_draws_read(draws, index, got));
    ASSERT_OK(ead_image_draws_read(draws, (index + 1) % list->count, next));
    return memcmp(got, next, BYTES) != 0; /* else the next one stands in */
}

START_TEST(what_was_drawn_is_kept) {
    EadImageList list = make_collection(0);
    EadImageDraws *draws = open_draws(&list, FILE_NAME, ALL);
    for (int i = 0; i < 10; i++) check_image(draws, i, (uint32_t)i);
    spoil(&list, 3);
    for (int i = 0; i < 10; i++) check_image(draws, i, (uint32_t)i);
    EadImageDraws *other = open_draws(&list, FILE_NAME, ALL); /* another run, at the same time */
    check_image(other, 3, 3);
    check_image(other, 20, 20);
    spoil(&list, 20);
    check_image(draws, 20, 20);
    spoil(&list, 30); /* not drawn before */
    ck_assert(!can_read(draws, &list, 30));
    ead_image_draws_close(draws);
    ead_image_draws_close(other);
    ead_image_list_free(&list);
}
END_TEST

/* A source that changed is decoded anew, and so is what was damaged in the file. */
START_TEST(what_changed_is_made_anew) {
    EadImageList list = make_collection(0);
    EadImageDraws *draws = open_draws(&list, FILE_NAME, ALL);
    size_t size;
    for (int i = 0; i < TOTAL; i++) check_image(draws, i, (uint32_t)i);
    write_noise_png(list.items[5].name, 2 * WIDTH, 2 * HEIGHT, 3, 99);
    check_image(draws, 5, 99);
    spoil(&list, 5);
    check_image(draws, 5, 99);
    ead_image_draws_close(draws);
    uint8_t *bytes = read_bytes(FILE_NAME, &size);
    ck_assert_uint_gt(size, ALL);
    ck_assert_uint_lt(size, ALL + TOTAL * 16 + 1000);
    for (size_t i = size - ALL; i < size; i += BYTES) bytes[i + i / BYTES % BYTES] ^= 1;
    write_bytes(FILE_NAME, bytes, size);
    free(bytes);
    draws = open_draws(&list, FILE_NAME, ALL);
    for (int round = 0; round < 2; round++)
        for (int i = 6; i < TOTAL; i++) check_image(draws, i, (uint32_t)i);
    ead_image_draws_close(draws);
    EadImageDrawsSpec larger = {&list, "x",       {EAD_FIT_CENTER_CROP, 2 * WIDTH, HEIGHT, NULL},
                                TOTAL, FILE_NAME, 2 * ALL};
    ASSERT_OK(ead_image_draws_open(&larger, &draws)); /* another size: a new file */
    ead_image_draws_close(draws);
    write_bytes(FILE_NAME, "junk", 4);
    draws = open_draws(&list, FILE_NAME, ALL);
    check_image(draws, 6, 6);
    ead_image_draws_close(draws);
    ead_image_list_free(&list);
}
END_TEST

/* Ten places: image 3 has the one that 13 would take. Less than an image, or a file that cannot be: nothing is kept. */
START_TEST(the_budget_is_kept) {
    EadImageList list = make_collection(0);
    EadImageDraws *draws = open_draws(&list, FILE_NAME, 10 * BYTES + BYTES / 2);
    struct stat info;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < TOTAL; i++) check_image(draws, i, (uint32_t)i);
    ck_assert_int_eq(stat(FILE_NAME, &info), 0);
    ck_assert_int_lt(info.st_size, 10 * BYTES + 1000);
    spoil(&list, 3);
    spoil(&list, 13);
    check_image(draws, 3, 3);
    ck_assert(!can_read(draws, &list, 13));
    ead_image_draws_close(draws);
    static const struct {
        const char *file;
        uint64_t budget;
    } none[] = {{NULL, ALL}, {FILE_NAME, BYTES - 1}, {SCRATCH "no/such.cache", ALL}};
    for (int i = 0; i < 3; i++) {
        unlink(FILE_NAME);
        draws = open_draws(&list, none[i].file, none[i].budget);
        check_image(draws, 40, 40);
        check_image(draws, 40, 40);
        ck_assert_int_ne(access(FILE_NAME, F_OK), 0);
        ead_image_draws_close(draws);
    }
    ead_image_list_free(&list);
}
END_TEST

/* Lines that name a skipped image; the last line counts them. */
static int count_lines(const EadImageDraws *draws) {
    char *text = NULL, expected[64];
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ead_image_draws_print(draws, stream);
    fclose(stream);
    int lines = 0;
    char *line = text;
    for (char *end; strncmp(line, "skipped: ", 9) == 0 && (end = strchr(line, '\n'));
         line = end + 1, lines++) {
        *end = '\0';
        ck_assert(strstr(line, "bad") != NULL);
    }
    snprintf(expected, sizeof expected, "penalty.path: %d of %d images skipped\n", lines, TOTAL);
    ck_assert_str_eq(line, lines ? expected : "");
    free(text);
    return lines;
}

static double kept(const EadImageList *list, uint64_t budget, double drawn) {
    EadImageDrawsSpec spec = {
        .images = list, .fit = {EAD_FIT_CENTER_CROP, WIDTH, HEIGHT, NULL}, .most = TOTAL, .budget = budget};
    uint64_t bytes;
    ASSERT_OK(ead_image_draws_kept(&spec, drawn, &bytes));
    return (double)bytes;
}

/* The first 4 images are tried before any is drawn. Of 50 places for 200 images one is empty if none of its 4 was
 * looked at: 100 that are drawn, and 2 of those tried. */
START_TEST(what_will_be_kept_is_known_before) {
    EadImageList list = make_collection(0);
    struct stat made;
    EadImageDraws *draws = open_draws(&list, FILE_NAME, ALL);
    ASSERT_OK(ead_image_draws_try(draws));
    for (int i = 0; i < TOTAL; i++) check_image(draws, i, (uint32_t)i);
    ead_image_draws_close(draws);
    ck_assert_int_eq(stat(FILE_NAME, &made), 0);
    ck_assert_double_eq_tol(kept(&list, ALL, TOTAL), (double)made.st_size, 500); /* of a header */
    double owners = kept(&list, ALL, TOTAL) - ALL;
    ck_assert_double_eq_tol(kept(&list, ALL, 0), owners + 4 * BYTES, BYTES);
    ck_assert_double_eq_tol(kept(&list, ALL, 100), owners + 102 * BYTES, BYTES);
    ck_assert_double_eq(kept(&list, BYTES - 1, 100), 0);
    double some = kept(&list, 50 * BYTES, 100), all = kept(&list, 50 * BYTES, TOTAL);
    ck_assert_double_eq_tol(all - some, 50 * pow(1 - 102.0 / 200, 4) * BYTES, BYTES);
    ead_image_list_free(&list);
}
END_TEST

/* The next in the list, after the last the first, whatever the order of drawing. */
START_TEST(one_per_cent_is_stood_in_for) {
    EadImageList list = make_collection(2);
    for (int round = 0; round < 2; round++) {
        EadImageDraws *draws = open_draws(&list, FILE_NAME, ALL);
        for (int i = 0; i < TOTAL; i++) {
            int index = round ? TOTAL - 1 - i : i;
            check_image(draws, index, index == 7 ? 8 : index == TOTAL - 1 ? 0 : (uint32_t)index);
        }
        ck_assert_int_eq(count_lines(draws), 2);
        ead_image_draws_close(draws);
    }
    ead_image_list_free(&list);
}
END_TEST

START_TEST(more_than_one_per_cent_is_an_error) {
    EadImageList list = make_collection(3);
    EadImageDraws *draws = open_draws(&list, NULL, 0);
    uint8_t out[BYTES];
    for (int i = 0; i < TOTAL - 1; i++) ASSERT_OK(ead_image_draws_read(draws, i, out));
    ASSERT_FAILS(ead_image_draws_read(draws, TOTAL - 1, out), EAD_BAD_FILE,
                 "penalty.path: 3 of 200 images cannot be used, more than 1 %; the last: " SCRATCH
                 "bad199.png: not an image of a known format");
    ck_assert_int_eq(unlink(list.items[0].name), 0);
    ASSERT_FAILS(ead_image_draws_read(draws, 0, out), EAD_IO, "good0.png: cannot read");
    ead_image_draws_close(draws);
    EadImageDrawsSpec none = {&list, "penalty.path", {EAD_FIT_CENTER_CROP, 40000, 8, NULL}, TOTAL, NULL, 0};
    ASSERT_FAILS(ead_image_draws_open(&none, &draws), EAD_BAD_SHAPE, "40000 x 8");
    ead_image_list_free(&list);
}
END_TEST

/* What root may read, nobody else may: for a while this process is somebody else. */
static bool be_nobody(void) {
    if (geteuid() == 0) ck_assert_int_eq(seteuid(65534), 0);
    int descriptor = open(SCRATCH "good0.png", O_RDONLY);
    return descriptor >= 0 && close(descriptor) == 0;
}

static void be_oneself(void) {
    ck_assert_int_eq(seteuid(getuid()), 0);
}

/* A file without permission, one in such a folder, and a link to one: each is skipped as a damaged one is, under the same
 * rule and in every run. Files that are gone, and too few descriptors, are errors still. */
START_TEST(what_may_not_be_read_is_stood_in_for) {
    EadImageList list = make_collection(3);
    uint8_t out[BYTES];
    struct rlimit usual, none;
    shell_ok("rm -rf " SCRATCH "badfolder && mkdir " SCRATCH "badfolder");
    write_noise_png(SCRATCH "bad7.png", WIDTH, HEIGHT, 3, 7);
    write_noise_png(SCRATCH "badfolder/a.png", WIDTH, HEIGHT, 3, 199);
    ck_assert_int_eq(
        chmod(SCRATCH "bad7.png", 0) | unlink(SCRATCH "bad199.png") | unlink(SCRATCH "bad90.png"), 0);
    ck_assert_int_eq(
        symlink("badfolder/a.png", SCRATCH "bad199.png") | symlink("bad7.png", SCRATCH "bad90.png"), 0);
    ck_assert_int_eq(chmod(SCRATCH "badfolder", 0), 0);
    bool nobody = be_nobody();
    for (int round = 0; round < 2 && nobody; round++) {
        EadImageDraws *draws = open_draws(&list, NULL, 0);
        for (int i = 0; i < TOTAL; i++) {
            int index = round ? TOTAL - 1 - i : i;
            if (index == 90) continue;
            ASSERT_OK(ead_image_draws_read(draws, index, out));
            uint8_t next[BYTES];
            ASSERT_OK(
                ead_image_draws_read(draws, (index + 1) % TOTAL == 90 ? 91 : (index + 1) % TOTAL, next));
            ck_assert((memcmp(out, next, BYTES) == 0) == (index == 7 || index == TOTAL - 1));
        }
        ck_assert_int_eq(count_lines(draws), 2);
        ASSERT_FAILS(ead_image_draws_read(draws, 90, out), EAD_BAD_FILE,
                     "penalty.path: 3 of 200 images cannot be used, more than 1 %; the last: " SCRATCH
                     "bad90.png: cannot read: Permission denied");
        getrlimit(RLIMIT_NOFILE, &usual);
        none = (struct rlimit){0, usual.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        EadStatus status = ead_image_draws_read(draws, 50, out);
        setrlimit(RLIMIT_NOFILE, &usual);
        ck_assert_int_eq(status, EAD_IO);
        ead_image_draws_close(draws);
    }
    be_oneself();
    shell_ok("chmod 700 " SCRATCH "badfolder && rm -rf " SCRATCH
             "bad*"); /* other tests write files of these names */
    ead_image_list_free(&list);
    SKIP_UNLESS(nobody, "others may not read this folder");
}
END_TEST

/* One bad image costs itself in a small collection, too; only those that are asked for count. */
START_TEST(one_of_a_few_is_skipped) {
    static const struct {
        int images, total, bad;
        EadStatus status; /* of the last */
    } cases[] = {{3, 3, 1, EAD_OK},       {2, 2, 1, EAD_OK},           {1, 1, 1, EAD_BAD_FILE},
                 {3, 3, 2, EAD_BAD_FILE}, {199, 199, 2, EAD_BAD_FILE}, {1000, 199, 2, EAD_BAD_FILE},
                 {1000, 200, 2, EAD_OK},  {1000, 1, 1, EAD_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadSkippedImages *skipped;
        EadStatus status = EAD_OK;
        ASSERT_OK(ead_skipped_images_new(cases[i].images, cases[i].total, &skipped));
        for (int k = 0; k < cases[i].bad; k++) {
            ck_assert_int_eq(status, EAD_OK);
            status = ead_skipped_images_add(skipped, "bad.png", k, ead_fail(EAD_BAD_FILE, "bad"));
        }
        ck_assert_int_eq(status, cases[i].status);
        ead_skipped_images_free(skipped);
    }
}
END_TEST

static void *draw_all(void *context) {
    for (int i = 0; i < 2 * TOTAL; i++) {
        uint8_t out[BYTES];
        if (ead_image_draws_read(context, i * 37 % TOTAL, out) != EAD_OK) return context;
    }
    return NULL;
}

START_TEST(threads_draw_at_the_same_time) {
    EadImageList list = make_collection(1);
    EadImageDraws *draws = open_draws(&list, FILE_NAME, ALL / 2);
    pthread_t threads[4];
    void *failed;
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, draw_all, draws), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    for (int i = 0; i < TOTAL; i++) check_image(draws, i, i == 7 ? 8 : (uint32_t)i);
    ck_assert_int_eq(count_lines(draws), 1);
    ead_image_draws_close(draws);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("image_draws");
    TCase *tests = tcase_create("image_draws");
    tcase_add_test(tests, what_was_drawn_is_kept);
    tcase_add_test(tests, what_changed_is_made_anew);
    tcase_add_test(tests, the_budget_is_kept);
    tcase_add_test(tests, what_will_be_kept_is_known_before);
    tcase_add_test(tests, one_per_cent_is_stood_in_for);
    tcase_add_test(tests, more_than_one_per_cent_is_an_error);
    tcase_add_test(tests, what_may_not_be_read_is_stood_in_for);
    tcase_add_test(tests, one_of_a_few_is_skipped);
    tcase_add_test(tests, threads_draw_at_the_same_time);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
