/* The charts of report.html. Only here are curves thinned; the figures come from all points. */
#include "train/report_parts.h"

#include "train/svg_plot.h"

#include <math.h>
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
    double threshold = ead_report_threshold(report->figures, &is_set);
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

/* A curve over 0..1 x 0..1. */
static EadStatus write_curve(FILE *stream, const EadCurve *curve, EadPlot plot, const char *name) {
    if (curve->count == 0) return EAD_OK;
    static const double corners[2] = {0, 1};
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
    plot.series[plot.series_count++] = (EadPlotSeries){"chance", 0, 2, corners, corners};
    plot.series[plot.series_count++] = (EadPlotSeries){name, 1, curve->count, x, y};
    ead_svg_plot(stream, &plot);
    free(x);
    return EAD_OK;
}

EadStatus ead_report_plots(FILE *stream, const EadReport *report) {
    char roc_name[64], pro_name[64];
    const EadFigureSet *set = &report->figures->total;
    snprintf(roc_name, sizeof roc_name, "ROC, area %.4f", set->image_auroc);
    snprintf(pro_name, sizeof pro_name, "PRO, area to 0.30 %.4f", set->au_pro_30);
    fputs("<h2>Curves</h2>\n<div class=\"plots\">\n", stream);
    EAD_TRY(write_losses(stream, report));
    write_histogram(stream, report);
    EadPlot roc = {.title = "ROC of the images",
                   .x_label = "false-positive rate",
                   .y_label = "true-positive rate",
                   .shade_until = NAN};
    EadPlot pro = {.title = "PRO of the pixels",
                   .x_label = "false-positive rate of the pixels",
                   .y_label = "mean overlap of the defects",
                   .shade_until = 0.30};
    EAD_TRY(write_curve(stream, &report->figures->roc, roc, roc_name));
    EAD_TRY(write_curve(stream, &report->figures->pro, pro, pro_name));
    fputs("</div>\n", stream);
    return EAD_OK;
}
