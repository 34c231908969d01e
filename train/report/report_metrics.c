/* The numbers of report.html: tiles and the table per kind of defect. */
#include "train/report/report_parts.h"

#include "train/support/html_text.h"
#include "train/metrics/metric_ranking.h"

#include <math.h>
#include <stdlib.h>

double ead_report_threshold(const EadMetrics *metrics, int *is_set) {
    *is_set = metrics->has_threshold;
    return metrics->has_threshold ? (double)metrics->threshold.value : metrics->total.image_f1_threshold;
}

static void write_tile(FILE *stream, const char *name, double value) {
    fputs("<div class=\"tile\"><b>", stream);
    if (isfinite(value))
        fprintf(stream, "%.2f<small> %%</small>", 100 * value);
    else
        fputs("–", stream);
    fprintf(stream, "</b><span>%s</span></div>\n", name);
}

static void write_false_alarms(FILE *stream, const EadThreshold *threshold) {
    if (threshold->images == 0) return;
    fprintf(
        stream,
        " Of %d validation images, normal ones held back from training, %d reach it: a false-alarm rate of "
        "%.3g to %.3g %% (95 %% confidence).",
        threshold->images, threshold->alarms, 100 * threshold->low, 100 * threshold->high);
}

/* A sentence with the mistakes at the threshold in use, and one with what it was chosen by. */
static void write_mistakes(FILE *stream, const EadReport *report) {
    int is_set;
    double threshold = ead_report_threshold(report->metrics, &is_set);
    if (isnan(threshold)) return;
    EadConfusion sum = {0};
    for (int64_t i = 0; i < report->sample_count; i++) {
        uint8_t anomalous = (uint8_t)report->samples[i].anomalous;
        EadConfusion one = ead_confusion_at(&report->samples[i].score, &anomalous, 1, threshold);
        sum.true_positives += one.true_positives;
        sum.false_positives += one.false_positives;
        sum.false_negatives += one.false_negatives;
        sum.true_negatives += one.true_negatives;
    }
    fprintf(stream, "<p class=\"soft after\">At %.4g, the threshold of the %s: ", threshold,
            is_set ? "model" : "best F1 (chosen on these very images)");
    fprintf(stream, "%lld of %lld anomalous images found, %lld of %lld good ones called anomalous",
            (long long)sum.true_positives, (long long)(sum.true_positives + sum.false_negatives),
            (long long)sum.false_positives, (long long)(sum.false_positives + sum.true_negatives));
    double f1 = ead_confusion_f1(sum);
    if (isfinite(f1)) fprintf(stream, ", F1 %.2f %%", 100 * f1);
    fputs(".", stream);
    if (is_set) write_false_alarms(stream, &report->metrics->threshold);
    fputs("</p>\n", stream);
}

/* The set that stands for the data set: MVTec LOCO's mean over its two kinds, else the total. */
static const EadMetricSet *main_set(const EadMetrics *metrics) {
    return metrics->has_mean ? &metrics->mean : &metrics->total;
}

void ead_report_tiles(FILE *stream, const EadReport *report) {
    const EadMetricSet *set = main_set(report->metrics);
    const char *of = report->metrics->has_mean ? ", mean of both kinds" : "";
    char name[96];
    fputs("<div class=\"tiles\">\n", stream);
    snprintf(name, sizeof name, "Image AU-ROC%s", of);
    write_tile(stream, name, set->image_auroc);
    if (set->has_spro) {
        snprintf(name, sizeof name, "AU-sPRO to FPR 0.05%s", of);
        write_tile(stream, name, set->au_spro_05);
    }
    if (set->has_pixels) {
        write_tile(stream, "AU-PRO to FPR 0.30", set->au_pro_30);
        write_tile(stream, "AU-PRO to FPR 0.05", set->au_pro_05);
        write_tile(stream, "Pixel AU-ROC", set->pixel_auroc);
    }
    write_tile(stream, "Best image F1", set->image_f1_best);
    fprintf(stream, "<div class=\"tile\"><b>%lld</b><span>Test images</span></div>\n</div>\n",
            (long long)report->metrics->total.images);
    write_mistakes(stream, report);
}

/* ---- the table ---- */

/* Which columns the table has. */
typedef struct Columns {
    int threshold, pixels, spro;
} Columns;

static void write_cell(FILE *stream, double value) {
    if (!isfinite(value)) {
        fputs("<td>–</td>", stream);
        return;
    }
    fprintf(stream, "<td>%.2f<i><u style=\"width:%.1f%%\"></u></i></td>", 100 * value, 100 * value);
}

static void write_row(FILE *stream, const char *name, const EadMetricSet *set, Columns columns,
                      const char *row_class) {
    fprintf(stream, "<tr%s><td>", row_class);
    ead_html_text(stream, name);
    fprintf(stream, "</td><td>%lld</td>", (long long)set->images);
    write_cell(stream, set->image_auroc);
    write_cell(stream, set->image_f1_best);
    if (columns.threshold) write_cell(stream, set->image_tpr);
    if (columns.spro) write_cell(stream, set->has_spro ? set->au_spro_05 : NAN);
    if (columns.pixels) {
        write_cell(stream, set->has_pixels ? set->au_pro_30 : NAN);
        write_cell(stream, set->has_pixels ? set->au_pro_05 : NAN);
        write_cell(stream, set->has_pixels ? set->pixel_auroc : NAN);
        write_cell(stream, set->has_pixels ? set->pixel_ap : NAN);
    }
    fputs("</tr>\n", stream);
}

static void write_head(FILE *stream, Columns columns) {
    fputs("<thead><tr><th>Kind</th><th>Images</th><th>Image AU-ROC</th><th>Best F1</th>", stream);
    if (columns.threshold) fputs("<th>Found</th>", stream);
    if (columns.spro) fputs("<th>AU-sPRO 0.05</th>", stream);
    if (columns.pixels)
        fputs("<th>AU-PRO 0.30</th><th>AU-PRO 0.05</th><th>Pixel AU-ROC</th><th>Pixel AP</th>", stream);
    fputs("</tr></thead>\n", stream);
}

void ead_report_defects(FILE *stream, const EadMetrics *metrics) {
    if (metrics->defect_count == 0) return;
    Columns columns = {.threshold = metrics->has_threshold, .spro = metrics->total.has_spro};
    for (int i = 0; i < metrics->defect_count; i++) columns.pixels |= metrics->defects[i].set.has_pixels;
    fputs("<h2>Kinds of defects</h2>\n<p class=\"soft\">Each kind against all good images, in percent.</p>\n"
          "<div class=\"card\"><table>\n",
          stream);
    write_head(stream, columns);
    fputs("<tbody>\n", stream);
    for (int i = 0; i < metrics->defect_count; i++)
        write_row(stream, metrics->defects[i].name, &metrics->defects[i].set, columns, "");
    for (int i = 0; i < metrics->type_count; i++)
        write_row(stream, metrics->types[i].name, &metrics->types[i].set, columns, "");
    if (metrics->has_mean)
        write_row(stream, "mean of logical and structural", &metrics->mean, columns, " class=\"all\"");
    write_row(stream, "all", &metrics->total, columns, " class=\"all\"");
    fputs("</tbody></table></div>\n", stream);
}
