/* The charts of report.html. Only here are curves thinned; the metrics come from all points. */
#include "train/report/report_parts.h"

#include "train/report/svg_plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { loss_bins = 240, loss_columns = 5, score_bins = 28, half_width = 530, full_width = 1080 };

static float loss_of(const EadLossPoint *point, int column) {
    const float values[loss_columns] = {point->hard, point->penalty, point->ae, point->stae, point->total};
    return values[column];
}

/* Means over equal shares of the rows: x [bins] mean step, y [loss_columns][loss_bins]. Returns the number of
 * bins. Values that are not finite are left out; a bin without any becomes NAN. */
static int bin_losses(const EadReport *report, double *x, double *y) {
    int bins = report->loss_count < loss_bins ? (int)report->loss_count : loss_bins;
    for (int bin = 0; bin < bins; bin++) {
        int64_t first = report->loss_count * bin / bins, end = report->loss_count * (bin + 1) / bins;
        x[bin] = ((double)report->losses[first].step + (double)report->losses[end - 1].step) / 2;
        for (int column = 0; column < loss_columns; column++) {
            double sum = 0, count = 0;
            for (int64_t i = first; i < end; i++) {
                double value = (double)loss_of(&report->losses[i], column);
                if (isfinite(value)) sum += value, count += 1;
            }
            y[column * loss_bins + bin] = count > 0 ? sum / count : NAN;
        }
    }
    return bins;
}

/* A loss that is switched off is all zeros and gets no line. */
static void add_loss_series(EadPlot *plot, const double *x, const double *y, int bins) {
    static const char *const names[loss_columns] = {"hard feature loss", "penalty", "autoencoder",
                                                    "student–autoencoder", "total"};
    plot->y_min = INFINITY;
    plot->y_max = 0;
    for (int column = 0; column < loss_columns; column++) {
        const double *values = y + column * loss_bins;
        int shown = 0;
        for (int bin = 0; bin < bins; bin++) {
            if (!(values[bin] > 0)) continue;
            plot->y_min = fmin(plot->y_min, values[bin]);
            plot->y_max = fmax(plot->y_max, values[bin]);
            shown = 1;
        }
        if (shown)
            plot->series[plot->series_count++] = (EadPlotSeries){names[column], column + 1, bins, x, values};
    }
}

static EadStatus write_losses(FILE *stream, const EadReport *report) {
    if (report->loss_count < 2) return EAD_OK;
    double *x = malloc((1 + loss_columns) * loss_bins * sizeof *x);
    if (!x) return ead_fail(EAD_NO_MEMORY, "no memory for the loss curves of the report");
    EadPlot plot = {.title = "Losses",
                    .x_label = "step",
                    .y_label = "loss (log scale)",
                    .width = full_width,
                    .log_y = 1,
                    .shade_until = NAN,
                    .marker = NAN};
    int bins = bin_losses(report, x, x + loss_bins);
    add_loss_series(&plot, x, x + loss_bins, bins);
    plot.x_min = 0;
    plot.x_max = (double)report->losses[report->loss_count - 1].step;
    plot.y_min *= 0.85;
    plot.y_max *= 1.15;
    if (plot.series_count > 0 && plot.x_max > 0) {
        fputs("<div class=\"wide\">", stream);
        ead_svg_plot(stream, &plot);
        fputs("</div>\n", stream);
    }
    free(x);
    return EAD_OK;
}

static void write_histogram(FILE *stream, const EadReport *report) {
    if (report->sample_count == 0) return;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < report->sample_count; i++) {
        low = fmin(low, (double)report->samples[i].score);
        high = fmax(high, (double)report->samples[i].score);
    }
    double edge = high > low ? (high - low) * 0.02 : 0.5;
    low -= edge;
    high += edge;
    int64_t counts[2][score_bins] = {{0}};
    for (int64_t i = 0; i < report->sample_count; i++) {
        int bin = (int)(((double)report->samples[i].score - low) / (high - low) * score_bins);
        counts[report->samples[i].anomalous != 0][bin < score_bins ? bin : score_bins - 1]++;
    }
    int is_set;
    double threshold = ead_report_threshold(report->metrics, &is_set);
    EadHistogram histogram = {.title = "Scores of the test images",
                              .x_label = "image score",
                              .y_label = "images",
                              .x_min = low,
                              .x_max = high,
                              .width = full_width,
                              .bins = score_bins,
                              .names = {"good", "anomalous"},
                              .colors = {1, 2},
                              .counts = {counts[0], counts[1]},
                              .marker = threshold,
                              .marker_label = is_set ? "threshold" : "threshold of the best F1"};
    fputs("<div class=\"wide\">", stream);
    ead_svg_histogram(stream, &histogram);
    fputs("</div>\n", stream);
}

/* A curve over 0..1 x 0..1. level: of a detector that guesses, a dashed line; NAN: the diagonal. */
static EadStatus write_curve(FILE *stream, const EadCurve *curve, EadPlot plot, const char *name,
                             double level) {
    if (curve->count == 0) return EAD_OK;
    const double ends[2] = {0, 1}, chance[2] = {isnan(level) ? 0 : level, isnan(level) ? 1 : level};
    double *x = malloc((size_t)curve->count * 2 * sizeof *x);
    if (!x) return ead_fail(EAD_NO_MEMORY, "no memory for the curves of the report");
    double *y = x + curve->count;
    for (int64_t i = 0; i < curve->count; i++) {
        x[i] = curve->points[i].x;
        y[i] = curve->points[i].y;
    }
    plot.x_max = plot.y_max = 1;
    plot.width = half_width;
    plot.marker = NAN;
    plot.series[plot.series_count++] = (EadPlotSeries){"chance", 0, 2, ends, chance};
    plot.series[plot.series_count++] = (EadPlotSeries){name, 1, curve->count, x, y};
    ead_svg_plot(stream, &plot);
    free(x);
    return EAD_OK;
}

/* Counts at the threshold in use, as rates; not finite where there is none. */
typedef struct InUse {
    double roc[2], pr[2], anomalous_share;
    const char *label;
} InUse;

static InUse find_point_in_use(const EadReport *report) {
    int is_set;
    double threshold = ead_report_threshold(report->metrics, &is_set), found = 0, called = 0, anomalous = 0;
    for (int64_t i = 0; i < report->sample_count; i++) {
        const EadSample *sample = &report->samples[i];
        bool above = (double)sample->score >= threshold;
        called += above;
        found += above && sample->anomalous;
        anomalous += sample->anomalous;
    }
    double good = (double)report->sample_count - anomalous;
    InUse use = {.label = is_set ? "threshold" : "best F1"};
    use.roc[0] = isnan(threshold) || good <= 0 ? NAN : (called - found) / good;
    use.roc[1] = use.pr[0] = isnan(threshold) || anomalous <= 0 ? NAN : found / anomalous;
    use.pr[1] = called > 0 ? found / called : NAN;
    use.anomalous_share = report->sample_count > 0 ? anomalous / (double)report->sample_count : NAN;
    return use;
}

static EadStatus write_image_curves(FILE *stream, const EadReport *report) {
    char roc_name[64], pr_name[64];
    const EadMetricSet *set = &report->metrics->total;
    InUse use = find_point_in_use(report);
    snprintf(roc_name, sizeof roc_name, "ROC, area %.4f", set->image_auroc);
    snprintf(pr_name, sizeof pr_name, "precision, mean %.4f", set->image_ap);
    EadPlot roc = {.title = "ROC of the images",
                   .x_label = "false-positive rate",
                   .y_label = "true-positive rate",
                   .shade_until = NAN,
                   .point = use.roc,
                   .point_label = use.label};
    EadPlot pr = {.title = "Precision and recall of the images",
                  .x_label = "recall",
                  .y_label = "precision",
                  .shade_until = NAN,
                  .point = use.pr,
                  .point_label = use.label};
    EAD_TRY(write_curve(stream, &report->metrics->roc, roc, roc_name, NAN));
    return write_curve(stream, &report->metrics->pr, pr, pr_name, use.anomalous_share);
}

static EadPlot pixel_plot(const char *title, const char *x_label, const char *y_label, double shade) {
    return (EadPlot){.title = title, .x_label = x_label, .y_label = y_label, .shade_until = shade};
}

static const char *const pixel_rate = "false-positive rate of the pixels";

/* Curves only of MVTec LOCO, two so that no place in the grid stays empty. */
static EadStatus write_channel_curves(FILE *stream, const EadMetrics *metrics) {
    char spro[64], roc[64];
    if (metrics->spro.count == 0) return EAD_OK;
    snprintf(spro, sizeof spro, "sPRO, area to 0.05 %.4f", metrics->total.au_spro_05);
    snprintf(roc, sizeof roc, "ROC, area %.4f", metrics->total.pixel_auroc);
    EAD_TRY(write_curve(stream, &metrics->spro,
                        pixel_plot("sPRO of the pixels", pixel_rate, "mean saturated overlap", 0.05), spro,
                        NAN));
    return write_curve(stream, &metrics->pixel_roc,
                       pixel_plot("ROC of the pixels", pixel_rate, "true-positive rate", NAN), roc, NAN);
}

static EadStatus write_pixel_curves(FILE *stream, const EadMetrics *metrics) {
    char pro[64], pr[64];
    snprintf(pro, sizeof pro, "PRO, area to 0.30 %.4f", metrics->total.au_pro_30);
    snprintf(pr, sizeof pr, "precision, mean %.4f", metrics->total.pixel_ap);
    EAD_TRY(write_curve(stream, &metrics->pro,
                        pixel_plot("PRO of the pixels", pixel_rate, "mean overlap of the defects", 0.30), pro,
                        NAN));
    int64_t last = metrics->pixel_pr.count - 1; /* where everything is called a defect */
    double guess = last >= 0 ? metrics->pixel_pr.points[last].y : NAN;
    EAD_TRY(write_curve(stream, &metrics->pixel_pr,
                        pixel_plot("Precision and recall of the pixels", "recall", "precision", NAN), pr,
                        guess));
    return write_channel_curves(stream, metrics);
}

EadStatus ead_report_plots(FILE *stream, const EadReport *report) {
    fputs("<h2 id=\"curves\">Curves</h2>\n<div class=\"plots\">\n", stream);
    write_histogram(stream, report);
    EAD_TRY(write_image_curves(stream, report));
    EAD_TRY(write_pixel_curves(stream, report->metrics));
    EAD_TRY(write_losses(stream, report));
    fputs("</div>\n", stream);
    return EAD_OK;
}
