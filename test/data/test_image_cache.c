/* The cache in memory and on disk: the same pixels, used again when it may be, made anew when it must be. */
#include "data/cache/image_cache.h"

#include "core/image/image.h"
#include "test/support/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH   "build/scratch/image_cache/"
#define FILE_NAME SCRATCH "images.cache"

enum { COUNT = 9, WIDTH = 16, HEIGHT = 12, BYTES = WIDTH * HEIGHT * 3 };

/* Nine sources of different sizes, and no cache file. */
static EadImageList make_sources(void) {
    EadStringList files = {0};
    EadImageList list = {0};
    for (int i = 0; i < COUNT; i++) {
        char path[256];
        snprintf(path, sizeof path, SCRATCH "source%d.png", i);
        write_noise_png(path, 10 + 3 * i, 40 - 2 * i, 3, (uint32_t)i);
        ASSERT_OK(ead_strings_add(&files, path));
    }
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ead_strings_free(&files);
    unlink(FILE_NAME);
    return list;
}

static EadCacheSpec spec_of(const char *file) {
    return (EadCacheSpec){.width = WIDTH, .height = HEIGHT, .file = file, .threads = 3};
}

/* What the cache must hold, by the plain calls. */
static void expected_image(const char *path, uint8_t *out) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    ASSERT_OK(ead_resize_u8(image.pixels, image.width, image.height, 3, image.width * 3, out, WIDTH, HEIGHT));
    ead_image_free(&image);
}

static void check_content(const EadImageCache *cache, const EadImageList *list) {
    uint8_t expected[BYTES], got[BYTES];
    ck_assert_int_eq(ead_image_cache_count(cache), COUNT);
    ck_assert_uint_eq(ead_image_cache_image_bytes(cache), BYTES);
    for (int i = 0; i < COUNT; i++) {
        expected_image(list->items[i].name, expected);
        ASSERT_OK(ead_image_cache_read(cache, i, got));
        ck_assert_mem_eq(got, expected, BYTES);
        ck_assert_str_eq(ead_image_cache_name(cache, i), list->items[i].name);
    }
}

START_TEST(in_memory_and_in_a_file) {
    EadImageList list = make_sources();
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        EadImageCache *cache;
        EadCacheSpec spec = spec_of(on_disk ? FILE_NAME : NULL);
        ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
        check_content(cache, &list);
        ead_image_cache_close(cache);
    }
    ead_image_list_free(&list);
}
END_TEST

/* In one size, gray, and in tiles, where sizes differ. */
START_TEST(the_bytes_of_the_file_are_known_before) {
    enum { HEADER = 500 };
    static const EadTiles tiles = {.size = 8, .scale = 1};
    EadImageList colours = make_sources(), grays = {0};
    EadStringList files = {0};
    write_noise_png(SCRATCH "one.png", 10, 40, 1, 5);
    write_noise_png(SCRATCH "two.png", 20, 10, 1, 6);
    ASSERT_OK(ead_strings_add(&files, SCRATCH "one.png"));
    ASSERT_OK(ead_strings_add(&files, SCRATCH "two.png"));
    ASSERT_OK(ead_image_list_add_files(&grays, &files));
    ead_strings_free(&files);
    for (int i = 0; i < 4; i++) {
        EadImageCache *cache;
        struct stat made;
        uint64_t bytes;
        EadCacheSpec spec = spec_of(NULL);
        const EadImageList *list = i % 2 ? &grays : &colours;
        spec.tiles = i < 2 ? NULL : &tiles;
        unlink(FILE_NAME);
        ASSERT_OK(ead_image_cache_bytes(list, &spec, &bytes));
        ck_assert_int_ne(access(FILE_NAME, F_OK), 0);
        spec.file = FILE_NAME;
        ASSERT_OK(ead_image_cache_open(list, &spec, &cache));
        ead_image_cache_close(cache);
        ck_assert_int_eq(stat(FILE_NAME, &made), 0);
        ck_assert_int_lt((int64_t)bytes, made.st_size);
        ck_assert_int_gt((int64_t)bytes, made.st_size - HEADER);
    }
    ead_image_list_free(&colours);
    ead_image_list_free(&grays);
}
END_TEST

static bool count_call(void *context, int done, int total) {
    ck_assert(done >= 1 && done <= total && total == COUNT);
    *(int *)context = done;
    return true;
}

/* Opens the cache file, checks its content and returns how many images had to be prepared. */
static int prepared(const EadImageList *list, EadCacheSpec spec) {
    int done = 0;
    EadImageCache *cache;
    spec.progress = count_call;
    spec.context = &done;
    ASSERT_OK(ead_image_cache_open(list, &spec, &cache));
    if (spec.width == WIDTH && !spec.region) check_content(cache, list);
    ead_image_cache_close(cache);
    return done;
}

/* Gray sources take a third, in RGB or not, and are read as they are; one with colours among them, and all are kept in RGB. */
START_TEST(gray_images_take_a_third) {
    static uint8_t expected[WIDTH * HEIGHT * 3], got[WIDTH * HEIGHT * 3];
    EadRegion region = {.mask_width = WIDTH, .mask_height = HEIGHT, .mask = calloc(WIDTH, HEIGHT)};
    memset(region.mask, 1, WIDTH * HEIGHT / 2);
    for (int coloured = 0; coloured < 2; coloured++)
        for (int masked = 0; masked < 2; masked++)
            for (int on_disk = 0; on_disk < 2; on_disk++) {
                EadImageList list = {0};
                EadStringList files = {0};
                EadImageCache *cache;
                struct stat info;
                EadCacheSpec spec = spec_of(on_disk ? FILE_NAME : NULL);
                spec.region = masked ? &region : NULL;
                for (int i = 0; i < 6; i++) {
                    char path[128];
                    snprintf(path, sizeof path, SCRATCH "gray/%d.png", i);
                    make_folders(path);
                    write_noise_png(path, 40 + i, 30, coloured && i == 4 ? 3 : 1, (uint32_t)i);
                    ASSERT_OK(ead_strings_add(&files, path));
                }
                ASSERT_OK(ead_image_list_add_files(&list, &files));
                unlink(FILE_NAME);
                ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
                for (int i = 0; i < 6; i++) {
                    EadImageFit fit = {EAD_FIT_RESIZE, WIDTH, HEIGHT, spec.region};
                    ASSERT_OK(ead_image_fit_load(&list, i, fit, NULL, expected));
                    ASSERT_OK(ead_image_cache_read(cache, i, got));
                    ck_assert_mem_eq(got, expected, sizeof got);
                }
                if (on_disk) {
                    ck_assert_int_eq(stat(FILE_NAME, &info), 0);
                    ck_assert_int_eq(info.st_size > 6 * WIDTH * HEIGHT * 2, coloured);
                }
                ead_image_cache_close(cache);
                ead_image_list_free(&list);
                ead_strings_free(&files);
            }
    free(region.mask);
}
END_TEST

START_TEST(reused_until_something_changes) {
    EadImageList list = make_sources();
    EadCacheSpec spec = spec_of(FILE_NAME), wide = spec, bits = spec, white = spec, cut = spec;
    EadRegion region = {.width = 5, .height = 5};
    cut.region = &region;
    wide.width = 2 * WIDTH;
    bits.rules.bits = 12;
    white.rules.white = 12;
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    ck_assert_int_eq(prepared(&list, spec), 0);
    ck_assert_int_eq(prepared(&list, wide), COUNT);
    ck_assert_int_eq(prepared(&list, bits), COUNT);
    ck_assert_int_eq(prepared(&list, white), COUNT);
    ck_assert_int_eq(prepared(&list, cut), COUNT);
    ck_assert_int_eq(prepared(&list, cut), 0);
    region.x = 1;
    ck_assert_int_eq(prepared(&list, cut), COUNT);
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000, .tv_nsec = 1}};
    ck_assert_int_eq(utimensat(AT_FDCWD, list.items[4].name, times, 0), 0);
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    ck_assert_int_eq(prepared(&list, spec), 0);
    write_noise_png(list.items[2].name, 33, 11, 3, 77);
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    EadImagePlace swapped = list.items[0];
    list.items[0] = list.items[1], list.items[1] = swapped;
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    ead_image_list_free(&list);
}
END_TEST

/* A cache that is there already tells what its images told when they were decoded; so does one in memory. */
START_TEST(notes_are_told_again) {
    static const char *const names[] = {"low12.png", "turned2.jpg", "pages.tif"};
    EadImageList list = {0};
    EadStringList files = {0};
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "test/golden/reading/%s", names[i]);
        ASSERT_OK(ead_strings_add(&files, path));
    }
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    unlink(FILE_NAME);
    for (int round = 0; round < 3; round++) {
        EadCacheSpec spec = spec_of(round < 2 ? FILE_NAME : NULL);
        EadImageCache *cache;
        char *text = NULL;
        size_t size = 0;
        ASSERT_OK(ead_image_notes_new(&spec.rules.notes));
        ASSERT_OK(ead_image_cache_open(&list, &spec, &cache));
        FILE *stream = open_memstream(&text, &size);
        ead_image_notes_print(spec.rules.notes, stream);
        fclose(stream);
        ck_assert_msg(strstr(text, "warning: 1 image of 16 bits, but no value is above 4095") &&
                          strstr(text, "low12.png\n") && strstr(text, "1 image with up to 3 pages") &&
                          strstr(text, "pages.tif\n"),
                      "%d: %s", round, text);
        free(text);
        ead_image_notes_free(spec.rules.notes);
        ead_image_cache_close(cache);
    }
    ead_strings_free(&files);
    ead_image_list_free(&list);
}
END_TEST

/* Every cut and every flipped byte of header and checksums lead to a new file; flipped pixels to the source.
 */
START_TEST(more_than_the_memory_is_refused) {
    EadImageList list = {0};
    EadStringList files = {0};
    EadImageCache *cache;
    EadCacheSpec spec = {.width = 65535, .height = 65535};
    for (int i = 0; i < 1000; i++) ASSERT_OK(ead_strings_add(&files, "never/read.png"));
    ASSERT_OK(ead_image_list_add_files(&list, &files));
    ASSERT_FAILS(ead_image_cache_open(&list, &spec, &cache), EAD_NO_MEMORY,
                 "1000 images of 65535 x 65535 pixels (12884509 MB; this process may have ");
    ead_strings_free(&files);
    ead_image_list_free(&list);
}
END_TEST

START_TEST(damaged_files_are_replaced) {
    EadImageList list = make_sources();
    EadCacheSpec spec = spec_of(FILE_NAME);
    size_t size, pixels = (size_t)COUNT * BYTES;
    prepared(&list, spec);
    uint8_t *bytes = read_bytes(FILE_NAME, &size);
    size_t cuts[] = {0, 7, 100, 4095, 4096, size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_bytes(FILE_NAME, bytes, cuts[i]);
        ck_assert_int_eq(prepared(&list, spec), COUNT);
    }
    /* a file of the format before, and a .safetensors file of something else */
    size_t other_size;
    uint8_t old[5000] = "EADCACHE\2",
            *other = read_bytes("test/golden/safetensors_golden.safetensors", &other_size);
    write_bytes(FILE_NAME, old, sizeof old);
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    write_bytes(FILE_NAME, other, other_size);
    ck_assert_int_eq(prepared(&list, spec), COUNT);
    free(other);
    for (size_t at = 0; at < size - pixels; at += 7) {
        bytes[at] ^= 0x10;
        write_bytes(FILE_NAME, bytes, size);
        ck_assert_int_eq(prepared(&list, spec), COUNT);
        bytes[at] ^= 0x10;
    }
    for (size_t at = size - pixels; at < size; at += 997) bytes[at] ^= 1;
    write_bytes(FILE_NAME, bytes, size);
    ck_assert_int_eq(prepared(&list, spec), 0); /* and yet the right pixels, which prepared() checks */
    free(bytes);
    ead_image_list_free(&list);
}
END_TEST

static bool refuse(void *context, int done, int total) {
    (void)done, (void)total;
    ++*(int *)context;
    return false;
}

START_TEST(stopped_on_request) {
    EadImageList list = make_sources();
    EadCacheSpec spec = spec_of(FILE_NAME);
    EadImageCache *cache;
    int calls = 0;
    spec.threads = 1;
    spec.progress = refuse;
    spec.context = &calls;
    EadStatus status = ead_image_cache_open(&list, &spec, &cache);
    ck_assert(status == EAD_INTERRUPTED || status == EAD_OK); /* OK only if the thread was through already */
    ck_assert_int_ge(calls, 1);
    if (status == EAD_INTERRUPTED) ck_assert(cache == NULL && access(FILE_NAME, F_OK) != 0);
    ead_image_cache_close(cache);
    ead_image_list_free(&list);
}
END_TEST

START_TEST(bad_sources) {
    EadImageList list = make_sources(), none = {0};
    EadImageCache *cache;
    EadCacheSpec memory = spec_of(NULL), disk = spec_of(FILE_NAME),
                 nowhere = spec_of(SCRATCH "no/such.cache");
    ASSERT_FAILS(ead_image_cache_open(&none, &memory, &cache), EAD_BAD_ARGUMENT, "no images");
    ASSERT_FAILS(ead_image_cache_open(&list, &nowhere, &cache), EAD_IO, "no/such.cache: cannot write");
    write_bytes(list.items[7].name, "junk", 4);
    write_bytes(list.items[3].name, "", 0);
    for (int i = 0; i < 20; i++) {
        ASSERT_FAILS(ead_image_cache_open(&list, &memory, &cache), EAD_BAD_FILE,
                     "source3.png: the file is empty");
        ASSERT_FAILS(ead_image_cache_open(&list, &disk, &cache), EAD_BAD_FILE,
                     "source3.png: the file is empty");
        ck_assert_ptr_null(cache);
        ck_assert_int_ne(access(FILE_NAME, F_OK), 0);
    }
    ASSERT_FAILS(ead_image_cache_open(&list, &memory, &cache), EAD_BAD_FILE, "; " SCRATCH "source7.png: ");
    ASSERT_FAILS(ead_image_cache_open(&list, &memory, &cache), EAD_BAD_FILE,
                 " images cannot be read; remove or replace them");
    ck_assert_int_eq(unlink(list.items[5].name), 0);
    ASSERT_FAILS(ead_image_cache_open(&list, &disk, &cache), EAD_IO, "source5.png: cannot read: No such");
    memory.width = 0;
    ASSERT_FAILS(ead_image_cache_open(&list, &memory, &cache), EAD_BAD_SHAPE, "0 x 12");
    ead_image_list_free(&list);
}
END_TEST

/* A file size limit stands in for a full disk: the old cache stays, no temporary file does. */
START_TEST(disk_full) {
    EadImageList list = make_sources();
    EadImageCache *cache;
    EadCacheSpec spec = spec_of(FILE_NAME);
    struct rlimit before, small;
    prepared(&list, spec);
    spec.rules.bits = 12;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 3000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    EadStatus status = ead_image_cache_open(&list, &spec, &cache);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, EAD_IO);
    ck_assert(strstr(ead_error_message(), "images.cache: cannot write: ") != NULL);
    spec.rules.bits = 0;
    ck_assert_int_eq(prepared(&list, spec), 0);
    ck_assert_int_eq(system("ls " SCRATCH " | grep -q tmp"), 1 << 8);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("image_cache");
    TCase *tests = tcase_create("image_cache");
    tcase_add_test(tests, in_memory_and_in_a_file);
    tcase_add_test(tests, the_bytes_of_the_file_are_known_before);
    tcase_add_test(tests, gray_images_take_a_third);
    tcase_add_test(tests, reused_until_something_changes);
    tcase_add_test(tests, notes_are_told_again);
    tcase_add_test(tests, more_than_the_memory_is_refused);
    tcase_add_test(tests, damaged_files_are_replaced);
    tcase_add_test(tests, stopped_on_request);
    tcase_add_test(tests, bad_sources);
    tcase_add_test(tests, disk_full);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
