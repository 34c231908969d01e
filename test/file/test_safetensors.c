/* Well-formed .safetensors: what is written comes back, Python's files are read, conversions are exact or
 * refuse, and a failed write leaves the previous file alone. Damaged files are test_safetensors_damage.c's.
 */
#include "core/file/safetensors.h"
#include "test/support/scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define FOLDER "build/scratch/safetensors"
#define FILE_A FOLDER "/a.safetensors"
#define FILE_B FOLDER "/b.safetensors"

static void empty_folder(void) {
    mkdir("build", 0777), mkdir("build/scratch", 0777), mkdir(FOLDER, 0777);
    unlink(FILE_A), unlink(FILE_B);
}

static void add(EadSafetensorsWriter *writer, const char *name, EadFileType type, int dims,
                const int64_t *shape, const void *data) {
    ck_assert_int_eq(ead_safetensors_writer_tensor(writer, name, type, dims, shape, data), EAD_OK);
}

static EadSafetensors *open_good(const char *path) {
    EadSafetensors *file;
    EadStatus status = ead_safetensors_open(path, &file);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    return file;
}

static const EadFileTensor *need(const EadSafetensors *file, const char *name) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    ck_assert_msg(tensor != NULL, "no tensor '%s'", name);
    return tensor;
}

static unsigned char bytes[8 * 6]; /* content of every tensor of the round trip */

/* One tensor [2,3] of each type, a scalar, an empty one, and one of 8 dimensions, named after their types. */
static void write_all_types(const char *path) {
    static const int64_t shape[8] = {2, 3, 1, 1, 1, 1, 1, 1}, nothing[2] = {0, 5};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(37 * i + 1);
    EadSafetensorsWriter *writer;
    ck_assert_int_eq(ead_safetensors_writer_new(&writer), EAD_OK);
    ck_assert_int_eq(ead_safetensors_writer_metadata(writer, "format", "replaced"), EAD_OK);
    ck_assert_int_eq(ead_safetensors_writer_metadata(writer, "config", "model:\n  \"size\": \\ small ü\n"),
                     EAD_OK);
    ck_assert_int_eq(ead_safetensors_writer_metadata(writer, "format", "efficientad/1"), EAD_OK);
    for (int type = 0; type < EAD_FILE_TYPE_COUNT; type++)
        add(writer, ead_file_type_name((EadFileType)type), (EadFileType)type, 2, shape, bytes);
    add(writer, "scalar", EAD_FILE_U8, 0, NULL, bytes);
    add(writer, "empty", EAD_FILE_F32, 2, nothing, NULL);
    add(writer, "deep \"ü\"", EAD_FILE_F32, 8, shape, bytes);
    EadStatus status = ead_safetensors_writer_write(writer, path);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ead_safetensors_writer_free(writer);
}

START_TEST(round_trip_of_all_types) {
    empty_folder();
    write_all_types(FILE_A);
    EadSafetensors *file = open_good(FILE_A);
    ck_assert_int_eq(ead_safetensors_count(file), EAD_FILE_TYPE_COUNT + 3);
    ck_assert_str_eq(ead_safetensors_path(file), FILE_A);
    for (int type = 0; type < EAD_FILE_TYPE_COUNT; type++) {
        const EadFileTensor *tensor = need(file, ead_file_type_name((EadFileType)type));
        size_t size = ead_file_type_size((EadFileType)type);
        ck_assert_int_eq(tensor->type, type);
        ck_assert(tensor->dims == 2 && tensor->shape[0] == 2 && tensor->shape[1] == 3 && tensor->count == 6);
        ck_assert_uint_eq(tensor->bytes, 6 * size);
        ck_assert_mem_eq(tensor->data, bytes, 6 * size);
        ck_assert_msg((uintptr_t)tensor->data % size == 0, "%s is not aligned", tensor->name);
    }
    ck_assert_int_eq(need(file, "scalar")->dims, 0);
    ck_assert_int_eq(need(file, "scalar")->count, 1);
    ck_assert_int_eq(need(file, "empty")->count, 0);
    ck_assert_int_eq(need(file, "deep \"ü\"")->dims, 8);
    ck_assert_ptr_null(ead_safetensors_find(file, "absent"));
    ead_safetensors_close(file);
}
END_TEST

START_TEST(metadata_comes_back) {
    empty_folder();
    write_all_types(FILE_A);
    EadSafetensors *file = open_good(FILE_A);
    ck_assert_str_eq(ead_safetensors_metadata(file, "format"), "efficientad/1");
    ck_assert_str_eq(ead_safetensors_metadata(file, "config"), "model:\n  \"size\": \\ small ü\n");
    ck_assert_ptr_null(ead_safetensors_metadata(file, "absent"));
    ead_safetensors_close(file);
    ead_safetensors_close(NULL);
}
END_TEST

static size_t slurp(const char *path, char *out, size_t size) {
    FILE *stream = fopen(path, "rb");
    ck_assert_ptr_nonnull(stream);
    size_t length = fread(out, 1, size, stream);
    fclose(stream);
    return length;
}

START_TEST(equal_calls_give_equal_bytes) {
    char a[8192], b[8192];
    empty_folder();
    write_all_types(FILE_A);
    write_all_types(FILE_B);
    size_t length = slurp(FILE_A, a, sizeof a);
    ck_assert_uint_eq(slurp(FILE_B, b, sizeof b), length);
    ck_assert(length > 1000 && length < sizeof a);
    ck_assert_mem_eq(a, b, length);
    uint64_t header;
    memcpy(&header, a, sizeof header);
    ck_assert_uint_eq(header % 8, 0);
    const char *begin = "{\"__metadata__\":{\"format\":\"efficientad/1\",\"config\":\"model:\\n";
    ck_assert(strncmp(a + 8, begin, strlen(begin)) == 0);
    ck_assert_ptr_nonnull(strstr(a + 8, "\"F16\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":["));
}
END_TEST

START_TEST(a_file_of_nothing) {
    EadSafetensorsWriter *writer;
    empty_folder();
    ck_assert_int_eq(ead_safetensors_writer_new(&writer), EAD_OK);
    ck_assert_int_eq(ead_safetensors_writer_write(writer, FILE_A), EAD_OK);
    ead_safetensors_writer_free(writer);
    ead_safetensors_writer_free(NULL);
    EadSafetensors *file = open_good(FILE_A);
    ck_assert_int_eq(ead_safetensors_count(file), 0);
    ck_assert_ptr_null(ead_safetensors_metadata(file, "format"));
    ead_safetensors_close(file);
}
END_TEST

/* Data that the caller puts into the file himself gives the same bytes as data that was there at first. */
START_TEST(written_in_two_steps) {
    const int64_t shape[] = {2, 9};
    const uint64_t sums[2] = {1, UINT64_MAX};
    uint8_t pixels[18];
    size_t size[2];
    uint8_t *content[2];
    empty_folder();
    for (int i = 0; i < 18; i++) pixels[i] = (uint8_t)(i * 11);
    for (int steps = 1; steps <= 2; steps++) {
        EadSafetensorsWriter *writer;
        EadAtomicFile file;
        const char *path = steps == 1 ? FILE_A : FILE_B;
        ASSERT_OK(ead_safetensors_writer_new(&writer));
        add(writer, "pixels", EAD_FILE_U8, 2, shape, steps == 1 ? pixels : NULL);
        add(writer, "name", EAD_FILE_U8, 1, shape, pixels);
        add(writer, "sums", EAD_FILE_U64, 1, shape, steps == 1 ? sums : NULL);
        if (steps == 1)
            ASSERT_OK(ead_safetensors_writer_write(writer, path));
        else {
            ASSERT_OK(ead_safetensors_writer_begin(writer, path, &file));
            off_t at = ead_safetensors_writer_offset(writer, "pixels");
            ck_assert(pwrite(fileno(file.stream), pixels, sizeof pixels, at) == sizeof pixels);
            at = ead_safetensors_writer_offset(writer, "sums");
            ck_assert(pwrite(fileno(file.stream), sums, sizeof sums, at) == sizeof sums);
            ck_assert(access(path, F_OK) != 0);
            ASSERT_OK(ead_atomic_file_commit(&file));
        }
        ead_safetensors_writer_free(writer);
        content[steps - 1] = read_bytes(path, &size[steps - 1]);
    }
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(content[0], content[1], size[0]);
    free(content[0]);
    free(content[1]);
}
END_TEST

START_TEST(reads_what_python_wrote) {
    EadSafetensors *file = open_good("test/golden/safetensors_golden.safetensors");
    static const char *const names[] = {"half", "brain", "single", "double"};
    for (int i = 0; i < 4; i++) {
        float single[6];
        double wide[6];
        const EadFileTensor *tensor = need(file, names[i]);
        ck_assert(tensor->dims == 2 && tensor->shape[0] == 2 && tensor->shape[1] == 3);
        ck_assert_int_eq(ead_file_tensor_to_float(file, tensor, single), EAD_OK);
        ck_assert_int_eq(ead_file_tensor_to_double(file, tensor, wide), EAD_OK);
        for (int k = 0; k < 6; k++) ck_assert(wide[k] == k / 4.0 - 0.5 && (double)single[k] == wide[k]);
    }
    int64_t whole[2];
    memcpy(whole, need(file, "long")->data, sizeof whole);
    ck_assert(whole[0] == -1 && whole[1] == INT64_C(1) << 40);
    ck_assert_mem_eq(need(file, "bytes")->data, "\x00\x80\xff", 3);
    ck_assert_int_eq(need(file, "scalar")->dims, 0);
    ck_assert_int_eq(need(file, "empty")->shape[1], 4);
    ck_assert_int_eq(need(file, "ünï.weight")->count, 1);
    ck_assert_str_eq(ead_safetensors_metadata(file, "format"), "efficientad/1 – ü");
    ck_assert_int_eq(ead_safetensors_count(file), 9);
    ead_safetensors_close(file);
}
END_TEST

/* Writes `count` doubles of 0.5 with x[at] = value, as F64 (narrow: as F32), and converts them back. */
static EadStatus convert_with(double value, int64_t at, int64_t count, bool narrow, bool to_double) {
    double *wide = malloc((size_t)count * sizeof *wide);
    float *single = malloc((size_t)count * sizeof *single);
    for (int64_t i = 0; i < count; i++) wide[i] = i == at ? value : 0.5, single[i] = (float)wide[i];
    EadSafetensorsWriter *writer;
    ck_assert_int_eq(ead_safetensors_writer_new(&writer), EAD_OK);
    add(writer, "conv1.weight", narrow ? EAD_FILE_F32 : EAD_FILE_F64, 1, &count,
        narrow ? (void *)single : wide);
    ck_assert_int_eq(ead_safetensors_writer_write(writer, FILE_A), EAD_OK);
    ead_safetensors_writer_free(writer);
    EadSafetensors *file = open_good(FILE_A);
    const EadFileTensor *tensor = need(file, "conv1.weight");
    EadStatus status = to_double ? ead_file_tensor_to_double(file, tensor, wide)
                                 : ead_file_tensor_to_float(file, tensor, single);
    if (status == EAD_OK) ck_assert(to_double ? wide[at] == value : single[at] == (float)value);
    ead_safetensors_close(file);
    free(wide), free(single);
    return status;
}

START_TEST(conversion_needs_finite_numbers) {
    empty_folder();
    for (int to_double = 0; to_double < 2; to_double++) {
        ck_assert_int_eq(convert_with(-3.25, 2999, 3000, true, to_double), EAD_OK);
        ck_assert_int_eq(convert_with((double)NAN, 1024, 3000, true, to_double), EAD_BAD_FILE);
        ck_assert_ptr_nonnull(
            strstr(ead_error_message(), FILE_A ": tensor 'conv1.weight': element 1024 is "));
        ck_assert_int_eq(convert_with(-(double)INFINITY, 2999, 3000, false, to_double), EAD_BAD_FILE);
        ck_assert_ptr_nonnull(strstr(ead_error_message(), "element 2999 is -inf"));
    }
    ck_assert_int_eq(convert_with(1e300, 7, 10, false, true), EAD_OK);
    ck_assert_int_eq(convert_with(1e300, 7, 10, false, false), EAD_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "element 7 is 1e+300"));
}
END_TEST

START_TEST(conversion_needs_floats) {
    EadSafetensors *file = open_good("test/golden/safetensors_golden.safetensors");
    double out[3];
    ck_assert_int_eq(ead_file_tensor_to_double(file, need(file, "bytes"), out), EAD_BAD_FILE);
    ck_assert_ptr_nonnull(
        strstr(ead_error_message(), "safetensors_golden.safetensors: tensor 'bytes': dtype U8"));
    ead_safetensors_close(file);
}
END_TEST

START_TEST(the_writer_checks_its_arguments) {
    EadSafetensorsWriter *writer;
    int64_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, negative[2] = {2, -1},
            huge[2] = {INT64_C(1) << 31, 1 << 30};
    const float x[1] = {0};
    ck_assert_int_eq(ead_safetensors_writer_new(&writer), EAD_OK);
    static const char *const bad_names[] = {"", "__metadata__", "line\nbreak", "\x7f"};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ead_safetensors_writer_tensor(writer, bad_names[i], EAD_FILE_F32, 1, shape, x),
                         EAD_BAD_ARGUMENT);
    ck_assert_int_eq(ead_safetensors_writer_tensor(writer, "x", EAD_FILE_F32, 9, shape, x), EAD_BAD_SHAPE);
    ck_assert_int_eq(ead_safetensors_writer_tensor(writer, "x", EAD_FILE_F32, 2, negative, x), EAD_BAD_SHAPE);
    ck_assert_int_eq(ead_safetensors_writer_tensor(writer, "x", EAD_FILE_F32, 2, huge, x), EAD_BAD_SHAPE);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "tensor 'x'"));
    add(writer, "x", EAD_FILE_F32, 8, shape, x);
    ck_assert_int_eq(ead_safetensors_writer_tensor(writer, "x", EAD_FILE_F32, 1, shape, x), EAD_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "tensor 'x' is there already"));
    ck_assert_int_eq(ead_safetensors_writer_metadata(writer, "k", "\xff"), EAD_BAD_ARGUMENT);
    ck_assert_int_eq(ead_safetensors_writer_metadata(writer, "\xff", "v"), EAD_BAD_ARGUMENT);
    add(writer, "\xc3(", EAD_FILE_F32, 1, shape, x);
    empty_folder();
    ck_assert_int_eq(ead_safetensors_writer_write(writer, FILE_A), EAD_BAD_ARGUMENT);
    ck_assert_int_eq(files_in(FOLDER), 0);
    ead_safetensors_writer_free(writer);
}
END_TEST

/* A write under a file-size limit, which stops it as a full disk would. */
static EadStatus write_limited(EadSafetensorsWriter *writer, rlim_t most) {
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = most;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    EadStatus status = ead_safetensors_writer_write(writer, FILE_A);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    return status;
}

START_TEST(full_disk_keeps_the_old_file) {
    char before[8192], after[8192];
    static const int64_t count = 100000;
    float *x = calloc((size_t)count, sizeof *x);
    EadSafetensorsWriter *writer;
    empty_folder();
    write_all_types(FILE_A);
    size_t length = slurp(FILE_A, before, sizeof before);
    ck_assert_int_eq(ead_safetensors_writer_new(&writer), EAD_OK);
    add(writer, "x", EAD_FILE_F32, 1, &count, x);
    static const rlim_t limits[] = {0, 20, 50000, 4 * 100000};
    for (int i = 0; i < 4; i++) { /* the last: all but the end of the data */
        ck_assert_int_eq(write_limited(writer, limits[i]), EAD_IO);
        ck_assert_ptr_nonnull(strstr(ead_error_message(), FILE_A ": cannot write: it takes 0.4"));
        ck_assert_int_eq(files_in(FOLDER), 1);
        ck_assert_uint_eq(slurp(FILE_A, after, sizeof after), length);
        ck_assert_mem_eq(before, after, length);
    }
    ck_assert_int_eq(ead_safetensors_writer_write(writer, FILE_A), EAD_OK);
    ead_safetensors_close(open_good(FILE_A));
    ead_safetensors_writer_free(writer);
    free(x);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("safetensors");
    TCase *cases = tcase_create("well-formed");
    tcase_add_test(cases, round_trip_of_all_types);
    tcase_add_test(cases, metadata_comes_back);
    tcase_add_test(cases, equal_calls_give_equal_bytes);
    tcase_add_test(cases, a_file_of_nothing);
    tcase_add_test(cases, written_in_two_steps);
    tcase_add_test(cases, reads_what_python_wrote);
    tcase_add_test(cases, conversion_needs_finite_numbers);
    tcase_add_test(cases, conversion_needs_floats);
    tcase_add_test(cases, the_writer_checks_its_arguments);
    tcase_add_test(cases, full_disk_keeps_the_old_file);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
