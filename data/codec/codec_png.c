/* PNG by libpng, read from memory and written to streams. libpng reports errors by longjmp, so the steps
 * between setjmp and the end keep everything they own in a struct that outlives the jump. */
#include "core/base/atomic_file.h"
#include "data/codec/codec.h"
#include "data/codec/codec_formats.h"

#include <assert.h>
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct PngReader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t size, position;
    const char *label;
    EadPixelUse use;
    EadImage *out;
    uint8_t *raw; /* mask only: the rows before they are reduced to one channel */
    EadStatus status;
    jmp_buf escape;
} PngReader;

/* Leaves with a status whose message is already set. */
static _Noreturn void leave(PngReader *reader, EadStatus status) {
    reader->status = status;
    longjmp(reader->escape, 1);
}

static _Noreturn void on_read_error(png_structp png, png_const_charp text) {
    PngReader *reader = png_get_error_ptr(png);
    leave(reader, ead_fail(EAD_BAD_FILE, "%s: damaged PNG: %s", reader->label, text));
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text;
}

static void on_read(png_structp png, png_bytep data, png_size_t length) {
    PngReader *reader = png_get_io_ptr(png);
    if (length > reader->size - reader->position)
        leave(reader, ead_fail(EAD_BAD_FILE, "%s: truncated PNG: it ends after %zu bytes", reader->label,
                               reader->size));
    memcpy(data, reader->bytes + reader->position, length);
    reader->position += length;
}

static void read_rows(PngReader *reader, uint8_t *rows, size_t row_bytes, int passes) {
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < reader->out->height; y++)
            png_read_row(reader->png, rows + (size_t)y * row_bytes, NULL);
    png_read_end(reader->png, NULL);
}

/* The largest channel of each pixel; of 16 bits (big-endian) the high byte, but nonzero stays nonzero. */
static void reduce_to_mask(const uint8_t *raw, size_t pixels, int channels, int depth, uint8_t *out) {
    for (size_t i = 0; i < pixels; i++) {
        out[i] = 0;
        for (int c = 0; c < channels; c++) {
            uint8_t value = *raw++;
            if (depth == 16 && *raw++ != 0 && value == 0) value = 1;
            if (value > out[i]) out[i] = value;
        }
    }
}

/* All that may jump. Deflate makes at most 1,032 bytes of one, of 8 pixels each at 1 bit. */
static void read_png(PngReader *reader) {
    png_structp png = reader->png;
    EadImage *out = reader->out;
    png_set_read_fn(png, reader, on_read);
    png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF); /* ours below say more */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(png, reader->info);
    unsigned bits = (unsigned)png_get_bit_depth(png, reader->info) * png_get_channels(png, reader->info);
    EadStatus status = ead_codec_alloc(out, reader->label, png_get_image_width(png, reader->info),
                                       png_get_image_height(png, reader->info), reader->use, reader->size,
                                       1 + 1032 * 8 / bits);
    if (status != EAD_OK) leave(reader, status);
    if (reader->use == EAD_PIXELS_NONE) return;
    /* As RGB of 8 bits, or for a mask as gray or RGB of 8 or 16. */
    int type = png_get_color_type(png, reader->info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    if (reader->use == EAD_PIXELS_RGB) png_set_strip_16(png);
    if (reader->use == EAD_PIXELS_RGB) png_set_gray_to_rgb(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    size_t row_bytes = png_get_rowbytes(png, reader->info);
    if (reader->use == EAD_PIXELS_RGB) {
        if (row_bytes != (size_t)out->width * 3) png_error(png, "unexpected colour type");
        read_rows(reader, out->pixels, row_bytes, passes);
        return;
    }
    reader->raw = malloc(row_bytes * (size_t)out->height);
    if (!reader->raw) leave(reader, ead_fail(EAD_NO_MEMORY, "%s: no memory to read the mask", reader->label));
    read_rows(reader, reader->raw, row_bytes, passes);
    reduce_to_mask(reader->raw, (size_t)out->width * (size_t)out->height, png_get_channels(png, reader->info),
                   png_get_bit_depth(png, reader->info), out->pixels);
}

EadStatus ead_png_decode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                         EadImage *out) {
    PngReader reader = {.bytes = bytes, .size = size, .label = label, .use = use, .out = out};
    if (setjmp(reader.escape) == 0) {
        reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_read_error, on_warning);
        if (reader.png) reader.info = png_create_info_struct(reader.png);
        if (reader.info)
            read_png(&reader);
        else
            reader.status = ead_fail(EAD_NO_MEMORY, "%s: no memory to read a PNG", label);
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.raw);
    if (reader.status != EAD_OK) ead_image_free(out);
    return reader.status;
}

/* ---- writing ---- */

typedef struct PngWriter {
    png_structp png;
    png_infop info;
    const char *label;
    EadStatus status;
    jmp_buf escape;
} PngWriter;

static _Noreturn void on_write_error(png_structp png, png_const_charp text) {
    PngWriter *writer = png_get_error_ptr(png);
    const char *reason = errno ? strerror(errno) : text;
    writer->status = ead_fail(EAD_IO, "%s: cannot write: %s", writer->label, reason);
    longjmp(writer->escape, 1);
}

static void write_rows(png_structp png, png_infop info, FILE *stream, const EadImage *image) {
    size_t row_bytes = (size_t)image->width * (size_t)image->channels;
    png_init_io(png, stream);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) png_write_row(png, image->pixels + (size_t)y * row_bytes);
    png_write_end(png, info);
}

static EadStatus write_png(FILE *stream, const char *label, const EadImage *image) {
    assert(image->pixels && (image->channels == 1 || image->channels == 3));
    PngWriter writer = {.label = label};
    errno = 0;
    if (setjmp(writer.escape) == 0) {
        writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_warning);
        if (writer.png) writer.info = png_create_info_struct(writer.png);
        if (writer.info)
            write_rows(writer.png, writer.info, stream, image);
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
    if (status == EAD_OK) {
        *bytes = (uint8_t *)buffer;
        return EAD_OK;
    }
    free(buffer);
    *size = 0;
    return status;
}
