/* The processes of a sweep. Each run is this program again, so that a crash costs one run only, and a run
 * behaves the same alone. */
#include "train/sweep/sweep.h"

#include "core/base/atomic_file.h"
#include "core/base/paths.h"
#include "core/base/clock.h"
#include "train/support/interrupt.h"
#include "train/sweep/sweep_log.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 12, NUMBER_SIZE = 16 };

typedef enum Progress { PENDING, RUNNING, DONE, FAILED, ELSEWHERE, NOT_OURS } Progress;

typedef struct Job {
    pid_t process; /* 0: free */
    int run, log;  /* log: file descriptor; its lock is the run's */
    off_t log_start;
    double start;
} Job;

typedef struct Team {
    const EadSweepWork *work;
    Progress *progress; /* [runs] */
    Job *jobs;          /* [work->jobs] */
    int total, ended;   /* of the runs to do */
} Team;

bool ead_sweep_in_shard(const EadSweepWork *work, int run) {
    int source = work->sweep->runs[run].source;
    return (source >= 0 ? source : run) % work->shard.parts == work->shard.part - 1;
}

/* ---- starting a run ---- */

static EadStatus write_config(const char *folder, const EadConfig *config) {
    char *path = ead_path_join(folder, "config.yaml"), *text = NULL;
    EadAtomicFile file;
    EadStatus status = path ? ead_config_to_yaml(config, &text) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) {
        fputs(text, file.stream);
        status = ead_atomic_file_commit(&file);
    }
    free(path);
    free(text);
    return status;
}

/* A second name for a file of another run: checkpoints and losses are replaced, never changed in place. */
static bool link_file(const char *from_folder, const char *folder, const char *name) {
    char *from = ead_path_join(from_folder, name), *to = ead_path_join(folder, name);
    bool linked = from && to && (unlink(to) == 0 || errno == ENOENT) && link(from, to) == 0;
    free(from);
    free(to);
    return linked;
}

static bool has_checkpoint(const char *folder) {
    char *path = ead_path_join(folder, "checkpoint.safetensors");
    bool has = path && access(path, F_OK) == 0;
    free(path);
    return has;
}

/* Both files or none: a new run begins its losses.csv anew, and must not do so in that of another. Where
 * files cannot be linked the run trains by itself, to the same bits. */
static void take_over_training(const EadSweep *sweep, const EadSweepRun *run, const char *folder) {
    char *source = ead_sweep_folder(sweep, &sweep->runs[run->source]);
    char *losses = ead_path_join(folder, "losses.csv");
    bool linked = source && losses && link_file(source, folder, "losses.csv") &&
                  link_file(source, folder, "checkpoint.safetensors");
    if (losses && !linked) unlink(losses);
    free(source);
    free(losses);
}

/* Never returns. The run must not outlive the sweep: a restarted one would find it at work. */
static _Noreturn void become_run(const Job *job, pid_t parent, char *const *arguments) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    bool ready =
        getppid() == parent && dup2(job->log, STDOUT_FILENO) >= 0 && dup2(job->log, STDERR_FILENO) >= 0;
    if (ready) execv("/proc/self/exe", arguments);
    _exit(127);
}

static EadStatus start_process(Job *job, char *const *arguments) {
    fflush(NULL);
    pid_t parent = getpid(), process = fork();
    if (process < 0) return ead_fail(EAD_IO, "cannot start a process: %s", strerror(errno));
    if (process == 0) become_run(job, parent, arguments);
    job->process = process;
    job->start = ead_clock_seconds();
    return EAD_OK;
}

/* Shares the processors out among the jobs unless something else was asked for. */
static int threads_of(const EadSweepWork *work, const EadConfig *config) {
    if (work->threads > 0) return work->threads;
    if (config->train_threads > 0) return config->train_threads;
    int each = omp_get_num_procs() / work->jobs;
    return each > 0 ? each : 1;
}

static EadStatus start_in(const Team *team, const EadSweepRun *run, const char *folder, Job *job) {
    const EadSweepWork *work = team->work;
    char threads[NUMBER_SIZE], *config = ead_path_join(folder, "config.yaml");
    if (!config) return EAD_NO_MEMORY;
    snprintf(threads, sizeof threads, "%d", threads_of(work, &run->config));
    char *const arguments[ARGUMENTS] = {"efficientad", "train", "--resume", "-q",
                                        "-c",          config,  "--device", (char *)work->device,
                                        "--threads",   threads};
    EadStatus status = write_config(folder, &run->config);
    bool take_over = run->source >= 0 && team->progress[run->source] == DONE && !has_checkpoint(folder);
    if (status == EAD_OK && take_over) take_over_training(work->sweep, run, folder);
    if (status == EAD_OK) status = start_process(job, arguments);
    free(config);
    return status;
}

/* Opens the log and takes its lock; *taken is false where another process has it. */
static EadStatus open_log(const char *folder, Job *job, bool *taken) {
    char *path = ead_path_join(folder, "log.txt");
    if (!path) return EAD_NO_MEMORY;
    job->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    EadStatus status = EAD_OK;
    if (job->log < 0) status = ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno));
    *taken = job->log >= 0 && flock(job->log, LOCK_EX | LOCK_NB) == 0;
    if (*taken)
        job->log_start = lseek(job->log, 0, SEEK_END);
    else if (job->log >= 0)
        close(job->log);
    free(path);
    return status;
}

/* ---- one run from begin to end ---- */

static void say(const Team *team, int run, const char *text) {
    fprintf(stderr, "[%d/%d] %s: %s\n", team->ended, team->total, team->work->sweep->runs[run].name, text);
}

/* An error before the run's process exists. */
static void fail_early(Team *team, int run) {
    char text[1100];
    snprintf(text, sizeof text, "failed: %s", ead_error_message());
    team->progress[run] = FAILED;
    team->ended++;
    say(team, run, text);
}

static void begin(Team *team, Job *job, int index) {
    const EadSweepWork *work = team->work;
    const EadSweepRun *run = &work->sweep->runs[index];
    bool taken = false;
    char *folder = ead_sweep_folder(work->sweep, run);
    EadStatus status = folder ? ead_make_directories(folder) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = open_log(folder, job, &taken);
    if (taken) {
        job->run = index;
        status = start_in(team, run, folder, job);
        if (status != EAD_OK) close(job->log);
    }
    free(folder);
    if (status != EAD_OK) {
        fail_early(team, index);
        return;
    }
    team->progress[index] = taken ? RUNNING : ELSEWHERE;
    say(team, index, taken ? "started" : "another process is at it");
}

static void end(Team *team, Job *job, int status) {
    char text[1100], reason[900];
    EadRunState state = EAD_RUN_NEW;
    const EadSweep *sweep = team->work->sweep;
    /* Not by close() alone: the process of another run has the file open too until it becomes the program. */
    flock(job->log, LOCK_UN);
    close(job->log);
    job->process = 0;
    team->ended++;
    bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (done)
        done = ead_sweep_state(sweep, &sweep->runs[job->run], &state) == EAD_OK && state == EAD_RUN_FINISHED;
    team->progress[job->run] = done ? DONE : ead_interrupted() ? PENDING : FAILED;
    if (!done)
        ead_sweep_log_reason(sweep, &sweep->runs[job->run], job->log_start, status, reason, sizeof reason);
    if (done)
        snprintf(text, sizeof text, "finished in %.1f s", ead_clock_seconds() - job->start);
    else
        snprintf(text, sizeof text, "%s: %s", ead_interrupted() ? "stopped" : "failed", reason);
    say(team, job->run, text);
}

/* ---- the team ---- */

static bool is_ready(const Team *team, int run) {
    int source = team->work->sweep->runs[run].source;
    if (team->progress[run] != PENDING) return false;
    return source < 0 || (team->progress[source] != PENDING && team->progress[source] != RUNNING);
}

/* Returns the number of runs at work. */
static int fill_jobs(Team *team) {
    int next = 0, active = 0, runs = team->work->sweep->run_count;
    for (int j = 0; j < team->work->jobs; j++) {
        Job *job = &team->jobs[j];
        while (job->process == 0 && next < runs && !ead_interrupted()) {
            if (is_ready(team, next)) begin(team, job, next);
            next++;
        }
        active += job->process != 0;
    }
    return active;
}

static void collect(Team *team) {
    for (int j = 0; j < team->work->jobs; j++) {
        int status;
        Job *job = &team->jobs[j];
        if (job->process != 0 && waitpid(job->process, &status, WNOHANG) == job->process)
            end(team, job, status);
    }
}

static void pass_on_interruption(const Team *team) {
    fprintf(stderr, "stopping: the runs write their checkpoints\n");
    for (int j = 0; j < team->work->jobs; j++)
        if (team->jobs[j].process != 0) kill(team->jobs[j].process, SIGTERM);
}

static void work_through(Team *team) {
    const struct timespec moment = {.tv_nsec = 20000000};
    bool told = false;
    while (fill_jobs(team) > 0) {
        if (ead_interrupted() && !told) {
            pass_on_interruption(team);
            told = true;
        }
        nanosleep(&moment, NULL);
        collect(team);
    }
}

/* Which runs are to be done; finished ones are skipped without a word. */
static EadStatus survey(Team *team) {
    const EadSweepWork *work = team->work;
    static const Progress progress[] = {[EAD_RUN_NEW] = PENDING,
                                        [EAD_RUN_STARTED] = PENDING,
                                        [EAD_RUN_ACTIVE] = ELSEWHERE,
                                        [EAD_RUN_FINISHED] = DONE,
                                        [EAD_RUN_CHANGED] = FAILED};
    for (int i = 0; i < work->sweep->run_count; i++) {
        EadRunState state;
        team->progress[i] = NOT_OURS;
        if (!ead_sweep_in_shard(work, i)) continue;
        EAD_TRY(ead_sweep_state(work->sweep, &work->sweep->runs[i], &state));
        team->progress[i] = progress[state];
        team->total += state == EAD_RUN_NEW || state == EAD_RUN_STARTED;
        if (state == EAD_RUN_CHANGED) fprintf(stderr, "%s\n", ead_error_message());
    }
    return EAD_OK;
}

static int count_of(const Team *team, Progress progress) {
    int count = 0;
    for (int i = 0; i < team->work->sweep->run_count; i++) count += team->progress[i] == progress;
    return count;
}

static EadStatus conclude(const Team *team) {
    int done = count_of(team, DONE), failed = count_of(team, FAILED), elsewhere = count_of(team, ELSEWHERE);
    int ours = team->work->sweep->run_count - count_of(team, NOT_OURS);
    fprintf(stderr, "%d of %d runs are finished", done, ours);
    if (elsewhere > 0) fprintf(stderr, ", other processes are at %d", elsewhere);
    if (failed > 0) fprintf(stderr, ", %d failed", failed);
    fputc('\n', stderr);
    for (int i = 0; i < team->work->sweep->run_count; i++)
        if (team->progress[i] == FAILED) fprintf(stderr, "  failed: %s\n", team->work->sweep->runs[i].name);
    if (ead_interrupted())
        return ead_fail(EAD_INTERRUPTED, "%s: stopped; the same command goes on", team->work->sweep->path);
    if (failed == 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %d of %d runs failed; log.txt in their folders says why",
                    team->work->sweep->path, failed, ours);
}

EadStatus ead_sweep_work(const EadSweepWork *work) {
    Team team = {.work = work,
                 .progress = calloc((size_t)work->sweep->run_count, sizeof(Progress)),
                 .jobs = calloc((size_t)work->jobs, sizeof(Job))};
    ead_interrupt_catch();
    /* Runs share the machine, with each other or with another shard: threads that wait should sleep. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    EadStatus status =
        team.progress && team.jobs ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for the runs of a sweep");
    if (status == EAD_OK) status = survey(&team);
    if (status == EAD_OK) {
        work_through(&team);
        status = conclude(&team);
    }
    free(team.progress);
    free(team.jobs);
    return status;
}
