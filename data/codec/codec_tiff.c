/* TIFF by libtiff, without its messages on stderr: a broken file or a full disk is one error of ours. Read
 * from memory by the RGBA interface, which turns every kind of photograph into 8 bits a channel and stops at
 * the first error; written through callbacks into an atomic file. */
#include "core/base/atomic_file.h"
#include "data/codec/codec.h"
#include "data/codec/codec_formats.h"

#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* The callbacks that libtiff reads and writes through; see TIFFClientOpen(). */
typedef struct TiffStream {
    TIFFReadWriteProc read, write;
    TIFFSeekProc seek;
    TIFFSizeProc size;
    TIFFMapFileProc map; /* or NULL */
} TiffStream;

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static void unmap_nothing(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

/* Opens `handle` in `mode` ("r" or "w"). memory: most bytes that libtiff may ask for at once, so that a
 * hostile file cannot claim more; 0 for no bound, and none either with libtiff before 4.5. NULL if it is no
 * TIFF or there is no memory. Closing it leaves the handle open. Messages are kept away from this file alone
 * where libtiff can do that, else from the whole process. */
#if TIFFLIB_VERSION >= 20221213 /* libtiff 4.5 */
static int swallow(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1; /* handled: nothing is printed */
}

static TIFF *open_quietly(void *handle, const char *mode, const TiffStream *stream, tmsize_t memory) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, swallow, NULL);
    TIFFOpenOptionsSetWarningHandlerExtR(options, swallow, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, memory);
    TIFF *tiff = TIFFClientOpenExt("image", mode, handle, stream->read, stream->write, stream->seek,
                                   close_nothing, stream->size, stream->map, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}
#else
static TIFF *open_quietly(void *handle, const char *mode, const TiffStream *stream, tmsize_t memory) {
    (void)memory;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return TIFFClientOpen("image", mode, handle, stream->read, stream->write, stream->seek, close_nothing,
                          stream->size, stream->map, unmap_nothing);
}
#endif

/* ---- reading ---- */

typedef struct Memory {
    const uint8_t *bytes;
    size_t size, position;
} Memory;

static tmsize_t memory_read(thandle_t handle, void *bytes, tmsize_t size) {
    Memory *memory = handle;
    size_t left = memory->position < memory->size ? memory->size - memory->position : 0;
    size_t taken = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, memory->bytes + (left ? memory->position : 0), taken);
    memory->position += taken;
    return (tmsize_t)taken;
}

static tmsize_t memory_write(thandle_t handle, void *bytes, tmsize_t size) {
    (void)handle, (void)bytes, (void)size;
    return 0;
}

static toff_t memory_seek(thandle_t handle, toff_t offset, int whence) {
    Memory *memory = handle;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->position : memory->size;
    return memory->position = base + (size_t)offset;
}

static toff_t memory_size(thandle_t handle) {
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
    static const TiffStream stream = {memory_read, memory_write, memory_seek, memory_size, map_memory};
    Memory memory = {bytes, size, 0};
    tmsize_t most = (tmsize_t)(size < (1 << 20) ? size * 1032 : (size_t)1 << 30) + (1 << 20);
    TIFF *tiff = open_quietly(&memory, "r", &stream, most);
    if (!tiff) return ead_fail(EAD_BAD_FILE, "%s: damaged or truncated TIFF", label);
    EadStatus status = read_tiff(tiff, label, size, use, out);
    TIFFClose(tiff);
    if (status != EAD_OK) ead_image_free(out);
    return status;
}

/* ---- writing ---- */

static tmsize_t file_read(thandle_t handle, void *bytes, tmsize_t size) {
    return (tmsize_t)fread(bytes, 1, (size_t)size, handle);
}

static tmsize_t file_write(thandle_t handle, void *bytes, tmsize_t size) {
    return (tmsize_t)fwrite(bytes, 1, (size_t)size, handle);
}

static toff_t file_seek(thandle_t handle, toff_t offset, int whence) {
    if (fseeko(handle, (off_t)offset, whence) != 0) return (toff_t)-1;
    return (toff_t)ftello(handle);
}

static toff_t file_size(thandle_t handle) {
    off_t here = ftello(handle), end = -1;
    if (here >= 0 && fseeko(handle, 0, SEEK_END) == 0) end = ftello(handle);
    if (end < 0 || fseeko(handle, here, SEEK_SET) != 0) return 0;
    return (toff_t)end;
}

/* Returns 1 when everything was accepted. row: scratch of one row, because libtiff wants to be allowed to
 * change what it is given. */
static int write_map(TIFF *tiff, const float *map, int width, int height, float *row) {
    int ok = TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, (uint32_t)width) &&
             TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, (uint32_t)height) &&
             TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1) &&
             TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32) &&
             TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP) &&
             TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE) &&
             TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) &&
             TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
             TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(tiff, 0));
    for (int y = 0; y < height && ok; y++) {
        memcpy(row, map + (size_t)y * (size_t)width, (size_t)width * sizeof *row);
        ok = TIFFWriteScanline(tiff, row, (uint32_t)y, 0) == 1;
    }
    return ok && TIFFFlush(tiff) == 1;
}

EadStatus ead_tiff_write_map(const char *path, const float *map, int width, int height) {
    if (width < 1 || height < 1 || width > 65535 || height > 65535)
        return ead_fail(EAD_BAD_SHAPE, "%s: map of %d x %d: sizes are 1 to 65,535", path, width, height);
    float *row = malloc((size_t)width * sizeof *row);
    if (!row) return ead_fail(EAD_NO_MEMORY, "%s: no memory for a row of %d values", path, width);
    EadAtomicFile file;
    EadStatus status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) {
        static const TiffStream stream = {file_read, file_write, file_seek, file_size, NULL};
        TIFF *tiff = open_quietly(file.stream, "w", &stream, 0); /* the atomic file closes itself */
        int ok = tiff && write_map(tiff, map, width, height, row);
        if (tiff) TIFFClose(tiff);
        if (ok)
            status = ead_atomic_file_commit(&file);
        else {
            status = ead_fail(EAD_IO, "%s: cannot write the map; is the disk full?", path);
            ead_atomic_file_discard(&file);
        }
    }
    free(row);
    return status;
}
