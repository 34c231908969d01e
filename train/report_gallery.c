/* The heat maps of report.html: each image beside its map, as JPEG inside the page. */
#include "train/report_parts.h"

#include "train/html_text.h"
#include "train/jpeg_memory.h"
#include "train/overlay.h"

#include <stdlib.h>
#include <string.h>

#define JPEG_QUALITY 84

static EadStatus write_picture(FILE *stream, const EadImage *picture, const char *description) {
    uint8_t *bytes;
    size_t size;
    EAD_TRY(ead_jpeg_encode(picture, JPEG_QUALITY, &bytes, &size));
    fprintf(stream, "<img width=\"%d\" height=\"%d\" alt=\"%s\" src=\"data:image/jpeg;base64,",
            picture->width, picture->height, description);
    ead_html_base64(stream, bytes, size);
    fputs("\">", stream);
    free(bytes);
    return EAD_OK;
}

static EadStatus write_pair(FILE *stream, const EadGalleryEntry *entry, float low, float high) {
    const EadImage *mask = entry->mask.pixels ? &entry->mask : NULL;
    EadImage plain, heat;
    /* A map that is hot nowhere leaves the plain image, with its outline. */
    float *nothing = calloc((size_t)entry->rgb.width * (size_t)entry->rgb.height, sizeof *nothing);
    if (!nothing) return ead_fail(EAD_NO_MEMORY, "no memory for a picture of the report");
    EadStatus status = ead_overlay_render(&entry->rgb, nothing, 0, 1, mask, &plain);
    free(nothing);
    if (status == EAD_OK) status = write_picture(stream, &plain, "image");
    ead_image_free(&plain);
    if (status != EAD_OK) return status;
    status = ead_overlay_render(&entry->rgb, entry->map, low, high, NULL, &heat);
    if (status == EAD_OK) status = write_picture(stream, &heat, "heat map");
    ead_image_free(&heat);
    return status;
}

static EadStatus write_entry(FILE *stream, const EadGalleryEntry *entry, float low, float high) {
    fputs("<figure class=\"shot\"><div class=\"pair\">", stream);
    EAD_TRY(write_pair(stream, entry, low, high));
    fprintf(stream, "</div><figcaption><b>%.3g</b><span class=\"tag s%d\">", (double)entry->score,
            entry->anomalous ? 2 : 1);
    ead_html_text(stream, entry->defect);
    fputs("</span><span class=\"name\" title=\"", stream);
    ead_html_text(stream, entry->path);
    fputs("\">", stream);
    const char *slash = strrchr(entry->path, '/');
    ead_html_text(stream, slash ? slash + 1 : entry->path);
    fputs("</span></figcaption></figure>\n", stream);
    return EAD_OK;
}

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

EadStatus ead_report_gallery(FILE *stream, const EadReport *report) {
    static const char *const titles[EAD_GALLERY_SECTIONS] = {
        "Missed defects", "False alarms", "Highest scores among the good", "Lowest scores among the defects",
        "Clearest detections"};
    if (!report->gallery || report->gallery->count == 0) return EAD_OK;
    int is_set;
    EadGalleryPick pick;
    float low, high;
    EAD_TRY(ead_gallery_pick(report->gallery, ead_report_threshold(report->figures, &is_set), &pick));
    ead_gallery_range(report->gallery, &low, &high);
    fputs(
        "<h2>Heat maps</h2>\n<p class=\"soft\">Image (true defect outlined) and anomaly map, coloured from ",
        stream);
    write_scale(stream, low, high);
    fputs(". The bold number is the image score.</p>\n", stream);
    for (int i = 0; i < pick.count; i++) {
        if (i == 0 || pick.sections[i] != pick.sections[i - 1])
            fprintf(stream, "%s<h3>%s</h3>\n<div class=\"shots\">\n", i > 0 ? "</div>\n" : "",
                    titles[pick.sections[i]]);
        EAD_TRY(write_entry(stream, &report->gallery->entries[pick.entries[i]], low, high));
    }
    if (pick.count > 0) fputs("</div>\n", stream);
    return EAD_OK;
}
