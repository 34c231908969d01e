/* Reduction of images, maps and masks to thumbnails, and their order. */
#include "train/report/gallery.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_SIDE = 64 };

static void free_picture(EadGalleryEntry *entry) {
    free(entry->map);
    entry->map = NULL;
    ead_image_free(&entry->rgb);
    ead_image_free(&entry->mask);
    for (int i = 0; i < EAD_GALLERY_PARTS; i++) ead_map_free(&entry->parts[i]);
}

static void free_entry(EadGalleryEntry *entry) {
    free(entry->path);
    free(entry->defect);
    free_picture(entry);
}

void ead_gallery_free(EadGallery *gallery) {
    for (int64_t i = 0; i < gallery->count; i++) free_entry(&gallery->entries[i]);
    free(gallery->entries);
    *gallery = (EadGallery){0};
}

/* Cell x of `small` covers [first, end) of `large`; small <= large. */
static void cell_range(int x, int small, int large, int *first, int *end) {
    *first = (int)((int64_t)x * large / small);
    *end = (int)(((int64_t)(x + 1) * large + small - 1) / small);
}

/* Of each cell the highest value of the map, and whether any pixel of the mask is set; mask may be NULL. */
static void reduce(const float *map, const EadImage *mask, int width, int height, EadGalleryEntry *out) {
    for (int y = 0; y < out->rgb.height; y++) {
        int y0, y1, x0, x1;
        cell_range(y, out->rgb.height, height, &y0, &y1);
        for (int x = 0; x < out->rgb.width; x++) {
            int64_t cell = (int64_t)y * out->rgb.width + x;
            cell_range(x, out->rgb.width, width, &x0, &x1);
            float highest = map[(int64_t)y0 * width + x0];
            for (int v = y0; v < y1; v++)
                for (int u = x0; u < x1; u++) {
                    highest = fmaxf(highest, map[(int64_t)v * width + u]);
                    if (mask) out->mask.pixels[cell] |= mask->pixels[(int64_t)v * width + u];
                }
            out->map[cell] = highest;
        }
    }
}

/* In the page a picture pair takes two JPEGs of some 0.3 bytes a pixel, a third more in base64; each part a quarter of one,
 * since its sides are half as long. */
static double bytes_per_pixel(int parts) {
    return (2 + 0.25 * parts) * 0.3 * 4 / 3;
}

EadGallery ead_gallery_for(int64_t images, double threshold, int parts) {
    double pixels = EAD_GALLERY_BUDGET / bytes_per_pixel(parts);
    double side = sqrt(pixels / (double)(images > 0 ? images : 1));
    side = side > EAD_GALLERY_SIDE ? EAD_GALLERY_SIDE : side < LEAST_SIDE ? LEAST_SIDE : side;
    return (EadGallery){
        .side = (int)side, .most = (int)(pixels / (LEAST_SIDE * LEAST_SIDE)), .threshold = threshold};
}

EadGallery ead_gallery_for_unlabelled(int64_t images, int parts) {
    enum {
        LIST = 1000,
        LEAST = 128
    }; /* images of a list are taken for as many; pixels of a side worth looking at */
    EadGallery gallery = ead_gallery_for(images < 0 ? LIST : images, (double)NAN, parts);
    if (gallery.side < LEAST) gallery.side = LEAST;
    gallery.most = (int)(EAD_GALLERY_BUDGET / (bytes_per_pixel(parts) * gallery.side * gallery.side));
    gallery.bounded = true;
    return gallery;
}

static void measure_map(EadGalleryEntry *entry) {
    int64_t pixels = (int64_t)entry->rgb.width * entry->rgb.height;
    double sum = 0;
    entry->highest = -INFINITY;
    for (int64_t i = 0; i < pixels; i++) {
        sum += (double)entry->map[i];
        entry->highest = fmaxf(entry->highest, entry->map[i]);
    }
    entry->mean = (float)(sum / (double)pixels);
}

static int thumbnail_side(int side, int longest, int max_side) {
    if (longest <= max_side) return side;
    int reduced = (int)(((int64_t)side * max_side + longest / 2) / longest);
    return reduced > 0 ? reduced : 1;
}

static EadStatus copy_parts(EadGalleryEntry *entry, const EadMap *parts) {
    for (int i = 0; parts && i < EAD_GALLERY_PARTS && parts[i].values; i++) {
        EadMap *copy = &entry->parts[i];
        EAD_TRY(ead_map_alloc(copy, parts[i].name, parts[i].width, parts[i].height));
        memcpy(copy->values, parts[i].values,
               (size_t)copy->width * (size_t)copy->height * sizeof *copy->values);
    }
    return EAD_OK;
}

static EadStatus fill_entry(EadGalleryEntry *entry, int max_side, const EadGalleryImage *image) {
    const EadImage *rgb = image->rgb, *mask = image->mask;
    int longest = rgb->width > rgb->height ? rgb->width : rgb->height;
    int width = thumbnail_side(rgb->width, longest, max_side);
    int height = thumbnail_side(rgb->height, longest, max_side);
    EAD_TRY(ead_image_alloc(&entry->rgb, width, height, 3));
    EAD_TRY(ead_resize_u8(rgb->pixels, rgb->width, rgb->height, 3, (ptrdiff_t)rgb->width * 3,
                          entry->rgb.pixels, width, height));
    entry->map = ead_new((int64_t)width * height, sizeof *entry->map, "a picture of the report");
    if (!entry->map) return EAD_NO_MEMORY;
    if (mask) EAD_TRY(ead_image_alloc(&entry->mask, width, height, 1));
    if (mask) memset(entry->mask.pixels, 0, (size_t)width * (size_t)height);
    reduce(image->map, mask, rgb->width, rgb->height, entry);
    measure_map(entry);
    return copy_parts(entry, image->parts);
}

/* Takes out the entries without pictures. */
static void drop_entries(EadGallery *gallery) {
    int kept = 0;
    for (int i = 0; i < gallery->count; i++) {
        EadGalleryEntry *entry = &gallery->entries[i];
        if (entry->map)
            gallery->entries[kept++] = *entry;
        else
            free_entry(entry);
    }
    gallery->dropped += gallery->count - kept;
    gallery->count = kept;
}

/* Of those that come last, when there are an eighth too many. */
static EadStatus drop_pictures(EadGallery *gallery) {
    EadGalleryOrder order;
    if (gallery->most == 0 || gallery->pictures <= gallery->most + gallery->most / 8) return EAD_OK;
    EAD_TRY(ead_gallery_sort(gallery, gallery->threshold, &order));
    gallery->pictures = 0;
    for (int64_t i = 0; i < gallery->count; i++) {
        EadGalleryEntry *entry = &gallery->entries[order.entries[i]];
        if (gallery->pictures >= gallery->most) free_picture(entry);
        gallery->pictures += entry->map != NULL;
    }
    free(order.entries);
    if (gallery->bounded) drop_entries(gallery);
    return EAD_OK;
}

EadStatus ead_gallery_add(EadGallery *gallery, const EadGalleryImage *image) {
    const EadImage *rgb = image->rgb, *mask = image->mask;
    if (rgb->channels != 3 ||
        (mask && (mask->channels != 1 || mask->width != rgb->width || mask->height != rgb->height)))
        return ead_fail(EAD_BAD_SHAPE, "%s: image and mask differ in size", image->path);
    EAD_TRY(ead_grow(&gallery->entries, &gallery->capacity, gallery->count, sizeof *gallery->entries,
                     "the pictures of the report"));
    EadGalleryEntry entry = {.path = ead_strdup(image->path),
                             .defect = ead_strdup(image->defect),
                             .anomalous = image->anomalous != 0,
                             .score = image->score,
                             .seconds = image->seconds};
    int max_side = gallery->side > 0 ? gallery->side : EAD_GALLERY_SIDE;
    EadStatus status = entry.path && entry.defect ? fill_entry(&entry, max_side, image) : EAD_NO_MEMORY;
    if (status != EAD_OK) {
        free_entry(&entry);
        return status;
    }
    gallery->entries[gallery->count++] = entry;
    gallery->pictures++;
    return drop_pictures(gallery);
}

static int ascending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* The order statistic at `part` (0..1) of values [count]; sorts them. */
static float value_at(float *values, int64_t count, double part) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[(int64_t)(part * (double)(count - 1))];
}

EadStatus ead_gallery_range(const EadGallery *gallery, float *low, float *high) {
    *low = 0;
    *high = 1;
    if (gallery->count == 0) return EAD_OK;
    float *values = ead_new(gallery->count, sizeof *values, "the colors of the pictures");
    if (!values) return EAD_NO_MEMORY;
    int64_t good = 0, bad = 0;
    for (int64_t i = 0; i < gallery->count; i++)
        if (!gallery->entries[i].anomalous) values[good++] = gallery->entries[i].mean;
    *low = good > 0 ? value_at(values, good, 0.5) : gallery->entries[0].mean;
    for (int64_t i = 0; i < gallery->count; i++)
        if (gallery->entries[i].anomalous || good == gallery->count)
            values[bad++] = gallery->entries[i].highest;
    *high = value_at(values, bad, 0.7);
    /* Below zero a normalised map says nothing, and its border is zero. */
    if (*high > 0) *low = fmaxf(*low, 0);
    if (!(*high > *low)) *high = *low + 1;
    free(values);
    return EAD_OK;
}

typedef struct RankedImage {
    EadGallerySection section;
    float score;
    int64_t index;
} RankedImage;

static int by_section_and_score(const void *left, const void *right) {
    const RankedImage *a = left, *b = right;
    if (a->section != b->section) return a->section < b->section ? -1 : 1;
    if (a->score == b->score) return (a->index > b->index) - (a->index < b->index);
    bool first = a->section == EAD_GALLERY_MISSED ? a->score < b->score : a->score > b->score;
    return first ? -1 : 1;
}

EadStatus ead_gallery_sort(const EadGallery *gallery, double threshold, EadGalleryOrder *order) {
    *order = (EadGalleryOrder){0};
    RankedImage *ranked = ead_new(gallery->count, sizeof *ranked, "the order of the pictures");
    order->entries =
        ranked ? ead_new(gallery->count, sizeof *order->entries, "the order of the pictures") : NULL;
    if (!order->entries) {
        free(ranked);
        return EAD_NO_MEMORY;
    }
    for (int64_t i = 0; i < gallery->count; i++) {
        const EadGalleryEntry *entry = &gallery->entries[i];
        bool called = (double)entry->score >= threshold;
        bool mistake = !isnan(threshold) && called != (entry->anomalous != 0);
        EadGallerySection section = !mistake ? EAD_GALLERY_OTHERS
                                    : called ? EAD_GALLERY_FALSE_ALARMS
                                             : EAD_GALLERY_MISSED;
        ranked[i] = (RankedImage){section, entry->score, i};
        order->sizes[section]++;
    }
    qsort(ranked, (size_t)gallery->count, sizeof *ranked, by_section_and_score);
    for (int64_t i = 0; i < gallery->count; i++) order->entries[i] = ranked[i].index;
    free(ranked);
    return EAD_OK;
}
