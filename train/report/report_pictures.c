/* Overlays of a gallery, encoded; links to the originals; what has no room is counted. */
#include "train/report/report_pictures.h"

#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "train/report/page_link.h"

#include <math.h>
#include <stdlib.h>

#define JPEG_QUALITY 82
enum {
    TIME_DIGITS = 4,
    ROWS_END = EAD_PAGE_BYTES - 200000 /* scripts follow */
};

static EadStatus write_picture(EadJson *json, const char *key, const EadOverlay *overlay) {
    EadImage picture;
    uint8_t *jpeg;
    size_t size;
    EAD_TRY(ead_overlay_render(overlay, &picture));
    EadStatus status = ead_jpeg_encode(&picture, JPEG_QUALITY, &jpeg, &size);
    ead_image_free(&picture);
    EAD_TRY(status);
    ead_json_data_uri(json, key, "image/jpeg", jpeg, size);
    free(jpeg);
    return EAD_OK;
}

/* A part over the image, with half of its sides: parts are coarser than their image. */
static EadStatus write_part(EadJson *json, const EadGalleryEntry *entry, const EadMap *part, EadHeat heat) {
    int width = (entry->rgb.width + 1) / 2, height = (entry->rgb.height + 1) / 2;
    EadImage rgb = {0};
    EadMap map = {0};
    EadStatus status = ead_image_alloc(&rgb, width, height, 3);
    if (status == EAD_OK) status = ead_map_alloc(&map, part->name, width, height);
    if (status == EAD_OK)
        status = ead_resize_u8(entry->rgb.pixels, entry->rgb.width, entry->rgb.height, 3,
                               (ptrdiff_t)3 * entry->rgb.width, rgb.pixels, width, height);
    if (status == EAD_OK) {
        ead_map_resize(part->values, part->height, part->width, map.values, height, width);
        ead_json_open(json, NULL, '{');
        ead_json_string(json, "name", part->name);
        status = write_picture(json, "picture", &(EadOverlay){.rgb = &rgb, .map = map.values, .heat = heat});
        ead_json_close(json, '}');
    }
    ead_image_free(&rgb);
    ead_map_free(&map);
    return status;
}

/* The image with its outline, the heat map over it, and the maps that this is made of. */
static EadStatus write_pictures(EadJson *json, const EadGalleryEntry *entry, EadHeat heat) {
    EadOverlay image = {.rgb = &entry->rgb, .truth = entry->mask.pixels ? &entry->mask : NULL};
    EadOverlay map = {.rgb = &entry->rgb, .map = entry->map, .heat = heat, .regions = !isnan(heat.threshold)};
    ead_json_integer(json, "width", entry->rgb.width);
    ead_json_integer(json, "height", entry->rgb.height);
    EAD_TRY(write_picture(json, "image", &image));
    EAD_TRY(write_picture(json, "map", &map));
    ead_json_open(json, "parts", '[');
    for (int i = 0; i < EAD_GALLERY_PARTS && entry->parts[i].values; i++)
        EAD_TRY(write_part(json, entry, &entry->parts[i], heat));
    ead_json_close(json, ']');
    return EAD_OK;
}

static EadStatus write_entry(EadJson *json, const char *folder, const EadGalleryEntry *entry, EadHeat heat) {
    char *link;
    EAD_TRY(ead_page_link(folder, entry->path, &link));
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "path", entry->path);
    ead_json_string(json, "href", link);
    ead_json_string(json, "defect", entry->defect);
    ead_json_flag(json, "anomalous", entry->anomalous);
    ead_json_float(json, "score", entry->score);
    ead_json_number(json, "milliseconds", entry->seconds > 0 ? 1e3 * entry->seconds : (double)NAN,
                    TIME_DIGITS);
    free(link);
    EadStatus status = EAD_OK;
    if (entry->map && ftell(json->stream) < EAD_GALLERY_BUDGET) status = write_pictures(json, entry, heat);
    ead_json_close(json, '}');
    return status;
}

static EadStatus write_entries(EadJson *json, const char *folder, const EadGallery *gallery,
                               const EadGalleryOrder *order, EadHeat heat) {
    int64_t i = 0;
    ead_json_open(json, "images", '[');
    for (; i < gallery->count && ftell(json->stream) < ROWS_END; i++)
        EAD_TRY(write_entry(json, folder, &gallery->entries[order->entries[i]], heat));
    ead_json_close(json, ']');
    ead_json_integer(json, "dropped", gallery->dropped + gallery->count - i);
    return EAD_OK;
}

static void write_ramp(EadJson *json) {
    ead_json_open(json, "ramp", '[');
    for (int i = 0; i <= 5; i++) {
        uint8_t rgb[3];
        char color[8];
        ead_ramp_color((float)i / 5, rgb);
        snprintf(color, sizeof color, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
        ead_json_string(json, NULL, color);
    }
    ead_json_close(json, ']');
}

EadStatus ead_report_write_gallery(EadJson *json, const char *folder, const EadGallery *gallery,
                                   double threshold, EadHeat heat) {
    EadGalleryOrder order;
    bool outlined = false;
    if (!(heat.high > heat.low)) EAD_TRY(ead_gallery_range(gallery, &heat.low, &heat.high));
    EAD_TRY(ead_gallery_sort(gallery, threshold, &order));
    for (int i = 0; i < gallery->count; i++) outlined = outlined || gallery->entries[i].mask.pixels;
    ead_json_open(json, "gallery", '{');
    ead_json_float(json, "low", heat.low);
    ead_json_float(json, "high", heat.high);
    ead_json_flag(json, "outlined", outlined);
    ead_json_integer(json, "budget", EAD_PAGE_BYTES);
    write_ramp(json);
    EadStatus status = write_entries(json, folder, gallery, &order, heat);
    ead_json_close(json, '}');
    free(order.entries);
    return status;
}
