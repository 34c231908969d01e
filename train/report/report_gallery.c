/* All test images in report.html: each beside its map, as JPEG inside the page. Shown or hidden by radio
 * buttons and style sheet alone. */
#include "train/report/report_parts.h"

#include "train/support/html_text.h"
#include "data/codec/codec.h"
#include "train/report/overlay.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define JPEG_QUALITY 82

/* What all cards share. */
typedef struct Page {
    FILE *stream;
    const EadGallery *gallery;
    EadGalleryOrder order;
    float low, high;             /* of the colours */
    double lowest, highest;      /* of the scores */
    double threshold;            /* NAN: none */
    int64_t bytes;               /* of pictures so far */
    int64_t pictured, anomalous; /* images */
    bool outlined;               /* some have a mask */
    bool bare;                   /* the rest have no pictures */
} Page;

/* ---- one image ---- */

static EadStatus write_picture(Page *page, const EadImage *picture, const char *description) {
    uint8_t *bytes;
    size_t size;
    EAD_TRY(ead_jpeg_encode(picture, JPEG_QUALITY, &bytes, &size));
    fprintf(page->stream,
            "<img width=\"%d\" height=\"%d\" alt=\"%s\" decoding=\"async\" src=\"data:image/jpeg;base64,",
            picture->width, picture->height, description);
    ead_html_base64(page->stream, bytes, size);
    fputs("\">", page->stream);
    page->bytes += (int64_t)size * 4 / 3;
    free(bytes);
    return EAD_OK;
}

/* A map that is hot nowhere leaves the plain image, with its outline. */
static EadStatus render_plain(const EadGalleryEntry *entry, EadImage *out) {
    const EadImage *mask = entry->mask.pixels ? &entry->mask : NULL;
    float *nothing = calloc((size_t)entry->rgb.width * (size_t)entry->rgb.height, sizeof *nothing);
    if (!nothing) return ead_fail(EAD_NO_MEMORY, "no memory for a picture of the report");
    EadStatus status = ead_overlay_render(&entry->rgb, nothing, 0, 1, mask, out);
    free(nothing);
    return status;
}

static EadStatus write_pair(Page *page, int64_t index, const EadGalleryEntry *entry) {
    EadImage plain, heat;
    fprintf(page->stream, "<a class=\"pair\" href=\"#image-%lld\">", (long long)index);
    EAD_TRY(render_plain(entry, &plain));
    EadStatus status = write_picture(page, &plain, "image");
    ead_image_free(&plain);
    if (status == EAD_OK)
        status = ead_overlay_render(&entry->rgb, entry->map, page->low, page->high, NULL, &heat);
    if (status != EAD_OK) return status;
    status = write_picture(page, &heat, "heat map");
    ead_image_free(&heat);
    fputs("</a>", page->stream);
    page->pictured++;
    return status;
}

static double share_of(const Page *page, double score) {
    return page->highest > page->lowest ? 100 * (score - page->lowest) / (page->highest - page->lowest) : 50;
}

/* Where the score stands between the lowest and the highest, and the threshold as a tick. */
static void write_bar(const Page *page, const EadGalleryEntry *entry) {
    fprintf(page->stream, "<i class=\"score s%d\"><u style=\"width:%.1f%%\"></u>", entry->anomalous ? 2 : 1,
            share_of(page, (double)entry->score));
    if (page->threshold > page->lowest && page->threshold < page->highest)
        fprintf(page->stream, "<s style=\"left:%.1f%%\"></s>", share_of(page, page->threshold));
    fputs("</i>", page->stream);
}

static EadStatus write_card(Page *page, int64_t index, EadGallerySection section) {
    static const char *const mistake[EAD_GALLERY_SECTIONS] = {" wrong", " wrong", ""};
    const EadGalleryEntry *entry = &page->gallery->entries[index];
    FILE *stream = page->stream;
    fprintf(stream, "<figure class=\"shot %s%s\" id=\"image-%lld\">", entry->anomalous ? "bad" : "good",
            mistake[section], (long long)index);
    if (!page->bare) EAD_TRY(write_pair(page, index, entry));
    write_bar(page, entry);
    fprintf(stream, "<figcaption><b>%.4g</b><span class=\"tag s%d\">", (double)entry->score,
            entry->anomalous ? 2 : 1);
    ead_html_text(stream, entry->defect);
    fputs("</span><span class=\"name\" title=\"", stream);
    ead_html_text(stream, entry->path);
    fputs("\">", stream);
    const char *slash = strrchr(entry->path, '/');
    ead_html_text(stream, slash ? slash + 1 : entry->path);
    fputs("</span><a class=\"close\" href=\"#images\">close</a></figcaption></figure>\n", stream);
    return EAD_OK;
}

/* ---- all of them ---- */

/* The colour scale between its two values. */
static void write_scale(FILE *stream, float low, float high) {
    fprintf(stream, "%.3g<span class=\"ramp\" style=\"background:linear-gradient(90deg", (double)low);
    for (int i = 0; i <= 5; i++) {
        uint8_t color[3];
        ead_ramp_color((float)i / 5, color);
        fprintf(stream, ",#%02x%02x%02x", color[0], color[1], color[2]);
    }
    fprintf(stream, ")\"></span>%.3g", (double)high);
}

static void write_filter(const Page *page) {
    long long all = (long long)page->gallery->count, anomalous = (long long)page->anomalous;
    long long wrong =
        (long long)(page->order.sizes[EAD_GALLERY_MISSED] + page->order.sizes[EAD_GALLERY_FALSE_ALARMS]);
    const struct {
        const char *id, *name;
        long long count;
    } choices[] = {{"show-all", "all", all},
                   {"show-wrong", "mistakes", wrong},
                   {"show-bad", "anomalous", anomalous},
                   {"show-good", "good", all - anomalous}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        fprintf(page->stream,
                "<input type=\"radio\" name=\"show\" id=\"%s\"%s/><label for=\"%s\">%s <b>%lld</b></label>\n",
                choices[i].id, i == 0 ? " checked=\"\"" : "", choices[i].id, choices[i].name,
                choices[i].count);
}

static void write_introduction(const Page *page) {
    fprintf(page->stream,
            "<h2 id=\"images\">Test images</h2>\n<p class=\"soft\">Image%s and anomaly map, coloured from ",
            page->outlined ? " (true defect outlined)" : "");
    write_scale(page->stream, page->low, page->high);
    fputs(". The bold number is the image score; the bar shows it between the lowest and the highest",
          page->stream);
    fputs(isnan(page->threshold) ? ". " : ", the tick is the threshold. ", page->stream);
    fputs("A click enlarges.</p>\n", page->stream);
}

/* Before the first image that finds the budget spent: from there on rows are low, in a grid of their own. */
static void end_pictures(Page *page) {
    long long rest = (long long)(page->gallery->count - page->pictured);
    fprintf(page->stream,
            "</div>\n<p class=\"soft after\">The other %lld images without pictures: the page keeps to %d "
            "MB.</p>\n"
            "<div class=\"shots bare\">\n",
            rest, EAD_GALLERY_BUDGET / 1000000);
    page->bare = true;
}

static EadStatus write_sections(Page *page) {
    static const char *const titles[EAD_GALLERY_SECTIONS] = {"Missed defects", "False alarms",
                                                             "All others, highest score first"};
    int64_t next = 0;
    for (int section = 0; section < EAD_GALLERY_SECTIONS; section++) {
        int64_t size = page->order.sizes[section];
        if (size == 0) continue;
        fprintf(page->stream, "<h3 class=\"%s\">%s <small>%lld</small></h3>\n<div class=\"shots%s\">\n",
                section == EAD_GALLERY_OTHERS ? "right" : "wrong", titles[section], (long long)size,
                page->bare ? " bare" : "");
        for (int64_t end = next + size; next < end; next++) {
            if (!page->bare && page->bytes >= EAD_GALLERY_BUDGET) end_pictures(page);
            EAD_TRY(write_card(page, page->order.entries[next], (EadGallerySection)section));
        }
        fputs("</div>\n", page->stream);
    }
    return EAD_OK;
}

/* Scores, and how many are anomalous. */
static void survey(Page *page) {
    page->lowest = INFINITY;
    page->highest = -INFINITY;
    for (int64_t i = 0; i < page->gallery->count; i++) {
        const EadGalleryEntry *entry = &page->gallery->entries[i];
        page->lowest = fmin(page->lowest, (double)entry->score);
        page->highest = fmax(page->highest, (double)entry->score);
        page->anomalous += entry->anomalous;
        page->outlined |= entry->mask.pixels != NULL;
    }
}

EadStatus ead_report_gallery(FILE *stream, const EadReport *report) {
    if (!report->gallery || report->gallery->count == 0) return EAD_OK;
    int is_set;
    Page page = {.stream = stream, .gallery = report->gallery};
    page.threshold = ead_report_threshold(report->metrics, &is_set);
    EAD_TRY(ead_gallery_sort(report->gallery, page.threshold, &page.order));
    ead_gallery_range(report->gallery, &page.low, &page.high);
    survey(&page);
    write_introduction(&page);
    fputs("<div class=\"gallery\">\n", stream);
    write_filter(&page);
    EadStatus status = write_sections(&page);
    fputs("</div>\n", stream);
    free(page.order.entries);
    return status;
}
