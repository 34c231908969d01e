/* efficientad watch as its user runs it: what it prints, notes, moves and starts, what it refuses, and that nothing is lost or done
 * twice over restarts, changed models and full disks. Skipped where $PROGRAM is not set. */
#define S           "build/scratch/test_watching/"
#define _GNU_SOURCE /* prlimit */
#include "test/watch/watch_scene.h"

#include <math.h>
#include <sys/resource.h>

static json_t *lines[MOST_LINES];
static Outcome outcome;

START_TEST(images_are_scored_noted_and_moved) {
    NEED_PROGRAM();
    EadDetector *detector;
    float score, others[3];
    char path[256];
    empty_folders();
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, S "image%d.png", i);
        write_noise_png(path, 40, 30, 3, (uint32_t)i + 1);
        free(library_map(detector, path, &others[i]));
    }
    ead_detector_close(detector);
    put_image("first.png", 1);
    snprintf(path, sizeof path, "--move-to " DONE " --threshold %.9g", (double)fmaxf(others[0], others[1]));
    pid_t child = start_watch(path, 0);
    put_image("second.png", 2);
    await_lines(2);
    write_text(FOLDER "/broken.png", "no image");
    put_image("first.png", 3); /* a name that was there before */
    await_lines(4);
    stop_watch(child, &outcome);
    ck_assert_int_eq(read_journal(lines), 4);
    static const char *const names[] = {"first", "second", "broken", "first"};
    for (int i = 0; i < 4; i++) assert_contains(text_of(lines[i], "path"), names[i]);
    static const int images[] = {0, 1, -1, 2};
    for (int i = 0; i < 4; i++) {
        score = images[i] < 0 ? 0 : others[images[i]];
        if (images[i] >= 0)
            ck_assert_float_eq((float)json_number_value(json_object_get(lines[i], "score")), score);
        bool anomalous = images[i] >= 0 && score >= fmaxf(others[0], others[1]);
        ck_assert(json_is_true(json_object_get(lines[i], "anomalous")) == anomalous);
        const char *moved = text_of(lines[i], "moved");
        ck_assert_msg(exists(moved), "%s", moved);
        assert_contains(moved, images[i] < 0 ? "/done/failed/" : anomalous ? "/done/ng/" : "/done/ok/");
    }
    assert_contains(text_of(lines[2], "error"), "broken.png");
    ck_assert_str_eq(text_of(lines[0], "model"), "tiny");
    ck_assert_int_eq(files_in(FOLDER), 0);
    free_lines(lines, 4);
    shell_ok("cmp " S "out " JOURNAL "/results-*"); /* standard output has the very lines */
    assert_contains(outcome.err, "3 images scored");
}
END_TEST

/* A link that leads from the folder to its image would lead nowhere from another. */
START_TEST(links_arrive_as_their_images) {
    NEED_PROGRAM();
    empty_folders();
    write_noise_png(S "kept.png", 40, 30, 3, 1);
    shell_ok("chmod 600 " S "kept.png && ln -s ../kept.png " FOLDER "/link.png");
    pid_t child = start_watch("--move-to " DONE " --threshold 1e9", 0);
    await_lines(1);
    await_shell("test ! -h " FOLDER "/link.png");
    stop_watch(child, &outcome);
    shell_ok("test ! -h " DONE "/ok/link.png && cmp " S "kept.png " DONE
             "/ok/link.png && test $(stat -c %a " DONE
             "/ok/link.png) = 600"); /* nobody else may read it now */
}
END_TEST

START_TEST(restarts_do_nothing_twice_and_lose_nothing) {
    NEED_PROGRAM();
    empty_folders();
    put_image("old.png", 1);
    pid_t child = start_watch("--existing skip", 0);
    put_image("a.png", 2);
    await_lines(1);
    stop_watch(child, &outcome);
    put_image("while_away.png", 3);
    child = start_watch("--existing skip", 0);
    await_lines(2);
    kill(child, SIGKILL);
    await(child, &outcome);
    child = start_watch("--existing skip", 0);
    put_image("b.png", 4);
    await_lines(3);
    stop_watch(child, &outcome);
    /* Now they are to be moved, too, but those that were noted without stay. */
    child = start_watch("--move-to " DONE " --threshold 1e9", 0);
    put_image("c.png", 5);
    await_lines(4);
    stop_watch(child, &outcome);
    ck_assert_int_eq(files_in(FOLDER), 4);
    ck_assert(exists(DONE "/ok/c.png"));
    /* One that was noted, but not moved before the kill. */
    ck_assert_int_eq(rename(DONE "/ok/c.png", FOLDER "/c.png"), 0);
    child = start_watch("--move-to " DONE " --threshold 1e9", 0);
    ck_assert(exists(DONE "/ok/c.png"));
    stop_watch(child, &outcome);
    ck_assert_int_eq(count_journal(), 4);
}
END_TEST

/* What was left out stays so, whatever changes but the image; where that is not known any more, nothing starts. */
START_TEST(what_was_skipped_is_never_scored_in_silence) {
    NEED_PROGRAM();
    empty_folders();
    put_image("old.png", 1), put_image("older.png", 2);
    stop_watch(start_watch("--existing skip", 0), &outcome);
    shell_ok("cd " FOLDER " && chmod 600 old.png && ln older.png ../linked");
    pid_t child = start_watch("", 0);
    put_image("a.png", 3);
    await_lines(1);
    stop_watch(child, &outcome);
    shell_ok(": >" JOURNAL "/skipped.jsonl");
    run(WATCH FOLDER, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, JOURNAL "/skipped.jsonl: is damaged");
    ck_assert_int_eq(count_journal(), 1);
}
END_TEST

/* The line is UTF-8, the name on the disk is not. */
START_TEST(names_that_are_no_text_are_found_again) {
    NEED_PROGRAM();
    empty_folders();
    write_text(S "there.sh",
               "#!/bin/sh\ntest \"$EFFICIENTAD_PATH\" = \"$1\" && test -f \"$1\" && echo there >>" S
               "there\n");
    shell_ok("chmod +x " S "there.sh && rm -f " S "there && mkdir -p " FOLDER "/cam\xff");
    pid_t child = start_watch("-r --threshold -1 --on-anomaly " S "there.sh", 0);
    put_image("cam\xff/bad\xfe.png", 1);
    put_image("plain \xc3\xa9.png", 2);
    await_lines(2);
    stop_watch(child, &outcome);
    shell_ok("grep -c . " S "there | grep -qx 2");
    /* They are noted: the next start does not score them again. */
    child = start_watch("-r --threshold -1", 0);
    put_image("last.png", 3);
    await_lines(3);
    stop_watch(child, &outcome);
    ck_assert_int_eq(read_journal(lines), 3);
    assert_contains(text_of(lines[0], "path"), "/cam\\xff/bad\\xfe.png");
    assert_contains(text_of(lines[0], "path_bytes"), "2f63616dff2f626164fe2e706e67");
    ck_assert_str_eq(text_of(lines[0], "source_bytes"), "63616dff");
    ck_assert_ptr_null(json_object_get(lines[1], "path_bytes"));
    ck_assert_ptr_null(json_object_get(lines[1], "source_bytes"));
    free_lines(lines, 3);
}
END_TEST

START_TEST(a_changed_model_takes_over) {
    NEED_PROGRAM();
    empty_folders();
    copy_file(MODEL, S "changing.safetensors");
    pid_t child = start("watch -m " S "changing.safetensors --journal " JOURNAL " " FOLDER, 0);
    put_image("a.png", 1);
    await_lines(1);
    save_tiny_model(S "changing.safetensors", NAN, NULL);
    kill(child, SIGHUP);
    await_shell("grep -q 'no threshold' " S "err");
    put_image("b.png", 1);
    await_lines(2);
    write_text(S "changing.safetensors", "no model");
    kill(child, SIGHUP);
    await_shell("grep -q 'the model before it stays' " S "err");
    put_image("c.png", 1);
    await_lines(3);
    stop_watch(child, &outcome);
    ck_assert_int_eq(read_journal(lines), 3);
    ck_assert_ptr_nonnull(json_object_get(lines[0], "anomalous"));
    ck_assert_ptr_null(json_object_get(lines[1], "anomalous"));
    ck_assert_str_eq(text_of(lines[1], "sha256"), text_of(lines[2], "sha256"));
    ck_assert_str_ne(text_of(lines[0], "sha256"), text_of(lines[1], "sha256"));
    free_lines(lines, 3);
}
END_TEST

START_TEST(a_full_disk_is_waited_for) {
    NEED_PROGRAM();
    struct rlimit limit;
    empty_folders();
    unlink(S "err");
    pid_t child = spawn_shell("exec $PROGRAM " WATCH "--move-to " DONE " --threshold 1e9 " FOLDER
                              " >/dev/null 2>" S "err");
    await_shell("grep -q 'watching ' " S "err");
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, NULL, &limit), 0);
    /* Bytes that a file may have; only now, since the thread sanitizer makes one at its start. */
    limit.rlim_cur = 1536;
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, &limit, NULL), 0);
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.png", i);
        put_image(name, (uint32_t)i + 1);
    }
    await_shell("grep -q 'tried again' " S "err");
    int noted = count_journal();
    ck_assert_int_lt(noted, 8);
    ck_assert_int_eq(files_in(FOLDER), 8 - noted);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(prlimit(child, RLIMIT_FSIZE, &limit, NULL), 0);
    await_lines(8);
    await_shell("test -z \"$(ls " FOLDER ")\"");
    end_shell(&child, SIGTERM);
    assert_file_holds(S "err", "the journal is written again");
}
END_TEST

/* Names are data: no shell reads them. */
START_TEST(a_command_gets_what_it_needs_and_no_shell) {
    NEED_PROGRAM();
    empty_folders();
    write_text(
        S "told.sh",
        "#!/bin/sh\nprintf '%s|%s|%s|' \"$#\" \"$1\" \"$EFFICIENTAD_SEQUENCE\" >>" S "told\n"
        "test \"$EFFICIENTAD_PATH\" != \"$1\" && test \"$EFFICIENTAD_MOVED\" = \"$1\" && test -f \"$1\" &&"
        " echo moved >>" S "told\ncat >>" S "told\nexit 3\n");
    shell_ok("chmod +x " S "told.sh");
    pid_t child = start_watch("--on-anomaly " S "told.sh --move-to " DONE " --threshold -1", 0);
    put_image("$(touch hacked); x'\"`touch hacked`.png", 1);
    put_image("-rf.png", 2);
    await_lines(2);
    stop_watch(child, &outcome);
    ck_assert_int_eq(read_journal(lines), 2);
    char *told = read_text(S "told");
    for (int i = 0; i < 2; i++) {
        char start[1024];
        snprintf(start, sizeof start, "1|%s|%d|moved\n{", text_of(lines[i], "moved"), i + 1);
        assert_contains(told, start);
    }
    free(told);
    free_lines(lines, 2);
    assert_contains(outcome.err, "told.sh ended with exit code 3");
    ck_assert(!exists("hacked") && !exists(FOLDER "/hacked"));
}
END_TEST

/* Any signal that ends programs; and whoever does not want to wait says so by another. */
START_TEST(it_ends_in_its_time) {
    NEED_PROGRAM();
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGQUIT, SIGXCPU, SIGALRM, SIGINT};
    pid_t child;
    for (int i = 0; i < COUNT(signals); i++) {
        empty_folders();
        child = start_watch("", 0);
        put_image("a.png", 1);
        await_lines(1);
        kill(child, signals[i]);
        await(child, &outcome);
        ck_assert_msg(outcome.code == 0, "signal %d: exit %d: %s", signals[i], outcome.code, outcome.err);
        assert_contains(outcome.err, "1 images scored");
    }
    write_text(S "slow.sh", "#!/bin/sh\n: >" S "begun\nexec sleep 8\n");
    shell_ok("chmod +x " S "slow.sh");
    child = start_watch("--on-anomaly " S "slow.sh --threshold -1 --exit-timeout 3600", 0);
    put_image("b.png", 2);
    await_shell("test -e " S "begun");
    kill(child, SIGTERM);
    pause_for(0.3);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGTERM);
    await(child, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "the time for it was over");
    ck_assert_int_eq(count_journal(), 2);
}
END_TEST

/* The journal has the lines all the same, so it is said once and is no failure. */
START_TEST(an_output_that_is_closed_is_told_once) {
    NEED_PROGRAM();
    int status;
    empty_folders();
    unlink(S "err");
    pid_t child = spawn_shell("exec $PROGRAM " WATCH FOLDER " >&- 2>" S "err");
    await_shell("grep -q 'watching ' " S "err");
    put_image("a.png", 1), put_image("b.png", 2);
    await_lines(2);
    kill(child, SIGTERM);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    shell_ok("grep -c 'standard output' " S "err | grep -qx 1");
    assert_file_holds(S "err", "the lines go on in the journal alone");
}
END_TEST

START_TEST(one_process_works_with_a_journal) {
    NEED_PROGRAM();
    empty_folders();
    pid_t child = start_watch("", 0);
    shell_ok("timeout 30 $PROGRAM " WATCH FOLDER " >/dev/null 2>" S "second; test $? -eq 1");
    stop_watch(child, &outcome);
    assert_file_holds(S "second", "another process works there");
    assert_file_holds(S "second", "name another folder");
}
END_TEST

START_TEST(what_is_wrong_is_said_before_the_work) {
    NEED_PROGRAM();
    static const char *const wrong[][2] = {
        {"watch -m " MODEL " " S "missing", "missing"},
        {"watch -m " MODEL " " MODEL, "not a folder"},
        {"watch -m " MODEL, "watch needs a folder"},
        {"watch -m 'a b=" MODEL "' " FOLDER, "'a b' as the name of a model"},
        {"watch -m b=" S "missing " FOLDER, "missing"},
        {WATCH "-r --move-to " FOLDER "/done " FOLDER, "--recursive"},
        {"watch -m " MODEL " --journal " MODEL " " FOLDER, "--journal"},
        {WATCH "--move-to " MODEL " " FOLDER, "--move-to"},
        {WATCH "--poll 0 " FOLDER, "--poll"},
        {WATCH "--on-anomaly " S "no/such " FOLDER, "no program"},
        {WATCH "--on-anomaly no-such-program-there " FOLDER, "no program"},
        {WATCH "--mqtt tcp://host/topic " FOLDER, "--mqtt"},
        {WATCH "--mqtt-login " S "missing " FOLDER, "missing"},
        {WATCH "--webhook ftp://host/ " FOLDER, "--webhook"},
        {WATCH "--webhook http://user:secret@host/ " FOLDER, "--webhook"},
        {WATCH "--webhook https://host:99999/ " FOLDER, "a port that there is not"},
        {WATCH "--sqlite " S "no/such/folder/a.db --sqlite " FOLDER, "--sqlite"},
        {WATCH "--tls-ca " MODEL " " FOLDER, "--tls-ca"},
        {WATCH "--tls-key " S "words " FOLDER, "PRIVATE KEY-----"},
        {WATCH "--tls-key " S "key " FOLDER, "go together"},
        {"watch -m " S "unsure.safetensors --journal " JOURNAL " --move-to " DONE " " FOLDER, "--threshold"}};
    empty_folders();
    save_tiny_model(S "unsure.safetensors", NAN, NULL);
    write_text(S "words", "no key\n");
    write_text(S "key", "-----BEGIN PRIVATE KEY-----\n");
    for (int i = 0; i < COUNT(wrong); i++) {
        run(wrong[i][0], 0, &outcome);
        ck_assert_msg(outcome.code == 1 || outcome.code == 2, "%s: exit %d", wrong[i][0], outcome.code);
        assert_contains(outcome.err, wrong[i][1]);
        ck_assert_msg(!exists(JOURNAL) && !exists(DONE), "%s", wrong[i][0]);
    }
    pid_t child = start_watch("", 0);
    run(WATCH FOLDER, 0, &outcome); /* the journal is another's */
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, JOURNAL);
    stop_watch(child, &outcome);
}
END_TEST

START_TEST(a_model_has_the_name_that_it_is_given) {
    NEED_PROGRAM();
    empty_folders();
    put_image("a.png", 1);
    pid_t child = start_watching("watch -m line2=" MODEL " --journal " JOURNAL " " FOLDER, 0);
    await_lines(1);
    stop_watch(child, &outcome);
    ck_assert_int_eq(read_journal(lines), 1);
    ck_assert_str_eq(text_of(lines[0], "model"), "line2");
    free_lines(lines, 1);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, images_are_scored_noted_and_moved);
    tcase_add_test(tests, links_arrive_as_their_images);
    tcase_add_test(tests, restarts_do_nothing_twice_and_lose_nothing);
    tcase_add_test(tests, what_was_skipped_is_never_scored_in_silence);
    tcase_add_test(tests, names_that_are_no_text_are_found_again);
    tcase_add_test(tests, a_changed_model_takes_over);
    tcase_add_test(tests, a_full_disk_is_waited_for);
    tcase_add_test(tests, a_command_gets_what_it_needs_and_no_shell);
    tcase_add_test(tests, it_ends_in_its_time);
    tcase_add_test(tests, an_output_that_is_closed_is_told_once);
    tcase_add_test(tests, one_process_works_with_a_journal);
    tcase_add_test(tests, a_model_has_the_name_that_it_is_given);
    tcase_add_test(tests, what_is_wrong_is_said_before_the_work);
}

int main(void) {
    return run_program_suite("watching", S, make_folders_and_model, remove_scene, add_tests);
}
