/* TIFF by libtiff, read from memory. Its RGBA interface turns every kind of photograph into 8 bits a channel
 * and stops at the first error. */
#include "data/codec/codec_formats.h"
#include "data/codec/tiff_quiet.h"

#include <stdlib.h>
#include <string.h>

typedef struct Memory {
    const uint8_t *bytes;
    size_t size, position;
} Memory;

static tmsize_t read_bytes(thandle_t handle, void *bytes, tmsize_t size) {
    Memory *memory = handle;
    size_t left = memory->position < memory->size ? memory->size - memory->position : 0;
    size_t taken = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, memory->bytes + (left ? memory->position : 0), taken);
    memory->position += taken;
    return (tmsize_t)taken;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t size) {
    (void)handle, (void)bytes, (void)size;
    return 0;
}

static toff_t seek_to(thandle_t handle, toff_t offset, int whence) {
    Memory *memory = handle;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->position : memory->size;
    return memory->position = base + (size_t)offset;
}

static toff_t size_of(thandle_t handle) {
    const Memory *memory = handle;
    return memory->size;
}

/* The file is in memory already. libtiff only reads from what it maps. */
static int map_memory(thandle_t handle, void **base, toff_t *size) {
    const Memory *memory = handle;
    *base = (void *)(uintptr_t)memory->bytes;
    *size = memory->size;
    return 1;
}

static EadStatus check_kind(TIFF *tiff, const char *label) {
    uint16_t bits = 1, format = SAMPLEFORMAT_UINT;
    char reason[1024] = "";
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    if (format == SAMPLEFORMAT_IEEEFP)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a TIFF of floating-point numbers, such as an anomaly map, is no image", label);
    if (TIFFRGBAImageOK(tiff, reason)) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "%s: this TIFF (%u bits a channel) cannot be read as RGB: %s", label,
                    (unsigned)bits, reason);
}

/* raster [height][width], red in the lowest byte. */
static void take_rgb(const uint32_t *raster, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++, rgb += 3) {
        rgb[0] = (uint8_t)TIFFGetR(raster[i]);
        rgb[1] = (uint8_t)TIFFGetG(raster[i]);
        rgb[2] = (uint8_t)TIFFGetB(raster[i]);
    }
}

static EadStatus read_pixels(TIFF *tiff, const char *label, EadImage *out) {
    size_t pixels = (size_t)out->width * (size_t)out->height;
    uint32_t *raster = malloc(pixels * sizeof *raster);
    if (!raster) return ead_fail(EAD_NO_MEMORY, "%s: no memory for its pixels", label);
    int whole = TIFFReadRGBAImageOriented(tiff, (uint32_t)out->width, (uint32_t)out->height, raster,
                                          ORIENTATION_TOPLEFT, 1);
    if (whole) take_rgb(raster, pixels, out->pixels);
    free(raster);
    return whole ? EAD_OK : ead_fail(EAD_BAD_FILE, "%s: damaged or truncated TIFF", label);
}

static EadStatus read_tiff(TIFF *tiff, const char *label, size_t size, EadPixelUse use, EadImage *out) {
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    EAD_TRY(check_kind(tiff, label));
    /* The best ratio of the usual compressions, deflate's, with 8 pixels a byte. */
    EAD_TRY(ead_codec_alloc(out, label, width, height, use, size, 1032 * 8));
    return use == EAD_PIXELS_RGB ? read_pixels(tiff, label, out) : EAD_OK;
}

EadStatus ead_tiff_decode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                          EadImage *out) {
    static const EadTiffStream stream = {read_bytes, write_nothing, seek_to, size_of, map_memory};
    Memory memory = {bytes, size, 0};
    tmsize_t most = (tmsize_t)(size < (1 << 20) ? size * 1032 : (size_t)1 << 30) + (1 << 20);
    TIFF *tiff = ead_tiff_open_quietly(&memory, "r", &stream, most);
    if (!tiff) return ead_fail(EAD_BAD_FILE, "%s: damaged or truncated TIFF", label);
    EadStatus status = read_tiff(tiff, label, size, use, out);
    TIFFClose(tiff);
    if (status != EAD_OK) ead_image_free(out);
    return status;
}
