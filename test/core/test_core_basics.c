/* The ground under everything: the error message, random numbers against known answers, files. */
#define _GNU_SOURCE /* unshare */
#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "test/support/scratch.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- status ---- */

START_TEST(failure_keeps_its_message) {
    ck_assert_int_eq(ead_fail(EAD_BAD_FILE, "%s: value %d", "a.yaml", 7), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), "a.yaml: value 7");
    ck_assert_int_eq(ead_fail_prefix(EAD_BAD_FILE, "line %d: ", 3), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), "line 3: a.yaml: value 7");
}
END_TEST

START_TEST(long_messages_are_cut) {
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ead_fail(EAD_IO, "%s", text);
    ck_assert_uint_eq(strlen(ead_error_message()), 1023);
    ead_fail_prefix(EAD_IO, "front: ");
    ck_assert_uint_eq(strlen(ead_error_message()), 1023);
    ck_assert(strncmp(ead_error_message(), "front: xx", 9) == 0);
    ead_fail_prefix(EAD_IO, "%s", text);
    ck_assert_uint_eq(strlen(ead_error_message()), 1023);
    ead_fail(EAD_IO, "%s: the reason", text); /* the middle is */
    ead_fail_prefix(EAD_IO, "front: ");
    ck_assert(strncmp(ead_error_message(), "front: xx", 9) == 0);
    ck_assert_str_eq(ead_error_message() + 1023 - 12, ": the reason");
    ead_fail(EAD_IO, "the reason");
    ead_fail_prefix(EAD_IO, "%s: ", text);
    ck_assert_uint_eq(strlen(ead_error_message()), 1023);
    ck_assert_str_eq(ead_error_message() + 1023 - 13, "x: the reason");
}
END_TEST

START_TEST(messages_stay_on_one_line) {
    ead_fail(EAD_BAD_FILE, "key '%s', ü", "a\n\x1b[2J\tb\x7f");
    ck_assert_str_eq(ead_error_message(), "key 'a??[2J?b?', ü");
    ead_fail_prefix(EAD_BAD_FILE, "%s: ", "new\nline");
    ck_assert_str_eq(ead_error_message(), "new?line: key 'a??[2J?b?', ü");
}
END_TEST

static void *fail_elsewhere(void *unused) {
    (void)unused;
    static char first[8];
    snprintf(first, sizeof first, "[%s]", ead_error_message());
    ead_fail(EAD_IO, "the other thread's");
    return first;
}

START_TEST(messages_belong_to_their_thread) {
    ead_fail(EAD_IO, "mine");
    pthread_t thread;
    void *first = NULL;
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, &first), 0);
    ck_assert_str_eq(first, "[]");
    ck_assert_str_eq(ead_error_message(), "mine");
}
END_TEST

static EadStatus try_it(EadStatus status) {
    EAD_TRY(status);
    return ead_fail(EAD_UNSUPPORTED, "went on");
}

START_TEST(statuses_have_names) {
    ck_assert_str_eq(ead_status_name(EAD_OK), "EAD_OK");
    ck_assert_str_eq(ead_status_name(EAD_INTERRUPTED), "EAD_INTERRUPTED");
    ck_assert_str_eq(ead_status_name((EadStatus)99), "unknown status");
    ck_assert_int_eq(try_it(EAD_OK), EAD_UNSUPPORTED);
    ck_assert_int_eq(try_it(EAD_IO), EAD_IO);
}
END_TEST

/* ---- random numbers ---- */

/* The known answers of philox4x32-10 from the Random123 distribution: 4 counter words, 2 key words, 4
 * results. Ours: counter words 0-1 hold `counter`, 2-3 `stream`, the key is `seed`, low word first. */
static const uint32_t known_answers[][10] = {
    {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
    {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
     0xa20bc7c6, 0x6d5451fd},
    {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
     0x5001e420, 0x24126ea1},
};

static uint64_t join(const uint32_t words[2]) {
    return (uint64_t)words[1] << 32 | words[0];
}

START_TEST(philox_known_answers) {
    for (size_t i = 0; i < sizeof known_answers / sizeof *known_answers; i++) {
        const uint32_t *row = known_answers[i];
        uint32_t out[4];
        ead_philox(join(row + 4), join(row + 2), join(row), out);
        ck_assert_mem_eq(out, row + 6, sizeof out);
    }
}
END_TEST

START_TEST(philox_words_are_the_blocks_in_order) {
    for (uint64_t index = 0; index < 64; index++) {
        uint32_t block[4];
        ead_philox(11, EAD_STREAM_TEST, index / 4, block);
        ck_assert_uint_eq(ead_philox_word(11, EAD_STREAM_TEST, index), block[index % 4]);
    }
}
END_TEST

START_TEST(uniform_is_in_bounds_and_flat) {
    ck_assert(ead_uniform(0) == 0.0f);
    ck_assert(ead_uniform(UINT32_MAX) == 1.0f - 0x1p-24f);
    enum { COUNT = 100000, BINS = 10 };
    int bins[BINS] = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        float u = ead_uniform(ead_philox_word(3, EAD_STREAM_TEST, i));
        ck_assert(u >= 0.0f && u < 1.0f);
        bins[(int)(u * BINS)]++;
    }
    /* one bin is binomial with standard deviation 95; five of them on either side */
    for (int bin = 0; bin < BINS; bin++) ck_assert_int_le(abs(bins[bin] - COUNT / BINS), 475);
}
END_TEST

START_TEST(names_hash_by_fnv1a) {
    ck_assert_uint_eq(ead_hash_name(""), 0x811c9dc5u);
    ck_assert_uint_eq(ead_hash_name("a"), 0xe40c292cu);
    ck_assert_uint_eq(ead_hash_name("foobar"), 0xbf9cf968u);
}
END_TEST

enum { MOST = 4097 };

static void collect_epoch(uint64_t seed, uint64_t stream, uint64_t epoch, uint32_t count, uint32_t *order) {
    for (uint32_t i = 0; i < count; i++)
        order[i] = ead_shuffled_index(seed, stream, epoch * count + i, count);
}

static bool is_permutation(const uint32_t *order, uint32_t count) {
    bool seen[MOST] = {false};
    for (uint32_t i = 0; i < count; i++) {
        if (order[i] >= count || seen[order[i]]) return false;
        seen[order[i]] = true;
    }
    return true;
}

START_TEST(every_epoch_is_a_permutation) {
    static const uint32_t counts[] = {1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 1000, MOST};
    static const uint64_t epochs[] = {0, 1, 2, 9, UINT64_C(1) << 33};
    uint32_t order[MOST];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t k = 0; k < sizeof epochs / sizeof *epochs; k++) {
            collect_epoch(42, EAD_STREAM_TRAIN_ORDER, epochs[k], counts[i], order);
            ck_assert_msg(is_permutation(order, counts[i]), "count %u, epoch %d", counts[i], (int)k);
        }
    }
}
END_TEST

/* Another epoch, seed or stream gives another order: at 1,000 places about one element agrees by chance. */
START_TEST(orders_differ) {
    enum { COUNT = 1000 };
    uint32_t first[COUNT], other[COUNT];
    collect_epoch(42, EAD_STREAM_TRAIN_ORDER, 0, COUNT, first);
    for (int variant = 0; variant < 3; variant++) {
        uint64_t stream = variant == 2 ? EAD_STREAM_PENALTY_ORDER : EAD_STREAM_TRAIN_ORDER;
        collect_epoch(variant == 1 ? 43 : 42, stream, variant == 0, COUNT, other);
        int equal = 0, unmoved = 0;
        for (uint32_t i = 0; i < COUNT; i++) equal += first[i] == other[i], unmoved += other[i] == i;
        ck_assert_int_lt(equal, 12);
        ck_assert_int_lt(unmoved, 12);
    }
}
END_TEST

/* Each element comes first about equally often: over 6,000 epochs of 6, 1,000 +- 5 standard deviations of 29.
 */
START_TEST(small_shuffles_are_fair) {
    int firsts[6] = {0};
    for (uint64_t epoch = 0; epoch < 6000; epoch++)
        firsts[ead_shuffled_index(1, EAD_STREAM_TEST, epoch * 6, 6)]++;
    for (int i = 0; i < 6; i++) ck_assert_int_le(abs(firsts[i] - 1000), 145);
}
END_TEST

/* ---- files ---- */

static TCase *group(Suite *suite, const char *name) {
    TCase *cases = tcase_create(name);
    suite_add_tcase(suite, cases);
    return cases;
}

/* Files of a byte, of as many as are allowed, of one more, of none; what is no file. */
START_TEST(small_files_are_read_whole) {
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *bytes = calloc(sizes[i] + 1, 1);
        char *got;
        size_t size;
        fill_noise(bytes, sizes[i], (uint32_t)i);
        write_bytes("build/scratch/read_file", bytes, sizes[i]);
        ASSERT_OK(ead_read_file("build/scratch/read_file", sizes[i] ? sizes[i] : 1, &got, &size));
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert(memcmp(got, bytes, size) == 0 && got[size] == 0);
        free(got);
        if (sizes[i] > 1) {
            ASSERT_FAILS(ead_read_file("build/scratch/read_file", sizes[i] - 1, &got, &size), EAD_BAD_FILE,
                         "scratch/read_file: more than ");
            ck_assert_ptr_null(got);
        }
        free(bytes);
    }
    char *got;
    size_t size;
    ASSERT_FAILS(ead_read_file("build/scratch/no_file", 9, &got, &size), EAD_IO,
                 "no_file: cannot read: No such");
    ASSERT_FAILS(ead_read_file("build/scratch", 9, &got, &size), EAD_IO,
                 "build/scratch: is a folder, not a regular file");
    ck_assert_ptr_null(got);
    remove("build/scratch/fifo");
    ck_assert_int_eq(mkfifo("build/scratch/fifo", 0600), 0);
    ASSERT_FAILS(ead_read_file("build/scratch/fifo", 9, &got, &size), EAD_IO,
                 "build/scratch/fifo: is a FIFO, not a regular file");
    ASSERT_FAILS(ead_read_file("/dev/zero", 9, &got, &size), EAD_IO, "/dev/zero: is a device");
    remove("build/scratch/fifo");
    int ends[2];
    char name[32];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq((int)write(ends[1], "piped", 5), 5);
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    ASSERT_OK(ead_read_file(name, 9, &got, &size));
    ck_assert_str_eq(got, "piped");
    free(got);
    close(ends[0]);
}
END_TEST

START_TEST(extensions_are_told_by_the_last_dot) {
    static const char list[] = ".tif, .tiff";
    ck_assert(ead_path_has_extension("a/b.tif", list) && ead_path_has_extension("a.b.TIFF", list));
    ck_assert(ead_path_has_extension(".tif", list));
    static const char *const others[] = {"tif", "a.ti",   "a.tif.gz",     "a.tif/b", "a.",
                                         "",    "a.tif,", "a.tif, .tiff", "a.t"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(ead_path_has_extension(others[i], list) == (i == 7), "%s", others[i]);
}
END_TEST

/* Without /proc, too, in a file system of a child's own. */
START_TEST(the_program_is_found) {
    EadPath path, bare;
    ASSERT_OK(ead_program_path(path));
    ck_assert_str_eq(ead_path_base(path), "test_core_basics");
    ck_assert(path[0] == '/' && exists(path));
    pid_t child = fork();
    if (child == 0) {
        bool hidden = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                      mount("none", "/proc", "tmpfs", 0, NULL) == 0;
        if (!hidden) _exit(77);
        _exit(ead_program_path(bare) == EAD_OK && strcmp(path, bare) == 0 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    SKIP_UNLESS(!WIFEXITED(status) || WEXITSTATUS(status) != 77, "/proc can be hidden by root only");
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("core basics");
    TCase *cases = group(suite, "status");
    tcase_add_test(cases, failure_keeps_its_message);
    tcase_add_test(cases, long_messages_are_cut);
    tcase_add_test(cases, messages_stay_on_one_line);
    tcase_add_test(cases, messages_belong_to_their_thread);
    tcase_add_test(cases, statuses_have_names);
    cases = group(suite, "random numbers");
    tcase_add_test(cases, philox_known_answers);
    tcase_add_test(cases, philox_words_are_the_blocks_in_order);
    tcase_add_test(cases, uniform_is_in_bounds_and_flat);
    tcase_add_test(cases, names_hash_by_fnv1a);
    tcase_add_test(cases, every_epoch_is_a_permutation);
    tcase_add_test(cases, orders_differ);
    tcase_add_test(cases, small_shuffles_are_fair);
    cases = group(suite, "files");
    tcase_add_test(cases, small_files_are_read_whole);
    tcase_add_test(cases, the_program_is_found);
    tcase_add_test(cases, extensions_are_told_by_the_last_dot);
    return run_suite(suite);
}
