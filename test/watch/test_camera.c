/* efficientad watch with cameras of Aravis' own: one that it draws in the program, and one that answers at the loopback as a GigE camera
 * does. Skipped where Aravis is not installed. */
#define S "build/scratch/test_camera/"
#include "test/serve/serve_client.h"
#include "test/watch/watch_scene.h"

#include <fcntl.h>

#define SMALL "--camera-set Width=64 --camera-set Height=48 "
#define DRAWN WATCH "--camera Fake_1 " SMALL

static json_t *lines[MOST_LINES];
static Outcome outcome;
static char text[TEXT_SIZE];
static pid_t gige, child;
static int alive; /* the camera ends when this is closed */

static const char *in_build(const char *name) {
    static char path[512];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/aravis/%s", build ? build : "build/release", name);
    return path;
}

#define NEED_CAMERA()                                                                                        \
    NEED_PROGRAM();                                                                                          \
    SKIP_UNLESS(exists(in_build("efficientad")), "Aravis is not installed (libaravis-dev)");                 \
    setenv("PROGRAM", in_build("efficientad"), 1)

/* Lives as long as we do, and waits for that of another one's tests. */
static void start_gige(const char *lost) {
    int ends[2];
    unlink(S "gige");
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    gige = fork();
    ck_assert_int_ge(gige, 0);
    if (gige == 0) {
        dup2(ends[0], STDIN_FILENO);
        if (!freopen(S "gige", "w", stdout)) _exit(127);
        execl(in_build("gige_camera"), "gige_camera", lost, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    alive = ends[1];
    await_shell("grep -q running " S "gige");
}

static void end_gige(void) {
    if (gige <= 0) return;
    kill(gige, SIGKILL);
    waitpid(gige, NULL, 0);
    close(alive);
    gige = 0;
}

static void stop_camera(void) {
    stop_watch(child, &outcome);
    child = 0;
}

/* Whatever a test that failed has left. */
static void end_all(void) {
    if (child > 0) kill(child, SIGKILL), waitpid(child, NULL, 0);
    child = 0;
    end_gige();
}

static pid_t start_at_gige(const char *words) {
    char line[1024];
    snprintf(line, sizeof line, WATCH "--camera 127.0.0.1 " SMALL "%s", words);
    return start_watching(line, 0);
}

static double number_in(const json_t *line, const char *key) {
    return json_number_value(json_object_get(line, key));
}

/* Waits until so many lines of the journal hold a text. */
static void await_held(const char *held, int count) {
    char condition[512];
    snprintf(condition, sizeof condition, "test $(cat " JOURNAL "/results-* | grep -c '%s') -ge %d", held,
             count);
    await_shell(condition);
}

/* What is kept has the very score of the line. */
START_TEST(images_are_scored_as_files_are) {
    NEED_CAMERA();
    static const char *const formats[] = {"Mono8", "RGB8", "Mono16"};
    static const int bytes[] = {64 * 48, 3 * 64 * 48, 2 * 64 * 48};
    char words[512];
    EadDetector *detector;
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int f = 0; f < COUNT(formats); f++) {
        empty_folders();
        snprintf(words, sizeof words, DRAWN "--camera-set PixelFormat=%s --move-to " DONE " --threshold -1",
                 formats[f]);
        child = start_watching(words, 0);
        await_held("score", 3);
        stop_camera();
        int count = read_journal(lines);
        double next = number_in(lines[0], "frame");
        for (int i = 0; i < count; i++) {
            const json_t *missed = json_object_get(lines[i], "not_inspected"); /* on a busy machine */
            next += number_in(missed, "queue_full") + number_in(missed, "ended");
            if (missed) continue;
            float score;
            const char *moved = text_of(lines[i], "moved");
            assert_contains(moved, "/done/ng/Fake_1/");
            assert_contains(moved, text_of(lines[i], "path"));
            free(library_map(detector, moved, &score));
            ck_assert_float_eq((float)number_in(lines[i], "score"), score);
            ck_assert_str_eq(text_of(lines[i], "source"), "Fake_1");
            ck_assert_int_eq((int)number_in(lines[i], "bytes"), bytes[f]);
            ck_assert_double_eq(number_in(lines[i], "frame"), next++);
            ck_assert_double_gt(number_in(lines[i], "camera_time"), 0);
        }
        free_lines(lines, count);
        shell_ok("cmp " S "out " JOURNAL "/results-*");
    }
    ead_detector_close(detector);
}
END_TEST

START_TEST(good_images_need_not_be_kept) {
    NEED_CAMERA();
    empty_folders();
    child = start_watching(DRAWN "--move-to " DONE " --keep ng --threshold 1e9", 0);
    await_held("score", 3);
    stop_camera();
    shell_ok("! grep -q moved " JOURNAL "/results-*");
    ck_assert(!exists(DONE));
    /* Numbers go on over restarts, and nothing is missed between. */
    int before = count_journal();
    child = start_watching(DRAWN "--move-to " DONE " --keep ng --threshold -1", 0);
    await_held("moved", 1);
    stop_camera();
    ck_assert_int_gt(count_journal(), before); /* which looks at the numbers, too */
    shell_ok("ls " DONE "/ng/Fake_1/*.png >" S "kept");
}
END_TEST

/* A tenth of the packets are never sent, of which an image has some five. */
START_TEST(incomplete_images_are_counted_and_never_scored) {
    NEED_CAMERA();
    empty_folders();
    start_gige("0.1");
    child = start_at_gige("--threshold 1e9 --listen 127.0.0.1:0");
    await_held("\"score\"", 5);
    await_held("not_inspected", 5);
    char address[128], metric[128];
    read_into(S "err", text);
    ck_assert_int_eq(sscanf(strstr(text, "listening at "), "listening at %127s", address), 1);
    kill(gige, SIGSTOP); /* no more images */
    pause_for(0.5);
    ck_assert_int_eq(get_from(address, "/metrics", text), 200);
    stop_camera();
    end_gige();
    int count = read_journal(lines), whole = 0, missed = 0;
    for (int i = 0; i < count; i++) {
        const json_t *kinds = json_object_get(lines[i], "not_inspected");
        bool scored = json_object_get(lines[i], "score") != NULL;
        ck_assert(scored == (kinds == NULL) && scored == (json_object_get(lines[i], "anomalous") != NULL));
        ck_assert(scored == (json_object_get(lines[i], "frame") != NULL));
        whole += scored;
        if (kinds) assert_contains(text_of(lines[i], "error"), "not inspected: ");
        missed += (int)number_in(kinds, "missing_packets") + (int)number_in(kinds, "timeout");
    }
    free_lines(lines, count);
    snprintf(metric, sizeof metric, "%d images scored, 0 of them anomalous; 0 failed; ", whole);
    assert_contains(outcome.err, metric);
    assert_contains(outcome.err, "of which packets are missing");
    ck_assert_int_ge(missed, 5);
    assert_contains(text, "efficientad_not_inspected_total{reason=\"missing_packets\"} ");
    assert_contains(text, "efficientad_not_inspected_total{reason=\"queue_full\"} ");
    ck_assert_ptr_null(strstr(text, "reason=\"missing_packets\"} 0\n"));
}
END_TEST

START_TEST(a_camera_that_is_lost_is_found_again) {
    NEED_CAMERA();
    empty_folders();
    start_gige("0");
    child = start_at_gige("--threshold 1e9");
    await_held("score", 2);
    end_gige();
    await_shell("grep -q 'does not answer any more; tried again' " S "err");
    int before = count_journal();
    start_gige("0");
    await_shell("grep -q 'works again' " S "err");
    await_held("score", before + 2);
    stop_camera();
    end_gige();
}
END_TEST

/* One image for each line, and none without; one that could not be taken is told. */
START_TEST(lines_take_images_by_the_software_trigger) {
    NEED_CAMERA();
    empty_folders();
    start_gige("0");
    shell_ok("rm -f " S "asking && mkfifo " S "asking");
    int asking = open(S "asking", O_RDWR | O_CLOEXEC);
    child = start_at_gige("--trigger Software --threshold 1e9 <" S "asking");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(write(asking, "\n", 1), 1);
        await_lines(i + 1);
    }
    end_gige();
    await_shell("grep -q 'tried again' " S "err");
    ck_assert_int_eq(write(asking, "\n", 1), 1);
    await_lines(4);
    stop_camera();
    close(asking);
    ck_assert_int_eq(read_journal(lines), 4);
    for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(json_object_get(lines[i], "score"));
    ck_assert_double_eq(number_in(json_object_get(lines[3], "not_inspected"), "camera_away"), 1);
    free_lines(lines, 4);
}
END_TEST

START_TEST(what_is_wrong_is_said_before_the_work) {
    NEED_PROGRAM();
    static const char *const wrong[][2] = {{"watch -m " MODEL " --camera Fake_1", "--journal"},
                                           {WATCH "--camera ''", "the name is empty"},
                                           {WATCH "--camera Fake_1 " FOLDER, "not both"},
                                           {WATCH "--camera Fake_1 --poll 1", "--poll is for folders"},
                                           {WATCH "--trigger Line1 " FOLDER, "--trigger is for --camera"},
                                           {WATCH "--camera Fake_1 --keep ng", "--move-to"},
                                           {"watch -m " MODEL, "--camera NAME"}};
    static const char *const of_cameras[][2] = {
        {"--camera no-such-camera", "no-such-camera"},
        {"--camera Fake_1 --camera-set Nothing=1", "no feature Nothing"},
        {"--camera Fake_1 --camera-set Width", "FEATURE=VALUE"},
        {"--camera Fake_1 --camera-set Width=wide", "'wide' is no number"},
        {"--camera Fake_1 --camera-set Width=99999", "Width"},
        {"--camera Fake_1 --camera-set PixelFormat=BayerRG8", "chooses others: Mono8, Mono16, RGB8"},
        {"--camera Fake_1 --trigger Line77", "--trigger"}};
    char words[512];
    empty_folders();
    for (int i = 0; i < COUNT(wrong); i++) {
        run(wrong[i][0], 0, &outcome);
        ck_assert_msg(outcome.code == 1 || outcome.code == 2, "%s: exit %d", wrong[i][0], outcome.code);
        assert_contains(outcome.err, wrong[i][1]);
        ck_assert_msg(!exists(JOURNAL), "%s", wrong[i][0]);
    }
    run("doctor", 0, &outcome);
    if (strstr(outcome.out, "make ARAVIS=1")) {
        run(WATCH "--camera Fake_1", 0, &outcome);
        ck_assert_int_eq(outcome.code, 1);
        assert_contains(outcome.err, "built without Aravis; make deps all ARAVIS=1");
    }
    NEED_CAMERA();
    run("doctor", 0, &outcome);
    assert_contains(outcome.out, "Aravis 0.");
    for (int i = 0; i < COUNT(of_cameras); i++) {
        snprintf(words, sizeof words, WATCH "%s", of_cameras[i][0]);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code == 1, "%s: exit %d", words, outcome.code);
        assert_contains(outcome.err, of_cameras[i][1]);
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_checked_fixture(tests, NULL, end_all);
    tcase_add_test(tests, images_are_scored_as_files_are);
    tcase_add_test(tests, good_images_need_not_be_kept);
    tcase_add_test(tests, incomplete_images_are_counted_and_never_scored);
    tcase_add_test(tests, a_camera_that_is_lost_is_found_again);
    tcase_add_test(tests, lines_take_images_by_the_software_trigger);
    tcase_add_test(tests, what_is_wrong_is_said_before_the_work);
}

int main(void) {
    return run_program_suite("cameras", S, make_folders_and_model, remove_scene, add_tests);
}
