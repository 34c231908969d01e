/* All charts share one frame: margins, axes, ticks, labels, marker. */
#include "train/report/svg_plot.h"

#include "train/support/html_text.h"

#include <math.h>

enum { margin_left = 58, margin_right = 16, margin_top = 12, margin_bottom = 46, plot_height = 300 };

typedef struct Frame {
    double x_min, x_max, y_min, y_max;
    int log_y;
    double left, right, top, bottom; /* of the drawing area, in drawing units */
    int width, height;               /* of the drawing with its margins */
} Frame;

static double x_of(const Frame *frame, double value) {
    return frame->left +
           (value - frame->x_min) / (frame->x_max - frame->x_min) * (frame->right - frame->left);
}

static double y_of(const Frame *frame, double value) {
    double low = frame->y_min, high = frame->y_max;
    if (frame->log_y) value = log10(value), low = log10(low), high = log10(high);
    return frame->bottom - (value - low) / (high - low) * (frame->bottom - frame->top);
}

/* A round step (1, 2 or 5 times a power of ten) that cuts the range into at most `most` parts. */
static double round_step(double range, int most) {
    double raw = range / most, power = pow(10, floor(log10(raw)));
    double part = raw / power;
    return power * (part <= 1.0000001 ? 1 : part <= 2.0000001 ? 2 : part <= 5.0000001 ? 5 : 10);
}

/* A tick's number; what is zero but for rounding is written as 0. */
static void write_number(FILE *stream, double value, double step) {
    if (fabs(value) < step * 1e-6) value = 0;
    fprintf(stream, "%.6g", value);
}

static void write_x_ticks(FILE *stream, const Frame *frame) {
    double step = round_step(frame->x_max - frame->x_min, 6);
    double first = ceil(frame->x_min / step - 1e-9);
    for (int i = 0; i < 20 && (first + i) * step <= frame->x_max + step * 1e-6; i++) {
        double value = (first + i) * step, x = x_of(frame, value);
        fprintf(stream, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x,
                frame->top, x, frame->bottom);
        fprintf(stream, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x,
                frame->bottom + 17);
        write_number(stream, value, step);
        fputs("</text>", stream);
    }
}

static void write_y_tick(FILE *stream, const Frame *frame, double value, double step) {
    double y = y_of(frame, value);
    fprintf(stream, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", frame->left, y,
            frame->right, y);
    fprintf(stream, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", frame->left - 7,
            y + 4);
    write_number(stream, value, step);
    fputs("</text>", stream);
}

/* Powers of ten, and 2 and 5 times these where the axis spans few of them. */
static void write_log_ticks(FILE *stream, const Frame *frame) {
    double decades = log10(frame->y_max / frame->y_min);
    int every = decades > 7 ? 2 : 1;
    for (int power = (int)floor(log10(frame->y_min)); power <= (int)ceil(log10(frame->y_max));
         power += every) {
        for (int factor = 1; factor <= 5; factor += factor == 1 ? 1 : 3) {
            double value = factor * pow(10, power);
            if (factor > 1 && decades > 2.5) break;
            if (value < frame->y_min * 0.9999999 || value > frame->y_max * 1.0000001) continue;
            write_y_tick(stream, frame, value, value);
        }
    }
}

static void write_y_ticks(FILE *stream, const Frame *frame) {
    if (frame->log_y) {
        write_log_ticks(stream, frame);
        return;
    }
    double step = round_step(frame->y_max - frame->y_min, 5);
    double first = ceil(frame->y_min / step - 1e-9);
    for (int i = 0; i < 20 && (first + i) * step <= frame->y_max + step * 1e-6; i++)
        write_y_tick(stream, frame, (first + i) * step, step);
}

static void write_legend_entry(FILE *stream, const char *name, int color) {
    fprintf(stream, "<span class=\"key s%d\"><i></i>", color);
    ead_html_text(stream, name);
    fputs("</span>", stream);
}

static void write_caption(FILE *stream, const char *title) {
    fputs("<figure class=\"plot\"><figcaption>", stream);
    ead_html_text(stream, title);
    fputs("</figcaption><div class=\"legend\">", stream);
}

/* Opens the drawing after the legend: the lower axis with its ticks and label. */
static void open_drawing(FILE *stream, const Frame *frame, const char *title, const char *x_label) {
    fprintf(stream, "</div>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", frame->width,
            frame->height);
    ead_html_text(stream, title);
    fputs("\">", stream);
    write_x_ticks(stream, frame);
    fprintf(stream, "<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", frame->left,
            frame->bottom, frame->right, frame->bottom);
    fprintf(stream, "<text class=\"label\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
            (frame->left + frame->right) / 2, frame->height - 8);
    ead_html_text(stream, x_label);
    fputs("</text>\n", stream);
}

static void write_y_axis(FILE *stream, const Frame *frame, const char *label) {
    write_y_ticks(stream, frame);
    double middle = (frame->top + frame->bottom) / 2;
    fprintf(stream,
            "<text class=\"label\" transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">",
            middle);
    ead_html_text(stream, label);
    fputs("</text>\n", stream);
}

static void write_marker(FILE *stream, const Frame *frame, double marker, const char *label) {
    if (!(marker >= frame->x_min && marker <= frame->x_max)) return; /* NAN too */
    double x = x_of(frame, marker);
    int at_right = x > (frame->left + frame->right) / 2;
    fprintf(stream, "<line class=\"marker\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x, frame->top,
            x, frame->bottom);
    fprintf(stream, "<text class=\"note\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x + (at_right ? -6 : 6),
            frame->top + 12, at_right ? "end" : "start");
    ead_html_text(stream, label);
    fputs("</text>", stream);
}

static void write_point(FILE *stream, const Frame *frame, const double *point, const char *label) {
    if (!isfinite(point[0]) || !isfinite(point[1])) return;
    double x = x_of(frame, point[0]), y = y_of(frame, point[1]);
    int at_right = x > (frame->left + frame->right) / 2;
    fprintf(stream, "<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", x, y);
    fprintf(stream, "<text class=\"note\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x + (at_right ? -9 : 9),
            y + 18, at_right ? "end" : "start");
    ead_html_text(stream, label);
    fputs("</text>", stream);
}

static Frame make_frame(double x_min, double x_max, double y_min, double y_max, int width) {
    return (Frame){.x_min = x_min,
                   .x_max = x_max,
                   .y_min = y_min,
                   .y_max = y_max,
                   .left = margin_left,
                   .right = width - margin_right,
                   .top = margin_top,
                   .bottom = plot_height - margin_bottom,
                   .width = width,
                   .height = plot_height};
}

/* Points nearer than a third of a pixel to the last one drawn are left out: nobody could see them. */
static void write_series(FILE *stream, const Frame *frame, const EadPlotSeries *series) {
    double last_x = 0, last_y = 0;
    int open = 0;
    fprintf(stream, "<path class=\"line s%d\" d=\"", series->color);
    for (int64_t i = 0; i < series->count; i++) {
        double value = series->y[i];
        if (!isfinite(value) || !isfinite(series->x[i]) || (frame->log_y && value <= 0)) {
            open = 0;
            continue;
        }
        double x = x_of(frame, series->x[i]), y = y_of(frame, value);
        int last = i + 1 == series->count;
        if (open && !last && fabs(x - last_x) < 0.33 && fabs(y - last_y) < 0.33) continue;
        fprintf(stream, "%c%.1f %.1f", open ? 'L' : 'M', x, y);
        last_x = x;
        last_y = y;
        open = 1;
    }
    fputs("\"/>", stream);
}

void ead_svg_plot(FILE *stream, const EadPlot *plot) {
    Frame frame = make_frame(plot->x_min, plot->x_max, plot->y_min, plot->y_max, plot->width);
    frame.log_y = plot->log_y;
    write_caption(stream, plot->title);
    for (int i = 0; i < plot->series_count; i++)
        if (plot->series[i].name) write_legend_entry(stream, plot->series[i].name, plot->series[i].color);
    open_drawing(stream, &frame, plot->title, plot->x_label);
    write_y_axis(stream, &frame, plot->y_label);
    if (plot->shade_until > plot->x_min)
        fprintf(stream, "<rect class=\"shade\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                frame.left, frame.top, x_of(&frame, plot->shade_until) - frame.left,
                frame.bottom - frame.top);
    for (int i = 0; i < plot->series_count; i++) write_series(stream, &frame, &plot->series[i]);
    write_marker(stream, &frame, plot->marker, plot->marker_label);
    if (plot->point) write_point(stream, &frame, plot->point, plot->point_label);
    fputs("</svg></figure>\n", stream);
}

static void write_bar(FILE *stream, const Frame *frame, const EadHistogram *h, int bin, int which) {
    int64_t count = h->counts[which][bin];
    if (count == 0) return;
    double size = (h->x_max - h->x_min) / h->bins, low = h->x_min + bin * size;
    double left = x_of(frame, low), width = x_of(frame, low + size) - left;
    double bar = (width - 2) / 2, top = y_of(frame, (double)count);
    fprintf(stream, "<rect class=\"bar s%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
            h->colors[which], left + 1 + which * bar, top, bar, frame->bottom - top);
    ead_html_text(stream, h->names[which]);
    fprintf(stream, ": %lld with a score of %.4g to %.4g</title></rect>", (long long)count, low, low + size);
}

void ead_svg_histogram(FILE *stream, const EadHistogram *histogram) {
    int64_t highest = 3; /* so that ticks are whole numbers */
    for (int which = 0; which < 2; which++)
        for (int bin = 0; bin < histogram->bins; bin++)
            if (histogram->counts[which][bin] > highest) highest = histogram->counts[which][bin];
    Frame frame = make_frame(histogram->x_min, histogram->x_max, 0, (double)highest * 1.08, histogram->width);
    write_caption(stream, histogram->title);
    for (int which = 0; which < 2; which++)
        write_legend_entry(stream, histogram->names[which], histogram->colors[which]);
    open_drawing(stream, &frame, histogram->title, histogram->x_label);
    write_y_axis(stream, &frame, histogram->y_label);
    for (int bin = 0; bin < histogram->bins; bin++)
        for (int which = 0; which < 2; which++) write_bar(stream, &frame, histogram, bin, which);
    write_marker(stream, &frame, histogram->marker, histogram->marker_label);
    fputs("</svg></figure>\n", stream);
}

/* ---- dots ---- */

/* Two lines a row at most: series share a row by standing a little below each other. */
static double dot_row_y(const Frame *frame, const EadDotPlot *plot, int row, int series) {
    double height = (frame->bottom - frame->top) / plot->row_count;
    double offset = plot->series_count > 1 ? (series + 0.5) / plot->series_count - 0.5 : 0;
    return frame->top + (row + 0.5 + 0.6 * offset) * height;
}

static void write_dot(FILE *stream, const Frame *frame, const EadDotSeries *series, int row, double y) {
    double value = series->values[row], spread = series->deviations ? series->deviations[row] : NAN;
    if (!isfinite(value)) return;
    double x = x_of(frame, value);
    fprintf(stream, "<g class=\"dot s%d%s\">", series->color, series->hollow ? " hollow" : "");
    if (isfinite(spread))
        fprintf(stream, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                x_of(frame, fmax(value - spread, frame->x_min)), y,
                x_of(frame, fmin(value + spread, frame->x_max)), y);
    fprintf(stream, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>", x, y);
    ead_html_text(stream, series->name);
    fprintf(stream, ": %.2f", value);
    if (isfinite(spread)) fprintf(stream, " ± %.2f", spread);
    fputs("</title></circle></g>", stream);
}

static void write_row_names(FILE *stream, const Frame *frame, const EadDotPlot *plot) {
    double height = (frame->bottom - frame->top) / plot->row_count;
    for (int row = 0; row < plot->row_count; row++) {
        double y = frame->top + (row + 0.5) * height;
        fprintf(stream, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", frame->left - 8,
                y + 4);
        ead_html_text(stream, plot->rows[row]);
        fputs("</text>", stream);
        if (row > 0)
            fprintf(stream, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                    frame->left, y - height / 2, frame->right, y - height / 2);
    }
}

void ead_svg_dots(FILE *stream, const EadDotPlot *plot) {
    int each = plot->series_count > 2 ? 10 * plot->series_count : 24;
    Frame frame = make_frame(plot->x_min, plot->x_max, 0, 1, plot->width);
    frame.left = plot->name_width;
    frame.bottom = frame.top + (double)plot->row_count * each;
    frame.height = (int)frame.bottom + margin_bottom;
    write_caption(stream, plot->title);
    for (int i = 0; i < plot->series_count; i++)
        write_legend_entry(stream, plot->series[i].name, plot->series[i].color);
    open_drawing(stream, &frame, plot->title, plot->x_label);
    write_row_names(stream, &frame, plot);
    for (int i = 0; i < plot->series_count; i++)
        for (int row = 0; row < plot->row_count; row++)
            write_dot(stream, &frame, &plot->series[i], row, dot_row_y(&frame, plot, row, i));
    fputs("</svg></figure>\n", stream);
}
