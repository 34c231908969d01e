/* Reading of manifests and metrics (by jansson), means and deviations over seeds, the paper's numbers. */
#include "train/sweep/sweep_results.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/json_text.h"
#include "train/metrics/metrics_output.h"
#include "train/sweep/sweep.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_column(EadSweepResults *results, int metric, const char *kind) {
    const EadMetricRow *row = &ead_metric_rows[metric];
    EadSweepColumn *column = &results->columns[results->column_count++];
    const char *overlap = strncmp(row->key, "au_pro_", 7) == 0 ? " (LOCO: AU-sPRO)" : "";
    column->metric = metric;
    column->kind = kind;
    if (kind)
        snprintf(column->key, sizeof column->key, "%s%s", kind,
                 strchr(row->key, '_')); /* image_ is not said */
    else
        snprintf(column->key, sizeof column->key, "%s", row->key);
    snprintf(column->title, sizeof column->title, kind ? "%s%s, %s anomalies" : "%s%s", row->title, overlap,
             kind);
}

static EadStatus make_columns(EadSweepResults *results) {
    results->columns = ead_new(3 * EAD_METRICS, sizeof *results->columns, "the columns of a sweep's tables");
    if (!results->columns) return EAD_NO_MEMORY;
    for (int i = 0; i < EAD_METRICS; i++) {
        if (ead_metric_rows[i].places & EAD_SHOW_SWEEP) add_column(results, i, NULL);
        if (ead_metric_rows[i].places & EAD_SHOW_KIND) add_column(results, i, "logical");
        if (ead_metric_rows[i].places & EAD_SHOW_KIND) add_column(results, i, "structural");
    }
    return EAD_OK;
}

static int find_scenario(const EadSweepResults *results, int collection, const char *category) {
    for (int i = 0; i < results->categories.count; i++)
        if (results->collection_of[i] == collection && strcmp(results->categories.items[i], category) == 0)
            return i;
    return -1;
}

typedef struct ManifestRun {
    const char *variant, *collection, *category, *seed, *folder; /* borrowed from the JSON */
    const char *trained;                                         /* "70000 steps" */
    int config; /* its number in the manifest, -1: not in it, by an earlier version */
} ManifestRun;

static EadStatus unpack_run(const char *path, json_t *json, size_t index, ManifestRun *run) {
    run->trained = NULL;
    run->config = -1;
    int failed = json_unpack(json, "{s:s, s:s, s:s, s:s, s:s, s?s, s?i}", "variant", &run->variant,
                             "collection", &run->collection, "category", &run->category, "seed", &run->seed,
                             "folder", &run->folder, "trained", &run->trained, "config", &run->config);
    /* Folders of runs lie below the manifest's. */
    if (failed || run->folder[0] == '/' || strncmp(run->folder, "../", 3) == 0 || strstr(run->folder, "/../"))
        return ead_fail(EAD_BAD_FILE, "%s: run %zu is damaged; write it again with efficientad sweep", path,
                        index + 1);
    return EAD_OK;
}

static EadStatus add_run(const ManifestRun *run, EadSweepResults *results) {
    EAD_TRY(ead_strings_add_once(&results->variants, run->variant));
    EAD_TRY(ead_strings_add_once(&results->collections, run->collection));
    EAD_TRY(ead_strings_add_once(&results->seeds, run->seed));
    int collection = ead_strings_find(&results->collections, run->collection);
    if (find_scenario(results, collection, run->category) < 0) {
        EAD_TRY(ead_grow(&results->collection_of, &results->collection_capacity, results->categories.count,
                         sizeof *results->collection_of, "the results of a sweep"));
        results->collection_of[results->categories.count] = collection;
        EAD_TRY(ead_strings_add(&results->categories, run->category));
    }
    results->run_count++;
    return run->trained ? ead_strings_add_once(&results->trained, run->trained) : EAD_OK;
}

/* The metrics [column_count] of one run, fractions of 1. */
static double *metrics_at(const EadSweepResults *results, int variant, int scenario, int seed) {
    size_t run = ((size_t)variant * (size_t)results->categories.count + (size_t)scenario) *
                     (size_t)results->seeds.count +
                 (size_t)seed;
    return results->values + run * (size_t)results->column_count;
}

static double number_in(json_t *object, const char *key) {
    json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* What the evaluation of a run measured; runs of earlier versions have no such file. */
static EadStatus read_speed(const char *run_folder, EadSweepSpeed *speed) {
    EadPath path;
    json_t *root;
    EAD_TRY(ead_path_in(path, run_folder, "speed.json"));
    if (access(path, F_OK) != 0) return EAD_OK;
    EadStatus status = ead_json_load(path, &root);
    if (status == EAD_BAD_FILE || status == EAD_IO)
        return ead_fail(status, "%s; delete it", ead_error_message());
    EAD_TRY(status);
    double milliseconds = number_in(root, "latency_ms");
    json_decref(root);
    if (isfinite(milliseconds)) speed->milliseconds += (milliseconds - speed->milliseconds) / ++speed->runs;
    return EAD_OK;
}

/* The config of a run as the sweep would do it. *known: whether it is in the manifest; then to be freed. */
static EadStatus config_of(json_t *configs, const ManifestRun *run, EadConfig *config, bool *known) {
    const char *text =
        run->config < 0 ? NULL : json_string_value(json_array_get(configs, (size_t)run->config));
    *known = false;
    if (!text || !*text) return EAD_OK;
    EAD_TRY(ead_config_defaults(config));
    *known = true;
    EAD_TRY(ead_config_parse(text, strlen(text), "config in the list of runs", config));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_train_seed, run->seed));
    if (!config->dataset_category[0]) return EAD_OK;
    return ead_config_set_key(config, EAD_KEY_dataset_category, run->category);
}

/* Whether a result of the bench is of what the variant is; what it does not say is believed. */
static EadStatus check_bench(const char *path, json_t *result, const EadConfig *config) {
    static const char *const keys[] = {"model", "image", "backbone"};
    char *size = NULL, expected[3][144], measured[512] = "", wanted[512] = "";
    bool sized = strcmp(config->model_method, "efficientad") == 0, same = true;
    EAD_TRY(ead_config_value_text(config, EAD_KEY_model_size, &size));
    snprintf(expected[0], sizeof *expected, "%s", sized ? size : config->model_method);
    snprintf(expected[1], sizeof *expected, "%dx%d", config->model_image_size.height,
             config->model_image_size.width);
    snprintf(expected[2], sizeof *expected, "%s", ead_config_backbone_name(config));
    free(size);
    for (int i = 0; i < 3; i++) {
        const char *value = json_string_value(json_object_get(result, keys[i]));
        if (!value || strcmp(value, expected[i]) == 0) continue;
        const char *comma = same ? "" : ", ";
        snprintf(measured + strlen(measured), sizeof measured - strlen(measured), "%s%s %s", comma, keys[i],
                 value);
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s %s", comma, keys[i],
                 expected[i]);
        same = false;
    }
    return same ? EAD_OK
                : ead_fail(EAD_BAD_FILE,
                           "%s: is not of this variant: was measured with %s, the variant has %s; measure it "
                           "again or "
                           "delete it",
                           path, measured, wanted);
}

/* What bench infer measured for a variant, where it was told to write VARIANT.bench.json beside the list of runs. */
static EadStatus read_bench(const char *folder, const char *variant, const EadConfig *config,
                            EadSweepSpeed *speed) {
    EadPath path;
    char name[128];
    json_t *root, *result;
    size_t i;
    EadStatus status = EAD_OK;
    snprintf(name, sizeof name, "%s.bench.json", variant);
    EAD_TRY(ead_path_in(path, folder, name));
    if (access(path, F_OK) != 0) return EAD_OK;
    EAD_TRY(ead_json_load(path, &root));
    json_array_foreach(json_object_get(root, "results"), i, result) {
        const char *bench = json_string_value(json_object_get(result, "bench"));
        double images = number_in(result, "images_per_s");
        bool idle = !json_object_get(result, "load");
        if (bench && strcmp(bench, "infer") == 0 && idle && number_in(result, "batch") == EAD_PAPER_BATCH &&
            images > 0) {
            if (config) status = check_bench(path, result, config);
            speed->images_per_s = status == EAD_OK ? images : 0;
        }
    }
    json_decref(root);
    if (speed->images_per_s > 0 || status != EAD_OK) return status;
    return ead_fail(EAD_BAD_FILE,
                    "%s: holds no images_per_s of bench infer --batch %d; measure it again or delete it",
                    path, EAD_PAPER_BATCH);
}

/* Errors: also that the run was finished, but is not to be used. */
static EadStatus state_of(const char *run_folder, json_t *configs, const ManifestRun *run,
                          EadRunState *state) {
    EadConfig config;
    bool known;
    EadStatus status = config_of(configs, run, &config, &known);
    if (status == EAD_OK) status = ead_sweep_state(run_folder, known ? &config : NULL, state);
    if (known) ead_config_free(&config);
    if (status == EAD_OK && (*state == EAD_RUN_DAMAGED || *state == EAD_RUN_CHANGED))
        status = ead_fail(EAD_BAD_FILE, "%s", ead_error_message());
    return status;
}

/* Notes the page of a run, where there is one. */
static EadStatus note_report(const char *folder, const ManifestRun *run, int variant, int scenario, int seed,
                             EadSweepResults *results) {
    EadPath below, path;
    EAD_TRY(ead_path_in(below, run->folder, "report.html"));
    EAD_TRY(ead_path_in(path, folder, below));
    if (access(path, F_OK) != 0) return EAD_OK;
    EAD_TRY(ead_grow(&results->reports, &results->report_capacity, results->report_count,
                     sizeof *results->reports, "the results of a sweep"));
    EadSweepReport report = {variant, scenario, seed, ead_strdup(below)};
    if (!report.path) return EAD_NO_MEMORY;
    results->reports[results->report_count++] = report;
    return EAD_OK;
}

static EadStatus read_run(const char *folder, json_t *configs, const ManifestRun *run,
                          EadSweepResults *results) {
    int variant = ead_strings_find(&results->variants, run->variant);
    int scenario =
        find_scenario(results, ead_strings_find(&results->collections, run->collection), run->category);
    int seed = ead_strings_find(&results->seeds, run->seed);
    double *values = metrics_at(results, variant, scenario, seed);
    EadPath run_folder, path;
    EadRunState state;
    json_t *root;
    EAD_TRY(ead_path_in(run_folder, folder, run->folder));
    EAD_TRY(state_of(run_folder, configs, run, &state));
    if (state != EAD_RUN_FINISHED) return EAD_OK;
    EAD_TRY(note_report(folder, run, variant, scenario, seed, results));
    EAD_TRY(ead_path_in(path, run_folder, "metrics.json"));
    EAD_TRY(ead_json_load(path, &root));
    EadStatus status = read_speed(run_folder, &results->speeds[variant]);
    results->finished++;
    json_t *defects = json_object_get(root, "defects");
    json_t *logical = json_object_get(defects, "logical_anomalies");
    json_t *structural = json_object_get(defects, "structural_anomalies");
    json_t *mean = json_object_get(defects, "mean"), *all = logical && structural && mean ? mean : root;
    for (int i = 0; i < results->column_count; i++) {
        const EadSweepColumn *column = &results->columns[i];
        const char *key = ead_metric_rows[column->metric].key;
        json_t *object = !column->kind ? all : strcmp(column->kind, "logical") == 0 ? logical : structural;
        /* The AU-sPRO of a data set that has one, else its AU-PRO. */
        char saturated[40];
        snprintf(saturated, sizeof saturated, "au_spro_%s", key + strcspn(key, "0123456789"));
        values[i] = strncmp(key, "au_pro_", 7) == 0 ? number_in(object, saturated) : NAN;
        if (isnan(values[i])) values[i] = number_in(object, key);
    }
    json_decref(root);
    return status;
}

/* The variant is what its first run is. */
static EadStatus read_variant_bench(const char *path, const char *folder, json_t *runs, json_t *configs,
                                    EadSweepResults *results, int variant) {
    const char *name = results->variants.items[variant];
    EadConfig config;
    ManifestRun run = {.config = -1};
    bool known;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        EAD_TRY(unpack_run(path, json_array_get(runs, i), i, &run));
        if (strcmp(run.variant, name) == 0) break;
    }
    EadStatus status = config_of(configs, &run, &config, &known);
    if (status == EAD_OK)
        status = read_bench(folder, name, known ? &config : NULL, &results->speeds[variant]);
    if (known) ead_config_free(&config);
    return status;
}

static EadStatus read_runs(const char *path, json_t *runs, json_t *configs, EadSweepResults *results) {
    ManifestRun run;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        EAD_TRY(unpack_run(path, json_array_get(runs, i), i, &run));
        EAD_TRY(add_run(&run, results));
    }
    int64_t count = (int64_t)results->variants.count * results->categories.count * results->seeds.count *
                    results->column_count;
    results->values = ead_new(count, sizeof *results->values, "the results of a sweep");
    results->speeds = ead_new(results->variants.count, sizeof *results->speeds, "the results of a sweep");
    if (!results->values || !results->speeds) return EAD_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) results->values[i] = NAN;
    EadPath folder;
    EAD_TRY(ead_path_folder(folder, path));
    for (size_t i = 0; i < json_array_size(runs); i++) {
        EAD_TRY(unpack_run(path, json_array_get(runs, i), i, &run));
        EadStatus status = read_run(folder, configs, &run, results);
        if (status == EAD_NO_MEMORY) return status;
        if (status != EAD_OK) ead_print(stderr, "warning: left out: %s\n", ead_error_message());
    }
    for (int v = 0; v < results->variants.count; v++) {
        EadStatus status = read_variant_bench(path, folder, runs, configs, results, v);
        if (status == EAD_NO_MEMORY) return status;
        if (status != EAD_OK) ead_print(stderr, "warning: left out: %s\n", ead_error_message());
    }
    return EAD_OK;
}

EadStatus ead_sweep_results_read(const char *manifest, EadSweepResults *results) {
    json_t *root, *runs;
    const char *format = "", *title, *paper;
    *results = (EadSweepResults){0};
    EAD_TRY(ead_json_load(manifest, &root));
    int failed = json_unpack(root, "{s:s, s:s, s:s, s:o}", "format", &format, "title", &title, "paper",
                             &paper, "runs", &runs);
    EadStatus status = EAD_OK;
    if (failed || strcmp(format, "efficientad-sweep/1") != 0 || !json_is_array(runs))
        status = ead_fail(EAD_BAD_FILE, "%s: is not a manifest of a sweep", manifest);
    if (status == EAD_OK) {
        results->title = ead_strdup(title);
        results->paper = ead_strdup(paper);
        status = results->title && results->paper ? make_columns(results) : EAD_NO_MEMORY;
    }
    if (status == EAD_OK) status = read_runs(manifest, runs, json_object_get(root, "configs"), results);
    json_decref(root);
    return status;
}

void ead_sweep_results_free(EadSweepResults *results) {
    free(results->title);
    free(results->paper);
    ead_strings_free(&results->variants);
    ead_strings_free(&results->collections);
    ead_strings_free(&results->categories);
    ead_strings_free(&results->seeds);
    ead_strings_free(&results->trained);
    free(results->collection_of);
    free(results->columns);
    free(results->values);
    free(results->speeds);
    for (int i = 0; i < results->report_count; i++) free(results->reports[i].path);
    free(results->reports);
    *results = (EadSweepResults){0};
}

/* ---- summaries ---- */

/* Welford's running mean and sum of squares. */
typedef struct Running {
    int count;
    double mean, squares;
} Running;

static void add(Running *running, double value) {
    double before = value - running->mean;
    running->count++;
    running->mean += before / running->count;
    running->squares += before * (value - running->mean);
}

static double mean_of(const Running *running) {
    return running->count > 0 ? running->mean : NAN;
}

static double deviation_of(const Running *running) {
    return running->count > 1 ? sqrt(running->squares / (running->count - 1)) : NAN;
}

static double percent_at(const EadSweepResults *results, int variant, int scenario, int seed, int column) {
    return 100 * metrics_at(results, variant, scenario, seed)[column];
}

EadSummary ead_summarize_scenario(const EadSweepResults *results, int variant, int scenario, int column) {
    Running running = {0};
    for (int seed = 0; seed < results->seeds.count; seed++) {
        double value = percent_at(results, variant, scenario, seed, column);
        if (isfinite(value)) add(&running, value);
    }
    return (EadSummary){.mean = mean_of(&running),
                        .deviation = deviation_of(&running),
                        .seeds = running.count,
                        .runs = running.count,
                        .expected = results->seeds.count};
}

EadSummary ead_summarize_collection(const EadSweepResults *results, int variant, int collection, int column) {
    EadSummary summary = {0};
    Running complete_seeds = {0}, all_seeds = {0};
    for (int seed = 0; seed < results->seeds.count; seed++) {
        bool complete = true;
        Running means = {0}; /* of the collection, or of all that have the metric in some run */
        for (int c = 0; c < results->collections.count; c++) {
            Running scenarios = {0};
            if (collection >= 0 && c != collection) continue;
            for (int i = 0; i < results->categories.count; i++) {
                if (results->collection_of[i] != c) continue;
                double value = percent_at(results, variant, i, seed, column);
                if (isfinite(value)) add(&scenarios, value);
                complete = complete && isfinite(value);
                summary.expected++;
            }
            summary.runs += scenarios.count;
            if (scenarios.count > 0) add(&means, scenarios.mean);
        }
        if (means.count == 0) continue;
        add(&all_seeds, means.mean);
        if (complete) add(&complete_seeds, means.mean);
    }
    summary.seeds = complete_seeds.count;
    summary.mean = mean_of(summary.seeds > 0 ? &complete_seeds : &all_seeds);
    summary.deviation = deviation_of(&complete_seeds);
    return summary;
}

bool ead_sweep_results_have(const EadSweepResults *results, int column) {
    for (int v = 0; v < results->variants.count; v++)
        if (ead_summarize_collection(results, v, -1, column).runs > 0) return true;
    return false;
}

/* ---- the paper ---- */

static const EadPaperNumber numbers[] = {
#define EAD_PAPER(table, variant, collection, metric, value, deviation)                                      \
    {table, variant, collection, metric, value, deviation},
#include "train/sweep/paper_numbers.def"
#undef EAD_PAPER
};

const EadPaperNumber *ead_paper_numbers(int *count) {
    *count = (int)(sizeof numbers / sizeof *numbers);
    return numbers;
}

const EadPaperNumber *ead_paper_find(const char *table, const char *variant, const char *collection,
                                     const char *metric) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const EadPaperNumber *row = &numbers[i];
        if (strcmp(row->metric, metric) == 0 && strcmp(row->table, table) == 0 &&
            strcmp(row->variant, variant) == 0 && strcmp(row->collection, collection) == 0)
            return row;
    }
    return NULL;
}

int ead_paper_scenarios(const char *collection) {
    static const struct {
        const char *name;
        int scenarios;
    } known[] = {{"mvtec_ad", 15}, {"mvtec_loco", 5}, {"visa", 12}, {"all", 32}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, collection) == 0) return known[i].scenarios;
    return 0;
}
