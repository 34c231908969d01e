/* The tables of a sweep, cell by cell, and their files in Markdown and CSV. */
#include "train/sweep/sweep_report.h"

#include "core/base/memory.h"
#include "data/dataset/csv_reader.h"
#include "train/metrics/metrics_output.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define EAD_PAPER_TRAINING "70000 steps"

void ead_text_table_free(EadTextTable *table) {
    ead_strings_free(&table->cells);
}

/* The next cell. After a failure there are no more, and table->status says why. */
static void add_cell(EadTextTable *table, const char *format, ...) EAD_PRINTF(2, 3);

static void add_cell(EadTextTable *table, const char *format, ...) {
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (table->status == EAD_OK) table->status = ead_strings_add(&table->cells, text);
}

/* mean ± deviation. of_scenarios: what is incomplete says so. */
static void add_summary(EadTextTable *table, const EadSummary *summary, bool of_scenarios) {
    if (summary->runs == 0)
        add_cell(table, "–");
    else if (summary->seeds == 0 && of_scenarios)
        add_cell(table, "%.2f (%d of %d)", summary->mean, summary->runs, summary->expected);
    else if (isnan(summary->deviation))
        add_cell(table, "%.2f", summary->mean);
    else
        add_cell(table, "%.2f ± %.2f", summary->mean, summary->deviation);
}

/* ---- against the paper ---- */

static const char *collection_name(const EadSweepResults *results, int collection) {
    return collection == EAD_ALL_COLLECTIONS ? "all" : results->collections.items[collection];
}

/* Whether there are as many scenarios as the paper's mean is over. */
static bool is_comparable(const EadSweepResults *results, int collection) {
    int count = 0;
    for (int i = 0; i < results->categories.count; i++)
        count += collection == EAD_ALL_COLLECTIONS || results->collection_of[i] == collection;
    return count == ead_paper_scenarios(collection_name(results, collection));
}

const EadPaperNumber *ead_sweep_paper_number(const EadSweepResults *results, int variant, int collection,
                                             int column, bool *comparable) {
    *comparable = is_comparable(results, collection);
    return ead_paper_find(results->paper, results->variants.items[variant],
                          collection_name(results, collection), results->columns[column].key);
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

/* The paper's next row about a collection, after `last` (NULL: the first), or NULL. */
static const EadPaperNumber *next_row(const EadSweepResults *results, int collection, int column,
                                      const EadPaperNumber *last) {
    int count;
    const EadPaperNumber *rows = ead_paper_numbers(&count), *end = rows + count;
    for (const EadPaperNumber *row = last ? last + 1 : rows; row < end; row++)
        if (strcmp(row->metric, results->columns[column].key) == 0 &&
            strcmp(row->table, results->paper) == 0 &&
            strcmp(row->collection, collection_name(results, collection)) == 0)
            return row;
    return NULL;
}

/* ---- the tables, and what to say of them ---- */

/* A collection, or the mean of all; one that the paper knows has three columns. */
typedef struct Group {
    int collection;
    bool paper;
} Group;

/* At `place`: a collection, or behind the last one the mean. Whether the column has it. */
static bool find_group(const EadSweepResults *results, int column, int place, Group *group) {
    int c = place < results->collections.count ? place : EAD_ALL_COLLECTIONS;
    *group = (Group){c, next_row(results, c, column, NULL) != NULL};
    return c == EAD_ALL_COLLECTIONS ? ead_sweep_has_mean(results, column)
                                    : has_collection(results, c, column);
}

static void add_paper(EadTextTable *table, const EadPaperNumber *number) {
    if (!number)
        add_cell(table, "%s", "");
    else if (isnan(number->deviation))
        add_cell(table, "%.1f", number->value);
    else
        add_cell(table, "%.1f ± %.2f", number->value, number->deviation);
}

static void add_group(EadTextTable *table, const EadSweepResults *results, int variant, const Group *group,
                      int column) {
    bool comparable;
    EadSummary summary = ead_summarize_collection(results, variant, group->collection, column);
    add_summary(table, &summary, true);
    if (!group->paper) return;
    const EadPaperNumber *number =
        ead_sweep_paper_number(results, variant, group->collection, column, &comparable);
    add_paper(table, number);
    if (!number)
        add_cell(table, "%s", "");
    else if (!comparable || summary.seeds == 0)
        add_cell(table, "–");
    else
        add_cell(table, "%+.2f", summary.mean - number->value);
}

/* The paper's methods with a mean over all collections that are no variant here. */
static void add_others(EadTextTable *table, const EadSweepResults *results, int column) {
    const EadPaperNumber *row = NULL;
    Group group;
    while ((row = next_row(results, EAD_ALL_COLLECTIONS, column, row))) {
        if (ead_strings_find(&results->variants, row->variant) >= 0) continue;
        add_cell(table, "%s", row->variant);
        for (int g = 0; g <= results->collections.count; g++) {
            if (!find_group(results, column, g, &group)) continue;
            add_cell(table, "%s", "");
            if (!group.paper) continue;
            add_paper(table, ead_paper_find(row->table, row->variant,
                                            collection_name(results, group.collection), row->metric));
            add_cell(table, "%s", "");
        }
    }
}

EadStatus ead_sweep_collection_table(const EadSweepResults *results, int column, EadTextTable *table) {
    Group group;
    int mean = results->collections.count;
    *table = (EadTextTable){.columns = 1};
    add_cell(table, "variant");
    for (int g = 0; g <= mean; g++) {
        if (!find_group(results, column, g, &group)) continue;
        add_cell(table, "%s", g == mean ? "mean" : collection_name(results, g));
        if (group.paper) add_cell(table, "paper");
        if (group.paper) add_cell(table, "difference");
        table->columns += group.paper ? 3 : 1;
    }
    for (int v = 0; v < results->variants.count; v++) {
        add_cell(table, "%s", results->variants.items[v]);
        for (int g = 0; g <= mean; g++)
            if (find_group(results, column, g, &group)) add_group(table, results, v, &group, column);
    }
    if (find_group(results, column, mean, &group) && group.paper) add_others(table, results, column);
    return table->status;
}

EadStatus ead_sweep_scenario_table(const EadSweepResults *results, int column, EadTextTable *table) {
    *table = (EadTextTable){.columns = results->variants.count + 2};
    add_cell(table, "collection");
    add_cell(table, "scenario");
    for (int v = 0; v < results->variants.count; v++) add_cell(table, "%s", results->variants.items[v]);
    for (int i = 0; i < results->categories.count; i++) {
        add_cell(table, "%s", results->collections.items[results->collection_of[i]]);
        add_cell(table, "%s", results->categories.items[i]);
        for (int v = 0; v < results->variants.count; v++) {
            EadSummary summary = ead_summarize_scenario(results, v, i, column);
            add_summary(table, &summary, false);
        }
    }
    return table->status;
}

/* ---- speed ---- */

static void add_speed(EadTextTable *table, const EadSweepResults *results, const char *variant,
                      const EadSweepSpeed *speed) {
    static const char *const keys[] = {EAD_PAPER_LATENCY, EAD_PAPER_THROUGHPUT};
    const double ours[] = {speed && speed->runs > 0 ? speed->milliseconds : 0,
                           speed ? speed->images_per_s : 0};
    add_cell(table, "%s", variant);
    for (int i = 0; i < 2; i++) {
        if (ours[i] > 0)
            add_cell(table, "%.1f", ours[i]);
        else
            add_cell(table, "%s", "");
        const EadPaperNumber *number = ead_paper_find(results->paper, variant, "all", keys[i]);
        if (number)
            add_cell(table, "%.4g", number->value);
        else
            add_cell(table, "%s", "");
    }
}

bool ead_sweep_has_speed(const EadSweepResults *results) {
    int count;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].metric, EAD_PAPER_LATENCY) == 0 && strcmp(rows[i].table, results->paper) == 0)
            return true;
    return false;
}

EadStatus ead_sweep_speed_table(const EadSweepResults *results, EadTextTable *table) {
    int count;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    *table = (EadTextTable){.columns = 5};
    add_cell(table, "variant");
    add_cell(table, "ms an image");
    add_cell(table, "paper: ms an image");
    add_cell(table, "images/s");
    add_cell(table, "paper: images/s");
    for (int v = 0; v < results->variants.count; v++)
        add_speed(table, results, results->variants.items[v], &results->speeds[v]);
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].metric, EAD_PAPER_LATENCY) == 0 && strcmp(rows[i].table, results->paper) == 0 &&
            ead_strings_find(&results->variants, rows[i].variant) < 0)
            add_speed(table, results, rows[i].variant, NULL);
    return table->status;
}

/* " Training: 70000 steps, one pass." Nothing where the list of runs does not say it. */
static void describe_training(const EadSweepResults *results, char *text, size_t size) {
    const EadStringList *trained = &results->trained;
    bool as_paper = true;
    text[0] = '\0';
    for (int i = 0; i < trained->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i ? ", " : " Training: ", trained->items[i]);
        as_paper = as_paper && strcmp(trained->items[i], EAD_PAPER_TRAINING) == 0;
    }
    size_t used = strlen(text);
    if (used > 0)
        snprintf(text + used, size - used, "%s.",
                 results->paper[0] && !as_paper ? " (EfficientAD in the paper: " EAD_PAPER_TRAINING ")" : "");
}

void ead_sweep_notes(const EadSweepResults *results, char *text, size_t size) {
    char training[256];
    bool comparable = true;
    for (int c = 0; c < results->collections.count; c++) comparable = comparable && is_comparable(results, c);
    describe_training(results, training, sizeof training);
    snprintf(
        text, size,
        "%d of %d runs are finished, %d seed%s.%s Percent; a collection's metric is "
        "the mean over its scenarios, then mean ± standard deviation over the seeds for which all scenarios "
        "are there.%s",
        results->finished, results->run_count, results->seeds.count, results->seeds.count == 1 ? "" : "s",
        training,
        results->paper[0] && !comparable
            ? " The paper's numbers are means over all scenarios of a collection (15, 5 and 12); where "
              "fewer are here there is no difference to show."
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

/* Writes a table that has been filled, and frees it. */
static EadStatus write_table(FILE *stream, EadTextTable *table, const char *title, const char *heading) {
    EadStatus status = table->status;
    if (status == EAD_OK) fprintf(stream, "## %s%s\n\n", title, heading);
    for (int i = 0; i < table->cells.count && status == EAD_OK; i++) {
        if (i % table->columns == 0) putc('|', stream);
        write_cell(stream, table->cells.items[i]);
        if ((i + 1) % table->columns == 0) putc('\n', stream);
        if (i + 1 != table->columns) continue;
        for (int c = 0; c < table->columns; c++)
            fputs(c == 0 ? "|---|" : "---:|", stream); /* below the head */
        putc('\n', stream);
    }
    if (status == EAD_OK) putc('\n', stream);
    ead_text_table_free(table);
    return status;
}

static EadStatus write_column(FILE *stream, const EadSweepResults *results, int column, EadMakeTable *make,
                              const char *heading) {
    EadTextTable table;
    (void)make(results, column, &table);
    return write_table(stream, &table, results->columns[column].title, heading);
}

EadStatus ead_sweep_write_markdown(FILE *stream, const EadSweepResults *results) {
    char notes[1024];
    ead_sweep_notes(results, notes, sizeof notes);
    fprintf(stream, "# %s\n\n%s\n\n", results->title, notes);
    for (int f = 0; f < results->column_count; f++)
        if (ead_sweep_results_have(results, f))
            EAD_TRY(write_column(stream, results, f, ead_sweep_collection_table, ""));
    if (ead_sweep_has_speed(results)) {
        EadTextTable speeds;
        (void)ead_sweep_speed_table(results, &speeds);
        EAD_TRY(write_table(stream, &speeds, EAD_SWEEP_SPEED_TITLE, ""));
        fputs(EAD_SWEEP_SPEED_NOTE "\n\n", stream);
    }
    for (int f = 0; f < results->column_count; f++)
        if (ead_sweep_by_scenario(results, f))
            EAD_TRY(write_column(stream, results, f, ead_sweep_scenario_table, ", by scenario"));
    return EAD_OK;
}

static void write_number(FILE *stream, double value) {
    putc(',', stream);
    if (isfinite(value)) fprintf(stream, "%.6f", value);
}

static void write_line(FILE *stream, const EadSweepResults *results, int variant, const char *collection,
                       const char *scenario, int column, const EadSummary *summary, double paper,
                       bool comparable) {
    const char *const names[] = {results->variants.items[variant], collection, scenario};
    for (int i = 0; i < 3; i++) {
        ead_csv_write_text(stream, names[i]);
        putc(',', stream);
    }
    fprintf(stream, "%s,%d,%d,%d", results->columns[column].key, summary->seeds, summary->runs,
            summary->expected);
    write_number(stream, summary->mean);
    write_number(stream, summary->deviation);
    write_number(stream, paper);
    write_number(stream, comparable && summary->seeds > 0 ? summary->mean - paper : NAN);
    putc('\n', stream);
}

/* The lines of a variant and a metric: the scenarios, the collections, the mean of these. */
static void write_lines(FILE *stream, const EadSweepResults *results, int variant, int column) {
    for (int i = 0; i < results->categories.count; i++) {
        EadSummary summary = ead_summarize_scenario(results, variant, i, column);
        if (summary.runs > 0)
            write_line(stream, results, variant, results->collections.items[results->collection_of[i]],
                       results->categories.items[i], column, &summary, NAN, false);
    }
    int last =
        ead_sweep_has_mean(results, column) ? results->collections.count : results->collections.count - 1;
    for (int c = 0; c <= last; c++) {
        bool comparable;
        int collection = c < results->collections.count ? c : EAD_ALL_COLLECTIONS;
        EadSummary summary = ead_summarize_collection(results, variant, collection, column);
        const EadPaperNumber *number =
            ead_sweep_paper_number(results, variant, collection, column, &comparable);
        if (summary.runs > 0)
            write_line(stream, results, variant, collection_name(results, collection), "mean", column,
                       &summary, number ? number->value : NAN, comparable && number);
    }
}

EadStatus ead_sweep_write_csv(FILE *stream, const EadSweepResults *results) {
    fputs(EAD_SWEEP_CSV_HEAD "\n", stream);
    for (int v = 0; v < results->variants.count; v++)
        for (int f = 0; f < results->column_count; f++) write_lines(stream, results, v, f);
    return EAD_OK;
}
