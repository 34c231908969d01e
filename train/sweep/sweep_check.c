/* All that is wrong with a sweep and its runs, before the first begins. */
#include "train/sweep/sweep.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "core/system/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what runs have in common ---- */

/* A thing that is wrong: the first run that it is wrong with, and how many there are. */
typedef struct Told {
    int run, count;
    EadStatus status;
} Told;

typedef struct Gathering {
    EadStringList lines;
    Told *told; /* [lines.count] */
    int capacity;
} Gathering;

static EadStatus gather_line(Gathering *all, const char *line, int run, EadStatus status) {
    int known = ead_strings_find(&all->lines, line);
    if (known >= 0) all->told[known].count++;
    if (known >= 0) return EAD_OK;
    EAD_TRY(ead_grow(&all->told, &all->capacity, all->lines.count, sizeof *all->told, "a sweep"));
    all->told[all->lines.count] = (Told){run, 1, status};
    return ead_strings_add(&all->lines, line);
}

static EadStatus gather_run(EadSweep *sweep, int index, Gathering *all) {
    EadSweepRun *run = &sweep->runs[index];
    const EadProblems *problems = &run->config.problems;
    for (; run->gathered < problems->lines.count; run->gathered++) {
        const char *line = problems->lines.items[run->gathered];
        if (run->gathered < run->placed)
            ead_problems_add(&sweep->problems, ead_fail(problems->status, "%s", line));
        else
            EAD_TRY(gather_line(all, line, index, problems->status));
    }
    return EAD_OK;
}

EadStatus ead_sweep_gather(EadSweep *sweep) {
    Gathering all = {.told = NULL};
    EadStatus status = EAD_OK;
    for (int i = 0; i < sweep->run_count && status == EAD_OK; i++) status = gather_run(sweep, i, &all);
    for (int i = 0; i < all.lines.count && status == EAD_OK; i++) {
        const Told *told = &all.told[i];
        char more[40] = "";
        if (told->count > 1)
            snprintf(more, sizeof more, " and %d more run%s", told->count - 1, told->count > 2 ? "s" : "");
        ead_problems_add(&sweep->problems, ead_fail(told->status, "%s: %s%s: %s", sweep->path,
                                                    sweep->runs[told->run].name, more, all.lines.items[i]));
    }
    ead_strings_free(&all.lines);
    free(all.told);
    return status;
}

/* ---- what runs read ---- */

/* A data set, and what is wrong with it: of the problems of the first run that names it. */
typedef struct KnownSet {
    int run, first, behind;
} KnownSet;

typedef struct KnownSets {
    KnownSet *items;
    int count, capacity;
} KnownSets;

/* Each data set is looked at once. */
static EadStatus check_dataset(const EadSweep *sweep, int index, KnownSets *sets) {
    EadConfig *config = &sweep->runs[index].config;
    EadProblems *problems = &config->problems;
    for (int i = 0; i < sets->count; i++) {
        const KnownSet *set = &sets->items[i];
        const EadConfig *other = &sweep->runs[set->run].config;
        if (!ead_config_same_dataset(config, other)) continue;
        for (int j = set->first; j < set->behind; j++)
            ead_problems_add(problems,
                             ead_fail(other->problems.status, "%s", other->problems.lines.items[j]));
        return EAD_OK;
    }
    EAD_TRY(ead_grow(&sets->items, &sets->capacity, sets->count, sizeof *sets->items, "a sweep"));
    int first = problems->lines.count;
    ead_problems_add(problems, ead_config_try_dataset(config));
    sets->items[sets->count++] = (KnownSet){index, first, problems->lines.count};
    return EAD_OK;
}

static EadStatus check_inputs(const EadSweep *sweep, int index, KnownSets *sets) {
    EadConfig *config = &sweep->runs[index].config;
    bool named = ead_config_names_dataset(config, false);
    if (sweep->check_inputs) sweep->check_inputs(config);
    return named ? check_dataset(sweep, index, sets) : EAD_OK;
}

/* ---- what runs write ---- */

/* Without making it: a FIFO that nobody reads is no log either. */
static EadStatus try_log(const EadSweepRun *run) {
    EadPath path;
    EAD_TRY(ead_path_in(path, run->config.output, "log.txt"));
    EAD_TRY(ead_check_regular(path));
    int log = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (log < 0 && errno != ENOENT)
        return ead_fail(EAD_IO, "%s: cannot write: %s; move it away", path, strerror(errno));
    if (log >= 0) close(log);
    return EAD_OK;
}

/* Whether the lock of a folder that is there can be taken, whoever may be at it now. */
static EadStatus try_lock(const char *folder) {
    EadFileLock lock;
    EadStatus status = ead_path_is_folder(folder) ? ead_folder_lock_take(folder, &lock) : EAD_BUSY;
    if (status == EAD_OK) ead_file_lock_release(&lock);
    return status == EAD_BUSY ? EAD_OK : status;
}

/* A checkpoint to resume from, where there is one. */
static EadStatus check_checkpoint(const EadSweepRun *run) {
    EadPath checkpoint;
    if (!ead_sweep_holds(run, "checkpoint.safetensors")) return EAD_OK;
    EAD_TRY(ead_path_in(checkpoint, run->config.output, "checkpoint.safetensors"));
    return ead_file_expect(checkpoint, EAD_ROLES_TRAINED, "a checkpoint of a training");
}

/* Whether what is in its folder can be gone on with; *to_do: whether there is something to do. Where the config is
 * wrong that is not known, and taken for granted. */
static EadStatus check_state(const EadSweepRun *run, bool *to_do) {
    EadRunState state;
    *to_do = true;
    if (run->config.problems.lines.count > 0) return EAD_OK;
    EadStatus status = ead_sweep_state(run->config.output, &run->config, &state);
    if (status != EAD_OK && status != EAD_NO_MEMORY)
        status = ead_fail(status, "%s; delete its folder, or take another --output", ead_error_message());
    if (status == EAD_OK && state == EAD_RUN_CHANGED) /* which was told with the cure */
        status = ead_fail(EAD_BAD_ARGUMENT, "%s", ead_error_message());
    *to_do = status == EAD_OK && state != EAD_RUN_FINISHED && state != EAD_RUN_ACTIVE;
    return status;
}

static void check_outputs(EadSweep *sweep, const EadSweepRun *run) {
    EadProblems *problems = &sweep->problems;
    EadStatus status = ead_check_output_folder(run->config.output, "--output");
    ead_problems_add(problems, status);
    if (status != EAD_OK) return;
    ead_problems_add(problems, try_lock(run->config.output));
    ead_problems_add(problems, try_log(run));
    if (sweep->check_outputs) sweep->check_outputs(&run->config, problems);
    ead_problems_add(problems, check_checkpoint(run));
}

/* The folder of all, and the list of the runs in it. */
static bool check_place(EadSweep *sweep) {
    EadPath manifest;
    if (!sweep->output) return false;
    EadStatus status = ead_check_output_folder(sweep->output, "--output");
    if (status == EAD_OK) status = ead_sweep_manifest_path(sweep, manifest);
    if (status == EAD_OK) status = ead_check_output_in_run(manifest);
    ead_problems_add(&sweep->problems, status);
    return status == EAD_OK;
}

EadStatus ead_sweep_check(const EadSweepWork *work) {
    EadSweep *sweep = work->sweep;
    KnownSets sets = {.items = NULL};
    bool placed = check_place(sweep);
    EadStatus status = EAD_OK;
    for (int i = 0; i < sweep->run_count && status == EAD_OK; i++) {
        bool to_do = true;
        if (!ead_sweep_in_shard(work, i)) continue;
        if (placed) ead_problems_add(&sweep->problems, check_state(&sweep->runs[i], &to_do));
        if (to_do && placed) check_outputs(sweep, &sweep->runs[i]);
        if (to_do) status = check_inputs(sweep, i, &sets);
    }
    free(sets.items);
    return status == EAD_OK ? ead_sweep_gather(sweep) : status;
}
