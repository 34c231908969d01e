/* A program that is started for each anomalous image, one after the other. It gets the image's path as its argument, what is known in its
 * environment, and the line of JSON on its standard input. No shell reads any of it. */
#define _GNU_SOURCE /* memfd_create, environ */
#include "train/receivers/receivers.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "train/journal/watch_result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char option[] = "--on-anomaly";
static const double most_seconds = 60; /* then it is killed */

/* Where the program lies: named with a slash, or in PATH. */
static EadStatus find_program(const char *name, EadPath path) {
    const char *places = strchr(name, '/') ? "" : getenv("PATH");
    for (const char *at = places ? places : ""; at;) {
        EadPath folder;
        size_t length = strcspn(at, ":");
        snprintf(folder, sizeof folder, "%.*s", (int)length, at);
        if (ead_path_in(path, folder, name) == EAD_OK && access(path, X_OK) == 0 && !ead_path_is_folder(path))
            return EAD_OK;
        at = at[length] ? at + length + 1 : NULL;
    }
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: there is no program %s; name one, without options (a script can give them)", option,
                    name);
}

/* The environment, with what is known of an image before all else. */
static EadStatus make_environment(const json_t *line, EadStringList *list, char ***out) {
    static const char *const paths[][2] = {{"SOURCE", "source"}, {"PATH", "path"}, {"MOVED", "moved"}};
    static const char *const numbers[][2] = {{"SCORE", "score"}, {"THRESHOLD", "threshold"}};
    EadPath path;
    char text[EAD_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        bool there = ead_result_path_read(line, paths[i][1], path);
        EAD_TRY(ead_strings_print(list, "EFFICIENTAD_%s=%s", paths[i][0], there ? path : ""));
    }
    const char *model = json_string_value(json_object_get(line, "model"));
    EAD_TRY(ead_strings_print(list, "EFFICIENTAD_MODEL=%s", model ? model : ""));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        EAD_TRY(ead_strings_print(
            list, "EFFICIENTAD_%s=%s", numbers[i][0],
            ead_float_text((float)json_number_value(json_object_get(line, numbers[i][1])), text)));
    EAD_TRY(ead_strings_print(list, "EFFICIENTAD_SEQUENCE=%lld",
                              (long long)json_integer_value(json_object_get(line, "sequence"))));
    for (char **at = environ; *at; at++) EAD_TRY(ead_strings_add(list, *at));
    *out = ead_new(list->count + 1, sizeof **out, "an environment");
    for (int i = 0; *out && i < list->count; i++) (*out)[i] = list->items[i];
    return *out ? EAD_OK : EAD_NO_MEMORY;
}

/* A file in memory with the line. */
static int hold_line(const EadJournalLine *line) {
    int descriptor = memfd_create("line", MFD_CLOEXEC);
    bool held = descriptor >= 0 && ead_write_at(descriptor, line->text, line->size, 0) &&
                ead_write_at(descriptor, "\n", 1, (off_t)line->size);
    if (held || descriptor < 0) return descriptor;
    close(descriptor);
    return -1;
}

/* Its output goes where our messages go: standard output is for lines of JSON. It begins with no signal blocked or ignored. */
static int spawn(const char *program, char *image, char **environment, int input, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigemptyset(&all);
    sigaddset(&all, SIGPIPE);
    sigaddset(&all, SIGIO);
    sigaddset(&all, SIGXFSZ);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    char *words[] = {(char *)(uintptr_t)program, image, NULL};
    int code = posix_spawn(child, program, &actions, &attributes, words, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}

/* Waits for its end; what takes too long is killed, with all that it started. */
static void await_end(pid_t child, const char *program, uint64_t sequence) {
    double end = ead_clock_seconds() + most_seconds;
    bool killed = false;
    int status = 0;
    for (long pause = 500000; waitpid(child, &status, WNOHANG) == 0;
         pause = pause < 20000000 ? 2 * pause : pause) {
        if (!killed && ead_clock_seconds() > end) {
            killed = true;
            kill(-child, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    }
    if (killed)
        ead_print(stderr, "efficientad: %s: line %" PRIu64 ": %s was killed after %g s\n", option, sequence,
                  program, most_seconds);
    else if (WIFSIGNALED(status))
        ead_print(stderr, "efficientad: %s: line %" PRIu64 ": %s ended by signal %d\n", option, sequence,
                  program, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        ead_print(stderr, "efficientad: %s: line %" PRIu64 ": %s ended with exit code %d\n", option, sequence,
                  program, WEXITSTATUS(status));
}

static EadStatus run_for(const char *program, const EadJournalLine *line, const json_t *root) {
    EadStringList list = {0};
    char **environment = NULL;
    EadPath image;
    if (!ead_result_path_read(root, "moved", image) || access(image, F_OK) != 0)
        ead_result_path_read(root, "path", image);
    EadStatus status = make_environment(root, &list, &environment);
    int input = status == EAD_OK ? hold_line(line) : -1;
    if (status == EAD_OK && input < 0) status = ead_fail(EAD_IO, "%s: memory: %s", option, strerror(errno));
    if (status == EAD_OK) {
        pid_t child;
        int code = spawn(program, image, environment, input, &child);
        if (code != 0) status = ead_fail(EAD_IO, "cannot start %s: %s", program, strerror(code));
        if (code == 0) await_end(child, program, line->sequence);
    }
    if (input >= 0) close(input);
    free(environment);
    ead_strings_free(&list);
    return status;
}

static EadStatus tell_command(void *state, const EadJournalLine *lines, int count, int *told) {
    for (int i = 0; i < count; i++) {
        json_t *root;
        EAD_TRY(ead_watch_result_read(lines[i].text, lines[i].size, &root));
        EadStatus status =
            json_is_true(json_object_get(root, "anomalous")) ? run_for(state, &lines[i], root) : EAD_OK;
        json_decref(root);
        EAD_TRY(status);
        *told = i + 1;
    }
    return EAD_OK;
}

EadStatus ead_receiver_command(const EadReceiverOptions *options, EadReceiver *out) {
    EadPath path;
    EAD_TRY(find_program(options->command, path));
    char *program = ead_strdup(path);
    if (!program) return EAD_NO_MEMORY;
    *out = (EadReceiver){.name = "on-anomaly", .state = program, .tell = tell_command, .close = free};
    return EAD_OK;
}
