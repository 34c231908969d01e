/* TIFF by libtiff, without its messages on stderr: a broken file or a full disk is one error of ours. Read
 * from memory, the first page that is no thumbnail; written into an atomic file. */
#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "data/codec/codec_formats.h"
#include "data/codec/tiff_samples.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

/* libtiff's last error, which may say more than "damaged". */
typedef struct LastError {
    char text[160];
} LastError;

/* Keeps messages away from stderr, for one file where libtiff can do that, else for the whole process.
 * memory: most bytes that libtiff may ask for at once, so that a hostile file cannot claim more; 0 for no
 * bound, and none either with libtiff before 4.5. */
#if TIFFLIB_VERSION >= 20221213 /* libtiff 4.5 */
static int keep(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    LastError *error = user;
    (void)tiff, (void)module;
    if (error) vsnprintf(error->text, sizeof error->text, format, arguments);
    return 1; /* handled: nothing is printed */
}

static TIFFOpenOptions *quiet(tmsize_t memory, LastError *error) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep, error);
    TIFFOpenOptionsSetWarningHandlerExtR(options, keep, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, memory);
    return options;
}
#else
typedef void TIFFOpenOptions;
#define TIFFFdOpenExt(descriptor, name, mode, options) TIFFFdOpen(descriptor, name, mode)
#define TIFFClientOpenExt(name, mode, handle, read, write, seek, close, size, map, unmap, options)           \
    TIFFClientOpen(name, mode, handle, read, write, seek, close, size, map, unmap)
#define TIFFOpenOptionsFree(options) ((void)(options))

static TIFFOpenOptions *quiet(tmsize_t memory, LastError *error) {
    (void)memory, (void)error;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return NULL;
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

static void unmap_nothing(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

/* Whether the present page is a picture of full size, rather than a thumbnail or a transparency mask. */
static bool is_full(TIFF *tiff) {
    uint32_t kind = 0;
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
    return !(kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK));
}

/* Goes to the first page of full size, or to the first one if there is none, and counts them. Damage behind
 * that page is not our concern. */
static bool find_page(TIFF *tiff, EadDecoding *decoding) {
    enum { MAX_PAGES = 10000 };
    int first = -1;
    for (int page = 0; page < MAX_PAGES; page++) {
        if (is_full(tiff) && decoding->pages++ == 0) first = page;
        if (TIFFLastDirectory(tiff)) break;
        if (TIFFReadDirectory(tiff)) continue;
        if (first < 0) return false;
        break;
    }
    return TIFFSetDirectory(tiff, (tdir_t)(first < 0 ? 0 : first));
}

/* The colours that libtiff converts, as they are stored. */
static EadStatus read_converted(TIFF *tiff, EadDecoding *decoding) {
    char reason[1024] = "";
    uint16_t orientation = ORIENTATION_TOPLEFT, samples = 1, compression = COMPRESSION_NONE;
    const EadImage *out = decoding->out;
    size_t pixels = (size_t)out->width * (size_t)out->height;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    if (!TIFFRGBAImageOK(tiff, reason) || samples > 3)
        return ead_fail(EAD_UNSUPPORTED, "%s: this TIFF (%u channels) cannot be read as RGB: %s",
                        decoding->label, (unsigned)samples, *reason ? reason : "colours with alpha");
    if (decoding->use == EAD_PIXELS_NONE) return EAD_OK;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    decoding->converted = compression != COMPRESSION_JPEG;
    uint32_t *raster = malloc(pixels * sizeof *raster); /* red in the lowest byte */
    if (!raster) return ead_fail(EAD_NO_MEMORY, "%s: no memory for its pixels", decoding->label);
    int whole =
        TIFFReadRGBAImageOriented(tiff, (uint32_t)out->width, (uint32_t)out->height, raster, orientation, 1);
    uint8_t *rgb = out->pixels;
    for (size_t i = 0; i < pixels && whole; i++) {
        *rgb++ = (uint8_t)TIFFGetR(raster[i]);
        *rgb++ = (uint8_t)TIFFGetG(raster[i]);
        *rgb++ = (uint8_t)TIFFGetB(raster[i]);
    }
    free(raster);
    return whole ? EAD_OK : ead_tiff_damaged(decoding);
}

static EadStatus read_tiff(TIFF *tiff, EadDecoding *decoding, size_t most) {
    uint32_t width = 0, height = 0, xmp_size = 0;
    uint16_t orientation = 0, compression = COMPRESSION_NONE, others;
    toff_t *places;
    void *xmp;
    if (!find_page(tiff, decoding)) return ead_tiff_damaged(decoding);
    if (!is_full(tiff) && TIFFGetField(tiff, TIFFTAG_SUBIFD, &others, &places))
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a TIFF that holds a thumbnail and, where only raw converters look, its picture; "
                        "develop it into TIFF or PNG",
                        decoding->label);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    if (TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation)) decoding->orientation = orientation;
    if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &xmp_size, &xmp)) ead_codec_take_xmp(decoding, xmp, xmp_size);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    if (!TIFFIsCODECConfigured(compression))
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a TIFF with compression %u, which libtiff lacks here; save it with another one",
                        decoding->label, (unsigned)compression);
    /* The best ratio of the usual compressions, deflate's, with 8 pixels a byte. */
    EAD_TRY(ead_codec_alloc(decoding, width, height, 1032 * 8));
    if (decoding->use == EAD_PIXELS_NUMBERS) return ead_tiff_read_numbers(tiff, decoding, most);
    return ead_tiff_has_samples(tiff) ? ead_tiff_read_samples(tiff, decoding, most)
                                      : read_converted(tiff, decoding);
}

EadStatus ead_tiff_decode(EadDecoding *decoding) {
    size_t size = decoding->size;
    Memory memory = {decoding->bytes, size, 0};
    LastError error = {""};
    size_t most = (size < (1 << 20) ? size * 1032 : (size_t)1 << 30) + (1 << 20);
    TIFFOpenOptions *options = quiet((tmsize_t)most, &error);
    TIFF *tiff = TIFFClientOpenExt("image", "r", &memory, memory_read, memory_write, memory_seek,
                                   close_nothing, memory_size, map_memory, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    decoding->said = error.text;
    if (!tiff) return ead_tiff_damaged(decoding);
    EadStatus status = read_tiff(tiff, decoding, most);
    TIFFClose(tiff);
    return status;
}

/* ---- writing ---- */

/* Says of a map who wrote it. */
static const char software[] = "efficientad map";

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
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    TIFFOpenOptions *options = quiet(0, NULL);
    int descriptor = dup(fileno(file.stream)); /* libtiff closes its own */
    if (descriptor >= 0) errno = 0; /* libtiff leaves the cause there, of what it misses only later, too */
    TIFF *tiff = descriptor < 0 ? NULL : TIFFFdOpenExt(descriptor, path, "w", options);
    TIFFOpenOptionsFree(options);
    float *row = malloc((size_t)width * sizeof *row);
    if (tiff && row && errno != ENOMEM) errno = 0;
    bool marked = tiff && TIFFSetField(tiff, TIFFTAG_SOFTWARE, software);
    bool ok = marked && row && write_map(tiff, map, width, height, row);
    int reason = ok || errno ? errno : EIO;
    if (reason == EFAULT) reason = ENOMEM; /* libtiff 4.5 writes from where it had got no memory */
    if (marked)
        TIFFClose(tiff);
    else if (descriptor >= 0)
        close(
            descriptor); /* libtiff 4.5 counts a tag that it had no memory for, and would crash: it is left behind */
    free(row);
    if (ok) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return ead_fail(reason == ENOMEM ? EAD_NO_MEMORY : EAD_IO, "%s: cannot write the map: %s", path,
                    strerror(reason));
}

bool ead_tiff_is_map(const char *path) {
    const char *writer = "";
    TIFFOpenOptions *options = quiet(1 << 20, NULL);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    TIFF *tiff = descriptor < 0 ? NULL : TIFFFdOpenExt(descriptor, path, "r", options);
    TIFFOpenOptionsFree(options);
    if (!tiff && descriptor >= 0) close(descriptor);
    if (!tiff) return false;
    bool is_ours = TIFFGetField(tiff, TIFFTAG_SOFTWARE, &writer) && strcmp(writer, software) == 0;
    TIFFClose(tiff);
    return is_ours;
}
