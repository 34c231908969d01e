/* What a sweep leaves on the disk: the state of a run by its folder, why it failed by its log, and the list
 * of runs for the command report. */
#include "train/sweep/sweep.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "core/file/output_check.h"
#include "core/system/file_lock.h"
#include "train/support/json_writer.h"
#include "train/support/problems.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *ead_run_state_name(EadRunState state) {
    static const char *const names[] = {"new", "started", "active", "finished", "changed"};
    return names[state];
}

bool ead_sweep_holds(const EadSweepRun *run, const char *name) {
    EadPath path;
    return ead_path_in(path, run->config.output, name) == EAD_OK && access(path, F_OK) == 0;
}

EadStatus ead_sweep_state(const EadSweepRun *run, EadRunState *state) {
    bool finished = ead_sweep_holds(run, "metrics.json") && ead_sweep_holds(run, "report.html");
    bool started =
        ead_sweep_holds(run, "checkpoint.safetensors") || ead_sweep_holds(run, "model.safetensors");
    *state = finished ? EAD_RUN_FINISHED : started ? EAD_RUN_STARTED : EAD_RUN_NEW;
    if (ead_folder_lock_is_held(run->config.output)) *state = EAD_RUN_ACTIVE;
    if (*state == EAD_RUN_NEW || *state == EAD_RUN_ACTIVE) return EAD_OK;
    /* Whether the config that the run was made with gives other metrics. */
    EadPath path;
    EadConfig saved;
    EAD_TRY(ead_path_in(path, run->config.output, "config.yaml"));
    EAD_TRY(ead_check_regular(path));
    EAD_TRY(ead_config_defaults(&saved));
    EadStatus status = ead_config_load(path, &saved);
    int key = status == EAD_OK ? ead_config_difference(&saved, &run->config, EAD_SAME_RESULT) : -1;
    if (key >= 0) {
        *state = EAD_RUN_CHANGED;
        status = ead_config_fail_difference(&saved, &run->config, key, path,
                                            "delete its folder, or take another --output");
        if (status == EAD_BAD_ARGUMENT) status = EAD_OK;
    }
    ead_config_free(&saved);
    return status;
}

/* ---- whether runs can be begun ---- */

/* Without making it: a FIFO that nobody reads is no log either. */
static EadStatus try_log(const EadSweepRun *run) {
    EadPath path;
    EAD_TRY(ead_path_in(path, run->config.output, "log.txt"));
    int log = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (log < 0 && errno != ENOENT)
        return ead_fail(EAD_IO, "%s: cannot write: %s; move it away", path, strerror(errno));
    if (log >= 0) close(log);
    return EAD_OK;
}

static EadStatus check_run(const EadSweepRun *run) {
    EadRunState state;
    EadPath checkpoint;
    EadStatus status = ead_sweep_state(run, &state);
    if (status != EAD_OK || state == EAD_RUN_CHANGED) {
        bool said = status == EAD_OK; /* with the cure */
        return ead_fail(said ? EAD_BAD_ARGUMENT : status, "%s%s", ead_error_message(),
                        said ? "" : "; delete its folder, or take another --output");
    }
    if (state != EAD_RUN_NEW && state != EAD_RUN_STARTED) return EAD_OK;
    EAD_TRY(ead_check_output_folder(run->config.output, "--output"));
    EAD_TRY(try_log(run));
    if (!ead_sweep_holds(run, "checkpoint.safetensors")) return EAD_OK;
    EAD_TRY(ead_path_in(checkpoint, run->config.output, "checkpoint.safetensors"));
    return ead_file_expect(checkpoint, EAD_ROLE(CHECKPOINT), "a checkpoint of a training");
}

EadStatus ead_sweep_check(const EadSweepWork *work) {
    EadProblems problems = {0};
    const char *cache = "";
    for (int i = 0; i < work->sweep->run_count; i++) {
        const EadSweepRun *run = &work->sweep->runs[i];
        if (!ead_sweep_in_shard(work, i)) continue;
        ead_problems_add(&problems, check_run(run));
        if (strcmp(cache, run->config.dataset_cache) == 0) continue;
        cache = run->config.dataset_cache; /* that of most runs */
        ead_problems_add(&problems, ead_check_output_folder(cache, "dataset.cache"));
    }
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

/* ---- why a run has failed, and which there are ---- */

/* The last line that begins as main() begins its errors; else, of a run that failed, the last line there
 * is. */
void ead_sweep_log_reason(const EadSweepRun *run, off_t start, int status, char *text, size_t size) {
    static const char beginning[] = "efficientad: ";
    const size_t skip = sizeof beginning - 1;
    EadPath path;
    char line[1200], last[1200] = "";
    bool told = false;
    if (WIFSIGNALED(status))
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        snprintf(text, size, "ended without metrics; has the data set test images?");
    else
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
    size_t used = strlen(text);
    FILE *log = ead_path_in(path, run->config.output, "log.txt") == EAD_OK ? fopen(path, "r") : NULL;
    if (!log) snprintf(text + used, size - used, "; its log.txt cannot be read: %s", strerror(errno));
    if (!log) return;
    if (fseeko(log, start, SEEK_SET) == 0)
        while (fgets(line, sizeof line, log)) {
            line[strcspn(line, "\n")] = '\0';
            bool error = strncmp(line, beginning, skip) == 0;
            if (error) snprintf(text, size, "%s", line + skip);
            told = told || error;
            if (*line) memcpy(last, line, sizeof last);
        }
    if (!told && *last && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        snprintf(text + used, size - used, "; its log ends: %s", last);
    fclose(log);
}

static EadStatus manifest_path(const EadSweep *sweep, EadPath path) {
    char name[300];
    snprintf(name, sizeof name, "%s.sweep.json", sweep->name);
    return ead_path_in(path, sweep->output, name);
}

int ead_sweep_begun_in(const EadSweep *sweep) {
    EadPath path;
    if (manifest_path(sweep, path) != EAD_OK || ead_check_regular(path) != EAD_OK) return 0;
    json_t *root = json_load_file(path, 0, NULL);
    json_int_t parts = json_integer_value(json_object_get(root, "parts"));
    json_decref(root);
    return parts > 0 && parts <= INT_MAX ? (int)parts : 0;
}

EadStatus ead_sweep_write_manifest(const EadSweep *sweep, int parts) {
    EadPath path;
    EadAtomicFile file;
    EAD_TRY(manifest_path(sweep, path));
    EAD_TRY(ead_make_directories(sweep->output));
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "format", "efficientad-sweep/1");
    ead_json_string(&json, "title", sweep->title ? sweep->title : sweep->name);
    ead_json_string(&json, "paper", sweep->paper ? sweep->paper : "");
    ead_json_integer(&json, "parts", parts);
    ead_json_open(&json, "runs", '[');
    for (int i = 0; i < sweep->run_count; i++) {
        const EadSweepRun *run = &sweep->runs[i];
        const EadSweepGroup *collection = &sweep->collections[run->collection];
        char seed[24];
        snprintf(seed, sizeof seed, "%" PRIu64,
                 run->seed); /* as a text: JSON's numbers are doubles to many */
        ead_json_open(&json, NULL, '{');
        ead_json_string(&json, "variant", sweep->variants[run->variant].name);
        ead_json_string(&json, "collection", collection->name);
        ead_json_string(&json, "category",
                        run->category < 0 ? collection->name : collection->categories.items[run->category]);
        ead_json_string(&json, "seed", seed);
        ead_json_integer(&json, "steps", run->config.train_steps);
        ead_json_string(&json, "folder", run->name);
        ead_json_close(&json, '}');
    }
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}
