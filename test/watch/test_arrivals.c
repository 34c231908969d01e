/* When an image counts as arrived, in which order, and what is left alone. */
#include "core/system/clock.h"
#include "core/system/worker_threads.h"
#include "test/support/scratch.h"
#include "train/journal/watch_result.h"
#include "train/watch/arrivals.h"
#include "train/watch/known_files.h"
#include "train/watch/images_left_out.h"

#include <fcntl.h>
#include <time.h>

#define S       "build/scratch/test_arrivals/"
#define FOLDER  S "in"
#define SKIPPED S "skipped.jsonl"

static EadArrivals *arrivals;

static void set_up(void) {
    shell_ok("rm -rf " S " && mkdir -p " FOLDER);
    arrivals = NULL;
}

static void tear_down(void) {
    ead_arrivals_close(arrivals);
    shell_ok("rm -rf " S);
}

static void open_folder(bool recursive, double poll) {
    EadArrivalOptions options = {.folder = FOLDER, .recursive = recursive, .poll = poll};
    ASSERT_OK(ead_arrivals_open(&options, &arrivals));
}

static void put(const char *name) {
    char path[256];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    write_text(path, name);
}

/* The next image is this one. */
static EadArrival expect(const char *name) {
    EadArrival arrival;
    bool found;
    ASSERT_OK(ead_arrivals_next(arrivals, &arrival, &found));
    ck_assert(found);
    ck_assert_str_eq(arrival.below, name);
    struct stat info;
    ck_assert_int_eq(stat(arrival.path, &info), 0);
    ck_assert_int_eq(arrival.bytes, info.st_size);
    free(arrival.path);
    arrival.path = NULL;
    return arrival;
}

/* A file that somebody is writing; ended by close(). */
static int begin(const char *name) {
    char path[256];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    int file = open(path, O_WRONLY | O_CREAT, 0666);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, "begun", 5), 5);
    return file;
}

START_TEST(what_is_there_comes_by_time_then_name) {
    put("c.png"), put("b.png"), put("a.png"), put("d.jpg"), put("notes.txt"), put(".hidden.png"),
        put("e.png.tmp");
    shell_ok(
        "cd " FOLDER
        " && touch -d @3 c.png && touch -d @2 b.png a.png && touch -d @1 d.jpg && mkdir sub && cp a.png sub");
    open_folder(false, 0);
    put("z.png");
    expect("d.jpg"), expect("a.png"), expect("b.png"), expect("c.png"), expect("z.png");
    put("again.png");
    expect("again.png");
}
END_TEST

START_TEST(a_file_is_whole_when_it_is_closed) {
    int before = begin("before.png"); /* found by the search, while it is written */
    open_folder(false, 0);
    int slow = begin("slow.png");
    put("one.png");
    expect("one.png");
    pause_for(0.5);
    put("two.png");
    expect("two.png");
    close(slow);
    expect("slow.png");
    put("three.png");
    expect("three.png");
    close(before);
    expect("before.png");
    shell_ok("cd " FOLDER " && echo more >>three.png"); /* another image under the same name */
    expect("three.png");
    shell_ok("cd " FOLDER " && echo hi >.new && mv .new moved.png && ln moved.png linked.png");
    expect("moved.png"), expect("linked.png");
}
END_TEST

START_TEST(order_is_that_of_closing) {
    enum { FILES = 300 };
    char name[32];
    open_folder(false, 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%03d.png", (i * 7) % FILES);
        put(name);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%03d.png", (i * 7) % FILES);
        expect(name);
    }
}
END_TEST

/* The kernel keeps so many events, and says that it lost the others: they are found by a search. */
START_TEST(lost_events_lose_no_image) {
    int most = 0, files;
    char name[32];
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    bool known = limit && fscanf(limit, "%d", &most) == 1;
    if (limit) fclose(limit);
    files = most / 2 + 500; /* each is made and closed */
    SKIP_UNLESS(known && files < 50000, "the kernel keeps too many events");
    open_folder(false, 0);
    for (int i = 0; i < files; i++) {
        snprintf(name, sizeof name, "%06d.png", i);
        put(name);
    }
    for (int i = 0; i < files; i++) {
        snprintf(name, sizeof name, "%06d.png", i);
        expect(name);
    }
    put("last.png");
    expect("last.png");
}
END_TEST

START_TEST(folders_below_count_if_they_are_asked_for) {
    shell_ok("mkdir -p " FOLDER "/old " FOLDER "/.hidden && ln -s .. " FOLDER "/old/loop");
    put("old/a.png"), put(".hidden/b.png");
    open_folder(true, 0);
    expect("old/a.png");
    shell_ok("mkdir -p " FOLDER "/new/deep && echo >" FOLDER "/new/deep/c.png && echo >" FOLDER
             "/new/deep/d.png");
    expect("new/deep/c.png"), expect("new/deep/d.png");
    put("old/e.png");
    expect("old/e.png");
    shell_ok("mkdir " S "aside && echo >" S "aside/f.png && mv " S "aside " FOLDER "/in");
    expect("in/f.png");
    shell_ok("cd " FOLDER " && mv in renamed && echo >renamed/g.png && sleep 0.2");
    /* By its new path f.png is a new image. */
    expect("renamed/f.png"), expect("renamed/g.png");
}
END_TEST

START_TEST(polling_takes_what_two_searches_found_the_same) {
    put("a.png");
    open_folder(false, 0.6); /* more than a busy machine keeps the writer waiting */
    double start = ead_clock_seconds();
    expect("a.png");
    ck_assert_double_ge(ead_clock_seconds() - start, 0.5);
    shell_ok("cd " FOLDER " && (for i in $(seq 30); do echo more >>growing.png; sleep 0.05; done) &");
    pause_for(0.1);
    put("b.png");
    expect("b.png");
    ck_assert_int_eq(expect("growing.png").bytes, 30 * 5);
}
END_TEST

START_TEST(a_folder_that_was_away_is_looked_through) {
    open_folder(false, 0);
    put("a.png");
    expect("a.png");
    shell_ok("mv " FOLDER " " S "away && echo >" S "away/b.png && (sleep 0.4; mv " S "away " FOLDER ") &");
    expect("b.png");
    put("c.png");
    expect("c.png");
}
END_TEST

/* A file that is open keeps a removed folder alive, of which the kernel then tells nothing; nor does it tell of folders above. */
START_TEST(another_folder_in_its_place_is_watched) {
    shell_ok("mkdir " FOLDER "/.kept && : >" FOLDER "/.kept/open");
    int kept = open(FOLDER "/.kept/open", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(kept, 0);
    open_folder(false, 0);
    shell_ok("rm -rf " FOLDER " && (sleep 0.3; mkdir " FOLDER "; echo >" FOLDER "/a.png) &");
    expect("a.png");
    put("b.png");
    expect("b.png");
    shell_ok("mkdir -p " S "new/in && mv " FOLDER " " S "old && mv " S "new/in " FOLDER);
    put("c.png");
    expect("c.png");
    close(kept);
}
END_TEST

/* Images that come while nobody may look are found later. */
START_TEST(a_folder_without_rights_is_looked_through_later) {
    SKIP_UNLESS(geteuid() != 0, "root may look into every folder");
    open_folder(false, 0);
    put("a.png");
    shell_ok("chmod 0 " FOLDER "; (sleep 1; chmod 755 " FOLDER ") &");
    expect("a.png");
    put("b.png");
    expect("b.png");
}
END_TEST

START_TEST(times_that_do_not_fit_are_the_last_that_does) {
    const time_t second = 1000000000;
    ck_assert_int_eq(ead_nanoseconds((struct timespec){2, 3}), INT64_C(2000000003));
    ck_assert_int_eq(ead_nanoseconds((struct timespec){-1, 5}), INT64_C(-999999995));
    ck_assert_int_eq(ead_nanoseconds((struct timespec){17 * second, 5}), INT64_MAX); /* of the year 2508 */
    ck_assert_int_lt(ead_nanoseconds((struct timespec){-17 * second, 5}), -9 * (int64_t)second * second);
}
END_TEST

START_TEST(what_is_known_or_changed_since) {
    EadArrival arrival;
    char modified[EAD_TIME_TEXT];
    struct stat info;
    bool found;
    put("a.png"), put("b.png");
    open_folder(false, 0);
    ck_assert_int_eq(stat(FOLDER "/a.png", &info), 0);
    ead_time_text(ead_modified(&info), modified);
    ck_assert(!ead_arrivals_known(arrivals, FOLDER "/a.png", info.st_size + 1, modified));
    ck_assert(!ead_arrivals_known(arrivals, FOLDER "/none.png", info.st_size, modified));
    ck_assert(ead_arrivals_known(arrivals, FOLDER "/a.png", info.st_size, modified));
    ASSERT_OK(ead_arrivals_next(arrivals, &arrival, &found));
    ck_assert_str_eq(arrival.below, "b.png");
    shell_ok("touch -d @5 " FOLDER "/b.png"); /* its time alone, as copies that keep it do */
    ead_arrivals_again(arrivals, &arrival);
    free(arrival.path);
    arrival = expect("b.png");
    ck_assert_int_eq(arrival.modified, INT64_C(5000000000));
    put("c.png");
    expect("c.png");
}
END_TEST

/* The next start, of which nothing but the file in S is known. */
static void open_again(bool begins) {
    ead_arrivals_close(arrivals);
    open_folder(false, 0);
    ASSERT_OK(ead_images_left_out(S, begins, arrivals));
}

START_TEST(what_was_there_before_stays_aside) {
    put("old.png"), put("older.png"), put("bad\xff.png"), put("line\n.png");
    open_again(true);
    put("while_away.png");
    /* No new images by that. */
    shell_ok("cd " FOLDER " && chmod 600 old.png && ln old.png ../linked && rm older.png");
    open_again(true);
    expect("while_away.png");
    put("old.png"); /* written anew */
    expect("old.png");
    open_again(false);
    expect("while_away.png"), expect("old.png");
    put("new.png");
    expect("new.png");
}
END_TEST

/* Else all that was left out would be scored, and told, in silence. */
START_TEST(damage_to_what_was_left_out_is_refused) {
    static const char *const damages[] = {
        ": >" SKIPPED,
        "sed -i 1d " SKIPPED,
        "sed -i 2d " SKIPPED,
        "sed -i '$d' " SKIPPED,
        "sed -i 's/\"schema\":1/\"schema\":2/' " SKIPPED,
        "sed -i '2s/bytes/bites/' " SKIPPED,
        "sed -i '2s/}//' " SKIPPED,
        "sed -i 's/ff2e/fg2e/' " SKIPPED,
        "truncate -s -1 " SKIPPED,
        "truncate -s 4000 " SKIPPED,
    };
    put("a.png"), put("bad\xff.png");
    open_again(true);
    shell_ok("cp " SKIPPED " " S "whole");
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        shell_ok("cp " S "whole " SKIPPED);
        shell_ok(damages[i]);
        ASSERT_FAILS(ead_images_left_out(S, true, arrivals), EAD_BAD_FILE, SKIPPED ": is damaged");
    }
    shell_ok("cp " S "whole " SKIPPED);
    open_again(false);
    put("b.png");
    expect("b.png");
}
END_TEST

static void *stop_soon(void *context) {
    pause_for(0.2);
    ead_arrivals_stop(context);
    return NULL;
}

START_TEST(the_end_comes_at_once) {
    EadArrival arrival;
    EadWorkers worker = {0};
    bool found = true;
    open_folder(false, 0);
    ASSERT_OK(ead_workers_start(&worker, 1, stop_soon, arrivals));
    ASSERT_OK(ead_arrivals_next(arrivals, &arrival, &found));
    ck_assert(!found);
    ead_workers_join(&worker);
}
END_TEST

/* Against a list, over many names that come and go. */
START_TEST(the_table_forgets_what_it_shall) {
    enum { NAMES = 2000 };
    EadKnownFiles files = {0};
    EadKnownFile *file;
    char name[32];
    static bool there[NAMES];
    uint32_t state = 1;
    for (int turn = 0; turn < 20000; turn++) {
        state = state * 1664525u + 1013904223u;
        int i = (int)((state >> 8) % NAMES);
        snprintf(name, sizeof name, "name%d", i);
        ck_assert(there[i] == (ead_known_files_find(&files, name) != NULL));
        if (there[i])
            ead_known_files_forget(&files, name);
        else
            ASSERT_OK(ead_known_files_take(&files, name, &file));
        there[i] = !there[i];
    }
    int count = 0;
    for (int i = 0; i < NAMES; i++) count += there[i];
    ck_assert_int_eq(files.count, count);
    ead_known_files_free(&files);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("arrivals");
    TCase *tests = tcase_create("arrivals");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_there_comes_by_time_then_name);
    tcase_add_test(tests, a_file_is_whole_when_it_is_closed);
    tcase_add_test(tests, order_is_that_of_closing);
    tcase_add_test(tests, lost_events_lose_no_image);
    tcase_add_test(tests, folders_below_count_if_they_are_asked_for);
    tcase_add_test(tests, polling_takes_what_two_searches_found_the_same);
    tcase_add_test(tests, a_folder_that_was_away_is_looked_through);
    tcase_add_test(tests, another_folder_in_its_place_is_watched);
    tcase_add_test(tests, a_folder_without_rights_is_looked_through_later);
    tcase_add_test(tests, times_that_do_not_fit_are_the_last_that_does);
    tcase_add_test(tests, what_is_known_or_changed_since);
    tcase_add_test(tests, what_was_there_before_stays_aside);
    tcase_add_test(tests, damage_to_what_was_left_out_is_refused);
    tcase_add_test(tests, the_end_comes_at_once);
    tcase_add_test(tests, the_table_forgets_what_it_shall);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_suite(make_suite());
}
