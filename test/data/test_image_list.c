/* Images in folders and tar archives: every format that Python's tarfile writes, damage of every byte, and
 * what is skipped. */
#include "data/source/image_list.h"

#include "core/base/paths.h"
#include "data/cache/image_cache.h"
#include "data/source/tar_members.h"
#include "test/support/scratch.h"

#include <unistd.h>

#define TAR     "test/golden/tar/"
#define CODEC   "test/golden/codec/"
#define SCRATCH "build/scratch/image_list/"

typedef struct Expected {
    const char *name, *file; /* the name behind the archive's, the file of codec/ */
} Expected;

#define X95 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG                                                                                                 \
    "n01440764/long_long_long_long_long_long_long_long_long_long_long_long_long_long_long_long_long_long_"   \
    "long_long_long_long_long_long_long_long_name.JPEG"

static const struct {
    const char *archive;
    Expected members[4];
} archives[] = {
    {TAR "ustar.tar",
     {{"photos/a.png", "gray8.png"}, {"photos/" X95 "/b.jpg", "gray.jpg"}, {"photos/c.PNG", "palette2.png"}}},
    {TAR "gnu.tar", {{LONG, "baseline.jpg"}, {"big.png", "rgb8.png"}, {"z.jpg", "gray.jpg"}}},
    {TAR "pax.tar", {{LONG, "progressive.jpg"}, {"größe.png", "gray4.png"}, {"sized.png", "gray2.png"}}},
    {TAR "nested.tar",
     {{"n01440764.tar/n01440764_0.JPEG", "gray.jpg"},
      {"n01440764.tar/n01440764_1.JPEG", "baseline.jpg"},
      {"n01443537.tar/n01443537_0.JPEG", "progressive.jpg"}}},
};
enum { ARCHIVES = sizeof archives / sizeof *archives };

static void check_image(const EadImageList *list, int index, const char *name, const char *file) {
    EadImage got, expected;
    char path[256];
    ck_assert_str_eq(list->items[index].name, name);
    ASSERT_OK(ead_image_list_load(list, index, &got));
    snprintf(path, sizeof path, CODEC "%s", file);
    ASSERT_OK(ead_image_load(path, &expected));
    ck_assert_int_eq(got.width, expected.width);
    ck_assert_mem_eq(got.pixels, expected.pixels, image_bytes(&expected));
    ead_image_free(&got);
    ead_image_free(&expected);
}

START_TEST(members_are_the_files) {
    for (int a = 0; a < ARCHIVES; a++) {
        EadImageList list = {0};
        int count = 0;
        ASSERT_OK(ead_image_list_add(&list, archives[a].archive));
        for (const Expected *member = archives[a].members; member->name; member++) {
            char *name = ead_path_join(archives[a].archive, member->name);
            check_image(&list, count, name, member->file);
            free(name);
            ck_assert_str_eq(ead_image_list_file(&list, count), archives[a].archive);
            count++;
        }
        ck_assert_int_eq(list.count, count);
        ead_image_list_free(&list);
    }
}
END_TEST

START_TEST(folders_hold_both) {
    copy_file(CODEC "gray8.png", SCRATCH "both/b/one.png");
    copy_file(TAR "gnu.tar", SCRATCH "both/a.TAR");
    copy_file(TAR "nested.tar", SCRATCH "both/c.tar");
    copy_file(CODEC "gray8.png", SCRATCH "both/.hidden.png");
    EadImageList list = {0}, copy = {0};
    ASSERT_OK(ead_image_list_add(&list, TAR "ustar.tar"));
    ASSERT_OK(ead_image_list_add(&copy, TAR "pax.tar"));
    ASSERT_OK(ead_image_list_add(&list, SCRATCH "both"));
    ASSERT_OK(ead_image_list_add_all(&copy, &list));
    ck_assert_int_eq(list.count, 10);
    ck_assert_int_eq(copy.count, 13);
    for (int shift = 0; shift <= 3; shift += 3) {
        const EadImageList *either = shift ? &copy : &list;
        check_image(either, shift + 3, SCRATCH "both/a.TAR/" LONG, "baseline.jpg");
        check_image(either, shift + 6, SCRATCH "both/b/one.png", "gray8.png");
        check_image(either, shift + 7, SCRATCH "both/c.tar/n01440764.tar/n01440764_0.JPEG", "gray.jpg");
    }
    ASSERT_OK(ead_image_list_add(&list, SCRATCH "both/b/one.png"));
    ck_assert_int_eq(list.count, 11);
    check_image(&list, 10, SCRATCH "both/b/one.png", "gray8.png");
    ead_image_list_free(&list);
    ead_image_list_free(&copy);
}
END_TEST

static void check_refused(const char *path, EadStatus status, const char *text) {
    EadImageList list = {0};
    ASSERT_FAILS(ead_image_list_add(&list, path), status, text);
    ead_image_list_free(&list);
}

static void check_bytes_refused(const void *bytes, size_t size, const char *text) {
    write_bytes(SCRATCH "bad.tar", bytes, size);
    check_refused(SCRATCH "bad.tar", EAD_BAD_FILE, text);
}

START_TEST(what_is_no_archive) {
    uint8_t gzip[600] = {0x1F, 0x8B, 8}, junk[600];
    fill_noise(junk, sizeof junk, 5);
    check_bytes_refused("", 0, "bad.tar: the archive is empty");
    check_bytes_refused(gzip, sizeof gzip, "bad.tar: is compressed by gzip; decompress it");
    check_bytes_refused("BZh9", 4, "bad.tar: is compressed by bzip2");
    check_bytes_refused(junk, sizeof junk, "bad.tar: at byte 0: no tar header, or a damaged one");
    check_bytes_refused(junk, 100, "bad.tar: at byte 0: the archive is cut short");
    check_refused(TAR "sparse.tar", EAD_UNSUPPORTED, "s.png is a sparse member");
    check_refused(SCRATCH "none.tar", EAD_IO, "none.tar: cannot read: No such file");
    check_refused("/dev/zero", EAD_IO, "/dev/zero: is a device, not a regular file");
}
END_TEST

/* An octal number with its NUL, then the header's checksum. */
static void set_field(uint8_t *header, int at, int digits, unsigned long long value) {
    unsigned sum = 0;
    snprintf((char *)header + at, (size_t)digits + 1, "%0*llo", digits, value);
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

START_TEST(sizes_that_lie) {
    size_t size;
    uint8_t *bytes = read_bytes(TAR "shard.tar", &size);
    set_field(bytes, 124, 11, 077777777777);
    check_bytes_refused(bytes, size, "at byte 0: the archive is cut short");
    set_field(bytes, 124, 11, size - 511);
    check_bytes_refused(bytes, size, "at byte 0: the archive is cut short");
    memset(bytes + 124, 0xFF, 12);
    set_field(bytes, 100, 7, 0);
    check_bytes_refused(bytes, size, "at byte 0: a size that is not a number");
    free(bytes);
}
END_TEST

/* Archives of archives without end: each is a header and then the next. */
START_TEST(depth_has_a_limit) {
    enum { DEPTH = 8 };
    static uint8_t bytes[DEPTH * 512];
    for (int i = 0; i < DEPTH; i++) {
        uint8_t *header = bytes + i * 512;
        memcpy(header, "a.tar", 5);
        header[156] = '0';
        set_field(header, 124, 11, (unsigned long long)(DEPTH - 1 - i) * 512);
    }
    check_bytes_refused(bytes, sizeof bytes, "archives within archives more than 4 deep");
}
END_TEST

/* Every cut and every flipped byte is an error or a shorter list, never a crash; what is listed can be read
 * or is refused. */
START_TEST(damage_does_no_harm) {
    for (int a = 0; a < ARCHIVES; a++) {
        size_t size;
        uint8_t *bytes = read_bytes(archives[a].archive, &size);
        for (size_t i = 0; i < 2 * size; i += 37) {
            if (i < size) bytes[i] ^= 0x55;
            write_bytes(SCRATCH "damaged.tar", bytes, i < size ? size : i - size);
            if (i < size) bytes[i] ^= 0x55;
            EadImageList list = {0};
            EadStatus status = ead_image_list_add(&list, SCRATCH "damaged.tar");
            ck_assert(status == EAD_OK || strstr(ead_error_message(), "damaged.tar: "));
            for (int k = 0; k < list.count; k++) {
                EadImage image;
                if (ead_image_list_load(&list, k, &image) == EAD_OK) ead_image_free(&image);
            }
            ead_image_list_free(&list);
        }
        free(bytes);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("image_list");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, members_are_the_files);
    tcase_add_test(tests, folders_hold_both);
    tcase_add_test(tests, what_is_no_archive);
    tcase_add_test(tests, sizes_that_lie);
    tcase_add_test(tests, depth_has_a_limit);
    tcase_add_test(tests, damage_does_no_harm);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
