/* What a sweep leaves on the disk: the state of a run by its folder, why it failed by its log, and the list
 * of runs for the command report. */
#include "train/sweep/sweep.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "core/file/file_role.h"
#include "core/file/json_text.h"
#include "core/file/safetensors.h"
#include "core/system/file_lock.h"
#include "train/metrics/metrics_output.h"
#include "train/support/json_writer.h"
#include "train/support/page_kind.h"
#include "train/support/problems.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *ead_run_state_name(EadRunState state) {
    static const char *const names[] = {"new", "started", "active", "finished", "damaged", "changed"};
    return names[state];
}

static bool holds(const char *folder, const char *name) {
    EadPath path;
    return ead_path_in(path, folder, name) == EAD_OK && access(path, F_OK) == 0;
}

bool ead_sweep_holds(const EadSweepRun *run, const char *name) {
    return holds(run->config.output, name);
}

/* Whether the config that the run was made with gives the same metrics; else the key in the message. */
static EadStatus compare_config(const char *folder, const EadConfig *config, bool *same) {
    EadPath path;
    EadConfig saved;
    EAD_TRY(ead_path_in(path, folder, "config.yaml"));
    EAD_TRY(ead_config_defaults(&saved));
    EadStatus status = ead_config_load(path, &saved);
    if (saved.problems.lines.count > 1)
        status = ead_fail(status, "%s (and %d more)", saved.problems.lines.items[0],
                          saved.problems.lines.count - 1);
    int key = status == EAD_OK ? ead_config_difference(&saved, config, EAD_SAME_RESULT) : -1;
    *same = status != EAD_OK || key < 0;
    if (key >= 0)
        status = ead_config_fail_difference(&saved, config, key, path,
                                            "delete its folder, or take another --output");
    ead_config_free(&saved);
    return status == EAD_BAD_ARGUMENT && key >= 0 ? EAD_OK : status;
}

/* Whether a key of metrics.json is that of a metric; behind some follows a limit. */
static bool is_metric(const char *key) {
    for (int i = 0; i < EAD_METRICS; i++) {
        const EadMetricRow *row = &ead_metric_rows[i];
        if (row->scope == EAD_SCOPE_PRO_LIMIT ? strncmp(key, row->key, strlen(row->key)) == 0
                                              : strcmp(key, row->key) == 0)
            return true;
    }
    return false;
}

static EadStatus refuse_value(const char *path, const char *key, const json_t *value, const char *expected) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    EadStatus status =
        ead_fail(EAD_BAD_FILE, "%s: '%s' is %.40s, expected %s", path, key, text ? text : "wrong", expected);
    free(text);
    return status;
}

/* An object of metrics: fractions of 1, or null where undefined. */
static EadStatus check_metrics(const char *path, json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        double number = json_is_number(value) ? json_number_value(value) : -1;
        if (is_metric(key) && !json_is_null(value) && !(number >= 0 && number <= 1))
            return refuse_value(path, key, value, "a number from 0 to 1 or null");
    }
    return EAD_OK;
}

/* The metrics of all images and of each kind of defect. Those of metrics.def that tables show are there always. */
static EadStatus check_metrics_file(const char *path, json_t *root) {
    const char *name;
    json_t *set, *defects = json_object_get(root, "defects");
    EAD_TRY(check_metrics(path, root));
    for (int i = 0; i < EAD_METRICS; i++) {
        const EadMetricRow *row = &ead_metric_rows[i];
        bool needed = row->scope == EAD_SCOPE_IMAGES && row->places & EAD_SHOW_SWEEP;
        if (needed && !json_object_get(root, row->key))
            return ead_fail(EAD_BAD_FILE, "%s: '%s' is missing", path, row->key);
    }
    if (defects && !json_is_object(defects)) return refuse_value(path, "defects", defects, "an object");
    json_object_foreach(defects, name, set) {
        if (!json_is_object(set)) return refuse_value(path, name, set, "an object");
        EAD_TRY(check_metrics(path, set));
    }
    return EAD_OK;
}

/* Whether what a finished run left can be used, as far as can be told without reading all of it. known: of a list
 * that says how its runs were made; the folders of older lists may hold results alone. */
static EadStatus check_results(const char *folder, bool known) {
    EadPath metrics, model;
    EadSafetensors *file;
    json_t *root;
    EAD_TRY(ead_path_in(metrics, folder, "metrics.json"));
    EAD_TRY(ead_json_load(metrics, &root));
    EadStatus status = check_metrics_file(metrics, root);
    json_decref(root);
    EAD_TRY(status);
    EAD_TRY(ead_path_in(model, folder, "model.safetensors"));
    if (access(model, F_OK) != 0)
        return known ? ead_fail(EAD_IO, "%s: is not there any more", model) : EAD_OK;
    EAD_TRY(ead_file_expect(model, EAD_ROLE(MODEL), "a model"));
    EAD_TRY(ead_safetensors_open_header(model, &file));
    ead_safetensors_close(file);
    return EAD_OK;
}

EadStatus ead_sweep_state(const char *folder, const EadConfig *config, EadRunState *state) {
    EadPath report;
    EAD_TRY(ead_path_in(report, folder, "report.html"));
    bool reported = access(report, F_OK) == 0 && !ead_training_page_is(report);
    bool finished = reported && holds(folder, "metrics.json"), same = true;
    bool started = holds(folder, "checkpoint.safetensors") || holds(folder, "model.safetensors");
    *state = finished ? EAD_RUN_FINISHED : started ? EAD_RUN_STARTED : EAD_RUN_NEW;
    if (ead_folder_lock_is_held(folder)) *state = EAD_RUN_ACTIVE;
    if (*state == EAD_RUN_NEW || *state == EAD_RUN_ACTIVE) return EAD_OK;
    EadStatus status = config ? compare_config(folder, config, &same) : EAD_OK;
    if (status != EAD_OK && status != EAD_BAD_FILE) return status;
    if (!same) *state = EAD_RUN_CHANGED;
    if (status == EAD_OK && *state == EAD_RUN_FINISHED) status = check_results(folder, config != NULL);
    if (status == EAD_NO_MEMORY) return status;
    if (status != EAD_OK) *state = EAD_RUN_DAMAGED;
    return EAD_OK;
}

/* ---- why a run has failed, and which there are ---- */

/* The lines that begin as main() begins its errors, but for the one that counts them; else, of a run that failed, the
 * last line there is. */
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
    bool readable = log && fseeko(log, start, SEEK_SET) == 0;
    if (readable)
        while (fgets(line, sizeof line, log)) {
            line[strcspn(line, "\n")] = '\0';
            bool error = strncmp(line, beginning, skip) == 0 && !strstr(line, EAD_NOTHING_STARTED);
            size_t end = error && told ? strlen(text) : 0;
            if (error) snprintf(text + end, size - end, "%s%s", end ? "; " : "", line + skip);
            told = told || error;
            if (*line) memcpy(last, line, sizeof last);
        }
    if (!told && (!readable || ferror(log)))
        snprintf(text + used, size - used, "; its log.txt cannot be read: %s", strerror(errno));
    else if (!told && *last && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        snprintf(text + used, size - used, "; its log ends: %s", last);
    if (log) fclose(log);
}

EadStatus ead_sweep_manifest_path(const EadSweep *sweep, EadPath path) {
    char name[300];
    snprintf(name, sizeof name, "%s.sweep.json", sweep->name);
    return ead_path_in(path, sweep->output, name);
}

EadStatus ead_sweep_begun_in(const EadSweep *sweep, int *parts) {
    EadPath path;
    json_t *root;
    *parts = 0;
    if (!sweep->output) return EAD_OK;
    EAD_TRY(ead_sweep_manifest_path(sweep, path));
    EadStatus status = ead_json_load(path, &root);
    if (status != EAD_OK) return status == EAD_NO_MEMORY ? status : EAD_OK;
    json_int_t number = json_integer_value(json_object_get(root, "parts"));
    json_decref(root);
    if (number > 0 && number <= INT_MAX) *parts = (int)number;
    return EAD_OK;
}

/* The config of a variant on a collection, of any of its categories and seeds. */
static EadStatus write_configs(const EadSweep *sweep, EadJson *json) {
    int last = -1;
    ead_json_open(json, "configs", '[');
    for (int i = 0; i < sweep->run_count; i++) {
        const EadSweepRun *run = &sweep->runs[i];
        int group = run->variant * sweep->collection_count + run->collection;
        char *text;
        if (group != last) {
            EAD_TRY(ead_config_to_yaml(&run->config, &text));
            ead_json_string(json, NULL, text);
            free(text);
        }
        last = group;
    }
    ead_json_close(json, ']');
    return EAD_OK;
}

EadStatus ead_sweep_write_manifest(const EadSweep *sweep, int parts) {
    EadPath path;
    EadAtomicFile file;
    EAD_TRY(ead_sweep_manifest_path(sweep, path));
    EAD_TRY(ead_make_directories(sweep->output));
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "format", "efficientad-sweep/1");
    ead_json_string(&json, "title", sweep->title ? sweep->title : sweep->name);
    ead_json_string(&json, "paper", sweep->paper ? sweep->paper : "");
    ead_json_integer(&json, "parts", parts);
    EadStatus status = write_configs(sweep, &json);
    ead_json_open(&json, "runs", '[');
    for (int i = 0; i < sweep->run_count; i++) {
        const EadSweepRun *run = &sweep->runs[i];
        const EadSweepGroup *collection = &sweep->collections[run->collection];
        char seed[24], trained[EAD_TRAINED_SIZE];
        snprintf(seed, sizeof seed, "%" PRIu64,
                 run->seed); /* as a text: JSON's numbers are doubles to many */
        ead_json_open(&json, NULL, '{');
        ead_json_string(&json, "variant", sweep->variants[run->variant].name);
        ead_json_string(&json, "collection", collection->name);
        ead_json_string(&json, "category",
                        run->category < 0 ? collection->name : collection->categories.items[run->category]);
        ead_json_string(&json, "seed", seed);
        snprintf(trained, sizeof trained, "%d steps", run->config.train_steps);
        if (sweep->trained) sweep->trained(&run->config, trained);
        ead_json_string(&json, "trained", trained);
        ead_json_integer(&json, "config", run->variant * sweep->collection_count + run->collection);
        ead_json_string(&json, "folder", run->name);
        ead_json_close(&json, '}');
    }
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}
