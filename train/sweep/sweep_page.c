/* The JSON in the page of a sweep: tables and dot charts. */
#include "train/sweep/sweep_report.h"

#include "core/base/memory.h"
#include "train/report/page_link.h"
#include "train/report/report.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_VARIANTS = 6, DIGITS = 6 }; /* as many variants as there are colours */

static void write_texts(EadJson *json, const char *key, char *const *texts, int count) {
    ead_json_open(json, key, '[');
    for (int i = 0; i < count; i++) ead_json_string(json, NULL, texts[i]);
    ead_json_close(json, ']');
}

/* Writes a table that has been filled, and frees it. */
static EadStatus write_filled(EadJson *json, const char *key, EadTextTable *table) {
    EadStatus status = table->status;
    ead_json_open(json, key, '[');
    for (int i = 0; i + table->columns <= table->cells.count; i += table->columns)
        write_texts(json, NULL, table->cells.items + i, table->columns);
    ead_json_close(json, ']');
    ead_text_table_free(table);
    return status;
}

static EadStatus write_table(EadJson *json, const char *key, const EadSweepResults *results, int metric,
                             EadMakeTable *make) {
    EadTextTable table;
    (void)make(results, metric, &table);
    return write_filled(json, key, &table);
}

static EadStatus write_speed(EadJson *json, const EadSweepResults *results) {
    EadTextTable table;
    (void)ead_sweep_speed_table(results, &table);
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "title", EAD_SWEEP_SPEED_TITLE);
    ead_json_string(json, "note", EAD_SWEEP_SPEED_NOTE);
    EadStatus status = write_filled(json, "table", &table);
    ead_json_open(json, "charts", '[');
    ead_json_close(json, ']');
    ead_json_close(json, '}');
    return status;
}

static void write_numbers(EadJson *json, const char *key, const double *numbers, int count) {
    ead_json_open(json, key, '[');
    for (int i = 0; i < count; i++) ead_json_number(json, NULL, numbers[i], DIGITS);
    ead_json_close(json, ']');
}

/* numbers [2][count]: means and deviations. hollow: for what is only compared with. */
static void write_series(EadJson *json, const char *name, bool hollow, const double *numbers, int count) {
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", name);
    ead_json_flag(json, "hollow", hollow);
    write_numbers(json, "means", numbers, count);
    write_numbers(json, "deviations", numbers + count, count);
    ead_json_close(json, '}');
}

/* Variants against the paper: one collection or the mean. numbers [4][variants] is scratch. */
static void write_collection(EadJson *json, const EadSweepResults *results, int collection, int metric,
                             double *numbers) {
    int variants = results->variants.count, known = 0, runs = 0;
    double *paper = numbers + 2 * variants;
    for (int v = 0; v < variants; v++) {
        bool comparable;
        EadSummary summary = ead_summarize_collection(results, v, collection, metric);
        const EadPaperNumber *number = ead_sweep_paper_number(results, v, collection, metric, &comparable);
        numbers[v] = summary.mean;
        numbers[variants + v] = summary.deviation;
        paper[v] = number ? number->value : NAN;
        paper[variants + v] = NAN;
        known += number != NULL;
        runs += summary.runs;
    }
    if (runs == 0) return;
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "title",
                    collection == EAD_ALL_COLLECTIONS ? "mean of the collections"
                                                      : results->collections.items[collection]);
    write_texts(json, "rows", results->variants.items, results->variants.count);
    ead_json_open(json, "series", '[');
    write_series(json, "here", false, numbers, variants);
    if (known > 0) write_series(json, "paper", true, paper, variants);
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

/* Every scenario, one dot a variant. numbers [2][scenarios] is scratch. */
static void write_scenarios(EadJson *json, const EadSweepResults *results, int metric, double *numbers) {
    int scenarios = results->categories.count, variants = results->variants.count;
    ead_json_open(json, "scenarios", '{');
    ead_json_string(json, "title", "Scenarios");
    write_texts(json, "rows", results->categories.items, scenarios);
    ead_json_open(json, "series", '[');
    for (int v = 0; v < variants && v < MAX_VARIANTS; v++) {
        for (int i = 0; i < scenarios; i++) {
            EadSummary summary = ead_summarize_scenario(results, v, i, metric);
            numbers[i] = summary.mean;
            numbers[scenarios + i] = summary.deviation;
        }
        write_series(json, results->variants.items[v], false, numbers, scenarios);
    }
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

static EadStatus write_metric(EadJson *json, const EadSweepResults *results, int metric, double *numbers) {
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "title", results->columns[metric].title);
    EAD_TRY(write_table(json, "table", results, metric, ead_sweep_collection_table));
    ead_json_open(json, "charts", '[');
    for (int c = 0; c < results->collections.count; c++) write_collection(json, results, c, metric, numbers);
    if (ead_sweep_has_mean(results, metric))
        write_collection(json, results, EAD_ALL_COLLECTIONS, metric, numbers);
    ead_json_close(json, ']');
    if (ead_sweep_by_scenario(results, metric)) {
        write_scenarios(json, results, metric, numbers);
        EAD_TRY(write_table(json, "scenario_table", results, metric, ead_sweep_scenario_table));
    }
    ead_json_close(json, '}');
    return EAD_OK;
}

/* Links to the pages of the runs of one scenario of a variant. */
static EadStatus write_reports_of(EadJson *json, const EadSweepResults *results, int variant, int scenario) {
    bool found = false;
    for (int i = 0; i < results->report_count; i++) {
        const EadSweepReport *report = &results->reports[i];
        if (report->variant != variant || report->scenario != scenario) continue;
        if (!found) {
            ead_json_open(json, NULL, '{');
            ead_json_string(json, "variant", results->variants.items[variant]);
            ead_json_string(json, "collection", results->collections.items[results->collection_of[scenario]]);
            ead_json_string(json, "scenario", results->categories.items[scenario]);
            ead_json_open(json, "reports", '[');
        }
        found = true;
        char *link = ead_link_text(report->path);
        if (!link) return EAD_NO_MEMORY;
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "seed", results->seeds.items[report->seed]);
        ead_json_string(json, "href", link);
        ead_json_close(json, '}');
        free(link);
    }
    if (!found) return EAD_OK;
    ead_json_close(json, ']');
    ead_json_close(json, '}');
    return EAD_OK;
}

static EadStatus write_reports(EadJson *json, const EadSweepResults *results) {
    ead_json_open(json, "runs", '[');
    for (int v = 0; v < results->variants.count; v++)
        for (int i = 0; i < results->categories.count; i++) EAD_TRY(write_reports_of(json, results, v, i));
    ead_json_close(json, ']');
    return EAD_OK;
}

EadStatus ead_sweep_write_page(FILE *stream, const EadSweepResults *results) {
    EadJson json;
    EadStatus status = EAD_OK;
    char notes[1024];
    double *numbers = ead_new(4 * ((int64_t)results->variants.count + results->categories.count),
                              sizeof *numbers, "the charts of the report");
    if (!numbers) return EAD_NO_MEMORY;
    ead_sweep_notes(results, notes, sizeof notes);
    ead_page_begin(&json, stream);
    ead_json_string(&json, "kind", "sweep");
    ead_json_string(&json, "title", results->title);
    ead_json_string(&json, "notes", notes);
    ead_json_open(&json, "metrics", '[');
    for (int f = 0; f < results->column_count && status == EAD_OK; f++)
        if (ead_sweep_results_have(results, f)) status = write_metric(&json, results, f, numbers);
    if (status == EAD_OK && ead_sweep_has_speed(results)) status = write_speed(&json, results);
    if (status == EAD_OK) {
        ead_json_close(&json, ']');
        status = write_reports(&json, results);
    }
    if (status == EAD_OK) ead_page_end(&json);
    free(numbers);
    return status;
}
