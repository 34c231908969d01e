/* Damaged and hostile .safetensors: each is refused with one line that names the file, the tensor and the
 * fault. */
#include "core/file/safetensors.h"
#include "test/support/suite.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "build/scratch/safetensors_damage"
#define LABEL  "models/bad.safetensors"

/* Bytes of a file with that header and `data` zero bytes after it; the caller frees them. */
static unsigned char *make_file(const char *header, uint64_t length, size_t data, size_t *size) {
    *size = sizeof length + (size_t)length + data;
    unsigned char *bytes = calloc(*size, 1);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, header, (size_t)length);
    return bytes;
}

/* Parses a copy without slack behind it, so that the address sanitizer sees every byte read beyond. */
static EadStatus parse_copy(const unsigned char *bytes, size_t size) {
    unsigned char *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    EadSafetensors *file = (EadSafetensors *)(void *)copy; /* must be overwritten */
    EadStatus status = ead_safetensors_parse(copy, size, LABEL, &file);
    if (status != EAD_OK) ck_assert_ptr_null(file);
    ead_safetensors_close(file);
    free(copy);
    return status;
}

/* The message is one line that begins with the file and says all of `fragment`. */
static void check_message(const char *path, const char *fragment) {
    const char *message = ead_error_message();
    ck_assert_msg(strncmp(message, path, strlen(path)) == 0 && strstr(message, fragment) &&
                      !strchr(message, '\n'),
                  "message: %s\nexpected: %s ... %s", message, path, fragment);
}

static void check_refused(const char *header, size_t data, const char *fragment) {
    size_t size;
    unsigned char *bytes = make_file(header, strlen(header), data, &size);
    ck_assert_msg(parse_copy(bytes, size) == EAD_BAD_FILE, "accepted: %s", header);
    check_message(LABEL ": ", fragment);
    free(bytes);
}

#define ENTRY(dtype, shape, offsets)                                                                         \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const struct {
    const char *header;
    size_t data;
    const char *fragment;
} damages[] = {
    {"", 0, "the header is not a JSON object"},
    {"[]", 0, "the header is not a JSON object"},
    {" {}", 0, "the header is not a JSON object"},
    {"{", 0, "the header is not valid JSON"},
    {"{} {}", 0, "the header is not valid JSON"},
    {"{\"\xff\":1}", 0, "the header is not valid JSON"},
    {"{\"a\\u0000\":1}", 0, "the header is not valid JSON"},
    {"{\"x\":" ENTRY("F32", "[1e999]", "[0,4]") "}", 4, "the header is not valid JSON"},
    {"{\"x\":" ENTRY("F32", "[99999999999999999999]", "[0,4]") "}", 4, "the header is not valid JSON"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4]") ",\"x\":" ENTRY("F32", "[1]", "[0,4]") "}", 4,
     "duplicate object key"},
    {"{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "duplicate object key"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"steps\":3}}", 0, "__metadata__: the value of 'steps' is not a string"},
    {"{\"\":" ENTRY("F32", "[1]", "[0,4]") "}", 4, "a tensor's name is empty"},
    {"{\"a\\nb\":" ENTRY("F32", "[1]", "[0,4]") "}", 4, "control characters"},
    {"{\"x\":7}", 0, "tensor 'x': its entry is not an object"},
    {"{\"x\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'x': no dtype"},
    {"{\"x\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'x': no dtype"},
    {"{\"x\":" ENTRY("F31", "[1]", "[0,4]") "}", 4, "tensor 'x': unknown dtype 'F31'"},
    {"{\"x\":" ENTRY("F\\n1", "[1]", "[0,4]") "}", 4, "tensor 'x': unknown dtype 'F?1'"},
    {"{\"x\\\n", 0, "the header is not valid JSON"},
    {"{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'x': no shape"},
    {"{\"x\":" ENTRY("F32", "4", "[0,4]") "}", 4, "tensor 'x': no shape"},
    {"{\"x\":" ENTRY("F32", "[-1]", "[0,4]") "}", 4, "tensor 'x': shape[0] is not a whole number"},
    {"{\"x\":" ENTRY("F32", "[1,1.0]", "[0,4]") "}", 4, "tensor 'x': shape[1] is not a whole number"},
    {"{\"x\":" ENTRY("F32", "[\"1\"]", "[0,4]") "}", 4, "tensor 'x': shape[0] is not a whole number"},
    {"{\"x\":" ENTRY("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "tensor 'x': 9 dimensions"},
    {"{\"x\":" ENTRY("F32", "[4294967296,4294967296]", "[0,0]") "}", 0,
     "tensor 'x': the shape's size overflows"},
    {"{\"x\":" ENTRY("F32", "[4611686018427387904]", "[0,0]") "}", 0,
     "tensor 'x': the shape's size overflows"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "tensor 'x': data_offsets is not a pair"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0]") "}", 4, "tensor 'x': data_offsets is not a pair"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4,4]") "}", 4, "tensor 'x': data_offsets is not a pair"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4.0]") "}", 4, "tensor 'x': data_offsets is not a pair"},
    {"{\"x\":" ENTRY("F32", "[1]", "[-4,0]") "}", 4, "tensor 'x': data_offsets [-4,0] are outside"},
    {"{\"x\":" ENTRY("F32", "[1]", "[4,0]") "}", 4, "tensor 'x': data_offsets [4,0] are outside"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4]") "}", 3,
     "tensor 'x': data_offsets [0,4] are outside the 3 data bytes"},
    {"{\"x\":" ENTRY("F32", "[1]", "[9223372036854775804,9223372036854775807]") "}", 4, "are outside"},
    {"{\"x\":" ENTRY("F32", "[2]", "[0,4]") "}", 4,
     "tensor 'x': data_offsets [0,4] hold 4 bytes, the shape needs 8"},
    {"{\"x\":" ENTRY("F32", "[0]", "[0,4]") "}", 4,
     "tensor 'x': data_offsets [0,4] hold 4 bytes, the shape needs 0"},
    {"{\"x\":" ENTRY("F32", "[2]", "[0,8]") ",\"y\":" ENTRY("F32", "[2]", "[4,12]") "}", 12,
     "tensor 'y': data_offsets [4,12] overlap tensor 'x'"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4]") ",\"y\":" ENTRY("F32", "[1]", "[0,4]") "}", 4,
     "[0,4] overlap tensor '"},
    {"{\"x\":" ENTRY("F32", "[3]", "[0,12]") ",\"y\":" ENTRY("F32", "[0]", "[4,4]") "}", 12,
     "tensor 'y': data_offsets [4,4] overlap tensor 'x'"},
    {"{\"y\":" ENTRY("F32", "[1]", "[8,12]") ",\"x\":" ENTRY("F32", "[1]", "[0,4]") "}", 12,
     "tensor 'y': data_offsets [8,12] leave a gap from 4 on"},
    {"{\"x\":" ENTRY("F32", "[1]", "[4,8]") "}", 8, "tensor 'x': data_offsets [4,8] leave a gap from 0 on"},
    {"{\"x\":" ENTRY("F32", "[1]", "[0,4]") "}", 5, "1 bytes after the last tensor"},
    {"{}", 1, "1 bytes after the last tensor"},
};

START_TEST(each_damage_is_named) {
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
        check_refused(damages[i].header, damages[i].data, damages[i].fragment);
}
END_TEST

/* Unsorted entries, empty tensors at every place, trailing spaces and unknown keys are all within the format.
 */
START_TEST(unusual_but_valid_is_accepted) {
    static const char header[] =
        "{\"z\":" ENTRY("F32", "[1]", "[4,8]") ",\"e2\":" ENTRY("F32", "[0]", "[8,8]") ",\"e1\":" ENTRY(
            "U8", "[3,0]",
            "[4,4]") ",\"a\":{\"more\":null,\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                     "\"e0\":" ENTRY("F32", "[0]", "[0,0]") "}   ";
    size_t size;
    unsigned char *bytes = make_file(header, sizeof header - 1, 8, &size);
    EadSafetensors *file;
    EadStatus status = ead_safetensors_parse(bytes, size, LABEL, &file);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ck_assert_int_eq(ead_safetensors_count(file), 5);
    static const char *const order[] = {"e0", "a", "e1", "z", "e2"};
    for (int i = 0; i < 5; i++) ck_assert_str_eq(ead_safetensors_at(file, i)->name, order[i]);
    ead_safetensors_close(file);
    free(bytes);
}
END_TEST

START_TEST(header_length_is_checked) {
    static const struct {
        uint64_t length;
        size_t size;
        const char *fragment;
    } cases[] = {
        {0, 0, "0 bytes are too few"},
        {0, 7, "7 bytes are too few"},
        {0, 8, "the header is not a JSON object"},
        {1, 8, "header of 1 bytes in a file of 8"},
        {100000001, 64, "header of 100000001 bytes in a file of 64"},
        {UINT64_MAX, 64, "header of 18446744073709551615 bytes in a file of 64"},
        {UINT64_MAX - 7, 64, "header of 18446744073709551608 bytes in a file of 64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[64] = {0};
        memcpy(bytes, &cases[i].length, 8);
        ck_assert_int_eq(parse_copy(bytes, cases[i].size), EAD_BAD_FILE);
        check_message(LABEL ": ", cases[i].fragment);
    }
}
END_TEST

/* A header within the file but over the format's limit; the pages behind it are never touched. */
START_TEST(huge_headers_are_refused) {
    uint64_t length = 100000001;
    unsigned char *bytes = calloc((size_t)length + 8, 1);
    SKIP_UNLESS(bytes, "no memory");
    memcpy(bytes, &length, sizeof length);
    EadSafetensors *file;
    ck_assert_int_eq(ead_safetensors_parse(bytes, (size_t)length + 8, LABEL, &file), EAD_BAD_FILE);
    check_message(LABEL ": ", "header of 100000001 bytes in a file of 100000009");
    free(bytes);
}
END_TEST

/* `count` times `unit` after `begin`, without an end. */
static void check_nesting(const char *begin, const char *unit, size_t count) {
    size_t step = strlen(unit), start = strlen(begin);
    char *header = malloc(start + step * count + 1);
    memcpy(header, begin, start);
    for (size_t i = 0; i < count; i++) memcpy(header + start + i * step, unit, step);
    header[start + step * count] = '\0';
    check_refused(header, 0, strcmp(begin, "") ? "maximum parsing depth" : "not a JSON object");
    free(header);
}

START_TEST(nesting_without_end_is_refused) {
    check_nesting("", "[", 1000000);
    check_nesting("{\"x\":", "[", 1000000);
    check_nesting("{\"x\":", "{\"x\":", 1000000);
    check_nesting("{\"__metadata__\":", "[", 1000000);
}
END_TEST

static const char good_header[] = "{\"__metadata__\":{\"format\":\"efficientad/1\"},\"x\":" ENTRY(
    "F32", "[2]", "[0,8]") ",\"y\":" ENTRY("U8", "[3]", "[8,11]") "}";

START_TEST(every_truncation_is_refused) {
    size_t size;
    unsigned char *bytes = make_file(good_header, sizeof good_header - 1, 11, &size);
    ck_assert_int_eq(parse_copy(bytes, size), EAD_OK);
    for (size_t shorter = 0; shorter < size; shorter++) {
        ck_assert_msg(parse_copy(bytes, shorter) == EAD_BAD_FILE, "accepted %zu of %zu bytes", shorter, size);
        check_message(LABEL ": ", "; the file is damaged, export or download it again");
    }
    free(bytes);
}
END_TEST

/* A flipped bit may well leave a valid file; it must never do worse than an error. */
START_TEST(flipped_bits_do_no_harm) {
    size_t size;
    unsigned char *bytes = make_file(good_header, sizeof good_header - 1, 11, &size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        EadStatus status = parse_copy(bytes, size);
        ck_assert(status == EAD_OK || status == EAD_BAD_FILE);
        if (status != EAD_OK) check_message(LABEL ": ", "");
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free(bytes);
}
END_TEST

static void write_bytes(const char *path, const void *bytes, size_t size) {
    mkdir("build", 0777), mkdir("build/scratch", 0777), mkdir(FOLDER, 0777);
    FILE *stream = fopen(path, "wb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    fclose(stream);
}

static void check_open(const char *path, EadStatus expected, const char *fragment) {
    EadSafetensors *file;
    ck_assert_int_eq(ead_safetensors_open(path, &file), expected);
    ck_assert_ptr_null(file);
    check_message(path, fragment);
}

START_TEST(bad_files_on_disk_are_named) {
    size_t size;
    unsigned char *bytes = make_file(good_header, sizeof good_header - 1, 11, &size);
    write_bytes(FOLDER "/cut.safetensors", bytes, size - 1);
    write_bytes(FOLDER "/empty.safetensors", bytes, 0);
    free(bytes);
    check_open(FOLDER "/cut.safetensors", EAD_BAD_FILE,
               ": tensor 'y': data_offsets [8,11] are outside the 10 data");
    check_open(FOLDER "/empty.safetensors", EAD_BAD_FILE, ": 0 bytes are too few");
    check_open(FOLDER "/absent.safetensors", EAD_IO, ": cannot open: No such file");
    check_open(FOLDER, EAD_IO, ": not a regular file");
    unlink(FOLDER "/pipe");
    ck_assert_int_eq(mkfifo(FOLDER "/pipe", 0600), 0);
    check_open(FOLDER "/pipe", EAD_IO, ": not a regular file");
    check_open("/dev/zero", EAD_IO, ": not a regular file");
}
END_TEST

/* ---- memory ---- */

static int left; /* allocations that jansson still gets; then one fails */

static void *allocate(size_t size) {
    if (left-- != 0) return malloc(size);
    errno = ENOMEM;
    return NULL;
}

/* Each allocation of jansson fails in turn, in reading and in writing: that is no damage. (Texts of 15 bytes and more
 * need a larger buffer in jansson 2.14, which does not notice if there is none.) */
START_TEST(memory_that_is_missing_is_no_damage) {
    static const char header[] = "{\"__metadata__\":{\"key\":\"a value\"},"
                                 "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    enum { MOST = 200 };
    size_t size;
    unsigned char *bytes = make_file(header, sizeof header - 1, 4, &size);
    EadStatus status = EAD_NO_MEMORY;
    json_set_alloc_funcs(allocate, free);
    int failed = 0;
    for (; failed < MOST; failed++) {
        left = failed;
        status = parse_copy(bytes, size);
        if (left >= 0) break; /* it was not reached */
        ck_assert_msg(status == EAD_NO_MEMORY, "%d: %d, %s", failed, status, ead_error_message());
    }
    ck_assert_int_eq(status, EAD_OK);
    ck_assert(failed > 10);
    status = EAD_NO_MEMORY;
    for (failed = 0; status != EAD_OK && failed < MOST; failed++) {
        EadSafetensorsWriter *writer = NULL;
        left = failed;
        status = ead_safetensors_writer_new(&writer);
        if (status == EAD_OK) status = ead_safetensors_writer_metadata(writer, "key", "value");
        if (status == EAD_OK)
            status = ead_safetensors_writer_tensor(writer, "a", EAD_FILE_F32, 1, (int64_t[]){1}, "four");
        if (status == EAD_OK) status = ead_safetensors_writer_write(writer, FOLDER "/memory");
        ead_safetensors_writer_free(writer);
        ck_assert_msg(status == EAD_OK || status == EAD_NO_MEMORY, "%d: %s", failed, ead_error_message());
    }
    ck_assert(failed > 3 && failed < MOST);
    json_set_alloc_funcs(malloc, free);
    free(bytes);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("safetensors damage");
    TCase *cases = tcase_create("damaged");
    tcase_add_test(cases, each_damage_is_named);
    tcase_add_test(cases, unusual_but_valid_is_accepted);
    tcase_add_test(cases, header_length_is_checked);
    tcase_add_test(cases, huge_headers_are_refused);
    tcase_add_test(cases, nesting_without_end_is_refused);
    tcase_add_test(cases, every_truncation_is_refused);
    tcase_add_test(cases, flipped_bits_do_no_harm);
    tcase_add_test(cases, bad_files_on_disk_are_named);
    tcase_add_test(cases, memory_that_is_missing_is_no_damage);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
