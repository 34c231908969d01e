/* The tables of a sweep, cell by cell, and their files in Markdown and CSV. */
#include "train/sweep/sweep_report.h"

#include "core/base/memory.h"
#include "train/metrics/metrics_output.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const int all_collections = -1;
enum { paper_steps = 70000 };

/* ---- cells ---- */

void ead_text_table_free(EadTextTable *table) {
    for (int i = 0; i < table->rows * table->columns; i++) free(table->cells[i]);
    free(table->cells);
    *table = (EadTextTable){0};
}

static EadStatus set_cell(EadTextTable *table, int row, int column, const char *format, ...) EAD_PRINTF(4, 5);

static EadStatus set_cell(EadTextTable *table, int row, int column, const char *format, ...) {
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    char **cell = &table->cells[row * table->columns + column];
    free(*cell);
    *cell = ead_strdup(text);
    return *cell ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus make_cells(EadTextTable *table, int rows, int columns) {
    *table = (EadTextTable){0};
    table->cells = ead_new((int64_t)rows * columns, sizeof *table->cells, "the tables of the report");
    if (!table->cells) return EAD_NO_MEMORY;
    table->rows = rows;
    table->columns = columns;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) EAD_TRY(set_cell(table, row, column, "%s", ""));
    return EAD_OK;
}

static void describe(const EadSummary *summary, bool of_scenarios, char *text, size_t size) {
    if (summary->runs == 0)
        snprintf(text, size, "–");
    else if (summary->seeds == 0 && of_scenarios)
        snprintf(text, size, "%.2f (%d of %d)", summary->mean, summary->runs, summary->expected);
    else if (isnan(summary->deviation))
        snprintf(text, size, "%.2f", summary->mean);
    else
        snprintf(text, size, "%.2f ± %.2f", summary->mean, summary->deviation);
}

/* ---- against the paper ---- */

static const char *collection_name(const EadSweepResults *results, int collection) {
    return collection == all_collections ? "all" : results->collections.items[collection];
}

static int count_scenarios(const EadSweepResults *results, int collection) {
    int count = 0;
    for (int i = 0; i < results->categories.count; i++)
        count += collection == all_collections || results->collection_of[i] == collection;
    return count;
}

const EadPaperNumber *ead_sweep_paper_number(const EadSweepResults *results, int variant, int collection,
                                             int column, bool *comparable) {
    const char *name = collection_name(results, collection);
    *comparable = count_scenarios(results, collection) == ead_paper_scenarios(name);
    return ead_paper_find(results->paper, results->variants.items[variant], name,
                          results->columns[column].key);
}

static bool has_collection(const EadSweepResults *results, int collection, int column) {
    for (int v = 0; v < results->variants.count; v++)
        if (ead_summarize_collection(results, v, collection, column).runs > 0) return true;
    return false;
}

bool ead_sweep_has_mean(const EadSweepResults *results, int column) {
    int count = 0;
    for (int c = 0; c < results->collections.count; c++) count += has_collection(results, c, column);
    return count > 1;
}

bool ead_sweep_by_scenario(const EadSweepResults *results, int column) {
    const EadSweepColumn *shown = &results->columns[column];
    bool wanted = !shown->kind && ead_metric_rows[shown->metric].places & EAD_SHOW_SCENARIO;
    return wanted && ead_sweep_results_have(results, column);
}

static bool paper_knows(const EadSweepResults *results, int collection, int column) {
    int count;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].metric, results->columns[column].key) == 0 &&
            strcmp(rows[i].table, results->paper) == 0 &&
            strcmp(rows[i].collection, collection_name(results, collection)) == 0)
            return true;
    return false;
}

/* ---- the table by collection ---- */

/* A collection's columns start at `column`; a collection that the paper knows has three. */
typedef struct Group {
    int collection, column;
    bool paper;
} Group;

enum { MAX_GROUPS = 16 };

static int list_groups(const EadSweepResults *results, int column, Group *groups, int *columns) {
    int count = 0;
    *columns = 1;
    for (int c = 0; c <= results->collections.count && count < MAX_GROUPS; c++) {
        int collection = c < results->collections.count ? c : all_collections;
        bool shown = collection == all_collections ? ead_sweep_has_mean(results, column)
                                                   : has_collection(results, collection, column);
        if (!shown) continue;
        groups[count] = (Group){collection, *columns, paper_knows(results, collection, column)};
        *columns += groups[count++].paper ? 3 : 1;
    }
    return count;
}

static EadStatus fill_head(const EadSweepResults *results, const Group *group, EadTextTable *table) {
    const char *name =
        group->collection == all_collections ? "mean" : collection_name(results, group->collection);
    EAD_TRY(set_cell(table, 0, group->column, "%s", name));
    if (!group->paper) return EAD_OK;
    EAD_TRY(set_cell(table, 0, group->column + 1, "paper"));
    return set_cell(table, 0, group->column + 2, "difference");
}

static EadStatus set_paper(EadTextTable *table, int row, int column, const EadPaperNumber *number) {
    if (isnan(number->deviation)) return set_cell(table, row, column, "%.1f", number->percent);
    return set_cell(table, row, column, "%.1f ± %.2f", number->percent, number->deviation);
}

static EadStatus fill_group(const EadSweepResults *results, int variant, const Group *group, int column,
                            EadTextTable *table) {
    char text[64];
    bool comparable;
    EadSummary summary = ead_summarize_collection(results, variant, group->collection, column);
    describe(&summary, true, text, sizeof text);
    EAD_TRY(set_cell(table, variant + 1, group->column, "%s", text));
    const EadPaperNumber *number =
        ead_sweep_paper_number(results, variant, group->collection, column, &comparable);
    if (!number) return EAD_OK;
    EAD_TRY(set_paper(table, variant + 1, group->column + 1, number));
    if (!comparable || summary.seeds == 0) return set_cell(table, variant + 1, group->column + 2, "–");
    return set_cell(table, variant + 1, group->column + 2, "%+.2f", summary.mean - number->percent);
}

/* Rows of the paper's table that are no variant here. */
static bool is_other_method(const EadSweepResults *results, const EadPaperNumber *number, int column) {
    if (strcmp(number->metric, results->columns[column].key) != 0 ||
        strcmp(number->table, results->paper) != 0)
        return false;
    for (int v = 0; v < results->variants.count; v++)
        if (strcmp(results->variants.items[v], number->variant) == 0) return false;
    return true;
}

static int count_others(const EadSweepResults *results, int column) {
    int count, others = 0;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    for (int i = 0; i < count; i++)
        others += is_other_method(results, &rows[i], column) && strcmp(rows[i].collection, "all") == 0;
    return others;
}

static EadStatus fill_others(const EadSweepResults *results, const Group *group, int column,
                             EadTextTable *table) {
    int count, row = results->variants.count + 1;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    for (int i = 0; i < count; i++) {
        if (!is_other_method(results, &rows[i], column) || strcmp(rows[i].collection, "all") != 0) continue;
        EAD_TRY(set_cell(table, row, 0, "%s", rows[i].variant));
        EAD_TRY(set_paper(table, row++, group->column + 1, &rows[i]));
    }
    return EAD_OK;
}

static EadStatus fill_collections(const EadSweepResults *results, int column, const Group *groups, int count,
                                  EadTextTable *table) {
    EAD_TRY(set_cell(table, 0, 0, "variant"));
    for (int v = 0; v < results->variants.count; v++)
        EAD_TRY(set_cell(table, v + 1, 0, "%s", results->variants.items[v]));
    for (int g = 0; g < count; g++) {
        EAD_TRY(fill_head(results, &groups[g], table));
        for (int v = 0; v < results->variants.count; v++)
            EAD_TRY(fill_group(results, v, &groups[g], column, table));
    }
    bool mean = count > 0 && groups[count - 1].collection == all_collections && groups[count - 1].paper;
    return mean ? fill_others(results, &groups[count - 1], column, table) : EAD_OK;
}

EadStatus ead_sweep_collection_table(const EadSweepResults *results, int column, EadTextTable *table) {
    Group groups[MAX_GROUPS];
    int columns, count = list_groups(results, column, groups, &columns);
    bool mean = count > 0 && groups[count - 1].collection == all_collections && groups[count - 1].paper;
    int rows = 1 + results->variants.count + (mean ? count_others(results, column) : 0);
    EAD_TRY(make_cells(table, rows, columns));
    return fill_collections(results, column, groups, count, table);
}

/* ---- the table by scenario ---- */

EadStatus ead_sweep_scenario_table(const EadSweepResults *results, int column, EadTextTable *table) {
    EAD_TRY(make_cells(table, results->categories.count + 1, results->variants.count + 2));
    EAD_TRY(set_cell(table, 0, 0, "collection"));
    EAD_TRY(set_cell(table, 0, 1, "scenario"));
    for (int v = 0; v < results->variants.count; v++)
        EAD_TRY(set_cell(table, 0, v + 2, "%s", results->variants.items[v]));
    for (int i = 0; i < results->categories.count; i++) {
        EAD_TRY(set_cell(table, i + 1, 0, "%s", results->collections.items[results->collection_of[i]]));
        EAD_TRY(set_cell(table, i + 1, 1, "%s", results->categories.items[i]));
        for (int v = 0; v < results->variants.count; v++) {
            char text[64];
            EadSummary summary = ead_summarize_scenario(results, v, i, column);
            describe(&summary, false, text, sizeof text);
            EAD_TRY(set_cell(table, i + 1, v + 2, "%s", text));
        }
    }
    return EAD_OK;
}

/* ---- notes ---- */

static bool all_comparable(const EadSweepResults *results) {
    for (int c = 0; c < results->collections.count; c++)
        if (count_scenarios(results, c) != ead_paper_scenarios(results->collections.items[c])) return false;
    return true;
}

void ead_sweep_notes(const EadSweepResults *results, char *text, size_t size) {
    char steps[64], paper[64] = "";
    int min = results->min_steps, max = results->max_steps;
    snprintf(steps, sizeof steps, min == max ? "%d" : "%d to %d", min, max);
    if (results->paper[0] && (min != paper_steps || max != paper_steps))
        snprintf(paper, sizeof paper, " (the paper: %d)", paper_steps);
    snprintf(text, size,
             "%d of %d runs are finished, %d seed%s. Training: %s steps%s. Percent; a collection's metric is "
             "the mean "
             "over its scenarios, then mean ± standard deviation over the seeds for which all scenarios are "
             "there.%s",
             results->finished, results->run_count, results->seeds.count,
             results->seeds.count == 1 ? "" : "s", steps, paper,
             results->paper[0] && !all_comparable(results)
                 ? " The paper's numbers are means over all scenarios of a collection (15, 5 and 12); where "
                   "fewer are "
                   "here there is no difference to show."
                 : "");
}

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

static EadStatus write_made(FILE *stream, const EadSweepResults *results, int column, EadMakeTable *make,
                            const char *heading) {
    EadTextTable table = {0};
    EadStatus status = make(results, column, &table);
    if (status == EAD_OK) {
        fprintf(stream, "## %s%s\n\n", results->columns[column].title, heading);
        write_table(stream, &table);
    }
    ead_text_table_free(&table);
    return status;
}

EadStatus ead_sweep_write_markdown(FILE *stream, const EadSweepResults *results) {
    char notes[1024];
    ead_sweep_notes(results, notes, sizeof notes);
    fprintf(stream, "# %s\n\n%s\n\n", results->title, notes);
    for (int f = 0; f < results->column_count; f++)
        if (ead_sweep_results_have(results, f))
            EAD_TRY(write_made(stream, results, f, ead_sweep_collection_table, ""));
    for (int f = 0; f < results->column_count; f++)
        if (ead_sweep_by_scenario(results, f))
            EAD_TRY(write_made(stream, results, f, ead_sweep_scenario_table, ", by scenario"));
    return EAD_OK;
}

/* ---- CSV ---- */

static void write_number(FILE *stream, double value) {
    putc(',', stream);
    if (isfinite(value)) fprintf(stream, "%.6f", value);
}

/* Names need no quotes: they are folder names without commas (train/sweep/sweep_file.c). */
static void write_line(FILE *stream, const EadSweepResults *results, int variant, const char *collection,
                       const char *scenario, int column, const EadSummary *summary, double paper,
                       bool comparable) {
    fprintf(stream, "%s,%s,%s,%s,%d,%d,%d", results->variants.items[variant], collection, scenario,
            results->columns[column].key, summary->seeds, summary->runs, summary->expected);
    write_number(stream, summary->mean);
    write_number(stream, summary->deviation);
    write_number(stream, paper);
    write_number(stream, comparable && summary->seeds > 0 ? summary->mean - paper : NAN);
    putc('\n', stream);
}

static void write_scenarios(FILE *stream, const EadSweepResults *results, int variant, int column) {
    for (int i = 0; i < results->categories.count; i++) {
        EadSummary summary = ead_summarize_scenario(results, variant, i, column);
        if (summary.runs > 0)
            write_line(stream, results, variant, results->collections.items[results->collection_of[i]],
                       results->categories.items[i], column, &summary, NAN, false);
    }
}

static void write_collections(FILE *stream, const EadSweepResults *results, int variant, int column) {
    int last =
        ead_sweep_has_mean(results, column) ? results->collections.count : results->collections.count - 1;
    for (int c = 0; c <= last; c++) {
        bool comparable;
        int collection = c < results->collections.count ? c : all_collections;
        EadSummary summary = ead_summarize_collection(results, variant, collection, column);
        const EadPaperNumber *number =
            ead_sweep_paper_number(results, variant, collection, column, &comparable);
        if (summary.runs > 0)
            write_line(stream, results, variant,
                       collection == all_collections ? "all" : results->collections.items[c], "mean", column,
                       &summary, number ? number->percent : NAN, comparable && number);
    }
}

EadStatus ead_sweep_write_csv(FILE *stream, const EadSweepResults *results) {
    fputs("variant,collection,scenario,metric,seeds,runs,expected,mean,deviation,paper,difference\n", stream);
    for (int v = 0; v < results->variants.count; v++)
        for (int f = 0; f < results->column_count; f++) {
            write_scenarios(stream, results, v, f);
            write_collections(stream, results, v, f);
        }
    return EAD_OK;
}
