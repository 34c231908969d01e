/* Files that leave tensors to one that they share: read as if whole, small on the disk, and refused where that one is not
 * the one they belong to. */
#include "core/file/safetensors.h"
#include "test/support/scratch.h"

#include <sys/stat.h>

#define S       "build/scratch/test_safetensors_shared/"
#define A       S "a/model.safetensors"
#define B       S "b/model.safetensors"
#define C       S "c/model.safetensors"
#define WEIGHTS "/" EAD_SHARED_FILE

enum { NUMBERS = 10000 };

static float weights[NUMBERS];

/* A model by its metadata: the weights, and two tensors of its own. */
static void write_model(const char *path, float scale, float first) {
    static const char *const metadata[][2] = {
        {"format", "efficientad/1"}, {"method", "efficientad"}, {"config", "a: 1\nb: 2\n"}};
    const int64_t count = NUMBERS, shape[2] = {100, 100}, one = 1;
    EadSafetensorsWriter *writer;
    for (int i = 0; i < NUMBERS; i++) weights[i] = i ? (float)i : first;
    make_folders(path);
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    for (int i = 0; i < 3; i++)
        ASSERT_OK(ead_safetensors_writer_metadata(writer, metadata[i][0], metadata[i][1]));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, "w", EAD_FILE_F32, 2, shape, weights));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, "scale", EAD_FILE_F32, 1, &one, &scale));
    ASSERT_OK(ead_safetensors_writer_tensor(writer, "bytes", EAD_FILE_U8, 1, &count, weights));
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
}

static void check_model(const char *path, float scale) {
    EadSafetensors *file;
    float number;
    ASSERT_OK(ead_safetensors_open(path, &file));
    ck_assert_int_eq(ead_safetensors_count(file), 3);
    ck_assert_str_eq(ead_safetensors_metadata(file, "config"), "a: 1\nb: 2\n");
    const EadFileTensor *w = ead_safetensors_find(file, "w"), *s = ead_safetensors_find(file, "scale");
    ck_assert(w && s && w->dims == 2 && w->shape[1] == 100 && w->bytes == sizeof weights);
    ck_assert_mem_eq(w->data, weights, sizeof weights);
    memcpy(&number, s->data, sizeof number);
    ck_assert(number == scale);
    int found = 0;
    for (int i = 0; i < 3; i++) found += ead_safetensors_was_found(file, i);
    ck_assert_int_eq(found, 2);
    ead_safetensors_close(file);
    ASSERT_OK(ead_safetensors_open_header(path, &file));
    ck_assert(ead_safetensors_count(file) == 3 && ead_safetensors_find(file, "w")->count == NUMBERS);
    ead_safetensors_close(file);
}

static void start(void) {
    shell_ok("rm -rf " S);
    write_model(A, 1, 7);
    write_model(B, 2, 7);
    write_model(C, 3, 7);
}

static off_t size_of(const char *path) {
    struct stat entry;
    ck_assert_int_eq(stat(path, &entry), 0);
    return entry.st_size;
}

START_TEST(weights_are_one_file) {
    uint64_t bytes;
    struct stat a, b, c;
    start();
    ASSERT_OK(ead_safetensors_share(B, A, &bytes));
    ck_assert_uint_eq(bytes, sizeof weights + NUMBERS);
    ASSERT_OK(ead_safetensors_share(B, A, &bytes)); /* it is so already */
    ck_assert_uint_eq(bytes, 0);
    ASSERT_OK(ead_safetensors_share(C, B, &bytes)); /* B holds none itself */
    ck_assert_uint_eq(bytes, sizeof weights + NUMBERS);
    ck_assert(size_of(B) < 1000 && size_of(C) < 1000 && size_of(A) > (off_t)sizeof weights);
    stat(A, &a), stat(S "b" WEIGHTS, &b), stat(S "c" WEIGHTS, &c);
    ck_assert(a.st_ino == b.st_ino && a.st_ino == c.st_ino && a.st_nlink == 3);
    check_model(A, 1);
    check_model(B, 2);
    check_model(C, 3);
    shell_ok("rm -r " S "a && ln -s b/model.safetensors " S "link.safetensors");
    check_model(B, 2);
    check_model(S "link.safetensors", 2);
}
END_TEST

START_TEST(files_without_the_same_tensors_stay_whole) {
    uint64_t bytes;
    start();
    write_model(B, 2, 8);
    for (int i = 0; i < NUMBERS; i++) weights[i] = -1;
    ASSERT_OK(ead_safetensors_share(B, C, &bytes));
    ck_assert(bytes == 0 && !exists(S "b" WEIGHTS) && size_of(B) > (off_t)sizeof weights);
    start();
    write_text(S "b" WEIGHTS, "notes of others, by chance under this name");
    ASSERT_FAILS(ead_safetensors_share(B, A, &bytes), EAD_BAD_FILE, "is a text, not weights of a model");
    check_model(B, 2);
    assert_file_holds(S "b" WEIGHTS, "notes");
}
END_TEST

START_TEST(a_missing_or_other_file_is_told) {
    uint64_t bytes;
    EadSafetensors *file;
    start();
    ASSERT_OK(ead_safetensors_share(B, A, &bytes));
    shell_ok("mkdir " S "moved && mv " B " " S "moved");
    ASSERT_FAILS(ead_safetensors_open(S "moved/model.safetensors", &file), EAD_IO,
                 "moved/model.safetensors: its weights are in " S
                 "moved/weights.safetensors, which belongs to it: cannot open: No such file");
    ASSERT_FAILS(ead_safetensors_open_header(S "moved/model.safetensors", &file), EAD_IO, "its weights");
    write_model(S "moved" WEIGHTS, 2, 8);
    ASSERT_FAILS(ead_safetensors_open(S "moved/model.safetensors", &file), EAD_BAD_FILE,
                 "which is another file than was there");
    write_text(S "moved" WEIGHTS, "12345678");
    ASSERT_FAILS(ead_safetensors_open(S "moved/model.safetensors", &file), EAD_BAD_FILE, "its weights");
    ASSERT_OK(ead_safetensors_share(C, A, &bytes));
    shell_ok("cp " C " " S "moved && cp models/weights/teacher_small.safetensors " S "moved" WEIGHTS);
    ASSERT_FAILS(ead_safetensors_open(S "moved/model.safetensors", &file), EAD_BAD_FILE,
                 "its tensor 'w' is not in weights.safetensors beside it");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("safetensors_shared");
    TCase *cases = tcase_create("shared");
    tcase_add_test(cases, weights_are_one_file);
    tcase_add_test(cases, files_without_the_same_tensors_stay_whole);
    tcase_add_test(cases, a_missing_or_other_file_is_told);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
