/* Three processes write images, while the program is killed at random and the broker is stopped and started: every image is noted and told
 * at least once, in the order of its source, and none was scored before it was whole. WATCH_FILES, WATCH_KILLS: how many (`make watch-torture`). */
#define S "build/scratch/test_nothing_lost/"
#include "test/watch/broker.h"

#include <fcntl.h>

enum { SOURCES = 3, VARIANTS = 4 };

static json_t *lines[MOST_LINES];
static uint8_t *images[VARIANTS];
static size_t sizes[VARIANTS];
static float scores[VARIANTS];
static int files, kills; /* of each source; in all */

static int setting(const char *name, int usual) {
    return getenv(name) ? atoi(getenv(name)) : usual;
}

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    EadDetector *detector;
    make_folders_and_model();
    files = (setting("WATCH_FILES", 120) + SOURCES - 1) / SOURCES;
    kills = setting("WATCH_KILLS", 4);
    ASSERT_OK((EadStatus)ead_detector_open(MODEL, &detector));
    for (int i = 0; i < VARIANTS; i++) {
        write_noise_png(S "variant.png", 40 + i, 30, 3, (uint32_t)i + 1);
        images[i] = read_bytes(S "variant.png", &sizes[i]);
        free(library_map(detector, S "variant.png", &scores[i]));
    }
    ead_detector_close(detector);
}

static void remove_all(void) {
    for (int i = 0; i < VARIANTS; i++) free(images[i]);
    remove_scene();
}

/* ---- writers ---- */

static void write_part(int file, const uint8_t *bytes, size_t size) {
    if (write(file, bytes, size) != (ssize_t)size) _exit(1);
}

/* In a child. Source 0 writes in one go, 1 with a pause in the middle, 2 under another name. */
static _Noreturn void write_source(int source) {
    char path[256], name[256];
    for (int i = 0; i < files; i++) {
        int variant = (i + source) % VARIANTS;
        snprintf(path, sizeof path, FOLDER "/camera%d/%05d.png", source, i);
        snprintf(name, sizeof name, FOLDER "/camera%d/.%05d.png", source, i);
        int file = open(source == 2 ? name : path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        size_t half = source == 1 ? sizes[variant] / 2 : 0;
        if (file < 0) _exit(1);
        write_part(file, images[variant], half);
        if (half) pause_for(i % 7 ? 0.002 : 0.1);
        write_part(file, images[variant] + half, sizes[variant] - half);
        if (close(file) != 0 || (source == 2 && rename(name, path) != 0)) _exit(1);
        pause_for(i % 10 ? 0.001 : 0.03);
    }
    _exit(0);
}

/* ---- what came of it ---- */

/* The source and number of a path; false: none. */
static bool parse_path(const char *path, int *source, int *number) {
    const char *found = strstr(path, "/camera");
    return found && sscanf(found, "/camera%d/%d.png", source, number) == 2 && *source < SOURCES &&
           *number < files;
}

/* Every file is among them, the first lines of each source's files in order. Gives how many lines are of files told before. */
static int check_all(json_t *const *all, int count, const char *who) {
    int next[SOURCES] = {0}, again = 0, source, number;
    for (int i = 0; i < count; i++) {
        ck_assert_msg(parse_path(text_of(all[i], "path"), &source, &number), "%s: %s", who,
                      text_of(all[i], "path"));
        int variant = (number + source) % VARIANTS;
        ck_assert_msg(!json_object_get(all[i], "error"), "%s: %s", who, text_of(all[i], "error"));
        ck_assert_int_eq(json_integer_value(json_object_get(all[i], "bytes")), (json_int_t)sizes[variant]);
        ck_assert_float_eq((float)json_number_value(json_object_get(all[i], "score")), scores[variant]);
        ck_assert_msg(number <= next[source], "%s: camera %d: %d came before %d", who, source, number,
                      next[source]);
        again += number < next[source];
        next[source] += number == next[source];
    }
    for (source = 0; source < SOURCES; source++)
        ck_assert_msg(next[source] == files, "%s: camera %d: %d of %d", who, source, next[source], files);
    return again;
}

static int read_told(void) {
    static char line[1 << 16];
    int count = 0;
    FILE *file = fopen(S "told", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        lines[count] = json_loads(line, 0, NULL);
        ck_assert_msg(lines[count++] != NULL, "told: %s", line);
    }
    fclose(file);
    return count;
}

/* Whether the last line of the journal has come to the subscriber. */
static void await_last_line(void) {
    char condition[256];
    int count = read_journal(lines);
    free_lines(lines, count);
    snprintf(condition, sizeof condition, "grep -q '\"sequence\":%d,' " S "told", count);
    await_shell(condition);
}

static void count_files(const char *where, int expected) {
    char condition[256];
    snprintf(condition, sizeof condition, "test $(find %s -name '*.png' | wc -l) = %d", where, expected);
    await_shell(condition);
}

START_TEST(nothing_is_lost) {
    NEED_PROGRAM();
    SKIP_UNLESS(have_broker(), "no mosquitto");
    Broker broker = {0};
    char words[256];
    pid_t writers[SOURCES];
    uint32_t state = 12345;
    Outcome outcome;
    empty_folders();
    shell_ok("mkdir -p " FOLDER "/camera0 " FOLDER "/camera1 " FOLDER "/camera2");
    start_broker(&broker, "");
    start_subscriber(&broker, "line", "");
    pause_for(0.3); /* it is known to the broker from now on */
    snprintf(words, sizeof words, "-r --move-to " DONE " --mqtt mqtt://127.0.0.1:%d/line --journal-size 1",
             broker.port);
    pid_t child = start_watch(words, 0);
    for (int i = 0; i < SOURCES; i++)
        if ((writers[i] = fork()) == 0) write_source(i);
    for (int i = 0; i < kills; i++) {
        state = state * 1664525u + 1013904223u;
        pause_for(0.05 + (double)(state >> 16) / 65536 * setting("WATCH_PAUSE", 1));
        kill(child, SIGKILL);
        await(child, &outcome);
        if (i % 3 == 1) end_shell(&broker.process, SIGTERM);
        child = start_watch(words, 0);
        if (i % 3 == 2 && !broker.process) start_broker(&broker, "");
    }
    if (!broker.process) start_broker(&broker, "");
    for (int i = 0; i < SOURCES; i++) {
        int status;
        ck_assert_int_eq(waitpid(writers[i], &status, 0), writers[i]);
        ck_assert_int_eq(status, 0);
    }
    for (int before = -1, now; (now = count_journal()) != before; before = now) /* while something happens */
        for (int i = 0; i < 20 && now == count_journal(); i++) pause_for(0.5);
    count_files(FOLDER, 0);
    count_files(DONE, SOURCES * files);
    await_last_line();
    stop_watch(child, &outcome);
    end_broker(&broker);
    int count = read_journal(lines), again = check_all(lines, count, "journal");
    free_lines(lines, count);
    count = read_told();
    int told_again = check_all(lines, count, "subscriber");
    free_lines(lines, count);
    printf("%d images, %d kills: %d noted twice, %d told twice\n", SOURCES * files, kills, again, told_again);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, nothing_is_lost);
}

int main(void) {
    return run_program_suite("nothing_lost", S, make_scene, remove_all, add_tests);
}
