/* libtiff writes through callbacks into the atomic file, so that a full disk is one error of ours and never a
 * message on stderr. */
#include "data/codec/codec_tiff_write.h"

#include "core/base/atomic_file.h"
#include "data/codec/codec.h"
#include "data/codec/tiff_quiet.h"

#include <stdlib.h>
#include <string.h>

static tmsize_t read_bytes(thandle_t handle, void *bytes, tmsize_t size) {
    return (tmsize_t)fread(bytes, 1, (size_t)size, handle);
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t size) {
    return (tmsize_t)fwrite(bytes, 1, (size_t)size, handle);
}

static toff_t seek_to(thandle_t handle, toff_t offset, int whence) {
    if (fseeko(handle, (off_t)offset, whence) != 0) return (toff_t)-1;
    return (toff_t)ftello(handle);
}

static toff_t size_of(thandle_t handle) {
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

EadStatus ead_map_write_tiff(const char *path, const float *map, int width, int height) {
    if (width < 1 || height < 1 || width > 65535 || height > 65535)
        return ead_fail(EAD_BAD_SHAPE, "%s: map of %d x %d: sizes are 1 to 65,535", path, width, height);
    float *row = malloc((size_t)width * sizeof *row);
    if (!row) return ead_fail(EAD_NO_MEMORY, "%s: no memory for a row of %d values", path, width);
    EadAtomicFile file;
    EadStatus status = ead_atomic_file_open(&file, path);
    if (status == EAD_OK) {
        static const EadTiffStream stream = {read_bytes, write_bytes, seek_to, size_of, NULL};
        TIFF *tiff = ead_tiff_open_quietly(file.stream, "w", &stream, 0); /* the atomic file closes itself */
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
