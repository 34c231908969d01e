/* The driver of `make torture`: disturbs the program in thousands of ways, and
 * counts what held.
 *
 *     torture PROGRAM PRELOAD SEED short|long       all kinds, so many of each
 *     torture PROGRAM PRELOAD SEED KIND N-M         some of one kind
 *     torture PROGRAM PRELOAD SEED KIND N [HOW]     one; its folder is kept if it fails; HOW: the disturbance as it was told
 *
 * PRELOAD: the library made of preload_faults.c. JOBS tries at a time (one a processor). Works below TORTURE_DIR, else in memory (/dev/shm), else below TMPDIR.
 * Exit code 1 if anything did not hold. */
#define _GNU_SOURCE
#include "test/torture/attempt.h"
#include "test/torture/results_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_JOBS = 64 };

static const struct {
    const char *name, *text;
    uint32_t few, many;
} kinds[TRY_KIND_COUNT] = {
#define X(name, few, many, text) {#name, text, few, many},
    TRY_KINDS(X)
#undef X
};

/* In memory that all processes share. */
typedef struct Shared {
    atomic_uint next, tried[TRY_KIND_COUNT], held[TRY_KIND_COUNT], skipped[TRY_KIND_COUNT], litter;
    atomic_bool stop;
    struct {
        Attempt attempt;
        TryResult result;
    } slots[MAX_JOBS];
} Shared;

static TortureScene scene;
static Shared *shared;
static uint64_t seed;
static const char *self;
static struct { uint32_t first, end; } numbers[TRY_KIND_COUNT]; /* of the tries of each kind */
static bool keep;                                               /* the folder of a try that fails */
static const char *given_how;                                   /* the disturbance; NULL: drawn */

/* ---- tries ---- */

static void report(const Attempt *attempt, TryResult result) {
    const char *kind = kinds[attempt->kind].name;
    if (result == TRY_SKIPPED)
        printf("skipped: %s %u: %s\n", kind, attempt->number, attempt->what);
    else
        printf("DID NOT HOLD: %s: %s\n    again: %s %s %s %llu %s %u '%s'\n",
               tried_commands[attempt->command].name, attempt->what, self, scene.program, scene.preload,
               (unsigned long long)seed, kind, attempt->number, attempt->how);
    fflush(stdout);
}

/* In a process of its own, which may leave the others' mounts. Removes the folder and what the program said. */
static void try_one(TryKind kind, uint32_t number, int slot) {
    int status;
    char name[64], path[SCENE_PATH], streams[SCENE_PATH + 16];
    Attempt *out = &shared->slots[slot].attempt;
    *out = (Attempt){.kind = kind, .number = number, .what = "the driver failed"};
    shared->slots[slot].result = TRY_FAILED;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) scene_fail("cannot start a process: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        shared->slots[slot].result = attempt(&scene, seed, kind, number, given_how, out);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    TryResult result = shared->slots[slot].result;
    if (result != TRY_HELD) report(out, result);
    atomic_fetch_add(result == TRY_SKIPPED ? &shared->skipped[kind] : &shared->tried[kind], 1);
    atomic_fetch_add(&shared->held[kind], result == TRY_HELD);
    atomic_fetch_add(&shared->litter, (unsigned)out->litter);
    if (keep && result == TRY_FAILED) return;
    snprintf(name, sizeof name, "%s-%u", kinds[kind].name, number);
    scene_path(&scene, name, path);
    tree_remove(path);
    for (int i = 0; i < 4; i++) {
        snprintf(streams, sizeof streams, "%s%s.%s", path, i % 2 ? "-second" : "", i / 2 ? "out" : "err");
        unlink(streams);
    }
}

/* Takes the next try until all are done, or Ctrl-C; the kinds are mixed, so that then some of each are done. */
static void work(int slot) {
    enum { STRIDE = 7919 }; /* a prime: all places are met */
    uint64_t total = 0;
    for (int kind = 0; kind < TRY_KIND_COUNT; kind++) total += numbers[kind].end - numbers[kind].first;
    while (!shared->stop) {
        uint64_t place = atomic_fetch_add(&shared->next, 1);
        if (place >= total) return;
        if (total % STRIDE) place = place * STRIDE % total;
        int kind = 0;
        for (; place >= numbers[kind].end - numbers[kind].first; kind++)
            place -= numbers[kind].end - numbers[kind].first;
        try_one((TryKind)kind, numbers[kind].first + (uint32_t)place, slot);
    }
}

static void work_side_by_side(void) {
    const char *chosen = getenv("JOBS");
    long jobs = chosen ? strtol(chosen, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
    if (jobs > MAX_JOBS) jobs = MAX_JOBS;
    for (int slot = 0; slot < jobs; slot++) {
        fflush(NULL);
        pid_t child = fork();
        if (child < 0) scene_fail("cannot start a process: %s", strerror(errno));
        if (child > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(slot);
        _exit(0);
    }
    while (wait(NULL) > 0) continue;
}

/* Prints what was tried and what held; gives the number of what did not. */
static unsigned conclude(double seconds) {
    unsigned failed = 0;
    printf("\n%8s  %6s  %6s\n", "", "tried", "held");
    for (int i = 0; i < TRY_KIND_COUNT; i++) {
        unsigned tried = shared->tried[i], held = shared->held[i], skipped = shared->skipped[i];
        printf("%8s  %6u  %6u  %s", kinds[i].name, tried, held, kinds[i].text);
        printf(skipped ? " (%u skipped)\n" : "\n", skipped);
        failed += tried - held;
    }
    printf("seed %llu, %.0f s; processes that were killed or could not remove files left %u files; where it "
           "held, the next run removed them\n",
           (unsigned long long)seed, seconds, shared->litter);
    return failed;
}

/* ---- the program ---- */

static void interrupt(int number) {
    (void)number;
    shared->stop = true;
}

static void make_folder(void) {
    const char *chosen = getenv("TORTURE_DIR"), *fallback = getenv("TMPDIR");
    const char *base = chosen                          ? chosen
                       : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                       : fallback                      ? fallback
                                                       : "/tmp";
    snprintf(scene.folder, sizeof scene.folder, "%s/torture.XXXXXX", base);
    if (!mkdtemp(scene.folder)) scene_fail("%s: %s", scene.folder, strerror(errno));
}

/* "short", "long", or a kind with "N" or "N-M". */
static bool choose_tries(const char *size, const char *range) {
    bool few = strcmp(size, "short") == 0, known = few || strcmp(size, "long") == 0;
    for (int kind = 0; kind < TRY_KIND_COUNT; kind++) {
        if (known && !range) numbers[kind].end = few ? kinds[kind].few : kinds[kind].many;
        if (known || !range || strcmp(size, kinds[kind].name) != 0) continue;
        int count = sscanf(range, "%u-%u", &numbers[kind].first, &numbers[kind].end);
        if (count == 1) numbers[kind].end = numbers[kind].first;
        numbers[kind].end++;
        keep = count == 1;
        return count >= 1 && numbers[kind].end > numbers[kind].first;
    }
    return known && !range;
}

static void prepare(char **argv) {
    sigset_t signals;
    self = argv[0];
    if (!realpath(argv[1], scene.program)) scene_fail("%s: %s", argv[1], strerror(errno));
    if (!realpath(argv[2], scene.preload)) scene_fail("%s: %s", argv[2], strerror(errno));
    seed = strtoull(argv[3], NULL, 10);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) scene_fail("no memory");
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    /* Threads that wait sleep; one for each program, since several run side by side. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    setenv("OMP_NUM_THREADS", "1", 0);
    make_folder();
    scene_make(&scene);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = interrupt, .sa_flags = SA_RESTART}, NULL);
}

int main(int argc, char **argv) {
    double start = scene_clock();
    if (argc < 5 || argc > 7 || !choose_tries(argv[4], argv[5]))
        scene_fail("usage: %s PROGRAM PRELOAD SEED short|long|KIND N-M|KIND N [HOW]", argv[0]);
    if (argc == 7) given_how = argv[6];
    prepare(argv);
    printf("undisturbed runs made in %.1f s\n", scene_clock() - start);
    work_side_by_side();
    unsigned failed = conclude(scene_clock() - start);
    if (keep && failed)
        printf("kept: %s\n", scene.folder);
    else
        tree_remove(scene.folder);
    return failed > 0;
}
