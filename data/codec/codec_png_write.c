/* Writing PNG by libpng: overlays, masks and generated data sets. */
#include "data/codec/codec.h"

#include "core/base/atomic_file.h"

#include <assert.h>
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct PngWriter {
    png_structp png;
    png_infop info;
    FILE *stream;
    const char *label;
    const EadImage *image;
    EadStatus status;
    jmp_buf escape;
} PngWriter;

static _Noreturn void on_error(png_structp png, png_const_charp text) {
    PngWriter *writer = png_get_error_ptr(png);
    const char *reason = errno ? strerror(errno) : text;
    writer->status = ead_fail(EAD_IO, "%s: cannot write: %s", writer->label, reason);
    longjmp(writer->escape, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text;
}

static void write_rows(PngWriter *writer) {
    const EadImage *image = writer->image;
    size_t row_bytes = (size_t)image->width * (size_t)image->channels;
    png_init_io(writer->png, writer->stream);
    png_set_IHDR(writer->png, writer->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    for (int y = 0; y < image->height; y++) png_write_row(writer->png, image->pixels + (size_t)y * row_bytes);
    png_write_end(writer->png, writer->info);
}

static EadStatus write_png(FILE *stream, const char *label, const EadImage *image) {
    assert(image->pixels && (image->channels == 1 || image->channels == 3));
    PngWriter writer = {.stream = stream, .label = label, .image = image};
    errno = 0;
    if (setjmp(writer.escape) == 0) {
        writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error, on_warning);
        if (writer.png) writer.info = png_create_info_struct(writer.png);
        if (writer.info)
            write_rows(&writer);
        else
            writer.status = ead_fail(EAD_NO_MEMORY, "%s: no memory to write a PNG", label);
    }
    png_destroy_write_struct(&writer.png, &writer.info);
    return writer.status;
}

EadStatus ead_png_write(const char *path, const EadImage *image) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadStatus status = write_png(file.stream, path, image);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}

EadStatus ead_png_encode(const EadImage *image, uint8_t **bytes, size_t *size) {
    char *buffer = NULL;
    *bytes = NULL, *size = 0;
    FILE *stream = open_memstream(&buffer, size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory to write a PNG");
    EadStatus status = write_png(stream, "PNG in memory", image);
    if (fclose(stream) != 0 && status == EAD_OK) status = ead_fail(EAD_NO_MEMORY, "no memory to write a PNG");
    if (status != EAD_OK) {
        free(buffer);
        *size = 0;
        return status;
    }
    *bytes = (uint8_t *)buffer;
    return EAD_OK;
}
