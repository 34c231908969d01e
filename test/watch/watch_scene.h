/* The program as it watches a folder with a tiny model, and what it leaves: lines of its journal, files that were moved. */
#pragma once

#include "test/support/runs.h"
#include "test/support/sample_models.h"

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* S: the suite's folder, with a slash at its end. */
#define MODEL   S "tiny/model.safetensors"
#define FOLDER  S "in"
#define DONE    S "done"
#define JOURNAL S "journal"
#define WATCH   "watch -m " MODEL " --journal " JOURNAL " "

enum { MOST_LINES = 20000 };

/* Waits for up to half a minute until a shell's condition is true. */
static inline void await_shell(const char *condition) {
    for (int i = 0; i < 1500; i++) {
        if (shell(condition) == 0) return;
        pause_for(0.02);
    }
    shell("cat " S "err >&2");
    ck_abort_msg("waited in vain: %s", condition);
}

/* A shell's command in a process group of its own. */
static inline pid_t spawn_shell(const char *command) {
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0) return child;
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static inline void end_shell(pid_t *child, int number) {
    if (*child <= 0) return;
    kill(-*child, number);
    while (waitpid(*child, NULL, 0) < 0 && errno == EINTR) continue;
    *child = 0;
}

/* Starts this command line and waits until it watches; its streams go to S out and S err. */
static inline pid_t start_watching(const char *line, long limit) {
    char said[TEXT_SIZE] = "";
    unlink(S "err");
    pid_t child = start(line, limit);
    for (int i = 0; i < 3000 && !strstr(said, "watching "); i++) {
        pause_for(0.01);
        read_into(S "err", said);
        if (waitpid(child, NULL, WNOHANG) == child) ck_abort_msg("%s ended: %s", line, said);
    }
    assert_contains(said, "watching ");
    return child;
}

/* The same with these words and the folder. */
static inline pid_t start_watch(const char *words, long limit) {
    char line[2048];
    snprintf(line, sizeof line, WATCH "%s " FOLDER, words);
    return start_watching(line, limit);
}

/* Asks it to end, which it does with exit code 0. */
static inline void stop_watch(pid_t child, Outcome *outcome) {
    kill(child, SIGTERM);
    await(child, outcome);
    ck_assert_msg(outcome->code == 0, "exit %d: %s", outcome->code, outcome->err);
}

/* An image that appears whole, under its name. */
static inline void put_image(const char *name, uint32_t seed) {
    char path[512];
    write_noise_png(S "new.png", 40, 30, 3, seed);
    snprintf(path, sizeof path, FOLDER "/%s", name);
    ck_assert_int_eq(rename(S "new.png", path), 0);
}

/* All lines of the journal, in order: lines[MOST_LINES], each for json_decref(). Their numbers are 1, 2, ... */
static inline int read_journal(json_t **lines) {
    static char line[1 << 16];
    glob_t files;
    int count = 0;
    if (glob(JOURNAL "/results-*.jsonl", 0, NULL, &files) != 0) return 0;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *file = fopen(files.gl_pathv[i], "r");
        while (fgets(line, sizeof line, file) && strchr(line, '\n')) { /* the last may be under way */
            lines[count] = json_loads(line, 0, NULL);
            ck_assert_msg(lines[count] != NULL, "%s: %s", files.gl_pathv[i], line);
            ck_assert_int_eq(json_integer_value(json_object_get(lines[count], "sequence")), ++count);
        }
        fclose(file);
    }
    globfree(&files);
    return count;
}

static inline void free_lines(json_t **lines, int count) {
    for (int i = 0; i < count; i++) json_decref(lines[i]);
}

static inline int count_journal(void) {
    static json_t *lines[MOST_LINES];
    int count = read_journal(lines);
    free_lines(lines, count);
    return count;
}

static inline void await_lines(int count) {
    for (int i = 0; i < 6000 && count_journal() < count; i++) pause_for(0.02);
    ck_assert_int_eq(count_journal(), count);
}

static inline const char *text_of(const json_t *line, const char *key) {
    const char *text = json_string_value(json_object_get(line, key));
    return text ? text : "";
}

static inline void make_folders_and_model(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " FOLDER);
    save_tiny_model(MODEL, 0.25f, NULL);
}

static inline void empty_folders(void) {
    shell_ok("rm -rf " FOLDER " " DONE " " JOURNAL " && mkdir -p " FOLDER);
}

static inline void remove_scene(void) {
    shell_ok("rm -rf " S);
}
