/* What a search for images passes over is told; what is an image by its content is found. */
#include "data/source/image_list.h"
#include "core/system/interruption.h"
#include "test/support/scratch.h"

#include <signal.h>

#define SCRATCH "build/scratch/left_out/"

static void fresh(void) {
    shell_ok("chmod -R u+rwx " SCRATCH " 2>/dev/null; rm -rf " SCRATCH "; mkdir -p " SCRATCH);
}

/* The names behind the last slashes, one after another. */
static void assert_names(const EadStringList *paths, const char *expected) {
    char text[1024] = "";
    for (int i = 0; i < paths->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 strrchr(paths->items[i], '/') + 1);
    ck_assert_str_eq(text, expected);
}

#define BYTES(text) text, sizeof text - 1

/* First bytes from the formats' specifications. */
static const struct {
    const char *name, *bytes;
    size_t size;
    EadLeftOutKind kind;
} contents[] = {
    {"a.jfif", BYTES("\xFF\xD8\xFF\xE0\0\x10JFIF"), EAD_LEFT_OUT_CONTENT},
    {"b.jpe", BYTES("\xFF\xD8\xFF\xDB"), EAD_LEFT_OUT_CONTENT},
    {"c", BYTES("\x89PNG\r\n\x1A\n"), EAD_LEFT_OUT_CONTENT},
    {"d.dib", BYTES("BM\x36\0\1\0\0\0\0\0\x36\0\0\0"), EAD_LEFT_OUT_CONTENT},
    {"e", BYTES("II*\0\x08\0\0\0"), EAD_LEFT_OUT_CONTENT},
    {"f.nef", BYTES("MM\0*\0\0\0\x08"), EAD_LEFT_OUT_FORMAT},
    {"g.gif", BYTES("GIF89a\1\0\1\0"), EAD_LEFT_OUT_FORMAT},
    {"h.pgm", BYTES("P5\n4 4\n255\n0123456789abcdef"), EAD_LEFT_OUT_FORMAT},
    {"i.jp2", BYTES("\0\0\0\x0CjP  \r\n\x87\n"), EAD_LEFT_OUT_FORMAT},
    {"j.heic",
     BYTES("\0\0\0\x18"
           "ftypheic\0\0\0\0"),
     EAD_LEFT_OUT_FORMAT},
    {"k.avif",
     BYTES("\0\0\0\x1C"
           "ftypavif\0\0\0\0"),
     EAD_LEFT_OUT_FORMAT},
    {"l.tga", BYTES("\0\0\2\0"), EAD_LEFT_OUT_FORMAT},
    {"m.psd", BYTES("8BPS\0\1"), EAD_LEFT_OUT_FORMAT},
    {"n.txt", BYTES("BMW is a text"), EAD_LEFT_OUT_OTHER},
    {"o.txt", BYTES("P1: also a text"), EAD_LEFT_OUT_OTHER},
    {"p.json", BYTES("{}"), EAD_LEFT_OUT_OTHER},
    {"q", BYTES(""), EAD_LEFT_OUT_OTHER},
};

enum { CONTENTS = sizeof contents / sizeof *contents };

START_TEST(content_decides) {
    EadStringList list = {0}, notes = {0};
    EadLeftOut left = {0};
    char path[256];
    fresh();
    for (int i = 0; i < CONTENTS; i++) {
        ck_assert_int_eq(
            ead_picture_kind(contents[i].name, (const uint8_t *)contents[i].bytes, contents[i].size),
            contents[i].kind);
        snprintf(path, sizeof path, SCRATCH "%s", contents[i].name);
        write_bytes(path, contents[i].bytes, contents[i].size);
    }
    write_bytes(SCRATCH "z.png", "by its name", 11);
    ASSERT_OK(ead_list_images(&list, SCRATCH, &left));
    assert_names(&list, "a.jfif b.jpe c d.dib e z.png");
    assert_names(&left.paths[EAD_LEFT_OUT_CONTENT], "a.jfif b.jpe c d.dib e");
    assert_names(&left.paths[EAD_LEFT_OUT_FORMAT], "f.nef g.gif h.pgm i.jp2 j.heic k.avif l.tga m.psd");
    ck_assert(left.counts[EAD_LEFT_OUT_OTHER] == 4 && left.paths[EAD_LEFT_OUT_OTHER].count == 3);
    ck_assert_int_eq(ead_left_out_missed(&left), 8);
    ASSERT_OK(ead_left_out_notes(&left, "here", &notes));
    ck_assert_int_eq(notes.count, 3);
    ck_assert_str_eq(notes.items[0], "here: 8 pictures of formats that are not read are left out: " SCRATCH
                                     "f.nef, " SCRATCH "g.gif, " SCRATCH "h.pgm and 5 more");
    assert_contains(notes.items[1], "here: 4 files that are not pictures are ignored: " SCRATCH "n.txt");
    assert_contains(notes.items[2], "5 files of other endings are images by their content");
    ead_strings_free(&notes);
    ead_strings_free(&list);
    ead_left_out_free(&left);
    /* By names alone. */
    ASSERT_OK(ead_list_images(&list, SCRATCH, NULL));
    assert_names(&list, "z.png");
    ead_strings_free(&list);
}
END_TEST

START_TEST(hidden_ones_are_told) {
    EadStringList list = {0};
    EadLeftOut left = {0};
    fresh();
    make_folders(SCRATCH ".thumbnails/");
    make_folders(SCRATCH ".thumbnails/large/.old/");
    make_folders(SCRATCH "in/.git/objects/");
    write_bytes(SCRATCH ".thumbnails/t.png", "\x89PNG", 4);
    write_bytes(SCRATCH ".thumbnails/large/u", "\xFF\xD8\xFF\xE1", 4);
    write_bytes(SCRATCH ".thumbnails/large/v.gif", "GIF89a", 6);
    write_bytes(SCRATCH ".thumbnails/large/.old/w.jpg", "\xFF\xD8\xFF\xE1", 4);
    write_bytes(SCRATCH ".thumbnails/.x.jpg", "\xFF\xD8\xFF\xE1", 4);
    write_bytes(SCRATCH ".thumbnails/list.txt", "t", 1);
    write_bytes(SCRATCH "in/.git/objects/y", "a commit", 8);
    ck_assert_int_eq(symlink("..", SCRATCH ".thumbnails/back"), 0);
    write_bytes(SCRATCH ".rest.jpg.Xa3b", "\xFF\xD8\xFF\xE1", 4);
    write_bytes(SCRATCH ".b.png", "\x89PNG", 4);
    write_bytes(SCRATCH "._a.png", "\0\5\x16\7", 4); /* what macOS writes beside a.png */
    write_text(SCRATCH ".lock",
               "host 1 2\n"); /* what this program keeps there is nothing that was left out */
    write_text(SCRATCH "in/.lock.claim", "");
    write_text(SCRATCH "in/.efficientad-0123456789abcdef0123456789abcdef.tmp", "half a fi");
    write_bytes(SCRATCH "in/.git/.lock", "\x89PNG", 4);
    write_bytes(SCRATCH ".DS_Store", "\0\0\0\1Bud1", 8);
    write_bytes(SCRATCH "a.png", "\x89PNG", 4);
    ASSERT_OK(ead_list_images(&list, SCRATCH, &left));
    assert_names(&list, "a.png");
    assert_names(&left.paths[EAD_LEFT_OUT_HIDDEN], ".b.png .rest.jpg.Xa3b u t.png v.gif .x.jpg w.jpg .lock");
    assert_names(&left.paths[EAD_LEFT_OUT_FOLDER], ".thumbnails .git");
    assert_names(&left.paths[EAD_LEFT_OUT_OTHER], ".DS_Store ._a.png");
    ck_assert_int_eq(ead_left_out_missed(&left), 8);
    ead_strings_free(&list);
    ead_left_out_free(&left);
}
END_TEST

START_TEST(what_cannot_be_read_costs_itself) {
    EadStringList list = {0};
    EadLeftOut left = {0};
    char deep[512] = SCRATCH "deep/";
    fresh();
    for (int i = 0; i < 70; i++) strcat(deep, "d/");
    make_folders(deep);
    write_bytes(SCRATCH "deep/d/b.png", "", 0);
    write_bytes(SCRATCH "a.png", "", 0);
    ck_assert_int_eq(symlink("nowhere", SCRATCH "gone.png"), 0);
    ck_assert_int_eq(symlink("/nowhere/folder", SCRATCH "gone"), 0);
    ck_assert_int_eq(symlink("two.jpg", SCRATCH "one.jpg"), 0); /* a circle */
    ck_assert_int_eq(symlink("one.jpg", SCRATCH "two.jpg"), 0);
    ck_assert_int_eq(symlink(".", SCRATCH "self"), 0); /* back into a folder on the way: nothing is missed */
    ck_assert_int_eq(mkfifo(SCRATCH "pipe.png", 0600), 0);
    make_folders(SCRATCH "closed/");
    ck_assert_int_eq(chmod(SCRATCH "closed", 0), 0);
    ASSERT_OK(ead_list_images(&list, SCRATCH, &left));
    assert_names(&list, "a.png b.png");
    bool root = geteuid() == 0; /* who may read all */
    ck_assert_int_eq(left.messages.count, root ? 6 : 7);
    ck_assert_int_eq(left.messages.count, left.paths[EAD_LEFT_OUT_UNREADABLE].count);
    assert_contains(left.messages.items[root ? 0 : 1], "more than 64 folders deep");
    assert_contains(left.messages.items[root ? 2 : 3], "gone.png: cannot read: No such file");
    assert_contains(left.messages.items[root ? 3 : 4], "one.jpg: cannot read: Too many");
    assert_contains(left.messages.items[root ? 4 : 5], "pipe.png: is not a regular file");
    if (!root) assert_contains(left.messages.items[0], "closed: cannot read: Permission denied");
    ASSERT_FAILS(ead_list_images(&list, SCRATCH "no", &left), EAD_IO, "no: cannot read");
    ck_assert_int_eq(chmod(SCRATCH "closed", 0700), 0);
    ead_strings_free(&list);
    ead_left_out_free(&left);
}
END_TEST

/* Links that lead into the same folders again and again: each counts once, and is told. Ctrl-C ends a search. */
START_TEST(a_folder_counts_once) {
    enum { DEPTH = 30 };
    EadStringList list = {0};
    EadLeftOut left = {0};
    char path[128];
    fresh();
    for (int i = 0; i < DEPTH; i++)
        for (int link = 0; link < 2; link++) {
            char target[16];
            snprintf(path, sizeof path, SCRATCH "d%02d/%c", i, 'a' + link);
            snprintf(target, sizeof target, "../d%02d", i + 1);
            make_folders(path);
            ck_assert_int_eq(symlink(target, path), 0);
        }
    snprintf(path, sizeof path, SCRATCH "d%02d/x.png", DEPTH);
    make_folders(path);
    write_bytes(path, "", 0);
    ASSERT_OK(ead_list_images(&list, SCRATCH, &left));
    ck_assert_int_eq(list.count, 1);
    ck_assert_int_eq(left.counts[EAD_LEFT_OUT_AGAIN], 2 * DEPTH);
    ead_strings_free(&list);
    ead_left_out_free(&left);
    ead_interrupt_catch();
    raise(SIGTERM);
    ASSERT_FAILS(ead_list_images(&list, SCRATCH, &left), EAD_INTERRUPTED, "stopped while listing " SCRATCH);
    ead_strings_free(&list);
    ead_left_out_free(&left);
}
END_TEST

/* A PNG with a block of one value on a ground of another, or with `colours` of them. */
static void write_picture(const char *path, int ground, int colours) {
    EadImage image;
    make_folders(path);
    fill_image(&image, 64, 64, 1, (uint8_t)ground);
    for (int i = 0; i < colours; i++) image.pixels[i] = (uint8_t)(40 + i);
    for (int i = colours; colours > 16 && i < 64 * 64; i++) image.pixels[i] = (uint8_t)(40 + i % colours);
    ASSERT_OK(ead_png_write(path, &image));
    ead_image_free(&image);
}

START_TEST(masks_beside_images_are_no_images) {
    EadStringList list = {0};
    EadLeftOut left = {0};
    static const char *const masks[] = {"Part0_label.bmp", "Part1_GT.png", "Part2_mask.PNG", "Part3-mask.png",
                                        "Part4_ground_truth.png"};
    char path[256];
    fresh();
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, SCRATCH "in/Part%d.jpg", i);
        write_bytes(path, "", 0);
        snprintf(path, sizeof path, SCRATCH "in/%s", masks[i]);
        write_picture(path, i == 1 ? 255 : 0, i); /* 1 to 5 values, one inverted */
    }
    write_picture(SCRATCH "in/bottle.png", 0, 100);
    write_picture(SCRATCH "in/bottle_label.png", 0, 100); /* the photograph of a label */
    write_picture(SCRATCH "in/x_mask.png", 0, 1);         /* of no image */
    write_picture(SCRATCH "in/other/Part0_mask.png", 0, 1);
    ASSERT_OK(ead_list_images(&list, SCRATCH "in", &left));
    assert_names(&list, "Part0.jpg Part1.jpg Part2.jpg Part3.jpg Part4.jpg bottle.png bottle_label.png "
                        "Part0_mask.png x_mask.png");
    assert_names(&left.paths[EAD_LEFT_OUT_MASK],
                 "Part0_label.bmp Part1_GT.png Part2_mask.PNG Part3-mask.png Part4_ground_truth.png");
    ck_assert_int_eq(ead_left_out_missed(&left), 0);
    ead_strings_free(&list);
    ead_left_out_free(&left);
}
END_TEST

/* A mask of 48 MB that there is no room for is not taken for an image. */
START_TEST(masks_without_room_are_told) {
    EadStringList list = {0};
    EadLeftOut left = {0};
    EadImage image;
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    fresh();
    fill_image(&image, 4000, 4000, 3, 0);
    write_bytes(SCRATCH "in/Part0.jpg", "", 0);
    ASSERT_OK(ead_png_write(SCRATCH "in/Part0.png", &image));
    ead_image_free(&image);
    SKIP_UNLESS(leave_memory(16000000), "address space is limited already");
    ASSERT_FAILS(ead_list_images(&list, SCRATCH "in", &left), EAD_NO_MEMORY, "no memory");
    ead_strings_free(&list);
    ead_left_out_free(&left);
}
END_TEST

/* What predict and eval write, by whatever name; a mask of ours beside its image is told once. */
START_TEST(what_this_program_wrote_is_no_image) {
    EadStringList list = {0};
    EadImageList all = {0};
    EadLeftOut left = {0};
    EadImage image;
    const float map[4] = {0};
    fresh();
    make_folders(SCRATCH "in/heat/");
    fill_image(&image, 8, 8, 3, 9);
    ASSERT_OK(ead_png_write(SCRATCH "in/a.png", &image));
    ASSERT_OK(ead_png_write_by(SCRATCH "in/b.png", &image, "another program"));
    ASSERT_OK(ead_png_write_by(SCRATCH "in/heat/a.png", &image, "efficientad overlay"));
    ASSERT_OK(ead_png_write_by(SCRATCH "in/a_mask.PNG", &image, "efficientad mask"));
    ASSERT_OK(ead_tiff_write_map(SCRATCH "in/heat/a.tiff", map, 2, 2));
    shell_ok("cp " SCRATCH "in/heat/a.png " SCRATCH "in/heat/copied && mkfifo " SCRATCH "in/c.png");
    ASSERT_OK(ead_list_images(&list, SCRATCH "in", &left));
    assert_names(&list, "a.png b.png");
    assert_names(&left.paths[EAD_LEFT_OUT_OURS], "a_mask.PNG a.png a.tiff copied");
    ck_assert_int_eq(left.counts[EAD_LEFT_OUT_MASK], 0);
    ead_strings_free(&list);
    ead_left_out_free(&left);
    ASSERT_OK(ead_list_images_and_masks(&list, SCRATCH "in/heat", &left)); /* they may be a truth */
    assert_names(&list, "a.png a.tiff copied");
    ead_strings_free(&list);
    ead_left_out_free(&left);
    shell_ok("tar -C " SCRATCH "in -cf " SCRATCH "in.tar a.png b.png heat/a.png a_mask.PNG");
    ASSERT_OK(ead_image_list_add(&all, SCRATCH "in.tar"));
    ck_assert_int_eq(all.count, 2);
    assert_names(&all.left_out.paths[EAD_LEFT_OUT_OURS], "a.png a_mask.PNG");
    ead_image_list_free(&all);
    ead_image_free(&image);
}
END_TEST

START_TEST(archives_follow_the_same_rule) {
    EadImageList list = {0};
    fresh();
    for (int i = 0; i < CONTENTS; i++) {
        char path[256];
        snprintf(path, sizeof path, SCRATCH "in/%s", contents[i].name);
        write_bytes(path, contents[i].bytes, contents[i].size);
    }
    write_bytes(SCRATCH "in/.hidden.png", "\x89PNG", 4);
    shell_ok("tar -C " SCRATCH "in -cf " SCRATCH "a.tar .");
    ASSERT_OK(ead_image_list_add(&list, SCRATCH "a.tar"));
    ck_assert_int_eq(list.count, 5);
    ck_assert(list.left_out.counts[EAD_LEFT_OUT_FORMAT] == 8 &&
              list.left_out.counts[EAD_LEFT_OUT_OTHER] == 4);
    ck_assert_int_eq(list.left_out.counts[EAD_LEFT_OUT_HIDDEN], 1);
    ead_image_list_free(&list);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("left_out");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, content_decides);
    tcase_add_test(tests, hidden_ones_are_told);
    tcase_add_test(tests, what_cannot_be_read_costs_itself);
    tcase_add_test(tests, masks_beside_images_are_no_images);
    tcase_add_test(tests, masks_without_room_are_told);
    tcase_add_test(tests, what_this_program_wrote_is_no_image);
    tcase_add_test(tests, archives_follow_the_same_rule);
    tcase_add_test(tests, a_folder_counts_once); /* the last: what was asked to stop stays so */
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
