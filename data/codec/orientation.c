/* The tag in EXIF, which is a small TIFF, and in XMP, which is XML; the eight ways to store a picture. */
#include "data/codec/orientation.h"

#include "data/codec/tiff_tag.h"

#include <stdbool.h>
#include <string.h>

enum { TAG = 0x0112 };

static int valid(uint32_t value) {
    return value >= 1 && value <= 8 ? (int)value : 0;
}

int ead_exif_orientation(const uint8_t *bytes, size_t size) {
    static const char prefix[6] = "Exif\0";
    uint32_t value;
    if (size >= sizeof prefix && memcmp(bytes, prefix, sizeof prefix) == 0)
        bytes += sizeof prefix, size -= sizeof prefix;
    ead_tiff_find_tag(bytes, size, ead_tiff_first_directory(bytes, size), TAG, &value);
    return valid(value);
}

/* As an attribute, tiff:Orientation="6", or an element, <tiff:Orientation>6<. */
int ead_xmp_orientation(const uint8_t *bytes, size_t size) {
    static const char name[] = "tiff:Orientation";
    const size_t length = sizeof name - 1;
    for (size_t i = 0; i + length + 3 <= size; i++) {
        if (bytes[i] != 't' || memcmp(bytes + i, name, length) != 0) continue;
        const uint8_t *rest = bytes + i + length;
        if (rest[0] == '=' && (rest[1] == '"' || rest[1] == '\'')) return valid(rest[2] - (uint32_t)'0');
        if (rest[0] == '>') return valid(rest[1] - (uint32_t)'0');
    }
    return 0;
}

EadStatus ead_image_set_upright(EadImage *image, int orientation) {
    /* Whether the upright picture begins at the right or at the bottom of the stored one; from 5 on its rows
     * are the stored columns. */
    static const struct {
        bool right, bottom;
    } begins[] = {{0}, {0},           {true, false}, {true, true}, {false, true},
                  {0}, {false, true}, {true, true},  {true, false}};
    if (orientation < 2 || orientation > 8) return EAD_OK;
    bool swap = orientation >= 5;
    int width = swap ? image->height : image->width, height = swap ? image->width : image->height;
    ptrdiff_t row = (ptrdiff_t)image->width * 3, pixel = 3;
    ptrdiff_t start = (begins[orientation].bottom ? row * (image->height - 1) : 0) +
                      (begins[orientation].right ? pixel * (image->width - 1) : 0);
    if (begins[orientation].bottom) row = -row;
    if (begins[orientation].right) pixel = -pixel;
    if (!image->pixels) {
        image->width = width, image->height = height;
        return EAD_OK;
    }
    EadImage upright;
    EAD_TRY(ead_image_alloc(&upright, width, height, 3));
    uint8_t *to = upright.pixels;
    for (int y = 0; y < height; y++) {
        const uint8_t *from = image->pixels + start + y * (swap ? pixel : row);
        for (int x = 0; x < width; x++, to += 3, from += swap ? row : pixel) memcpy(to, from, 3);
    }
    ead_image_free(image);
    *image = upright;
    return EAD_OK;
}
