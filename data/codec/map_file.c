/* The choice of a format by the first bytes, and the check of the numbers. */
#include "data/codec/map_file.h"

#include "core/base/file_bytes.h"
#include "data/codec/codec_formats.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_FILE = 0x7FFFFFFF };

static const struct {
    const char *name; /* of ead_image_format(); NULL: none of these */
    EadDecode *decode;
} formats[] = {{"TIFF", ead_tiff_decode}, {"PNG", ead_png_decode}, {NULL, ead_npy_decode}};

static EadDecode *find_decoder(const uint8_t *bytes, size_t size) {
    const char *name = ead_image_format(bytes, size);
    for (size_t i = 0; i + 1 < sizeof formats / sizeof *formats; i++)
        if (name && strcmp(name, formats[i].name) == 0) return formats[i].decode;
    return ead_npy_decode;
}

static EadStatus check_finite(const EadMapFile *map, const char *label) {
    int64_t pixels = (int64_t)map->width * map->height, bad = 0, first = 0;
    for (int64_t i = pixels - 1; i >= 0; i--)
        if (!isfinite((float)map->values[i])) bad++, first = i;
    if (bad == 0) return EAD_OK;
    return ead_fail(
        EAD_BAD_FILE,
        "%s: %lld of %lld values are not finite 32-bit numbers, the first is %g at pixel (%lld, %lld)", label,
        (long long)bad, (long long)pixels, map->values[first], (long long)(first % map->width),
        (long long)(first / map->width));
}

EadStatus ead_map_file_decode(const void *bytes, size_t size, const char *label, EadMapFile *out) {
    static const EadImageRules usual = {0};
    EadImage image = {0};
    EadDecoding decoding = {.bytes = bytes,
                            .size = size,
                            .label = label,
                            .use = EAD_PIXELS_NUMBERS,
                            .rules = &usual,
                            .out = &image};
    *out = (EadMapFile){0};
    if (size == 0) return ead_fail(EAD_BAD_FILE, "%s: the file is empty (0 bytes)", label);
    EadStatus status = find_decoder(bytes, size)(&decoding);
    *out = (EadMapFile){image.width, image.height, decoding.numbers};
    if (status == EAD_OK) status = check_finite(out, label);
    if (status != EAD_OK) ead_map_file_free(out);
    return status;
}

EadStatus ead_map_file_load(const char *path, EadMapFile *out) {
    char *bytes;
    size_t size;
    *out = (EadMapFile){0};
    EAD_TRY(ead_read_file(path, MAX_FILE, &bytes, &size));
    EadStatus status = ead_map_file_decode(bytes, size, path, out);
    free(bytes);
    return status;
}

void ead_map_file_free(EadMapFile *map) {
    free(map->values);
    *map = (EadMapFile){0};
}
