/* Files by torch.save: what real torch wrote holds the numbers that torch says, what no torch would write is
 * refused with one line and without effect. test/golden/torch_golden.py made them. */
#include "data/torch/torch_file.h"

#include "data/torch/pickle.h"
#include "data/torch/torch_archive.h"
#include "test/support/scratch.h"

#include <unistd.h>

#define TORCH   "test/golden/torch/"
#define HOSTILE TORCH "hostile/"
#define SCRATCH "build/scratch/torch_file/"

/* Every tensor of a file in a folder is as expected.safetensors has it; returns how many. */
static int check_file(const EadSafetensors *expected, const char *folder, const char *name) {
    EadTorchFile *file;
    char path[256];
    snprintf(path, sizeof path, "%s%s.pth", folder, name);
    ASSERT_OK(ead_torch_file_open(path, &file));
    for (int i = 0; i < ead_torch_file_count(file); i++) {
        const EadFileTensor *got = ead_torch_file_at(file, i);
        char key[256];
        snprintf(key, sizeof key, "%s/%s", name, got->name);
        const EadFileTensor *want = ead_safetensors_find(expected, key);
        ck_assert_msg(want != NULL, "no tensor %s", key);
        ck_assert_ptr_null(got->data);
        ASSERT_OK(ead_torch_file_load(file, i));
        ASSERT_OK(ead_torch_file_load(file, i));
        ck_assert_msg(got->type == want->type && got->dims == want->dims && got->count == want->count &&
                          got->bytes == want->bytes,
                      "type or shape of %s", key);
        for (int d = 0; d < got->dims; d++) ck_assert_int_eq(got->shape[d], want->shape[d]);
        ck_assert_msg(got->bytes == 0 || memcmp(got->data, want->data, got->bytes) == 0, "values of %s", key);
    }
    int count = ead_torch_file_count(file);
    ead_torch_file_close(file);
    return count;
}

static void check_folder(const char *folder) {
    static const char *const names[] = {"state_dict", "module", "half",  "sequential", "types",
                                        "views",      "nested", "alone", "checkpoint"};
    EadSafetensors *expected;
    int count = 0;
    ASSERT_OK(ead_safetensors_open(TORCH "expected.safetensors", &expected));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) count += check_file(expected, folder, names[i]);
    ck_assert_int_eq(count, ead_safetensors_count(expected));
    ead_safetensors_close(expected);
}

START_TEST(what_torch_wrote) {
    check_folder(TORCH);
}
END_TEST

START_TEST(what_torch_wrote_before_1_6) {
    check_folder(TORCH "old/");
}
END_TEST

/* As PyTorch 0.2 wrote them: a tensor in a Parameter and by itself. */
START_TEST(what_torch_wrote_before_0_4) {
    static const char *const names[] = {"a", "b"};
    EadTorchFile *file;
    ASSERT_OK(ead_torch_file_open(TORCH "old/with_parameters.pth", &file));
    ck_assert_int_eq(ead_torch_file_count(file), 2);
    for (int i = 0; i < 2; i++) {
        const EadFileTensor *tensor = ead_torch_file_at(file, i);
        ck_assert_str_eq(tensor->name, names[i]);
        ck_assert_int_eq(tensor->count, 3);
        ASSERT_OK(ead_torch_file_load(file, i));
        for (int k = 0; k < 3; k++) ck_assert_float_eq(((const float *)tensor->data)[k], (float)(k + 2));
    }
    ead_torch_file_close(file);
}
END_TEST

static int padding_of(const EadTorchFile *file, const char *name) {
    for (int i = 0; i < ead_torch_file_count(file); i++)
        if (strcmp(ead_torch_file_at(file, i)->name, name) == 0) return ead_torch_file_padding(file, i);
    ck_abort_msg("no tensor %s", name);
}

START_TEST(modules_tell_their_padding) {
    EadTorchFile *file;
    ASSERT_OK(ead_torch_file_open(TORCH "module.pth", &file));
    ck_assert_int_eq(padding_of(file, "body.0.weight"), 2);
    ck_assert_int_eq(padding_of(file, "body.0.bias"), 2);
    ck_assert_int_eq(padding_of(file, "head.weight"), 0);
    ck_assert_int_eq(padding_of(file, "body.1.running_mean"), -1);
    ck_assert_int_eq(padding_of(file, "offset"), -1);
    ead_torch_file_close(file);
    ASSERT_OK(ead_torch_file_open(TORCH "state_dict.pth", &file));
    ck_assert_int_eq(padding_of(file, "body.0.weight"), -1);
    ead_torch_file_close(file);
}
END_TEST

static const struct {
    const char *name;
    EadStatus status;
    const char *message;
} hostile[] = {
    {"os_system", EAD_UNSUPPORTED, "data.pkl: wants to call os.system; only what builds tensors is read"},
    {"posix_system", EAD_UNSUPPORTED, "wants to call posix.system;"},
    {"eval", EAD_UNSUPPORTED, "wants to call __builtin__.eval;"},
    {"getattr", EAD_UNSUPPORTED, "wants to call __builtin__.getattr;"},
    {"build_global", EAD_BAD_FILE, "a state without the object"},
    {"call_text", EAD_BAD_FILE, "a call of something that is not a function"},
    {"instance", EAD_UNSUPPORTED, "opcode 0x69 at byte 3 is not one that torch.save writes"},
    {"itself", EAD_BAD_FILE, "values within values more than 64 deep"},
    {"itself_dict", EAD_BAD_FILE, "values within values more than 64 deep"},
    {"deep", EAD_BAD_FILE, "values within values more than 64 deep"},
    {"laughs", EAD_BAD_FILE, "its values hold each other more than 2^22 times"},
    {"shared_state", EAD_BAD_FILE, "its values hold each other more than 2^22 times"},
    {"memo", EAD_BAD_FILE, "more than 2^20 values"},
    {"memo_missing", EAD_BAD_FILE, "memo number 5 was never given out"},
    {"text_length", EAD_BAD_FILE, "the pickle is cut short"},
    {"long_length", EAD_BAD_FILE, "a whole number of 2147483647 bytes"},
    {"wide_number", EAD_BAD_FILE, "a whole number of 9 bytes"},
    {"cut", EAD_BAD_FILE, "the pickle is cut short"},
    {"cut_global", EAD_BAD_FILE, "the pickle is cut short"},
    {"no_mark", EAD_BAD_FILE, "a mark is missing"},
    {"no_value", EAD_BAD_FILE, "the stack holds no value"},
    {"mark_left", EAD_BAD_FILE, "leaves no one value"},
    {"two_values", EAD_BAD_FILE, "leaves no one value"},
    {"odd_items", EAD_BAD_FILE, "items without the dict"},
    {"items_of_none", EAD_BAD_FILE, "items without the list"},
    {"state_of_none", EAD_BAD_FILE, "a state without the object"},
    {"protocol", EAD_UNSUPPORTED, "pickle protocol 4; save the file again"},
    {"protocol_4", EAD_UNSUPPORTED, "pickle protocol 4; save the file again"},
    {"no_pickle", EAD_BAD_FILE, "does not begin like a pickle"},
    {"empty_pickle", EAD_BAD_FILE, "the pickle is cut short"},
    {"opcode", EAD_UNSUPPORTED, "opcode 0x93 at byte 2"},
    {"long_name", EAD_BAD_FILE, "a name of more than 500 bytes"},
    {"control_name", EAD_BAD_FILE, "holds control characters"},
    {"no_record", EAD_BAD_FILE, "tensor 'a': record data/0 is missing"},
    {"outside_key", EAD_BAD_FILE, "record data/../../../../etc/passwd is missing"},
    {"long_key", EAD_BAD_FILE, "a storage's key is too long"},
    {"elements", EAD_BAD_FILE, "a storage's size does not agree"},
    {"elements_negative", EAD_BAD_FILE, "a storage's size does not agree"},
    {"elements_huge", EAD_BAD_FILE, "a storage's size does not agree"},
    {"storage_type", EAD_UNSUPPORTED, "storages of type torch.ComplexFloatStorage cannot be read"},
    {"storage_none", EAD_BAD_FILE, "a malformed reference to a storage"},
    {"shape_larger", EAD_BAD_FILE, "lies outside its storage"},
    {"shape_huge", EAD_BAD_FILE, "an impossible shape or stride"},
    {"shape_negative", EAD_BAD_FILE, "an impossible shape or stride"},
    {"offset", EAD_BAD_FILE, "lies outside its storage"},
    {"offset_huge", EAD_BAD_FILE, "lies outside its storage"},
    {"offset_negative", EAD_BAD_FILE, "a malformed tensor"},
    {"stride", EAD_BAD_FILE, "lies outside its storage"},
    {"stride_huge", EAD_BAD_FILE, "lies outside its storage"},
    {"stride_negative", EAD_BAD_FILE, "an impossible shape or stride"},
    {"stride_count", EAD_BAD_FILE, "an impossible shape or stride"},
    {"expanded", EAD_BAD_FILE, "lies outside its storage"},
    {"dimensions", EAD_BAD_FILE, "more than 8 dimensions"},
    {"compressed", EAD_BAD_FILE, "is compressed or encrypted"},
    {"bomb", EAD_BAD_FILE, "is compressed or encrypted"},
    {"size_lies", EAD_BAD_FILE, "record data/0 claims 1073741824 bytes in a file of 498"},
    {"truncated", EAD_BAD_FILE, "is a damaged zip archive, or cut short"},
    {"half", EAD_BAD_FILE, "is a damaged zip archive, or cut short"},
    {"other_zip", EAD_BAD_FILE, "is a zip archive without data.pkl"},
    {"big_endian", EAD_UNSUPPORTED, "its numbers are big-endian"},
    {"text_file", EAD_BAD_FILE, "is not a file of torch.save"},
    {"empty", EAD_BAD_FILE, "is not a file of torch.save"},
    {"old_system", EAD_UNSUPPORTED, "objects: wants to call os.system; only what builds tensors is read"},
    {"old_keys_system", EAD_UNSUPPORTED, "keys: wants to call os.system;"},
    {"old_class_called", EAD_BAD_FILE, "a call of something that is not a function"},
    {"old_version", EAD_UNSUPPORTED, "is in no format of torch.save that is known"},
    {"old_big_endian", EAD_UNSUPPORTED, "its numbers are big-endian"},
    {"old_key_missing", EAD_BAD_FILE, "tensor 'a': a storage is missing"},
    {"old_key_unknown", EAD_BAD_FILE, "a storage without type"},
    {"old_key_twice", EAD_BAD_FILE, "a storage is listed twice"},
    {"old_keys_none", EAD_BAD_FILE, "a malformed list of storages"},
    {"old_count", EAD_BAD_FILE, "a storage's size does not agree"},
    {"old_count_huge", EAD_BAD_FILE,
     "storage 7 claims 4611686018427387904 elements, more than the file holds"},
    {"old_count_negative", EAD_BAD_FILE, "claims 18446744073709551615 elements"},
    {"old_types_differ", EAD_BAD_FILE, "tensor 'b': a storage's size does not agree"},
    {"old_view", EAD_UNSUPPORTED, "storages within storages cannot be read"},
    {"old_stride", EAD_BAD_FILE, "lies outside its storage"},
    {"old_cut", EAD_BAD_FILE, "storage 7 claims 4 elements, more than the file holds; it is cut short"},
    {"old_cut_count", EAD_BAD_FILE, "old_cut_count.pth: is cut short; copy or download it again"},
    {"old_cut_keys", EAD_BAD_FILE, "keys: the pickle is cut short"},
    {"old_head", EAD_BAD_FILE, "version: the pickle is cut short"},
    {"script", EAD_UNSUPPORTED, "is a TorchScript program"},
};

START_TEST(hostile_files_are_refused) {
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        EadTorchFile *file;
        char path[256];
        snprintf(path, sizeof path, HOSTILE "%s.pth", hostile[i].name);
        EadStatus status = ead_torch_file_open(path, &file);
        ck_assert_msg(status == hostile[i].status && strstr(ead_error_message(), hostile[i].message),
                      "%s: %s: %s", hostile[i].name, ead_status_name(status), ead_error_message());
        ck_assert_msg(strncmp(ead_error_message(), path, strlen(path)) == 0, "%s", ead_error_message());
        ck_assert_ptr_null(strchr(ead_error_message(), '\n'));
        ck_assert_ptr_null(file);
    }
    ck_assert_int_ne(access("build/scratch/pwned", F_OK), 0);
}
END_TEST

/* Found only when the numbers are read. */
START_TEST(damaged_records_are_refused) {
    EadTorchFile *file;
    ASSERT_OK(ead_torch_file_open(HOSTILE "good.pth", &file));
    ASSERT_OK(ead_torch_file_load(file, 0));
    ck_assert_float_eq(((const float *)ead_torch_file_at(file, 0)->data)[3], 4);
    ead_torch_file_close(file);
    ASSERT_OK(ead_torch_file_open(HOSTILE "checksum.pth", &file));
    ASSERT_FAILS(ead_torch_file_load(file, 0), EAD_BAD_FILE,
                 "checksum.pth: tensor 'a': a record is damaged: CRC");
    ead_torch_file_close(file);
}
END_TEST

/* A class that is not ours is no call: its instance holds nothing that is looked for. */
START_TEST(objects_are_inert) {
    static const char *const names[] = {HOSTILE "object.pth", HOSTILE "old_class.pth"};
    for (int i = 0; i < 2; i++) {
        EadTorchFile *file;
        ASSERT_OK(ead_torch_file_open(names[i], &file));
        ck_assert_int_eq(ead_torch_file_count(file), 0);
        ead_torch_file_close(file);
    }
}
END_TEST

/* More is read of the records than the file has bytes; 6 of its 498 were read on opening. */
START_TEST(overlapping_records_are_refused) {
    EadTorchArchive *archive;
    EadTorchRecord record;
    char bytes[16];
    ASSERT_OK(ead_torch_archive_open(HOSTILE "good.pth", &archive));
    ASSERT_OK(ead_torch_archive_find(archive, "0", &record));
    ck_assert_uint_eq(record.size, sizeof bytes);
    EadStatus status = EAD_OK;
    int reads = 0;
    while (status == EAD_OK && reads < 100) status = ead_torch_archive_read(archive, record, bytes), reads++;
    ck_assert_int_eq(status, EAD_BAD_FILE);
    ck_assert_int_eq(reads, (498 - 6) / 16 + 1);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "its records overlap"));
    ead_torch_archive_close(archive);
}
END_TEST

static void check_pickle(const uint8_t *bytes, size_t size, const char *message) {
    static const char *const none[] = {NULL};
    EadPickle *pickle;
    ASSERT_FAILS(ead_pickle_parse(bytes, size, "p", none, &pickle), EAD_BAD_FILE, message);
    ck_assert_ptr_null(pickle);
}

START_TEST(pickles_have_a_limit) {
    enum { SIZE = (1 << 24) + 1, VALUES = 1100000 };
    uint8_t *bytes = malloc(SIZE);
    memset(bytes, 'N', SIZE);
    memcpy(bytes, "\x80\x02(", 3);
    check_pickle(bytes, SIZE, "a pickle of 16777217 bytes");
    check_pickle(bytes, VALUES, "more than 2^20 values");
    memset(bytes + 3, '(', VALUES);
    check_pickle(bytes, VALUES, "more than 2^20 values");
    free(bytes);
}
END_TEST

/* Every cut is refused; every flipped byte is refused or read, never a crash. */
START_TEST(damage_does_no_harm) {
    static const char *const names[] = {TORCH "module.pth", TORCH "views.pth", TORCH "old/module.pth",
                                        TORCH "old/views.pth"};
    for (size_t n = 0; n < 4; n++) {
        size_t size;
        uint8_t *bytes = read_bytes(names[n], &size);
        for (size_t i = 0; i < size; i += 3) {
            EadTorchFile *file;
            ck_assert_int_ne(ead_torch_file_parse(bytes, i, "cut", &file), EAD_OK);
            bytes[i] ^= 0x21;
            if (ead_torch_file_parse(bytes, size, "flipped", &file) == EAD_OK)
                for (int k = 0; k < ead_torch_file_count(file); k++) (void)ead_torch_file_load(file, k);
            ead_torch_file_close(file);
            bytes[i] ^= 0x21;
        }
        free(bytes);
    }
}
END_TEST

START_TEST(what_is_no_file) {
    EadTorchFile *file;
    ASSERT_FAILS(ead_torch_file_open(SCRATCH "none.pth", &file), EAD_IO,
                 "none.pth: cannot read: No such file");
    ASSERT_FAILS(ead_torch_file_open("build", &file), EAD_IO, "build: is not a regular file");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("torch_file");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_torch_wrote);
    tcase_add_test(tests, what_torch_wrote_before_1_6);
    tcase_add_test(tests, what_torch_wrote_before_0_4);
    tcase_add_test(tests, modules_tell_their_padding);
    tcase_add_test(tests, hostile_files_are_refused);
    tcase_add_test(tests, damaged_records_are_refused);
    tcase_add_test(tests, objects_are_inert);
    tcase_add_test(tests, overlapping_records_are_refused);
    tcase_add_test(tests, pickles_have_a_limit);
    tcase_add_test(tests, damage_does_no_harm);
    tcase_add_test(tests, what_is_no_file);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
