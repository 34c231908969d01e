/* Markdown and CSV. */
#include "train/sweep/sweep_report.h"

#include "train/sweep/paper_numbers.h"
#include "train/sweep/sweep_tables.h"

#include <math.h>
#include <string.h>

static const int all_collections = -1;

/* ---- Markdown ---- */

static void write_cell(FILE *stream, const char *text) {
    fputs(" ", stream);
    for (; *text; text++) {
        if (*text == '|' || *text == '\\' || *text == '_' || *text == '*') putc('\\', stream);
        putc(*text, stream);
    }
    fputs(" |", stream);
}

static void write_table(FILE *stream, const EadTextTable *table) {
    for (int row = 0; row < table->rows; row++) {
        putc('|', stream);
        for (int column = 0; column < table->columns; column++)
            write_cell(stream, table->cells[row * table->columns + column]);
        putc('\n', stream);
        if (row > 0) continue;
        putc('|', stream);
        for (int column = 0; column < table->columns; column++) fputs(column == 0 ? "---|" : "---:|", stream);
        putc('\n', stream);
    }
    putc('\n', stream);
}

typedef EadStatus MakeTable(const EadSweepResults *results, EadTableMetric metric, EadTextTable *table);

static EadStatus write_made(FILE *stream, const EadSweepResults *results, EadTableMetric metric,
                            MakeTable *make, const char *heading) {
    EadTextTable table = {0};
    EadStatus status = make(results, metric, &table);
    if (status == EAD_OK) {
        fprintf(stream, "## %s%s\n\n", ead_table_metric_title(metric), heading);
        write_table(stream, &table);
    }
    ead_text_table_free(&table);
    return status;
}

EadStatus ead_sweep_write_markdown(FILE *stream, const EadSweepResults *results) {
    char notes[1024];
    ead_sweep_notes(results, notes, sizeof notes);
    fprintf(stream, "# %s\n\n%s\n\n", results->title, notes);
    for (int f = 0; f < EAD_TABLE_FIGURES; f++)
        if (ead_sweep_results_have(results, (EadTableMetric)f))
            EAD_TRY(write_made(stream, results, (EadTableMetric)f, ead_sweep_collection_table, ""));
    for (int f = 0; f < EAD_TABLE_FIGURES; f++)
        if (ead_sweep_by_scenario(results, (EadTableMetric)f))
            EAD_TRY(
                write_made(stream, results, (EadTableMetric)f, ead_sweep_scenario_table, ", by scenario"));
    return EAD_OK;
}

/* ---- CSV ---- */

static void write_number(FILE *stream, double value) {
    putc(',', stream);
    if (isfinite(value)) fprintf(stream, "%.6f", value);
}

/* Names need no quotes: they are folder names without commas (train/sweep/sweep_file.c). */
static void write_line(FILE *stream, const EadSweepResults *results, int variant, const char *collection,
                       const char *scenario, EadTableMetric metric, const EadSummary *summary, double paper,
                       bool comparable) {
    fprintf(stream, "%s,%s,%s,%s,%d,%d,%d", results->variants.items[variant], collection, scenario,
            ead_table_metric_key(metric), summary->seeds, summary->runs, summary->expected);
    write_number(stream, summary->mean);
    write_number(stream, summary->deviation);
    write_number(stream, paper);
    write_number(stream, comparable && summary->seeds > 0 ? summary->mean - paper : NAN);
    putc('\n', stream);
}

static void write_scenarios(FILE *stream, const EadSweepResults *results, int variant,
                            EadTableMetric metric) {
    for (int i = 0; i < results->categories.count; i++) {
        EadSummary summary = ead_summarize_scenario(results, variant, i, metric);
        if (summary.runs > 0)
            write_line(stream, results, variant, results->collections.items[results->collection_of[i]],
                       results->categories.items[i], metric, &summary, NAN, false);
    }
}

static void write_collections(FILE *stream, const EadSweepResults *results, int variant,
                              EadTableMetric metric) {
    int last =
        ead_sweep_has_mean(results, metric) ? results->collections.count : results->collections.count - 1;
    for (int c = 0; c <= last; c++) {
        bool comparable;
        int collection = c < results->collections.count ? c : all_collections;
        EadSummary summary = ead_summarize_collection(results, variant, collection, metric);
        const EadPaperNumber *number =
            ead_sweep_paper_number(results, variant, collection, metric, &comparable);
        if (summary.runs > 0)
            write_line(stream, results, variant,
                       collection == all_collections ? "all" : results->collections.items[c], "mean", metric,
                       &summary, number ? number->percent : NAN, comparable && number);
    }
}

EadStatus ead_sweep_write_csv(FILE *stream, const EadSweepResults *results) {
    fputs("variant,collection,scenario,metric,seeds,runs,expected,mean,deviation,paper,difference\n", stream);
    for (int v = 0; v < results->variants.count; v++)
        for (int f = 0; f < EAD_TABLE_FIGURES; f++) {
            write_scenarios(stream, results, v, (EadTableMetric)f);
            write_collections(stream, results, v, (EadTableMetric)f);
        }
    return EAD_OK;
}
