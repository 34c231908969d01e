/* Boxes and masks on the way from images to networks, and from maps to images. */
#include "core/image/region.h"

#include "core/base/memory.h"
#include "core/image/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 65535 };

const uint8_t ead_region_blank[3] = {124, 116, 104};

void ead_region_free(EadRegion *region) {
    free(region->mask);
    *region = (EadRegion){0};
}

EadStatus ead_region_copy(const EadRegion *region, EadRegion *out) {
    int64_t pixels = (int64_t)region->mask_width * region->mask_height;
    uint8_t *mask = region->mask ? ead_new(pixels, 1, "a region of interest") : NULL;
    *out = (EadRegion){0};
    if (region->mask && !mask) return EAD_NO_MEMORY;
    if (mask) memcpy(mask, region->mask, (size_t)pixels);
    *out = *region;
    out->mask = mask;
    return EAD_OK;
}

bool ead_region_equals(const EadRegion *a, const EadRegion *b) {
    bool boxes = a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
    if (!boxes || !a->mask || !b->mask) return boxes && !a->mask == !b->mask;
    return a->image_width == b->image_width && a->image_height == b->image_height &&
           a->mask_width == b->mask_width && a->mask_height == b->mask_height &&
           memcmp(a->mask, b->mask, (size_t)a->mask_width * (size_t)a->mask_height) == 0;
}

bool ead_region_is_whole(const EadRegion *region) {
    return region->width == 0 && !region->mask;
}

/* ---- the box ---- */

EadStatus ead_region_set_box(EadRegion *region, const char *text) {
    long numbers[4] = {0};
    const char *at = text;
    bool valid = true;
    for (int i = 0; i < 4 && *text && valid; i++) {
        char *end;
        numbers[i] = strtol(at, &end, 10);
        valid = end != at && *end == (i < 3 ? ',' : '\0') && numbers[i] >= (i < 2 ? 0 : 1) &&
                numbers[i] <= MAX_SIDE;
        at = end + (i < 3);
    }
    valid = valid && numbers[0] + numbers[2] <= MAX_SIDE && numbers[1] + numbers[3] <= MAX_SIDE;
    if (!valid)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "'%.60s' is no box; it must be x,y,width,height in pixels of the images, such as "
                        "120,80,640,480",
                        text);
    region->x = (int)numbers[0], region->y = (int)numbers[1];
    region->width = (int)numbers[2], region->height = (int)numbers[3];
    return EAD_OK;
}

void ead_region_box_text(const EadRegion *region, char text[EAD_BOX_SIZE]) {
    text[0] = '\0';
    if (region->width)
        snprintf(text, EAD_BOX_SIZE, "%d,%d,%d,%d", region->x, region->y, region->width, region->height);
}

/* The box in an image of that size. */
static EadRegion box_in(const EadRegion *region, int width, int height) {
    EadRegion box = *region;
    if (!box.width) box.x = box.y = 0, box.width = width, box.height = height;
    return box;
}

EadStatus ead_region_check(const EadRegion *region, int width, int height) {
    char box[EAD_BOX_SIZE];
    ead_region_box_text(region, box);
    bool sized = region->image_width == 0 || (region->image_width == width && region->image_height == height);
    if (!sized)
        return ead_fail(EAD_BAD_SHAPE,
                        "an image of %d x %d pixels; the region of interest is for images of %d x %d, the "
                        "size of its mask",
                        width, height, region->image_width, region->image_height);
    bool boxed = region->width > 0;
    if (!boxed || (region->x + region->width <= width && region->y + region->height <= height)) return EAD_OK;
    return ead_fail(EAD_BAD_SHAPE,
                    "an image of %d x %d pixels does not hold the box of the region of interest, %s "
                    "(x,y,width,height)",
                    width, height, box);
}

/* ---- the mask ---- */

/* Resizes lines [lines][length], `stride` apart, and turns the result: out [out_length][lines]. A pixel is 1 if all that it is
 * made of is nonzero. */
static EadStatus shrink_mask(const uint8_t *in, int lines, int length, size_t stride, uint8_t *out,
                             int out_length) {
    EadResizeWeights w;
    EAD_TRY(ead_resize_weights_make(&w, length, out_length));
    for (int i = 0; i < out_length; i++)
        for (int line = 0; line < lines; line++) {
            const uint8_t *x = in + (size_t)line * stride;
            bool inside = true;
            if (length == out_length) /* such a pass is left out */
                inside = x[i] != 0;
            else
                for (int k = 0; k < w.count[i]; k++)
                    inside =
                        inside && (x[w.first[i] + k] || !w.values[(size_t)i * (size_t)w.taps + (size_t)k]);
            out[(size_t)i * (size_t)lines + (size_t)line] = inside;
        }
    ead_resize_weights_free(&w);
    return EAD_OK;
}

EadStatus ead_region_set_mask(EadRegion *region, const EadImage *mask, int width, int height) {
    EadRegion box = box_in(region, mask->width, mask->height);
    EAD_TRY(ead_region_check(region, mask->width, mask->height));
    uint8_t *turned = ead_new((int64_t)width * box.height, 1, "a mask");
    uint8_t *small = ead_new((int64_t)width * height, 1, "a mask");
    EadStatus status = turned && small ? EAD_OK : EAD_NO_MEMORY;
    if (status == EAD_OK)
        status = shrink_mask(mask->pixels + (size_t)box.y * (size_t)mask->width + box.x, box.height,
                             box.width, (size_t)mask->width, turned, width);
    if (status == EAD_OK) status = shrink_mask(turned, width, box.height, (size_t)box.height, small, height);
    free(turned);
    if (status == EAD_OK && !memchr(small, 1, (size_t)width * (size_t)height))
        status = ead_fail(EAD_BAD_ARGUMENT,
                          "nothing is inside%s at the model's %d x %d pixels; nonzero pixels are inspected",
                          region->width ? " of mask and box" : "", width, height);
    if (status != EAD_OK) {
        free(small);
        return status;
    }
    free(region->mask);
    region->mask = small, region->mask_width = width, region->mask_height = height;
    region->image_width = mask->width, region->image_height = mask->height;
    return EAD_OK;
}

EadStatus ead_region_mask_all(EadRegion *region) {
    int64_t pixels = (int64_t)region->mask_width * region->mask_height;
    if (region->mask) return EAD_OK;
    region->mask = ead_new(pixels, 1, "a region of interest");
    if (!region->mask) return EAD_NO_MEMORY;
    memset(region->mask, 1, (size_t)pixels);
    return EAD_OK;
}

bool ead_region_masks(const EadRegion *region) {
    size_t pixels = (size_t)region->mask_width * (size_t)region->mask_height;
    return region->mask && memchr(region->mask, 0, pixels);
}

/* ---- parts ---- */

EadStatus ead_region_check_part(const EadRegionPart *part, int width, int height) {
    bool fits = part->width >= 1 && part->height >= 1 && part->x >= 0 && part->y >= 0 &&
                part->width <= width - part->x && part->height <= height - part->y;
    if (part->width != 0 && !fits)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "an image of %d x %d pixels does not hold the box %d,%d,%d,%d (x,y,width,height)",
                        width, height, part->x, part->y, part->width, part->height);
    if (part->mask && (part->mask_width != width || part->mask_height != height))
        return ead_fail(EAD_BAD_ARGUMENT, "the mask has %d x %d pixels, and the image %d x %d",
                        part->mask_width, part->mask_height, width, height);
    if (!part->mask || ead_stride_fits(part->mask_stride, width, height)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "a stride of %td bytes from row to row of a mask %d pixels wide",
                    part->mask_stride, width);
}

/* 1 for the pixels of the part. */
static void draw_part(const EadRegionPart *part, EadImage *image) {
    bool boxed = part->width != 0;
    int left = boxed ? part->x : 0, right = boxed ? part->x + part->width : image->width;
    int top = boxed ? part->y : 0, bottom = boxed ? part->y + part->height : image->height;
    memset(image->pixels, 0, (size_t)image->width * (size_t)image->height);
    for (int y = top; y < bottom; y++) {
        uint8_t *row = image->pixels + (size_t)y * (size_t)image->width;
        const uint8_t *mask = part->mask ? part->mask + y * part->mask_stride : NULL;
        for (int x = left; x < right; x++) row[x] = mask ? mask[x] != 0 : 1;
    }
}

EadStatus ead_region_narrow(const EadRegion *region, const EadRegionPart *part, int width, int height,
                            EadRegion *out) {
    EadImage image = {0};
    EadRegion narrow = *region;
    int64_t pixels = (int64_t)region->mask_width * region->mask_height;
    narrow.mask = NULL;
    *out = (EadRegion){0};
    EAD_TRY(ead_image_alloc(&image, width, height, 1));
    draw_part(part, &image);
    EadStatus status = ead_region_set_mask(&narrow, &image, region->mask_width, region->mask_height);
    ead_image_free(&image);
    EAD_TRY(status);
    for (int64_t i = 0; region->mask && i < pixels; i++) narrow.mask[i] &= region->mask[i];
    if (memchr(narrow.mask, 1, (size_t)pixels)) {
        *out = narrow;
        return EAD_OK;
    }
    free(narrow.mask);
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "nothing of it is inside of the model's own region of interest, at the model's %d x %d pixels",
        region->mask_width, region->mask_height);
}

/* ---- images ---- */

void ead_region_blank_outside(const EadRegion *region, uint8_t *rgb) {
    int64_t pixels = (int64_t)region->mask_width * region->mask_height;
    for (int64_t i = 0; region->mask && i < pixels; i++)
        if (!region->mask[i]) memcpy(rgb + 3 * i, ead_region_blank, sizeof ead_region_blank);
}

EadStatus ead_region_resize(const EadRegion *region, const EadPixelRows *in, uint8_t *out, int out_width,
                            int out_height) {
    EadPixelRows box = *in;
    EAD_TRY(ead_region_check(region, in->width, in->height));
    if (region->width) {
        box.pixels = (const uint8_t *)in->pixels + region->y * in->stride + (ptrdiff_t)region->x * in->step;
        box.width = region->width, box.height = region->height;
    }
    EAD_TRY(ead_resize_to_rgb(&box, out, out_width, out_height));
    ead_region_blank_outside(region, out);
    return EAD_OK;
}

void ead_region_inside(const EadRegion *region, int width, int height, uint8_t *inside) {
    EadRegion box = box_in(region, width, height);
    memset(inside, 0, (size_t)width * (size_t)height);
    for (int y = 0; y < box.height; y++) {
        uint8_t *row = inside + (size_t)(box.y + y) * (size_t)width + box.x;
        const uint8_t *mask = region->mask;
        if (mask) mask += (int64_t)y * region->mask_height / box.height * region->mask_width;
        for (int x = 0; x < box.width; x++)
            row[x] = mask ? mask[(int64_t)x * region->mask_width / box.width] : 1;
    }
}

/* ---- maps ---- */

int ead_region_cells(const EadRegion *region, int height, int width, int border, real *cells) {
    int all_rows = height + 2 * border, all_columns = width + 2 * border, count = 0;
    for (int i = 0; i < height * width; i++) cells[i] = region->mask == NULL;
    for (int y = 0; region->mask && y < region->mask_height; y++)
        for (int x = 0; x < region->mask_width; x++) {
            int row = (int)((int64_t)y * all_rows / region->mask_height) - border;
            int column = (int)((int64_t)x * all_columns / region->mask_width) - border;
            bool there = row >= 0 && row < height && column >= 0 && column < width;
            if (there && region->mask[(int64_t)y * region->mask_width + x]) cells[row * width + column] = 1;
        }
    for (int i = 0; i < height * width; i++) count += cells[i] > 0;
    return count;
}

void ead_fill_outside(const uint8_t *inside, int64_t count, float *values) {
    float least = INFINITY;
    for (int64_t i = 0; inside && i < count; i++)
        if (inside[i] && values[i] < least) least = values[i];
    for (int64_t i = 0; inside && i < count; i++)
        if (!inside[i]) values[i] = least;
}

float ead_region_map_resize(const EadRegion *region, const float *map, int height, int width, float *out,
                            int out_height, int out_width) {
    if (!region->width) return ead_map_resize(map, height, width, out, out_height, out_width);
    float peak = ead_map_resize(map, height, width, out, region->height, region->width), least = map[0];
    size_t row = (size_t)region->width;
    for (int64_t i = 1; i < (int64_t)height * width; i++) least = map[i] < least ? map[i] : least;
    for (int y = out_height - 1; out && y >= 0;
         y--) { /* from the packed rows at its beginning, the last first */
        float *to = out + (size_t)y * (size_t)out_width, *end = to + out_width, *box = to + region->x;
        bool within = y >= region->y && y < region->y + region->height;
        if (within) memmove(box, out + (size_t)(y - region->y) * row, row * sizeof *out);
        for (float *at = to; at < end; at++)
            if (!within || at < box || at >= box + row) *at = least;
    }
    return peak;
}
