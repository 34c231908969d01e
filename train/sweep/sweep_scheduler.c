/* The processes of a sweep. Each run is this program again: a crash costs one run only. */
#include "train/sweep/sweep.h"

#include "core/base/printing.h"
#include "core/base/atomic_file.h"
#include "core/system/clock.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/paths.h"
#include "core/file/safetensors.h"
#include "core/system/file_lock.h"
#include "core/system/machine.h"
#include "train/support/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 12, NUMBER_SIZE = 16 };

typedef enum Progress { PENDING, RUNNING, DONE, FAILED, LOCKED_BY_OTHER, OTHER_SHARD } Progress;

typedef struct Job {
    pid_t process; /* 0: free */
    int run, log;  /* log: file descriptor */
    EadFileLock lock;
    off_t log_start;
    double start;
} Job;

typedef struct Scheduler {
    const EadSweepWork *work;
    Progress *progress; /* [runs] */
    Job *jobs;          /* [work->jobs] */
    int total, ended;   /* of the runs to do */
    int shared;         /* runs whose models were made to share their weights, and what that saved */
    uint64_t bytes;
} Scheduler;

static const char MODEL[] = "model.safetensors";

bool ead_sweep_in_shard(const EadSweepWork *work, int run) {
    int source = work->sweep->runs[run].source;
    return (source >= 0 ? source : run) % work->shard.parts == work->shard.part - 1;
}

/* ---- starting a run ---- */

/* A second name, in the folder of a run, for a file of another: such files are replaced, never changed in place. */
static bool link_file(const EadSweepRun *source, const char *name, const EadSweepRun *run, const char *as) {
    EadPath from, to;
    return ead_path_in(from, source->config.output, name) == EAD_OK &&
           ead_path_in(to, run->config.output, as) == EAD_OK && (unlink(to) == 0 || errno == ENOENT) &&
           link(from, to) == 0;
}

/* A finished run that kept its model alone (train.keep) hands on that. Both files or none: a new run begins its
 * losses.csv anew, and must not do so in that of another. Where files cannot be linked the run trains by itself, to the
 * same bits. */
static void take_over_training(const EadSweepRun *source, const EadSweepRun *run) {
    static const char losses[] = "losses.csv", checkpoint[] = "checkpoint.safetensors";
    const char *trained = ead_sweep_holds(source, checkpoint) ? checkpoint : MODEL;
    EadPath left;
    if (ead_sweep_holds(source, EAD_SHARED_FILE))
        (void)link_file(source, EAD_SHARED_FILE, run, EAD_SHARED_FILE);
    bool logged = !ead_sweep_holds(source, losses) || link_file(source, losses, run, losses);
    if (logged && link_file(source, trained, run, checkpoint)) return;
    if (ead_path_in(left, run->config.output, losses) == EAD_OK) unlink(left);
}

static EadStatus start_run(const Scheduler *scheduler, const EadSweepRun *run, Job *job) {
    const EadSweepWork *work = scheduler->work;
    char threads[NUMBER_SIZE], *text;
    EadPath config;
    EAD_TRY(ead_path_in(config, run->config.output, "config.yaml"));
    EAD_TRY(ead_config_to_yaml(&run->config, &text));
    EadStatus status = ead_atomic_file_write_text(config, text);
    free(text);
    if (status != EAD_OK) return status;
    bool take_over = run->source >= 0 && scheduler->progress[run->source] == DONE &&
                     !ead_sweep_holds(run, "checkpoint.safetensors");
    if (take_over) take_over_training(&work->sweep->runs[run->source], run);
    /* The processors are shared out among the jobs unless something else was asked for. */
    int count = work->threads > 0 ? work->threads : run->config.train_threads;
    if (count <= 0) count = ead_max(ead_machine_cpus() / work->jobs, 1);
    snprintf(threads, sizeof threads, "%d", count);
    char *const arguments[ARGUMENTS] = {"efficientad", "train", "--resume", "-q",
                                        "-c",          config,  "--device", (char *)work->device,
                                        "--threads",   threads};
    EadPath program;
    EAD_TRY(ead_program_path(program));
    fflush(NULL);
    pid_t parent = getpid(), process = fork();
    if (process < 0) return ead_fail(EAD_IO, "cannot start a process: %s", strerror(errno));
    if (process == 0) {
        /* The run must not outlive the sweep: a restarted one would find it at work. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        ead_file_lock_pass_on(&job->lock);
        bool ready =
            getppid() == parent && dup2(job->log, STDOUT_FILENO) >= 0 && dup2(job->log, STDERR_FILENO) >= 0;
        if (ready) execv("/proc/self/exe", arguments); /* also where the file was replaced meanwhile */
        if (ready) execv(program, arguments);
        _exit(127);
    }
    job->process = process;
    job->start = ead_clock_seconds();
    return EAD_OK;
}

/* ---- one run from begin to end ---- */

static void report(const Scheduler *scheduler, int run, const char *text) {
    ead_print(stderr, "[%d/%d] %s: %s\n", scheduler->ended, scheduler->total,
              scheduler->work->sweep->runs[run].name, text);
}

/* Opens the log of a run that is locked, and starts it. */
static EadStatus log_and_start(const Scheduler *scheduler, const EadSweepRun *run, Job *job) {
    EadPath path;
    EAD_TRY(ead_path_in(path, run->config.output, "log.txt"));
    job->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
    if (job->log < 0) return ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno));
    job->log_start = lseek(job->log, 0, SEEK_END);
    EadStatus status = start_run(scheduler, run, job);
    if (status != EAD_OK) close(job->log);
    return status;
}

/* Errors: EAD_BUSY where another process works on the run. */
static EadStatus begin_run(const Scheduler *scheduler, Job *job, int index) {
    const EadSweepRun *run = &scheduler->work->sweep->runs[index];
    job->run = index;
    EAD_TRY(ead_make_directories(run->config.output));
    EAD_TRY(ead_folder_lock_take(run->config.output, &job->lock));
    EadStatus status = log_and_start(scheduler, run, job);
    if (status != EAD_OK) ead_file_lock_release(&job->lock);
    return status;
}

static void begin(Scheduler *scheduler, Job *job, int index) {
    char text[1100] = "started";
    EadStatus status = begin_run(scheduler, job, index);
    bool failed = status != EAD_OK && status != EAD_BUSY;
    scheduler->progress[index] = failed ? FAILED : status == EAD_OK ? RUNNING : LOCKED_BY_OTHER;
    scheduler->ended += failed;
    if (status != EAD_OK)
        snprintf(text, sizeof text, "%s: %s", failed ? "failed" : "not started", ead_error_message());
    report(scheduler, index, text);
}

/* ---- what finished runs share ---- */

static EadStatus share_model(const EadSweepRun *source, const EadSweepRun *run, uint64_t *bytes) {
    EadFileLock lock;
    EadPath from, to;
    EAD_TRY(ead_path_in(from, source->config.output, MODEL));
    EAD_TRY(ead_path_in(to, run->config.output, MODEL));
    EAD_TRY(ead_folder_lock_take(run->config.output, &lock));
    EadStatus status = ead_safetensors_share(to, from, bytes);
    ead_file_lock_release(&lock);
    return status;
}

/* What the model of a finished run has in common with that of its source takes room on the disk once, where the disk
 * lets it. */
static void share_weights(Scheduler *scheduler, int index) {
    const EadSweepRun *runs = scheduler->work->sweep->runs, *run = &runs[index];
    uint64_t bytes = 0;
    if (run->source < 0 || scheduler->progress[run->source] != DONE) return;
    if (share_model(&runs[run->source], run, &bytes) != EAD_OK)
        ead_print(stderr, "%s: its model keeps a copy of the weights: %s\n", run->name, ead_error_message());
    scheduler->shared += bytes > 0;
    scheduler->bytes += bytes;
}

/* ---- the end of a run ---- */

static void end(Scheduler *scheduler, Job *job, int status) {
    char text[1100], reason[900], duration[EAD_DURATION_SIZE];
    EadRunState state = EAD_RUN_NEW;
    const EadSweep *sweep = scheduler->work->sweep;
    ead_file_lock_release(&job->lock);
    close(job->log);
    job->process = 0;
    scheduler->ended++;
    bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const EadConfig *config = &sweep->runs[job->run].config;
    EadStatus looked = done ? ead_sweep_state(config->output, config, &state) : EAD_OK;
    done = done && looked == EAD_OK && state == EAD_RUN_FINISHED;
    scheduler->progress[job->run] = done ? DONE : ead_interrupted() ? PENDING : FAILED;
    if (looked != EAD_OK || state == EAD_RUN_DAMAGED || state == EAD_RUN_CHANGED)
        snprintf(reason, sizeof reason, "%s", ead_error_message());
    else if (!done)
        ead_sweep_log_reason(&sweep->runs[job->run], job->log_start, status, reason, sizeof reason);
    if (done)
        snprintf(text, sizeof text, "finished in %s",
                 ead_duration_text(ead_clock_seconds() - job->start, duration));
    else
        snprintf(text, sizeof text, "%s: %s", ead_interrupted() ? "stopped" : "failed", reason);
    report(scheduler, job->run, text);
    if (done) share_weights(scheduler, job->run);
}

/* ---- the scheduler ---- */

/* Returns the number of runs at work. */
static int fill_jobs(Scheduler *scheduler) {
    int next = 0, active = 0, runs = scheduler->work->sweep->run_count;
    const Progress *progress = scheduler->progress;
    for (int j = 0; j < scheduler->work->jobs; j++) {
        Job *job = &scheduler->jobs[j];
        for (; job->process == 0 && next < runs && !ead_interrupted(); next++) {
            int source = scheduler->work->sweep->runs[next].source;
            bool waits = source >= 0 && (progress[source] == PENDING || progress[source] == RUNNING);
            if (progress[next] == PENDING && !waits) begin(scheduler, job, next);
        }
        active += job->process != 0;
    }
    return active;
}

static void work_through(Scheduler *scheduler) {
    const struct timespec moment = {.tv_nsec = 20000000};
    bool passed_on = false;
    while (fill_jobs(scheduler) > 0) {
        bool pass_on = ead_interrupted() && !passed_on;
        if (pass_on) ead_print(stderr, "stopping: the runs write their checkpoints\n");
        passed_on = passed_on || pass_on;
        if (!pass_on) nanosleep(&moment, NULL);
        for (int j = 0; j < scheduler->work->jobs; j++) {
            int status;
            Job *job = &scheduler->jobs[j];
            if (job->process == 0) continue;
            if (pass_on) kill(job->process, SIGTERM);
            if (waitpid(job->process, &status, WNOHANG) == job->process) end(scheduler, job, status);
        }
    }
}

/* Which runs are to be done; finished ones are skipped without a word. */
static EadStatus survey(Scheduler *scheduler) {
    const EadSweepWork *work = scheduler->work;
    static const Progress progress[] = {
        [EAD_RUN_NEW] = PENDING,   [EAD_RUN_STARTED] = PENDING, [EAD_RUN_ACTIVE] = LOCKED_BY_OTHER,
        [EAD_RUN_FINISHED] = DONE, [EAD_RUN_DAMAGED] = PENDING, [EAD_RUN_CHANGED] = FAILED};
    for (int i = 0; i < work->sweep->run_count; i++) {
        EadRunState state;
        scheduler->progress[i] = OTHER_SHARD;
        if (!ead_sweep_in_shard(work, i)) continue;
        const EadConfig *config = &work->sweep->runs[i].config;
        EAD_TRY(ead_sweep_state(config->output, config, &state));
        scheduler->progress[i] = progress[state];
        scheduler->total += progress[state] == PENDING;
        if (state == EAD_RUN_CHANGED) ead_print(stderr, "%s\n", ead_error_message());
        if (state == EAD_RUN_DAMAGED) ead_print(stderr, "%s: the run makes it anew\n", ead_error_message());
    }
    for (int i = 0; i < work->sweep->run_count; i++)
        if (scheduler->progress[i] == DONE) share_weights(scheduler, i);
    return EAD_OK;
}

static int count_of(const Scheduler *scheduler, Progress progress) {
    int count = 0;
    for (int i = 0; i < scheduler->work->sweep->run_count; i++) count += scheduler->progress[i] == progress;
    return count;
}

static EadStatus conclude(const Scheduler *scheduler) {
    int done = count_of(scheduler, DONE), failed = count_of(scheduler, FAILED),
        locked = count_of(scheduler, LOCKED_BY_OTHER);
    int ours = scheduler->work->sweep->run_count - count_of(scheduler, OTHER_SHARD);
    ead_print(stderr, "%d of %d runs are finished", done, ours);
    if (locked > 0) ead_print(stderr, ", other processes are at %d", locked);
    if (failed > 0) ead_print(stderr, ", %d failed", failed);
    fputc('\n', stderr);
    if (scheduler->shared > 0)
        ead_print(stderr, "models of %d of them share their weights with that of another run: %.0f MB less\n",
                  scheduler->shared, 1e-6 * (double)scheduler->bytes);
    for (int i = 0; i < scheduler->work->sweep->run_count; i++)
        if (scheduler->progress[i] == FAILED)
            ead_print(stderr, "  failed: %s\n", scheduler->work->sweep->runs[i].name);
    if (ead_interrupted())
        return ead_fail(EAD_INTERRUPTED, "%s: stopped; the same command goes on",
                        scheduler->work->sweep->path);
    if (failed == 0) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %d of %d runs failed; log.txt in their folders says why",
                    scheduler->work->sweep->path, failed, ours);
}

EadStatus ead_sweep_work(const EadSweepWork *work) {
    Scheduler scheduler = {.work = work,
                           .progress =
                               ead_new(work->sweep->run_count, sizeof(Progress), "the runs of a sweep"),
                           .jobs = ead_new(work->jobs, sizeof(Job), "the runs of a sweep")};
    ead_interrupt_catch();
    /* Runs share the machine, with each other or with another shard: threads that wait should sleep. */
    setenv("OMP_WAIT_POLICY", "passive", 0);
    EadStatus status = scheduler.progress && scheduler.jobs ? EAD_OK : EAD_NO_MEMORY;
    if (status == EAD_OK) status = survey(&scheduler);
    if (status == EAD_OK) {
        work_through(&scheduler);
        status = conclude(&scheduler);
    }
    free(scheduler.progress);
    free(scheduler.jobs);
    return status;
}
