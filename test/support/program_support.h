/* What the suites share that run the program ($PROGRAM) as its user does: starting it, waiting for it, and
 * what it said. S, a scratch folder with a slash at its end, is defined before this is included. */
#ifndef EAD_TEST_PROGRAM_SUPPORT_H
#define EAD_TEST_PROGRAM_SUPPORT_H

#include "test/support/data_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEED_PROGRAM() SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set")

enum { TEXT_SIZE = 16384, EXIT_KILLED = -1 };

typedef struct Outcome {
    int code; /* EXIT_KILLED after a signal */
    char out[TEXT_SIZE], err[TEXT_SIZE];
    int lines, complaints; /* of err; complaints begin with "efficientad: " */
} Outcome;

static inline void shell(const char *command) {
    ck_assert_msg(system(command) == 0, "%s", command);
}

/* In the child. limit: bytes that a file may grow to, as if the disk were then full; 0: none. */
static _Noreturn void become(const char *words, long limit) {
    char line[2048];
    struct rlimit size = {(rlim_t)limit, (rlim_t)limit};
    snprintf(line, sizeof line, "exec %s %s >" S "out 2>" S "err", getenv("PROGRAM"), words);
    if (limit > 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &size);
    }
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static inline pid_t start(const char *words, long limit) {
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) become(words, limit);
    return child;
}

static inline void read_into(const char *path, char *text) {
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(text, 1, TEXT_SIZE - 1, file) : 0;
    text[size] = '\0';
    if (file) fclose(file);
}

static inline void await(pid_t child, Outcome *outcome) {
    int status;
    while (waitpid(child, &status, 0) < 0) ck_assert_int_eq(errno, EINTR);
    *outcome = (Outcome){.code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_KILLED};
    read_into(S "out", outcome->out);
    read_into(S "err", outcome->err);
    for (const char *line = outcome->err; *line; line = strchr(line, '\n') + 1) {
        outcome->lines++;
        outcome->complaints += strncmp(line, "efficientad: ", 13) == 0;
        ck_assert_msg(strchr(line, '\n'), "not a whole line: %s", line);
    }
}

static inline void run(const char *words, long limit, Outcome *outcome) {
    await(start(words, limit), outcome);
}

static inline void run_well(const char *words) {
    Outcome outcome;
    run(words, 0, &outcome);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "%s: exit %d: %s", words, outcome.code,
                  outcome.err);
}

static inline void write_text(const char *path, const char *text) {
    write_bytes(path, text, strlen(text));
}

#endif
