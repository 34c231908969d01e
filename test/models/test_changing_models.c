/* Model files that others change while they are read, and files that only are large. */
#define _GNU_SOURCE /* syscall */
#include "models/efficientad.h"
#include "test/support/sample_models.h"

#include <fcntl.h>
#include <sys/syscall.h>

#define FOLDER "build/scratch/test_changing_models/"
#define MODEL  FOLDER "model.safetensors"

/* The C library's, but that others have a go at the file when its data is read, which lies behind the header. */
static void (*meanwhile)(int writer);

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
    if (meanwhile && size > 1000 && offset > 8) {
        int writer = open(FOLDER "changing", O_RDWR);
        meanwhile(writer);
        close(writer);
        meanwhile = NULL;
    }
    return syscall(SYS_pread64, descriptor, bytes, size, offset);
}

static void cut(int writer) {
    if (ftruncate(writer, 20000) != 0) abort();
}

static void empty(int writer) {
    if (ftruncate(writer, 0) != 0) abort();
}

static void lengthen(int writer) {
    if (pwrite(writer, "more", 4, lseek(writer, 0, SEEK_END)) != 4) abort();
}

static void overwrite(int writer) {
    if (pwrite(writer, "XXXX", 4, 30000) != 4) abort();
}

START_TEST(files_that_change_while_they_are_read_are_refused) {
    static const struct {
        void (*change)(int writer);
        const char *says;
    } cases[] = {{cut, "changing: became shorter while it was read"},
                 {empty, "changing: became shorter while it was read"},
                 {lengthen, "changing: was changed while it was read"},
                 {overwrite, "changing: was changed while it was read"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadDetector *detector;
        shell_ok("cp " MODEL " " FOLDER "changing && touch -d '1 hour ago' " FOLDER "changing");
        meanwhile = cases[i].change;
        ASSERT_FAILS((EadStatus)ead_detector_open(FOLDER "changing", &detector), EAD_IO, cases[i].says);
        ck_assert(!meanwhile);
    }
}
END_TEST

START_TEST(what_happens_to_a_file_afterwards_does_not_matter) {
    EadSafetensors *file, *same;
    shell_ok("cp " MODEL " " FOLDER "changing");
    ASSERT_OK(ead_safetensors_open(FOLDER "changing", &file));
    ASSERT_OK(ead_safetensors_open(MODEL, &same));
    ck_assert_int_eq(truncate(FOLDER "changing", 0), 0);
    for (int i = 0; i < ead_safetensors_count(file); i++) {
        const EadFileTensor *a = ead_safetensors_at(file, i), *b = ead_safetensors_at(same, i);
        ck_assert_uint_eq(a->offset, b->offset);
        ck_assert_mem_eq(a->data, b->data, a->bytes);
    }
    ead_safetensors_close(file);
    ead_safetensors_close(same);
}
END_TEST

/* A file that is only large is told from a model by its start: reading all of it would take all memory. */
START_TEST(large_files_are_not_read) {
    static const struct {
        const char *start, *says;
    } cases[] = {{"", "the header is not a JSON object"},
                 {"\2{}", "bytes after the last tensor"},
                 {"\3{]}", "the header is not valid JSON"},
                 {"no model", "header of "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadDetector *detector;
        char bytes[16] = "";
        size_t length = strlen(cases[i].start);
        bool text = length > 1 && cases[i].start[1] == '{'; /* its length, as 8 bytes, and the header */
        memcpy(bytes, cases[i].start, text ? 1 : length);
        if (text) memcpy(bytes + 8, cases[i].start + 1, length - 1);
        write_bytes(FOLDER "large", bytes, sizeof bytes);
        SKIP_UNLESS(truncate(FOLDER "large", (off_t)1 << 40) == 0, "no files with holes here");
        ASSERT_FAILS((EadStatus)ead_detector_open(FOLDER "large", &detector), EAD_BAD_FILE, cases[i].says);
    }
    shell_ok("rm " FOLDER "large");
}
END_TEST

static void set_up(void) {
    make_folders(FOLDER);
    save_tiny_model(MODEL, 0.25f, NULL);
}

int main(void) {
    Suite *suite = suite_create("changing models");
    TCase *cases = tcase_create("all");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 0);
    tcase_add_unchecked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, files_that_change_while_they_are_read_are_refused);
    tcase_add_test(cases, what_happens_to_a_file_afterwards_does_not_matter);
    tcase_add_test(cases, large_files_are_not_read);
    return run_suite(suite);
}
