/* Aligned columns: the metrics of metrics.json, rounded to four places. */
#include "train/evaluate/metrics_table.h"

#include "train/support/utf8.h"

#include <math.h>
#include <string.h>

enum { NAME_LEAST = 12 };

static const char *const all_images = "all images";

/* Columns on the terminal, taking a code point for one. */
static int shown_width(const char *text) {
    int width = 0;
    for (; *text; width++) {
        uint32_t code;
        int length = ead_utf8_decode(text, &code);
        text += length ? length : 1;
    }
    return width;
}

/* Bytes that a terminal would obey or not understand become '?'. */
static void print_name(FILE *stream, const char *name, int width) {
    int used = shown_width(name);
    while (*name) {
        uint32_t code;
        int length = ead_utf8_decode(name, &code);
        if (length == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            putc('?', stream);
        else
            fwrite(name, 1, (size_t)length, stream);
        name += length ? length : 1;
    }
    fprintf(stream, "%*s", width > used ? width - used : 0, "");
}

static void print_metric(FILE *stream, double value, int width) {
    if (isfinite(value))
        fprintf(stream, "  %*.4f", width, value);
    else
        fprintf(stream, "  %*s", width, "-");
}

/* Which groups of columns the table has. */
typedef struct Columns {
    int pixels, spro;
} Columns;

static void print_row(FILE *stream, const char *name, int width, const EadMetricSet *set, Columns columns) {
    print_name(stream, name, width);
    fprintf(stream, "  %6lld", (long long)set->images);
    print_metric(stream, set->image_auroc, 7);
    print_metric(stream, set->image_f1_best, 7);
    if (columns.pixels) {
        print_metric(stream, set->has_pixels ? set->au_pro_30 : NAN, 11);
        print_metric(stream, set->has_pixels ? set->au_pro_05 : NAN, 11);
        print_metric(stream, set->has_pixels ? set->pixel_auroc : NAN, 12);
    }
    if (columns.spro) print_metric(stream, set->has_spro ? set->au_spro[EAD_SPRO_AT_05] : NAN, 12);
    putc('\n', stream);
}

static void widen(int *width, const EadDefectMetrics *rows, int count) {
    for (int i = 0; i < count; i++) {
        int used = shown_width(rows[i].name);
        if (used > *width) *width = used;
    }
}

void ead_print_metrics(FILE *stream, const EadMetrics *metrics) {
    int width = NAME_LEAST;
    Columns columns = {metrics->total.has_pixels, metrics->total.has_spro};
    widen(&width, metrics->types, metrics->type_count);
    widen(&width, metrics->defects, metrics->defect_count);
    for (int i = 0; i < metrics->defect_count; i++) {
        columns.pixels |= metrics->defects[i].set.has_pixels;
        columns.spro |= metrics->defects[i].set.has_spro;
    }
    fprintf(stream, "%*s  %6s  %7s  %7s", width, "", "images", "AU-ROC", "best F1");
    if (columns.pixels) fprintf(stream, "  %11s  %11s  %12s", "AU-PRO 0.30", "AU-PRO 0.05", "pixel AU-ROC");
    if (columns.spro) fprintf(stream, "  %12s", "AU-sPRO 0.05");
    putc('\n', stream);
    print_row(stream, all_images, width, &metrics->total, columns);
    for (int i = 0; i < metrics->defect_count; i++)
        print_row(stream, metrics->defects[i].name, width, &metrics->defects[i].set, columns);
    for (int i = 0; i < metrics->type_count; i++)
        print_row(stream, metrics->types[i].name, width, &metrics->types[i].set, columns);
    if (metrics->has_mean) print_row(stream, "mean", width, &metrics->mean, columns);
}
