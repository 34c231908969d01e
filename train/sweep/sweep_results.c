/* Reading of manifests and metrics by jansson. */
#include "train/sweep/sweep_results.h"

#include "core/base/paths.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *key, *title;
} metrics[EAD_TABLE_FIGURES] = {
    [EAD_FIGURE_IMAGE_AUROC] = {"image_auroc", "Image AU-ROC"},
    [EAD_FIGURE_LOGICAL_AUROC] = {"logical_auroc", "Image AU-ROC, logical anomalies"},
    [EAD_FIGURE_STRUCTURAL_AUROC] = {"structural_auroc", "Image AU-ROC, structural anomalies"},
    [EAD_FIGURE_AU_PRO_30] = {"au_pro_0.30", "AU-PRO to FPR 0.30 (LOCO: AU-sPRO)"},
    [EAD_FIGURE_AU_PRO_05] = {"au_pro_0.05", "AU-PRO to FPR 0.05 (LOCO: AU-sPRO)"},
};

const char *ead_table_metric_key(EadTableMetric metric) {
    return metrics[metric].key;
}

const char *ead_table_metric_title(EadTableMetric metric) {
    return metrics[metric].title;
}

static int find_name(const EadStringList *list, const char *name) {
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0) return i;
    return -1;
}

static EadStatus add_name(EadStringList *list, const char *name) {
    return find_name(list, name) >= 0 ? EAD_OK : ead_strings_add(list, name);
}

static int find_scenario(const EadSweepResults *results, int collection, const char *category) {
    for (int i = 0; i < results->categories.count; i++)
        if (results->collection_of[i] == collection && strcmp(results->categories.items[i], category) == 0)
            return i;
    return -1;
}

/* ---- the manifest ---- */

typedef struct ManifestRun {
    const char *variant, *collection, *category, *seed, *folder; /* borrowed from the JSON */
    int steps;
} ManifestRun;

/* Folders of runs lie below the manifest's. */
static bool leads_out(const char *folder) {
    return folder[0] == '/' || strncmp(folder, "../", 3) == 0 || strstr(folder, "/../");
}

static EadStatus unpack_run(const char *path, json_t *json, size_t index, ManifestRun *run) {
    int failed = json_unpack(json, "{s:s, s:s, s:s, s:s, s:s, s:i}", "variant", &run->variant, "collection",
                             &run->collection, "category", &run->category, "seed", &run->seed, "folder",
                             &run->folder, "steps", &run->steps);
    if (failed || leads_out(run->folder))
        return ead_fail(EAD_BAD_FILE, "%s: run %zu is damaged; write it anew with efficientad sweep", path,
                        index + 1);
    return EAD_OK;
}

static EadStatus add_run(const ManifestRun *run, EadSweepResults *results) {
    EAD_TRY(add_name(&results->variants, run->variant));
    EAD_TRY(add_name(&results->collections, run->collection));
    EAD_TRY(add_name(&results->seeds, run->seed));
    int collection = find_name(&results->collections, run->collection);
    if (find_scenario(results, collection, run->category) < 0) {
        int *grown = realloc(results->collection_of, (size_t)(results->categories.count + 1) * sizeof *grown);
        if (!grown) return ead_fail(EAD_NO_MEMORY, "no memory for the results of a sweep");
        results->collection_of = grown;
        grown[results->categories.count] = collection;
        EAD_TRY(ead_strings_add(&results->categories, run->category));
    }
    bool first = results->run_count++ == 0;
    if (first || run->steps < results->least_steps) results->least_steps = run->steps;
    if (first || run->steps > results->max_steps) results->max_steps = run->steps;
    return EAD_OK;
}

static EadStatus make_values(EadSweepResults *results) {
    size_t count = (size_t)results->variants.count * (size_t)results->categories.count *
                   (size_t)results->seeds.count * EAD_TABLE_FIGURES;
    results->values = malloc((count + 1) * sizeof *results->values);
    if (!results->values) return ead_fail(EAD_NO_MEMORY, "no memory for the results of a sweep");
    for (size_t i = 0; i < count; i++) results->values[i] = NAN;
    return EAD_OK;
}

double *ead_sweep_results_at(const EadSweepResults *results, int variant, int scenario, int seed) {
    size_t run = ((size_t)variant * (size_t)results->categories.count + (size_t)scenario) *
                     (size_t)results->seeds.count +
                 (size_t)seed;
    return results->values + run * EAD_TABLE_FIGURES;
}

/* ---- metrics.json ---- */

static double number_in(json_t *object, const char *key) {
    json_t *number = json_object_get(object, key);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

/* The AU-sPRO of a data set that has one, else its AU-PRO. */
static double overlap_in(json_t *object, const char *saturated, const char *plain) {
    double value = number_in(object, saturated);
    return isnan(value) ? number_in(object, plain) : value;
}

static void take_metrics(json_t *root, double *values) {
    json_t *defects = json_object_get(root, "defects");
    json_t *logical = json_object_get(defects, "logical_anomalies");
    json_t *structural = json_object_get(defects, "structural_anomalies");
    json_t *mean = json_object_get(defects, "mean"), *all = logical && structural && mean ? mean : root;
    values[EAD_FIGURE_IMAGE_AUROC] = number_in(all, "image_auroc");
    values[EAD_FIGURE_LOGICAL_AUROC] = number_in(logical, "image_auroc");
    values[EAD_FIGURE_STRUCTURAL_AUROC] = number_in(structural, "image_auroc");
    values[EAD_FIGURE_AU_PRO_30] = overlap_in(all, "au_spro_0.30", "au_pro_0.30");
    values[EAD_FIGURE_AU_PRO_05] = overlap_in(all, "au_spro_0.05", "au_pro_0.05");
}

static EadStatus read_metrics(const char *path, double *values) {
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return ead_fail(EAD_BAD_FILE, "%s:%d: %s; delete the run's folder", path, error.line, error.text);
    }
    take_metrics(root, values);
    json_decref(root);
    return EAD_OK;
}

static EadStatus read_run(const char *folder, const ManifestRun *run, EadSweepResults *results) {
    int variant = find_name(&results->variants, run->variant);
    int scenario = find_scenario(results, find_name(&results->collections, run->collection), run->category);
    int seed = find_name(&results->seeds, run->seed);
    char *run_folder = ead_path_join(folder, run->folder);
    char *path = run_folder ? ead_path_join(run_folder, "metrics.json") : NULL;
    EadStatus status = path ? EAD_OK : EAD_NO_MEMORY;
    if (path && access(path, F_OK) == 0) {
        status = read_metrics(path, ead_sweep_results_at(results, variant, scenario, seed));
        results->finished++;
    }
    free(run_folder);
    free(path);
    return status;
}

static EadStatus read_runs(const char *path, json_t *runs, EadSweepResults *results) {
    ManifestRun run;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        EAD_TRY(unpack_run(path, json_array_get(runs, i), i, &run));
        EAD_TRY(add_run(&run, results));
    }
    EAD_TRY(make_values(results));
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    EadStatus status = folder ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for the results of a sweep");
    for (size_t i = 0; i < json_array_size(runs) && status == EAD_OK; i++) {
        status = unpack_run(path, json_array_get(runs, i), i, &run);
        if (status == EAD_OK) status = read_run(folder, &run, results);
    }
    free(folder);
    return status;
}

EadStatus ead_sweep_results_read(const char *manifest, EadSweepResults *results) {
    json_error_t error;
    json_t *runs;
    const char *format = "", *title, *paper;
    *results = (EadSweepResults){0};
    json_t *root = json_load_file(manifest, 0, &error);
    if (!root) return ead_fail(EAD_BAD_FILE, "%s:%d: %s", manifest, error.line, error.text);
    int failed = json_unpack(root, "{s:s, s:s, s:s, s:o}", "format", &format, "title", &title, "paper",
                             &paper, "runs", &runs);
    EadStatus status = EAD_OK;
    if (failed || strcmp(format, "efficientad-sweep/1") != 0 || !json_is_array(runs))
        status = ead_fail(EAD_BAD_FILE, "%s: is no manifest of a sweep", manifest);
    if (status == EAD_OK) {
        results->title = strdup(title);
        results->paper = strdup(paper);
        if (!results->title || !results->paper)
            status = ead_fail(EAD_NO_MEMORY, "no memory for the results of a sweep");
    }
    if (status == EAD_OK) status = read_runs(manifest, runs, results);
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
    free(results->collection_of);
    free(results->values);
    *results = (EadSweepResults){0};
}
