/* Colour ramp, blending, outlines, legend. */
#include "train/report/overlay.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "data/codec/codec.h"
#include "train/report/bitmap_font.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPAQUE     0.65f /* so that what lies below the heat is seen, too */
#define OUTLINE_PER_PX 320   /* one pixel of outline width for so many pixels of image side */

static const uint8_t truth_color[3] = {70, 255, 140}; /* green does not occur in the ramp */
static const uint8_t white[3] = {255, 255, 255}, black[3] = {0, 0, 0};

void ead_ramp_color(float t, uint8_t rgb[3]) {
    static const float points[6][3] = {{24, 14, 72},  {98, 22, 118},  {182, 48, 92},
                                       {238, 92, 44}, {252, 168, 28}, {252, 248, 160}};
    if (!(t > 0)) t = 0; /* NaN too */
    if (t > 1) t = 1;
    float position = 5 * t;
    int i = position < 5 ? (int)position : 4;
    float part = position - (float)i;
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(points[i][c] + (points[i + 1][c] - points[i][c]) * part + 0.5f);
}

static uint8_t *pixel_at(const EadImage *image, int x, int y) {
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

static void mix(uint8_t *pixel, const uint8_t color[3], float part) {
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)((1 - part) * (float)pixel[c] + part * (float)color[c] + 0.5f);
}

static void blend(const EadOverlay *o, EadImage *out) {
    size_t pixels = (size_t)out->width * (size_t)out->height;
    float scale = o->heat.high > o->heat.low ? 1 / (o->heat.high - o->heat.low) : 0;
    for (size_t i = 0; o->map && i < pixels; i++) {
        float t = (o->map[i] - o->heat.low) * scale;
        uint8_t color[3];
        if (!(t > 0)) continue;
        if (t > 1) t = 1;
        ead_ramp_color(t, color);
        /* It rises early, so that weak findings are seen. */
        mix(out->pixels + 3 * i, color, MAX_OPAQUE * (1 - (1 - t) * (1 - t)));
    }
}

/* ---- outlines ---- */

/* Which pixels lie at most `reach` from a set one, up, down, left, right and across: rows first, then columns.
 * seen [width] is scratch. */
static void spread(const uint8_t *set, int width, int height, int reach, uint8_t *out, int *seen) {
    memset(out, 0, (size_t)width * (size_t)height);
    for (int y = 0; y < height; y++) {
        const uint8_t *row = set + (size_t)y * (size_t)width;
        uint8_t *to = out + (size_t)y * (size_t)width;
        for (int x = 0, end = 0; x < width; x++) {
            if (!row[x]) continue;
            int first = ead_max(end, x - reach);
            end = ead_min(width, x + reach + 1);
            memset(to + first, 1, (size_t)(end - first));
        }
    }
    /* Bit 0: of the rows; bit 1: reached from above, bit 2 from below. */
    for (int x = 0; x < width; x++) seen[x] = -reach - 1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *to = out + (size_t)y * (size_t)width + x;
            if (*to & 1) seen[x] = y;
            if (y - seen[x] <= reach) *to |= 2;
        }
    for (int x = 0; x < width; x++) seen[x] = height + reach;
    for (int y = height - 1; y >= 0; y--)
        for (int x = 0; x < width; x++) {
            uint8_t *to = out + (size_t)y * (size_t)width + x;
            if (*to & 1) seen[x] = y;
            if (seen[x] - y <= reach) *to |= 4;
        }
}

/* Colours the pixels up to `reach` outside of the set ones. near and seen are scratch. */
static void draw_outline(EadImage *out, const uint8_t *set, int reach, const uint8_t color[3], uint8_t *near,
                         int *seen) {
    size_t pixels = (size_t)out->width * (size_t)out->height;
    spread(set, out->width, out->height, reach, near, seen);
    for (size_t i = 0; i < pixels; i++)
        if (near[i] && !set[i]) memcpy(out->pixels + 3 * i, color, 3);
}

static EadStatus draw_outlines(const EadOverlay *o, EadImage *out) {
    int64_t pixels = (int64_t)out->width * out->height;
    int reach = 1 + ead_max(out->width, out->height) / OUTLINE_PER_PX;
    bool found = false;
    if (!o->truth && !o->regions) return EAD_OK;
    uint8_t *set = ead_new(2 * pixels, 1, "the outlines of a picture");
    int *seen = ead_new(out->width, sizeof *seen, "the outlines of a picture");
    for (int64_t i = 0; set && seen && o->regions && o->map && i < pixels; i++) {
        set[i] = o->map[i] >= o->heat.threshold;
        found = found || set[i];
    }
    if (found) {
        draw_outline(out, set, reach + (reach + 1) / 2, black, set + pixels, seen);
        draw_outline(out, set, reach, white, set + pixels, seen);
    }
    if (set && seen && o->truth) draw_outline(out, o->truth->pixels, reach, truth_color, set + pixels, seen);
    EadStatus status = set && seen ? EAD_OK : EAD_NO_MEMORY;
    free(set);
    free(seen);
    return status;
}

/* ---- legend ---- */

typedef struct Box {
    int x, y, width, height;
} Box;

/* The strip below the image: verdict, and the bar beside it, or below it where the width has no room for both. */
typedef struct Legend {
    int unit, height; /* pixels of the picture for one of a letter; of the strip, 0: there is none */
    char text[80];    /* how the score compares with the threshold */
    int tag;          /* width of OK or NG */
    Box verdict, bar; /* within the strip; width 0: not there */
} Legend;

enum {
    MARGIN = 2,
    PAD = 2,
    TAG = 2 * EAD_FONT_HEIGHT + 2 * PAD,
    BAR = 5,
    LEAST_BAR = 40,
    MOST_BAR = 120
}; /* units */

/* Score and threshold with three digits, or with as many more as tell them apart and have room. */
static void compare(const EadOverlay *o, int room, int unit, char *text, size_t size) {
    enum { LEAST_DIGITS = 3, MOST_DIGITS = 9 };
    double score = (double)o->score;
    char left[32], right[32], more[80];
    for (int digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits++) {
        snprintf(left, sizeof left, "%.*g", digits, score);
        snprintf(right, sizeof right, "%.*g", digits, o->threshold);
        snprintf(more, sizeof more, "%s %s %s", left, score >= o->threshold ? ">=" : "<", right);
        if (digits > LEAST_DIGITS && ead_font_width(more, unit) > room) return;
        snprintf(text, size, "%s", more);
        if (strcmp(left, right) != 0 || score == o->threshold) return;
    }
}

static void plan_verdict(const EadOverlay *o, Legend *legend) {
    int unit = legend->unit, room = o->rgb->width - 2 * MARGIN * unit;
    legend->tag = ead_font_width("OK", 2 * unit) + 2 * PAD * unit;
    if (isnan(o->threshold) || legend->tag > room) return;
    int beside = legend->tag + 2 * PAD * unit;
    compare(o, room - beside, unit, legend->text, sizeof legend->text);
    int width = beside + ead_font_width(legend->text, unit);
    if (width > room) legend->text[0] = '\0';
    legend->verdict = (Box){MARGIN * unit, MARGIN * unit, width > room ? legend->tag : width, TAG * unit};
    legend->height = (TAG + 2 * MARGIN) * unit;
}

static void plan_bar(const EadOverlay *o, Legend *legend) {
    int unit = legend->unit, row = (TAG + MARGIN) * unit, x = MARGIN * unit, y = x;
    if (!o->map || !(o->heat.high > o->heat.low)) return;
    int beside = legend->verdict.width > 0 ? x + legend->verdict.width + 2 * MARGIN * unit : x;
    if (o->rgb->width - beside - MARGIN * unit >= LEAST_BAR * unit)
        x = beside;
    else
        y += row;
    int width = ead_min(MOST_BAR * unit, o->rgb->width - x - MARGIN * unit);
    if (width < LEAST_BAR * unit) return;
    legend->bar = (Box){x, y + PAD * unit, width, BAR * unit};
    legend->height = y + row;
}

/* The unit grows with the image, as long as the verdict has room and the strip is no higher than the image. */
static Legend plan_legend(const EadOverlay *o) {
    enum { VERDICT = 124, HIGHEST = 65535 }; /* units of the longest one, about; of an EadImage */
    Legend legend = {0};
    int middle = (o->rgb->width + o->rgb->height) / 2;
    if (!o->legend) return legend;
    int room = ead_min(o->rgb->width / VERDICT, o->rgb->height / (TAG + 2 * MARGIN));
    legend.unit = ead_max(1, ead_min((middle + 128) / 256, room));
    plan_verdict(o, &legend);
    plan_bar(o, &legend);
    return o->rgb->height + legend.height <= HIGHEST ? legend : (Legend){0};
}

static void fill_box(EadImage *out, Box box, const uint8_t color[3]) {
    for (int y = box.y; y < box.y + box.height; y++)
        for (int x = box.x; x < box.x + box.width; x++) memcpy(pixel_at(out, x, y), color, 3);
}

/* OK or NG on green or red, and behind it the comparison. */
static void draw_verdict(const EadOverlay *o, const Legend *legend, EadImage *strip) {
    static const uint8_t green[3] = {24, 128, 56}, red[3] = {200, 30, 30};
    bool bad = (double)o->score >= o->threshold;
    int unit = legend->unit, pad = PAD * unit;
    Box box = legend->verdict;
    fill_box(strip, (Box){box.x, box.y, legend->tag, box.height}, bad ? red : green);
    ead_font_draw(strip, bad ? "NG" : "OK", box.x + pad, box.y + pad, 2 * unit, white);
    ead_font_draw(strip, legend->text, box.x + legend->tag + pad,
                  box.y + (box.height - EAD_FONT_HEIGHT * unit) / 2, unit, white);
}

/* A number below the bar, centred at `at` as far as the bar's ends let it, unless it leaves the part from..to of it. */
static void draw_number(EadImage *out, Box bar, double value, int at, int from, int to, int unit) {
    char text[32];
    snprintf(text, sizeof text, "%.3g", value);
    int width = ead_font_width(text, unit);
    int x = ead_min(ead_max(at - width / 2, 0), bar.width - width);
    if (x < from || x + width > to) return;
    ead_font_draw(out, text, bar.x + x, bar.y + bar.height + 2 * unit, unit, white);
}

static int number_width(double value, int unit) {
    char text[32];
    snprintf(text, sizeof text, "%.3g", value);
    return ead_font_width(text, unit) + 4 * unit;
}

/* The colours from low to high, the highest value and the threshold, and the lowest where they leave room for it. */
static void draw_bar(const EadHeat *heat, Box bar, int unit, EadImage *strip) {
    int width = bar.width;
    for (int i = 0; i < width; i++) {
        uint8_t color[3];
        ead_ramp_color(((float)i + 0.5f) / (float)width, color);
        fill_box(strip, (Box){bar.x + i, bar.y, 1, bar.height}, color);
    }
    int end = width - number_width((double)heat->high, unit), begin = 0;
    draw_number(strip, bar, (double)heat->high, width, 0, width, unit);
    float part = (heat->threshold - heat->low) / (heat->high - heat->low);
    if (part >= 0 && part <= 1) {
        int at = (int)(part * (float)width), half = number_width((double)heat->threshold, unit) / 2;
        fill_box(strip, (Box){bar.x + ead_min(at, width - unit), bar.y - unit, unit, bar.height + 2 * unit},
                 white);
        draw_number(strip, bar, (double)heat->threshold, at, 0, end, unit);
        if (at - half < number_width((double)heat->low, unit)) begin = width;
    }
    draw_number(strip, bar, (double)heat->low, 0, begin, end, unit);
}

static void draw_legend(const EadOverlay *o, const Legend *legend, EadImage *strip) {
    static const uint8_t dark[3] = {32, 32, 32};
    fill_box(strip, (Box){0, 0, strip->width, strip->height}, dark);
    if (legend->verdict.width > 0) draw_verdict(o, legend, strip);
    if (legend->bar.width > 0) draw_bar(&o->heat, legend->bar, legend->unit, strip);
}

/* ---- the picture ---- */

EadStatus ead_overlay_render(const EadOverlay *overlay, EadImage *out) {
    const EadImage *rgb = overlay->rgb, *truth = overlay->truth;
    *out = (EadImage){0};
    if (rgb->channels != 3)
        return ead_fail(EAD_BAD_SHAPE, "overlay: the image has %d channels, not 3", rgb->channels);
    if (truth && (truth->channels != 1 || truth->width != rgb->width || truth->height != rgb->height))
        return ead_fail(EAD_BAD_SHAPE, "overlay: mask of %d x %d with %d channels for an image of %d x %d",
                        truth->width, truth->height, truth->channels, rgb->width, rgb->height);
    Legend legend = plan_legend(overlay);
    EAD_TRY(ead_image_alloc(out, rgb->width, rgb->height + legend.height, 3));
    EadImage image = *out, strip = *out; /* the two parts of it */
    image.height = rgb->height;
    strip.height = legend.height;
    strip.pixels += 3 * (size_t)rgb->width * (size_t)rgb->height;
    memcpy(image.pixels, rgb->pixels, 3 * (size_t)rgb->width * (size_t)rgb->height);
    blend(overlay, &image);
    EadStatus status = draw_outlines(overlay, &image);
    if (status != EAD_OK) ead_image_free(out);
    if (status == EAD_OK && legend.height > 0) draw_legend(overlay, &legend, &strip);
    return status;
}

static const char software[] = EAD_PNG_OF_OURS "overlay";

EadStatus ead_overlay_write_png(const char *path, const EadOverlay *overlay) {
    EadImage picture;
    EAD_TRY(ead_overlay_render(overlay, &picture));
    EadStatus status = ead_png_write_by(path, &picture, software);
    ead_image_free(&picture);
    return status;
}

bool ead_overlay_is_one(const char *path) {
    return ead_png_is_by(path, software);
}
