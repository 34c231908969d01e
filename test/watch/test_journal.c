/* The journal of watch: what is in it after kills and full disks, how it begins new files, and what those who follow it get. */
#include "test/support/scratch.h"
#include "train/journal/journal.h"
#include "train/journal/watch_result.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#define S      "build/scratch/test_journal/"
#define FOLDER S "journal"
#define FIRST  FOLDER "/results-000000000001.jsonl"

enum { LARGE = 1 << 20, TEXT = 1024 };

static EadStringList notes;

static void set_up(void) {
    shell_ok("rm -rf " S);
    signal(SIGXFSZ, SIG_IGN);
}

static void tear_down(void) {
    ead_strings_free(&notes);
    shell_ok("rm -rf " S);
}

static EadJournal *open_journal(int64_t file_bytes, int files) {
    EadJournal *journal;
    EadJournalOptions options = {.folder = FOLDER, .file_bytes = file_bytes, .files = files};
    ead_strings_free(&notes);
    ASSERT_OK(ead_journal_open(&options, &notes, &journal));
    return journal;
}

/* The line that comes next, as watch writes it. */
static EadStatus append(EadJournal *journal, const char *path) {
    char line[TEXT];
    FILE *stream = fmemopen(line, sizeof line, "w");
    EadWatchResult result = {.sequence = ead_journal_next(journal),
                             .source = "",
                             .prediction = {.path = path, .score = 0.5f, .threshold = NAN}};
    ead_watch_result_write(stream, &result);
    fclose(stream);
    EadStatus status = ead_journal_append(journal, line, strlen(line));
    ead_journal_tell(journal);
    return status;
}

static void append_many(EadJournal *journal, int count) {
    for (int i = 0; i < count; i++) ASSERT_OK(append(journal, "a.png"));
}

/* The numbers of all lines are 1, 2, ... */
static bool count_line(void *context, const char *line, size_t size) {
    uint64_t sequence;
    ck_assert(ead_watch_result_sequence(line, size, &sequence));
    ck_assert_uint_eq(sequence, ++*(uint64_t *)context);
    return true;
}

static uint64_t count_lines(EadJournal *journal) {
    uint64_t count = 0;
    ASSERT_OK(ead_journal_walk(journal, count_line, &count));
    return count;
}

/* Takes up to `most` lines, which begin with number `from`; gives how many there were. */
static int take_lines(EadJournalReader *reader, int most, uint64_t from) {
    const EadJournalLine *lines;
    int count;
    ASSERT_OK(ead_journal_reader_lines(reader, most, &lines, &count));
    for (int i = 0; i < count; i++) {
        ck_assert_uint_eq(lines[i].sequence, from + (uint64_t)i);
        ck_assert_uint_eq(strlen(lines[i].text), lines[i].size);
    }
    ead_journal_reader_sent(reader, count);
    return count;
}

static void add_text(const char *path, const char *text, size_t size) {
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    fwrite(text, 1, size, file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(the_line_has_what_it_says) {
    char text[4 * TEXT] = "";
    uint64_t sequence;
    json_t *root;
    EadMapRegion region = {.area = 3, .x = 1, .y = 2, .width = 3, .height = 1, .score = 0.75f};
    EadMapRegions regions = {.threshold = 0.5f, .count = 1, .area = 3, .kept = 1, .items = &region};
    EadWatchResult result = {
        .sequence = 12345678901,
        .time = INT64_C(1796000000123456789),
        .source = "camera \"1\"",
        .prediction = {.path = "/in/a\nb.png", .score = 0.75f, .threshold = 0.5f, .regions = &regions},
        .bytes = 17,
        .modified = INT64_C(1796000000000000001),
        .model = "bottle",
        .sha256 = "00ff",
        .moved = "/done/ng/a\nb.png",
        .decoding = 0.0015};
    FILE *stream = fmemopen(text, sizeof text, "w");
    ead_watch_result_write(stream, &result);
    fclose(stream);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert(ead_watch_result_sequence(text, strlen(text), &sequence));
    ck_assert_uint_eq(sequence, result.sequence);
    ck_assert(!ead_watch_result_sequence(text, strlen(text) - 3, &sequence));
    ck_assert(!ead_watch_result_sequence("{}", 2, &sequence));
    ck_assert(!ead_watch_result_sequence("{\"schema\":2,\"sequence\":1}", 25, &sequence));
    ASSERT_OK(ead_watch_result_read(text, strlen(text), &root));
    ck_assert_str_eq(json_string_value(json_object_get(root, "time")), "2026-11-30T00:53:20.123456789Z");
    ck_assert_str_eq(json_string_value(json_object_get(root, "modified")), "2026-11-30T00:53:20.000000001Z");
    ck_assert_str_eq(json_string_value(json_object_get(root, "path")), "/in/a\nb.png");
    ck_assert_str_eq(json_string_value(json_object_get(root, "moved")), "/done/ng/a\nb.png");
    ck_assert(json_is_true(json_object_get(root, "anomalous")));
    ck_assert_int_eq(json_integer_value(json_object_get(root, "schema")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "regions")), 1);
    ck_assert_double_eq(json_number_value(json_object_get(json_object_get(root, "ms"), "decoding")), 1.5);
    json_decref(root);
}
END_TEST

START_TEST(paths_come_back_as_they_were) {
    static const char *const paths[] = {"/in/a\xff.png", "/in/a\\xff.png", "/in/\xc3\xa9\n.png", "",
                                        "\xed\xa0\x80"},
                             *const damaged[] = {"{\"path_bytes\":\"61\"}", "{\"path\":1}",
                                                 "{\"path\":\"a\",\"path_bytes\":\"6\"}",
                                                 "{\"path\":\"a\",\"path_bytes\":\"6g\"}",
                                                 "{\"path\":\"a\",\"path_bytes\":\"610061\"}"};
    EadPath path;
    json_t *root;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[TEXT] = "";
        FILE *stream = fmemopen(text, sizeof text, "w");
        EadJson json = {.stream = stream, .compact = true};
        ead_json_open(&json, NULL, '{');
        ead_result_path_write(&json, "path", paths[i]);
        ead_json_close(&json, '}');
        fclose(stream);
        ASSERT_OK(ead_watch_result_read(text, strlen(text), &root));
        ck_assert(ead_result_path_read(root, "path", path));
        ck_assert_str_eq(path, paths[i]);
        ck_assert_uint_eq(json_object_size(root), i % 4 ? 1u : 2u);
        json_decref(root);
    }
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        ASSERT_OK(ead_watch_result_read(damaged[i], strlen(damaged[i]), &root));
        ck_assert_msg(!ead_result_path_read(root, "path", path), "%s", damaged[i]);
        json_decref(root);
    }
}
END_TEST

START_TEST(numbers_go_on) {
    EadJournal *journal = open_journal(LARGE, 2), *other;
    EadJournalOptions options = {.folder = FOLDER, .file_bytes = LARGE, .files = 2};
    ck_assert(ead_journal_is_new(journal));
    append_many(journal, 3);
    ASSERT_FAILS(ead_journal_open(&options, &notes, &other), EAD_BUSY, FOLDER);
    ead_journal_close(journal);
    journal = open_journal(LARGE, 2);
    ck_assert(!ead_journal_is_new(journal));
    ck_assert_uint_eq(ead_journal_next(journal), 4);
    append_many(journal, 2);
    ck_assert_uint_eq(count_lines(journal), 5);
    ck_assert_int_eq(notes.count, 0);
    ead_journal_close(journal);
}
END_TEST

/* What a kill, or a power failure, leaves of the last line: any part of it, or blocks of zeros. */
START_TEST(what_is_no_whole_line_is_cut_off) {
    static const char whole[] = "{\"schema\":1,\"sequence\":3,\"path\":\"a.png\"}\n", zeros[700] = "";
    for (size_t size = 1; size < sizeof whole; size += 3) {
        set_up();
        EadJournal *journal = open_journal(LARGE, 2);
        append_many(journal, 2);
        ead_journal_close(journal);
        add_text(FIRST, whole, size < sizeof whole - 2 ? size : sizeof whole - 2);
        if (size % 2) add_text(FIRST, zeros, sizeof zeros);
        journal = open_journal(LARGE, 2);
        ck_assert_int_eq(notes.count, 1);
        assert_contains(notes.items[0], FIRST);
        ck_assert_uint_eq(ead_journal_next(journal), 3);
        append_many(journal, 1);
        ead_journal_close(journal);
        journal = open_journal(LARGE, 2);
        ck_assert_int_eq(notes.count, 0);
        ck_assert_uint_eq(count_lines(journal), 3);
        ead_journal_close(journal);
    }
}
END_TEST

/* Whole lines of another version, or that another tool has written anew, are somebody's: nothing is cut off. */
START_TEST(lines_of_others_are_refused_not_removed) {
    static const char *const changes[] = {
        "sed -i 's/\"schema\":1/\"schema\":2/' " FIRST,
        "sed -i 's/$/\\r/' " FIRST,
        "iconv -t UTF-16 " FIRST " >" S "new && cp " S "new " FIRST,
        "sed -i 's/,/, /g;s/{/{ /' " FIRST,
        "echo '{\"schema\":1,\"sequence\":18446744073709551615}' >>" FIRST,
        "echo '{\"schema\":1,\"sequence\":-3}' >>" FIRST,
        "echo note >>" FIRST,
    };
    EadJournalOptions options = {.folder = FOLDER, .file_bytes = LARGE, .files = 2};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        set_up();
        EadJournal *journal = open_journal(LARGE, 2);
        append_many(journal, 3);
        ead_journal_close(journal);
        shell_ok(changes[i]);
        shell_ok("cp " FIRST " " S "before");
        ASSERT_FAILS(ead_journal_open(&options, &notes, &journal), EAD_BAD_FILE, "move it away");
        ck_assert_ptr_null(journal);
        shell_ok("cmp " FIRST " " S "before");
    }
}
END_TEST

/* What is damaged before the end costs itself, and is told. */
START_TEST(damage_in_the_middle_is_told) {
    EadJournal *journal = open_journal(LARGE, 2);
    append_many(journal, 3);
    ead_journal_close(journal);
    shell_ok("sed -i '2s/^....../xxxxxx/' " FIRST " && echo >" FOLDER "/results-18446744073709551615.jsonl");
    journal = open_journal(LARGE, 2);
    ck_assert_int_eq(notes.count, 1);
    assert_contains(notes.items[0], "1 of its lines are damaged and passed over");
    ck_assert_uint_eq(ead_journal_next(journal), 4);
    ead_journal_close(journal);
}
END_TEST

/* Its folder is removed while it is open: no line goes into a file that is not there any more, and numbers go on. */
START_TEST(a_journal_that_was_removed_begins_anew) {
    EadJournalReader *reader;
    EadJournalOptions options = {.folder = FOLDER, .file_bytes = LARGE, .files = 2};
    EadJournal *journal = open_journal(LARGE, 2), *other;
    ASSERT_OK(ead_journal_reader_open(journal, "mqtt", NULL, &reader));
    append_many(journal, 2);
    ck_assert_int_eq(take_lines(reader, 1, 1), 1);
    shell_ok("rm -rf " FOLDER);
    append_many(journal, 2);
    ck_assert_int_eq(take_lines(reader, 1, 2), 1);
    ck_assert_int_eq(take_lines(reader, 5, 3), 2);
    ASSERT_FAILS(ead_journal_open(&options, &notes, &other), EAD_BUSY, FOLDER);
    ead_journal_reader_close(reader);
    ead_journal_close(journal);
    journal = open_journal(LARGE, 2);
    ck_assert_uint_eq(ead_journal_next(journal), 5);
    ead_journal_close(journal);
}
END_TEST

/* Which lines a receiver lacks outlasts the removal of its file, too; and files that went before it could read them do not stop it. */
START_TEST(those_who_lag_go_on_after_a_removal) {
    EadJournalReader *reader, *slow;
    EadJournal *journal = open_journal(LARGE, 2);
    ASSERT_OK(ead_journal_reader_open(journal, "mqtt", NULL, &reader));
    append_many(journal, 2);
    ck_assert_int_eq(take_lines(reader, 1, 1), 1);
    shell_ok("rm -rf " FOLDER);
    append_many(journal, 3); /* 3 to 5; the reader is away */
    assert_file_holds(FOLDER "/mqtt.sent", "00000000000000000001");
    ck_assert_int_eq(take_lines(reader, 1, 2), 1);
    ck_assert_int_eq(take_lines(reader, 2, 3), 2);
    shell_ok("rm " FOLDER "/mqtt.sent");
    append_many(journal, 1);
    ck_assert_int_eq(take_lines(reader, 1, 5), 1);
    ead_journal_reader_close(reader);
    ead_journal_close(journal);
    journal = open_journal(500, 9);
    ASSERT_OK(ead_journal_reader_open(journal, "mqtt", NULL, &reader));
    ck_assert_int_eq(take_lines(reader, 9, 6), 1);
    ASSERT_OK(ead_journal_reader_open(journal, "webhook", NULL, &slow));
    append_many(journal, 20);
    ck_assert_int_gt(take_lines(slow, 1, 7), 0);
    shell_ok("rm -rf " FOLDER);
    append_many(journal, 1); /* 27 */
    uint64_t last = 7;
    const EadJournalLine *lines;
    for (int count = 1; count > 0; ead_journal_reader_sent(slow, count)) {
        ASSERT_OK(ead_journal_reader_lines(slow, 9, &lines, &count));
        if (count > 0) last = lines[count - 1].sequence;
    }
    ck_assert_uint_eq(last, 27);
    ead_journal_reader_close(slow);
    ead_journal_reader_close(reader);
    ead_journal_close(journal);
}
END_TEST

START_TEST(a_full_disk_leaves_nothing_half_written) {
    struct rlimit before, little;
    EadJournal *journal = open_journal(LARGE, 2);
    append_many(journal, 2);
    size_t size;
    free(read_bytes(FIRST, &size));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){size + 30, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    EadStatus status = append(journal, "b.png");
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(status, EAD_IO);
    assert_contains(ead_error_message(), FIRST);
    size_t now;
    free(read_bytes(FIRST, &now));
    ck_assert_uint_eq(now, size);
    append_many(journal, 1);
    ck_assert_uint_eq(count_lines(journal), 3);
    ead_journal_close(journal);
}
END_TEST

START_TEST(files_are_as_large_and_as_many_as_they_may) {
    EadJournal *journal = open_journal(500, 3);
    append_many(journal, 50);
    ck_assert_int_eq(files_in(FOLDER), 3 + 1); /* its lock */
    ck_assert(!exists(FIRST));
    ck_assert_uint_eq(ead_journal_next(journal), 51);
    ead_journal_close(journal);
    journal = open_journal(500, 3);
    ck_assert_uint_eq(ead_journal_next(journal), 51);
    ead_journal_close(journal);
}
END_TEST

START_TEST(those_who_follow_lose_no_line) {
    EadJournalReader *reader, *other;
    EadJournal *journal = open_journal(500, 2);
    append_many(journal, 5);
    ASSERT_OK(ead_journal_reader_open(journal, "mqtt", NULL, &reader)); /* begins with line 6 */
    ck_assert_int_eq(take_lines(reader, 10, 6), 0);
    append_many(journal, 40);
    ck_assert_uint_eq(ead_journal_reader_behind(reader), 40);
    ck_assert_int_eq(take_lines(reader, 1, 6), 1);
    ck_assert_int_gt(files_in(FOLDER), 2 + 2); /* files that it lacks are kept, beside the lock and its own */
    ead_journal_reader_close(reader);
    ead_journal_close(journal);
    journal = open_journal(500, 2);
    ASSERT_OK(ead_journal_reader_open(journal, "mqtt", NULL, &reader));
    uint64_t next = 7, known = 0;
    for (int count; (count = take_lines(reader, 7, next)) > 0;) next += (uint64_t)count;
    ck_assert_uint_eq(next, 46);
    append_many(journal, 3);
    ck_assert_int_eq(files_in(FOLDER), 2 + 2);
    ASSERT_OK(ead_journal_reader_open(journal, "table", &known, &other)); /* takes what there is */
    const EadJournalLine *lines;
    int count;
    ASSERT_OK(ead_journal_reader_lines(other, 1, &lines, &count));
    ck_assert_int_eq(count, 1);
    ck_assert_uint_gt(lines[0].sequence, 40);
    ead_journal_reader_close(other);
    known = 49;
    ASSERT_FAILS(ead_journal_reader_open(journal, "table", &known, &other), EAD_BAD_ARGUMENT, "table");
    ead_journal_reader_close(reader);
    ead_journal_close(journal);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_line_has_what_it_says);
    tcase_add_test(tests, paths_come_back_as_they_were);
    tcase_add_test(tests, numbers_go_on);
    tcase_add_test(tests, what_is_no_whole_line_is_cut_off);
    tcase_add_test(tests, lines_of_others_are_refused_not_removed);
    tcase_add_test(tests, damage_in_the_middle_is_told);
    tcase_add_test(tests, a_journal_that_was_removed_begins_anew);
    tcase_add_test(tests, those_who_lag_go_on_after_a_removal);
    tcase_add_test(tests, a_full_disk_leaves_nothing_half_written);
    tcase_add_test(tests, files_are_as_large_and_as_many_as_they_may);
    tcase_add_test(tests, those_who_follow_lose_no_line);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
