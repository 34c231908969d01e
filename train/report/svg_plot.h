/* Line charts, histograms and dot charts as inline SVG, without scripts. Colours are CSS classes (s1..s5 for
 * series, s0 for a dashed reference line) that the page defines, so that one drawing serves light and dark.
 */
#ifndef EAD_TRAIN_SVG_PLOT_H
#define EAD_TRAIN_SVG_PLOT_H

#include <stdint.h>
#include <stdio.h>

#define EAD_PLOT_MAX_SERIES 6

typedef struct EadPlotSeries {
    const char *name; /* for the legend; NULL keeps it out */
    int color;        /* 0..5 */
    int64_t count;
    const double *x,
        *y; /* [count], x ascending; points that are not finite (or <= 0 on a log axis) break the line */
} EadPlotSeries;

typedef struct EadPlot {
    const char *title, *x_label, *y_label;
    double x_min, x_max, y_min, y_max; /* min < max; y_min > 0 on a log axis */
    int log_y;
    int width; /* drawing units, about pixels; the height is 300 */
    int series_count;
    EadPlotSeries series[EAD_PLOT_MAX_SERIES];
    double shade_until;       /* shades the area left of this x; NAN for none */
    double marker;            /* a vertical line at this x; NAN for none */
    const char *marker_label; /* beside it */
    const double *point;      /* [2] x and y of a point to show, such as the one in use; NULL for none */
    const char *point_label;
} EadPlot;

/* Writes a <figure> with legend and drawing. Write errors show in ferror(). */
void ead_svg_plot(FILE *stream, const EadPlot *plot);

typedef struct EadHistogram {
    const char *title, *x_label, *y_label;
    double x_min, x_max; /* x_min < x_max */
    int width;           /* as above */
    int bins;            /* >= 1 */
    const char *names[2];
    int colors[2];
    const int64_t *counts[2]; /* [bins] each: two bars side by side in every bin */
    double marker;            /* as above */
    const char *marker_label;
} EadHistogram;

void ead_svg_histogram(FILE *stream, const EadHistogram *histogram);

#define EAD_DOTS_MAX_SERIES 6

typedef struct EadDotSeries {
    const char *name;
    int color;  /* 0..5 */
    int hollow; /* for what is only compared with */
    const double *values,
        *deviations; /* [rows]; NAN leaves a dot or its whiskers out; deviations may be NULL */
} EadDotSeries;

typedef struct EadDotPlot {
    const char *title, *x_label;
    double x_min, x_max; /* x_min < x_max */
    int width;           /* as above; the height follows from the rows */
    int name_width;      /* room for the rows' names, in drawing units */
    int row_count;       /* >= 1 */
    const char *const *rows;
    int series_count;
    EadDotSeries series[EAD_DOTS_MAX_SERIES];
} EadDotPlot;

/* Named rows with dots and whiskers: means with their standard deviations. */
void ead_svg_dots(FILE *stream, const EadDotPlot *plot);

#endif
