/* The HTML page: tables and dot charts in the style of a run's report. */
#include "train/sweep/sweep_report.h"

#include "train/support/html_text.h"
#include "train/sweep/paper_numbers.h"
#include "train/report/report_parts.h"
#include "train/report/svg_plot.h"
#include "train/sweep/sweep_tables.h"

#include <math.h>
#include <stdlib.h>

enum { PAGE_WIDTH = 1080, NAME_UNITS = 7, MIN_NAMES = 80, MAX_NAMES = 320 };

static const int all_collections = -1;

/* ---- tables ---- */

static void write_table(FILE *stream, const EadTextTable *table) {
    fputs("<div class=\"card\"><table>\n", stream);
    for (int row = 0; row < table->rows; row++) {
        const char *tag = row == 0 ? "th" : "td";
        fputs("<tr>", stream);
        for (int column = 0; column < table->columns; column++) {
            fprintf(stream, "<%s>", tag);
            ead_html_text(stream, table->cells[row * table->columns + column]);
            fprintf(stream, "</%s>", tag);
        }
        fputs("</tr>\n", stream);
    }
    fputs("</table></div>\n", stream);
}

typedef EadStatus MakeTable(const EadSweepResults *results, EadTableMetric metric, EadTextTable *table);

static EadStatus write_made(FILE *stream, const EadSweepResults *results, EadTableMetric metric,
                            MakeTable *make) {
    EadTextTable table = {0};
    EadStatus status = make(results, metric, &table);
    if (status == EAD_OK) write_table(stream, &table);
    ead_text_table_free(&table);
    return status;
}

/* ---- charts ---- */

static int name_width(const EadStringList *names) {
    int longest = 0;
    for (int i = 0; i < names->count; i++) {
        int length = 0;
        while (names->items[i][length]) length++;
        longest = length > longest ? length : longest;
    }
    int width = 16 + NAME_UNITS * longest;
    return width < MIN_NAMES ? MIN_NAMES : width > MAX_NAMES ? MAX_NAMES : width;
}

/* The range of all dots with some air, never beyond 100. */
static void set_range(EadDotPlot *plot) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < plot->series_count; i++)
        for (int row = 0; row < plot->row_count; row++) {
            double value = plot->series[i].values[row];
            double spread = plot->series[i].deviations ? plot->series[i].deviations[row] : NAN;
            if (!isfinite(value)) continue;
            if (!isfinite(spread)) spread = 0;
            low = fmin(low, value - spread);
            high = fmax(high, value + spread);
        }
    double air = high > low ? 0.06 * (high - low) : 0.5;
    plot->x_min = fmax(low - air, 0);
    plot->x_max = fmin(high + air, fmax(101, plot->x_min + 1));
}

/* Variants against the paper: one collection or the mean. numbers [3][variants] is scratch. */
static void plot_collection(FILE *stream, const EadSweepResults *results, int collection,
                            EadTableMetric metric, double *numbers) {
    int variants = results->variants.count, known = 0;
    double *means = numbers, *deviations = numbers + variants, *paper = numbers + 2 * variants;
    for (int v = 0; v < variants; v++) {
        bool comparable;
        EadSummary summary = ead_summarize_collection(results, v, collection, metric);
        const EadPaperNumber *number = ead_sweep_paper_number(results, v, collection, metric, &comparable);
        means[v] = summary.mean;
        deviations[v] = summary.deviation;
        paper[v] = number ? number->percent : NAN;
        known += number != NULL;
    }
    EadDotPlot plot = {.title = collection == all_collections ? "mean of the collections"
                                                              : results->collections.items[collection],
                       .x_label = ead_table_metric_title(metric),
                       .width = PAGE_WIDTH / 2,
                       .name_width = name_width(&results->variants),
                       .row_count = variants,
                       .rows = (const char *const *)results->variants.items,
                       .series_count = known > 0 ? 2 : 1,
                       .series = {{"here", 1, 0, means, deviations}, {"paper", 2, 1, paper, NULL}}};
    set_range(&plot);
    ead_svg_dots(stream, &plot);
}

static EadStatus plot_collections(FILE *stream, const EadSweepResults *results, EadTableMetric metric) {
    double *numbers = malloc(3 * (size_t)results->variants.count * sizeof *numbers);
    if (!numbers) return ead_fail(EAD_NO_MEMORY, "no memory for the charts of the report");
    fputs("<div class=\"plots\">\n", stream);
    for (int c = 0; c < results->collections.count; c++) {
        int runs = 0;
        for (int v = 0; v < results->variants.count; v++)
            runs += ead_summarize_collection(results, v, c, metric).runs;
        if (runs > 0) plot_collection(stream, results, c, metric, numbers);
    }
    if (ead_sweep_has_mean(results, metric))
        plot_collection(stream, results, all_collections, metric, numbers);
    fputs("</div>\n", stream);
    free(numbers);
    return EAD_OK;
}

/* Every scenario, one dot a variant, as many variants as there are colours. */
static EadStatus plot_scenarios(FILE *stream, const EadSweepResults *results, EadTableMetric metric) {
    int scenarios = results->categories.count, variants = results->variants.count;
    if (variants > EAD_DOTS_MAX_SERIES - 1) variants = EAD_DOTS_MAX_SERIES - 1;
    double *numbers = malloc(2 * (size_t)variants * (size_t)scenarios * sizeof *numbers);
    if (!numbers) return ead_fail(EAD_NO_MEMORY, "no memory for the charts of the report");
    EadDotPlot plot = {.title = "Scenarios",
                       .x_label = ead_table_metric_title(metric),
                       .width = PAGE_WIDTH,
                       .name_width = name_width(&results->categories),
                       .row_count = scenarios,
                       .rows = (const char *const *)results->categories.items,
                       .series_count = variants};
    for (int v = 0; v < variants; v++) {
        double *means = numbers + 2 * v * scenarios, *deviations = means + scenarios;
        for (int i = 0; i < scenarios; i++) {
            EadSummary summary = ead_summarize_scenario(results, v, i, metric);
            means[i] = summary.mean;
            deviations[i] = summary.deviation;
        }
        plot.series[v] = (EadDotSeries){results->variants.items[v], v + 1, 0, means, deviations};
    }
    set_range(&plot);
    fputs("<div class=\"plots\"><div class=\"wide\">", stream);
    ead_svg_dots(stream, &plot);
    fputs("</div></div>\n", stream);
    free(numbers);
    return EAD_OK;
}

/* ---- the page ---- */

static EadStatus write_metric(FILE *stream, const EadSweepResults *results, EadTableMetric metric) {
    fprintf(stream, "<h2>%s</h2>\n", ead_table_metric_title(metric));
    EAD_TRY(write_made(stream, results, metric, ead_sweep_collection_table));
    EAD_TRY(plot_collections(stream, results, metric));
    if (!ead_sweep_by_scenario(results, metric)) return EAD_OK;
    fputs("<h3>By scenario</h3>\n", stream);
    EAD_TRY(plot_scenarios(stream, results, metric));
    fputs("<details class=\"card\"><summary>Numbers</summary>\n", stream);
    EAD_TRY(write_made(stream, results, metric, ead_sweep_scenario_table));
    fputs("</details>\n", stream);
    return EAD_OK;
}

EadStatus ead_sweep_write_page(FILE *stream, const EadSweepResults *results) {
    ead_report_head(stream, results->title, NULL);
    fputs("<p class=\"soft\">", stream);
    ead_sweep_write_notes(stream, results);
    fputs("</p>\n", stream);
    for (int f = 0; f < EAD_TABLE_FIGURES; f++)
        if (ead_sweep_results_have(results, (EadTableMetric)f))
            EAD_TRY(write_metric(stream, results, (EadTableMetric)f));
    fputs("</main>\n</body>\n</html>\n", stream);
    return EAD_OK;
}
