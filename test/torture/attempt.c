/* A try draws its disturbance, runs the program, looks, runs it again, and looks again. */
#define _GNU_SOURCE
#include "test/torture/attempt.h"

#include "core/base/philox.h"
#include "test/torture/results_tree.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 120 /* seconds until a process counts as hanging */ };

static const char *const call_names[] = {
#define X(name, error) #name,
    FAULT_CALLS(X)
#undef X
};

static const int call_errors[] = {
#define X(name, error) error,
    FAULT_CALLS(X)
#undef X
};

/* ---- a process and what it said ---- */

typedef struct Ended {
    int status;
    bool hung;
    bool orphaned; /* a process that it started goes on */
    char said[TRY_TEXT];
    int complaints; /* lines that begin with "efficientad: " */
} Ended;

/* Waits for a child for so long; SIGCHLD must be blocked. 0: it goes on. */
static pid_t wait_for(pid_t child, int *status, double seconds) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    for (double end = scene_clock() + seconds;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        double left = end - scene_clock();
        if (ended != 0 || left <= 0) return ended;
        struct timespec time = {(time_t)left, (long)(fmod(left, 1) * 1e9)};
        sigtimedwait(&signals, NULL, &time);
    }
}

static void read_said(const char *streams, Ended *ended) {
    char path[SCENE_PATH + 16];
    snprintf(path, sizeof path, "%s.err", streams);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(ended->said, 1, sizeof ended->said - 1, file) : 0;
    if (file) fclose(file);
    ended->said[size] = '\0';
    for (const char *line = ended->said; line && *line; line = strchr(line, '\n'), line += line != NULL)
        ended->complaints += strncmp(line, "efficientad: ", 13) == 0 || strncmp(line, "libgomp: ", 9) == 0;
}

/* Waits for the leader, kills it after a time (negative: never), and then looks for what it started. Streams: as in
 * scene_start(). */
static void finish(pid_t child, const char *streams, double kill_after, Ended *ended) {
    *ended = (Ended){0};
    bool over = kill_after >= 0 && wait_for(child, &ended->status, kill_after) == child;
    if (!over && kill_after >= 0) kill(-child, SIGKILL);
    if (!over && wait_for(child, &ended->status, PATIENCE) != child) {
        ended->hung = true;
        kill(-child, SIGKILL);
        waitpid(child, &ended->status, 0);
    }
    bool cut = WIFSIGNALED(ended->status);
    ended->orphaned = !cut && kill(-child, 0) == 0;
    kill(-child, SIGKILL);
    while (waitpid(-child, NULL, 0) > 0) continue; /* they are ours by PR_SET_CHILD_SUBREAPER */
    read_said(streams, ended);
}

/* ---- what must hold ---- */

typedef struct Try {
    const TortureScene *scene;
    const TriedCommand *command;
    Attempt *out;
    uint64_t seed;
    uint32_t drawn; /* random numbers so far */
    char folder[SCENE_PATH], reference[SCENE_PATH];
    char fault[HOW_SIZE]; /* TORTURE_FAULT, or "" */
    FaultCall call;       /* of the fault; FAULT_CALL_COUNT: none */
    double amount;        /* seconds or KB */
} Try;

static bool complain(Try *try, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool complain(Try *try, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(try->out->what, sizeof try->out->what, format, list);
    va_end(list);
    return false;
}

/* Whether the error line tells the cause. A stream keeps that a write failed, but not always why. */
static bool tells_cause(const Try *try, const char *said) {
    TryKind kind = try->out->kind;
    if (kind == TRY_memory) return strstr(said, "emory") != NULL;
    if (kind == TRY_disk) return strstr(said, strerror(ENOSPC)) || strstr(said, "has room for");
    if (kind != TRY_fault || try->call > FAULT_mkdir) return true;
    return strstr(said, strerror(call_errors[try->call])) ||
           (try->call == FAULT_write && strstr(said, strerror(EIO)));
}

/* How many lines may tell errors: one; one for each input and one that counts them; or all problems of a config. */
static int most_lines(const Try *try, const Ended *ended) {
    int problems;
    const char *count = strstr(ended->said, " mistakes; nothing was started");
    while (count && count > ended->said && isdigit((unsigned char)count[-1])) count--;
    if (count && sscanf(count, "%d", &problems) == 1) return problems + 1;
    return try->command->inputs > 1 ? try->command->inputs + 1 : 1;
}

static bool end_holds(Try *try, const Ended *ended) {
    int code = WIFEXITED(ended->status) ? WEXITSTATUS(ended->status) : -1;
    if (ended->hung) return complain(try, "hangs");
    if (ended->orphaned) return complain(try, "left a process running");
    if (code < 0 && try->out->kind == TRY_kill && WTERMSIG(ended->status) == SIGKILL) return true;
    if (code < 0) return complain(try, "ended by signal %d", WTERMSIG(ended->status));
    if (code == 0)
        return ended->complaints == 0 || complain(try, "exit code 0 with an error line: %s", ended->said);
    if (code != 1) return complain(try, "exit code %d: %s", code, ended->said);
    if (ended->complaints < 1 || ended->complaints > most_lines(try, ended))
        return complain(try, "%d error lines: %s", ended->complaints, ended->said);
    return tells_cause(try, ended->said) || complain(try, "does not tell the cause: %s", ended->said);
}

static bool files_hold(Try *try, bool whole, bool littered) {
    char why[TREE_WHY];
    int litter;
    bool holds = tree_holds(try->folder, try->reference, whole, littered, &litter, why);
    try->out->litter += litter;
    return holds || complain(try, "%s", why);
}

/* Whether files may be left over: by who was killed, or ended by GCC's OpenMP, cannot remove them, cannot read that a
 * lock is its own, or cannot open what says that the child who shared it is dead. */
static bool may_litter(const Try *try, const Ended *ended) {
    return strstr(ended->said, "libgomp: ") || WIFSIGNALED(ended->status) || try->call == FAULT_unlink ||
           try->call == FAULT_read || try->call == FAULT_open;
}

/* What was printed, by a run that succeeded. */
static bool output_holds(Try *try) {
    char path[SCENE_PATH + 16], reference[SCENE_PATH + 16];
    snprintf(path, sizeof path, "%s.out", try->folder);
    snprintf(reference, sizeof reference, "%s.out", try->reference);
    return tree_same_bytes(path, reference) ||
           complain(try, "exit code 0, but the output is not that of undisturbed");
}

/* ---- the kinds ---- */

static uint32_t draw(Try *try, uint32_t below) {
    uint64_t stream = (EAD_STREAM_TEST + ((uint64_t)try->out->kind << 8)) << 32 | try->out->number;
    return (uint32_t)((uint64_t)ead_philox_word(try->seed, stream, try->drawn++) * below >> 32);
}

static double draw_share(Try *try) {
    return (double)draw(try, 1u << 30) / (1u << 30);
}

/* A call of one of the kinds first to last that the command makes, anywhere in it, and what happens to it. */
static void draw_fault(Try *try, FaultCall first, FaultCall last) {
    const CallList *calls = &try->scene->calls[try->out->command];
    FaultCall call;
    do call = first + draw(try, (uint32_t)(last - first + 1));
    while (calls->sites[call] == 0);
    uint32_t site = draw(try, calls->sites[call]), which = draw(try, UINT32_MAX), way = draw(try, 10);
    bool transfers = call == FAULT_read || call == FAULT_write;
    const char *how = way < 5 ? "once" : way < 8 || !transfers ? "from" : "short";
    snprintf(try->out->how, sizeof try->out->how, "%s %u %s", call_names[call],
             scene_call(calls, call, site, which)->number, try->out->kind == TRY_kill ? "kill" : how);
}

/* Half of the disks are of any size up to what is needed, half of them mostly tiny. */
static void draw_how(Try *try) {
    const TortureScene *scene = try->scene;
    char *how = try->out->how;
    double share = draw_share(try);
    switch (try->out->kind) {
    case TRY_fault:
        draw_fault(try, FAULT_open, FAULT_process);
        break;
    case TRY_memory:
        draw_fault(try, FAULT_memory, FAULT_memory);
        break;
    case TRY_disk:
        if (draw(try, 2)) share = share * share * share;
        snprintf(how, HOW_SIZE, "%.0f KB", 4 + share * (double)scene->bytes[try->out->command] / 1024);
        break;
    case TRY_kill:
        if (try->out->number % 2) {
            draw_fault(try, FAULT_write, FAULT_mkdir);
            break;
        } /* fall through */
    default:
        snprintf(how, HOW_SIZE, "%.3f s", share * scene->seconds[try->out->command]);
    }
}

/* From the words of draw_how(). */
static void read_how(Try *try) {
    char name[HOW_SIZE], unit[HOW_SIZE];
    if (sscanf(try->out->how, "%lf %s", &try->amount, unit) == 2) return;
    snprintf(try->fault, sizeof try->fault, "%s", try->out->how);
    sscanf(try->fault, "%s", name);
    for (int i = 0; i < FAULT_CALL_COUNT; i++)
        if (strcmp(name, call_names[i]) == 0) try->call = (FaultCall)i;
}

/* The next run, undisturbed, makes the files of one that never was disturbed, and leaves no other. */
static bool next_run_holds(Try *try) {
    Ended ended;
    const TriedCommand *command = try->command;
    if (command->anew) tree_remove(try->folder);
    if (mkdir(try->folder, 0777) != 0 && errno != EEXIST) return complain(try, "%s", strerror(errno));
    const char *words = command->again ? command->again : command->words;
    finish(scene_start(try->scene, try->folder, try->folder, words, NULL, NULL), try->folder, -1, &ended);
    bool well = WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0 && ended.complaints == 0;
    if (!well) return complain(try, "the next run fails: %s", ended.said);
    if (files_hold(try, true, false) && output_holds(try)) return true; /* what was left is gone */
    char what[TRY_TEXT];
    memcpy(what, try->out->what, sizeof what);
    return complain(try, "after the next run: %.*s", TRY_TEXT - 32, what);
}

static bool one_process_holds(Try *try) {
    Ended ended;
    const char *fault = *try->fault ? try->fault : NULL;
    bool timed = try->out->kind == TRY_kill && !fault;
    finish(scene_start(try->scene, try->folder, try->folder, try->command->words, fault, NULL), try->folder,
           timed ? try->amount : -1, &ended);
    if (!end_holds(try, &ended)) return false;
    bool left_out = strstr(ended.said, "are missing or cannot be used") ||
                    strstr(ended.said, "the report shows no losses"); /* and told */
    if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0 && left_out)
        return files_hold(try, false, may_litter(try, &ended));
    if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0)
        return files_hold(try, true, may_litter(try, &ended)) && output_holds(try) &&
               (try->out->litter == 0 || next_run_holds(try));
    if (!files_hold(try, false, may_litter(try, &ended))) return false;
    char size[32];
    snprintf(size, sizeof size, "size=%lld", 4 * try->scene->bytes[try->out->command] + (1 << 20));
    if (try->out->kind == TRY_disk && mount(NULL, try->folder, NULL, MS_REMOUNT, size) != 0)
        return complain(try, "cannot enlarge the disk: %s", strerror(errno));
    return next_run_holds(try);
}

/* Both may do all of it, or one is refused. */
static bool two_processes_hold(Try *try) {
    char streams[SCENE_PATH + 8];
    Ended first, second;
    struct timespec time = {(time_t)try->amount, (long)(fmod(try->amount, 1) * 1e9)};
    snprintf(streams, sizeof streams, "%s-second", try->folder);
    pid_t a = scene_start(try->scene, try->folder, try->folder, try->command->words, NULL, NULL);
    nanosleep(&time, NULL);
    pid_t b = scene_start(try->scene, try->folder, streams, try->command->words, NULL, NULL);
    finish(a, try->folder, -1, &first);
    finish(b, streams, -1, &second);
    if (!end_holds(try, &first) || !end_holds(try, &second)) return false;
    if (WEXITSTATUS(first.status) != 0 && WEXITSTATUS(second.status) != 0)
        return complain(try, "both fail: %s%s", first.said, second.said);
    return files_hold(try, true, false);
}

/* ---- small disks ---- */

static bool write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    if (file >= 0) close(file);
    return written;
}

/* In a name space of mounts of our own, which ends with this process; without root in one of users, too. */
static bool mount_small_disk(Try *try) {
    char map[64], size[32];
    snprintf(map, sizeof map, "0 %u 1", (unsigned)getuid());
    snprintf(size, sizeof size, "size=%.0fk", try->amount);
    bool apart = unshare(CLONE_NEWNS) == 0;
    if (!apart) apart = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/uid_map", map);
    return apart && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("torture", try->folder, "tmpfs", 0, size) == 0;
}

/* ---- a try ---- */

static int draw_command(Try *try) {
    int total = 0, c = 0;
    if (try->out->kind == TRY_disk || try->out->kind == TRY_pair) return (int)(try->out->number % COMMANDS);
    for (int i = 0; i < COMMANDS; i++) total += tried_commands[i].weight;
    int drawn = (int)draw(try, (uint32_t)total);
    while (drawn >= tried_commands[c].weight) drawn -= tried_commands[c++].weight;
    return c;
}

TryResult attempt(const TortureScene *scene, uint64_t seed, TryKind kind, uint32_t number, const char *how,
                  Attempt *out) {
    static const char *const kinds[] = {
#define X(name, few, many, text) #name,
        TRY_KINDS(X)
#undef X
    };
    char name[64];
    Try try = {.scene = scene, .out = out, .seed = seed, .call = FAULT_CALL_COUNT};
    *out = (Attempt){.kind = kind, .number = number};
    out->command = draw_command(&try);
    try.command = &tried_commands[out->command];
    scene_path(scene, try.command->name, try.reference);
    snprintf(name, sizeof name, "%s-%u", kinds[kind], number);
    scene_path(scene, name, try.folder);
    if (mkdir(try.folder, 0777) != 0) scene_fail("%s: %s", try.folder, strerror(errno));
    draw_how(&try);
    if (how) snprintf(out->how, sizeof out->how, "%s", how);
    read_how(&try);
    if (kind == TRY_disk && !mount_small_disk(&try)) {
        complain(&try, "no small disk can be mounted: %s", strerror(errno));
        return TRY_SKIPPED;
    }
    bool held = kind == TRY_pair ? two_processes_hold(&try) : one_process_holds(&try);
    return held ? TRY_HELD : TRY_FAILED;
}
