/* PNG by libpng, read from memory and written to streams. libpng reports errors by longjmp, so the steps
 * between setjmp and the end keep everything they own in a struct that outlives the jump. */
#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "data/codec/codec.h"
#include "data/codec/codec_formats.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

typedef struct PngReader {
    png_structp png;
    png_infop info;
    EadDecoding *decoding;
    size_t position;
    uint16_t *deep; /* rows of 16 bits a sample */
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
    leave(reader, ead_fail(EAD_BAD_FILE, "%s: damaged PNG: %s", reader->decoding->label, text));
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text;
}

static void on_read(png_structp png, png_bytep data, png_size_t length) {
    PngReader *reader = png_get_io_ptr(png);
    const EadDecoding *decoding = reader->decoding;
    if (length > decoding->size - reader->position)
        leave(reader, ead_fail(EAD_BAD_FILE, "%s: truncated PNG: it ends after %zu bytes", decoding->label,
                               decoding->size));
    memcpy(data, decoding->bytes + reader->position, length);
    reader->position += length;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* ---- metadata as text; it may be compressed, and only its first bytes are of interest ---- */

enum { MOST_TEXT = 1 << 16 };

/* Unpacks up to MOST_TEXT bytes; returns how many. */
static size_t inflate_some(const uint8_t *bytes, size_t size, uint8_t *text) {
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes,
                       .avail_in = size < MOST_TEXT ? (uInt)size : MOST_TEXT,
                       .next_out = text,
                       .avail_out = MOST_TEXT};
    if (inflateInit(&stream) != Z_OK) return 0;
    inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return MOST_TEXT - stream.avail_out;
}

static int digit(int c) {
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* Three lines, of which the second is a name and the third a length, and lines of digits. */
static size_t read_digits(const uint8_t *text, size_t size, uint8_t *bytes) {
    size_t count = 0, digits = 0;
    int lines = 0;
    for (size_t i = 0; i < size; i++) {
        int value = digit(text[i]);
        if (text[i] == '\n') lines++;
        if (lines < 3 || value < 0) continue;
        bytes[count] = (uint8_t)(digits % 2 ? bytes[count] << 4 | value : value);
        count += digits++ % 2;
    }
    return count;
}

static void take_metadata(EadDecoding *decoding, bool xmp, const uint8_t *text, size_t size) {
    uint8_t exif[MOST_TEXT / 2];
    if (xmp)
        ead_codec_take_xmp(decoding, text, size);
    else
        ead_codec_take_exif(decoding, exif, read_digits(text, size < MOST_TEXT ? size : MOST_TEXT, exif));
}

/* Takes the orientation from a chunk of text, of kind 't' (tEXt), 'z' (zTXt) or 'i' (iTXt): XMP, or EXIF in
 * hexadecimal digits, as exiv2 (GIMP, darktable) and older ImageMagick write it. Other text and damage name
 * none. */
static void take_text(EadDecoding *decoding, char kind, const uint8_t *content, size_t size) {
    static const char xmp[] = "XML:com.adobe.xmp", exif[] = "Raw profile type exif";
    uint8_t text[MOST_TEXT];
    bool packed = kind == 'z', is_xmp = kind == 'i';
    const char *name = is_xmp ? xmp : exif;
    size_t header = strlen(name) + 1;
    /* Behind the name: whether it is packed (iTXt), how (zTXt, iTXt), and two empty words (iTXt). */
    size_t rest = header + (is_xmp ? 4 : packed ? 1 : 0);
    if (size <= rest || memcmp(content, name, header) != 0) return;
    if (is_xmp) packed = content[header] == 1;
    content += rest, size -= rest;
    if (packed)
        take_metadata(decoding, is_xmp, text, inflate_some(content, size, text));
    else
        take_metadata(decoding, is_xmp, content, size);
}

/* ---- reading ---- */

/* What chunks say, some behind the pixels where libpng has not been yet: how the picture is turned, how many
 * frames an animation has, how many bits the original had. (By PNG's definition samples are scaled to all
 * bits even so.) Damaged chunks are found by libpng afterwards. */
static void read_chunks(EadDecoding *decoding) {
    const uint8_t *chunk = decoding->bytes + 8; /* length, kind, content, checksum */
    for (size_t left = decoding->size - 8; left >= 12;) {
        size_t length = big_endian(chunk);
        const uint8_t *kind = chunk + 4, *content = chunk + 8;
        if (length > left - 12) return;
        if (memcmp(kind, "eXIf", 4) == 0) ead_codec_take_exif(decoding, content, length);
        if (memcmp(kind, "iTXt", 4) == 0 || memcmp(kind, "zTXt", 4) == 0 || memcmp(kind, "tEXt", 4) == 0)
            take_text(decoding, (char)kind[0], content, length);
        if (memcmp(kind, "sBIT", 4) == 0 && length >= 1 && content[0] < 16 && decoding->expected)
            decoding->expected = 1u << content[0];
        if (memcmp(kind, "acTL", 4) == 0 && length >= 4)
            decoding->pages = (int)(big_endian(content) & 0x7FFFFFFF);
        chunk += length + 12, left -= length + 12;
    }
}

/* Where the compressed pixels end. */
static size_t end_of_pixels(const EadDecoding *decoding) {
    size_t end = 0;
    for (size_t at = 8; at + 12 <= decoding->size;) {
        const uint8_t *chunk = decoding->bytes + at;
        size_t length = big_endian(chunk);
        if (length > decoding->size - at - 12) break;
        at += length + 12;
        if (memcmp(chunk + 4, "IDAT", 4) == 0) end = at;
    }
    return end;
}

/* Reads row y of a pass. With the last one libpng unpacks all that calls itself pixels behind it, a thousand times its
 * size, and throws it away: more than the row can take is refused before. */
static void read_row(PngReader *reader, bool last_pass, int y, void *row) {
    enum { MOST_BEHIND = 1 << 16, PIXEL_BYTES = 8 };
    const EadImage *out = reader->decoding->out;
    if (last_pass && y == out->height - 1) {
        size_t end = end_of_pixels(reader->decoding);
        if (end > reader->position + (size_t)out->width * PIXEL_BYTES + MOST_BEHIND)
            png_error(reader->png, "pixels go on behind the last row");
    }
    png_read_row(reader->png, row, NULL);
}

static void read_rows(PngReader *reader, int passes) {
    EadImage *out = reader->decoding->out;
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < out->height; y++)
            read_row(reader, pass == passes - 1, y, out->pixels + (size_t)y * (size_t)out->width * 3);
}

/* Rows of 16 bits a sample, gray or RGB. Interlaced, each pass adds to the rows of those before. */
static void read_deep_rows(PngReader *reader, int passes) {
    EadDecoding *decoding = reader->decoding;
    size_t row_bytes = png_get_rowbytes(reader->png, reader->info), width = (size_t)decoding->out->width;
    size_t kept = passes > 1 ? (size_t)decoding->out->height : 1;
    bool gray = row_bytes == width * 2;
    uint8_t *to = decoding->out->pixels;
    reader->deep = malloc(row_bytes * kept);
    if (!reader->deep)
        leave(reader, ead_fail(EAD_NO_MEMORY, "%s: no memory to read its pixels", decoding->label));
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < decoding->out->height; y++) {
            uint16_t *from = reader->deep + (kept > 1 ? (size_t)y * row_bytes / 2 : 0);
            read_row(reader, pass == passes - 1, y, from);
            for (size_t x = 0; x < width && pass == passes - 1; x++, from += gray ? 1 : 3, to += 3)
                for (int c = 0; c < 3; c++)
                    to[c] = gray && c > 0 ? to[0] : ead_codec_level(decoding, from[c]);
        }
}

/* Gray of 8 or 16 bits, each number as it is stored. */
static void read_numbers(PngReader *reader) {
    const EadDecoding *decoding = reader->decoding;
    bool deep = png_get_bit_depth(reader->png, reader->info) == 16;
    size_t width = (size_t)decoding->out->width, height = (size_t)decoding->out->height;
    if (png_get_color_type(reader->png, reader->info) != PNG_COLOR_TYPE_GRAY ||
        png_get_bit_depth(reader->png, reader->info) < 8)
        leave(reader, ead_fail(EAD_UNSUPPORTED,
                               "%s: a PNG that is not gray of 8 or 16 bits is no anomaly map; a picture of "
                               "one in colours has lost its numbers",
                               decoding->label));
    if (deep && *(const uint8_t *)&(const uint16_t){1}) png_set_swap(reader->png);
    int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    reader->deep = malloc(width * height * (deep ? 2 : 1));
    if (!reader->deep)
        leave(reader, ead_fail(EAD_NO_MEMORY, "%s: no memory to read its pixels", decoding->label));
    uint8_t *narrow = (uint8_t *)reader->deep;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            read_row(reader, pass == passes - 1, (int)y, narrow + y * width * (deep ? 2 : 1));
    for (size_t i = 0; i < width * height; i++) decoding->numbers[i] = deep ? reader->deep[i] : narrow[i];
}

/* All that may jump. Deflate makes at most 1,032 bytes of one, of 8 pixels each at 1 bit. */
static void read_png(PngReader *reader) {
    png_structp png = reader->png;
    EadDecoding *decoding = reader->decoding;
    png_set_read_fn(png, reader, on_read);
    png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF); /* ours below say more */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(png, reader->info);
    bool deep = png_get_bit_depth(png, reader->info) == 16;
    unsigned bits = (unsigned)png_get_bit_depth(png, reader->info) * png_get_channels(png, reader->info);
    EadStatus status = ead_codec_alloc(decoding, png_get_image_width(png, reader->info),
                                       png_get_image_height(png, reader->info), 1 + 1032 * 8 / bits);
    if (status != EAD_OK) leave(reader, status);
    if (decoding->use == EAD_PIXELS_NUMBERS) {
        read_numbers(reader);
        png_read_end(png, NULL);
        return;
    }
    if (deep) ead_codec_expect_bits(decoding, 16, 16);
    read_chunks(decoding);
    if (decoding->use == EAD_PIXELS_NONE) return;
    /* As RGB of 8 bits, or as gray or RGB of 16 in the machine's byte order. */
    int type = png_get_color_type(png, reader->info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    if (!deep) png_set_gray_to_rgb(png);
    if (deep && *(const uint8_t *)&(const uint16_t){1}) png_set_swap(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (!deep && png_get_rowbytes(png, reader->info) != (size_t)decoding->out->width * 3)
        png_error(png, "unexpected colour type");
    if (deep)
        read_deep_rows(reader, passes);
    else
        read_rows(reader, passes);
    png_read_end(png, NULL);
}

EadStatus ead_png_decode(EadDecoding *decoding) {
    PngReader reader = {.decoding = decoding};
    if (setjmp(reader.escape) == 0) {
        reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_read_error, on_warning);
        if (reader.png) reader.info = png_create_info_struct(reader.png);
        if (reader.info)
            read_png(&reader);
        else
            reader.status = ead_fail(EAD_NO_MEMORY, "%s: no memory to read a PNG", decoding->label);
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.deep);
    return reader.status;
}

/* ---- writing ---- */

#define SOFTWARE "Software" /* the key of PNG's standard */

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

/* A sixth of the time that libpng takes unasked, for files that are a sixth larger: overlays are written beside inference. */
enum { LEVEL = 2 };

static void write_rows(png_structp png, png_infop info, FILE *stream, const EadImage *image,
                       const char *software) {
    png_text text = {.compression = PNG_TEXT_COMPRESSION_NONE, .key = SOFTWARE, .text = (char *)software};
    size_t row_bytes = (size_t)image->width * (size_t)image->channels;
    png_init_io(png, stream);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, LEVEL);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    if (software) png_set_text(png, info, &text, 1);
    png_write_info(png, info);
    for (int y = 0; y < image->height; y++) png_write_row(png, image->pixels + (size_t)y * row_bytes);
    png_write_end(png, info);
}

static EadStatus write_png(FILE *stream, const char *label, const EadImage *image, const char *software) {
    assert(image->pixels && (image->channels == 1 || image->channels == 3));
    PngWriter writer = {.label = label};
    errno = 0;
    if (setjmp(writer.escape) == 0) {
        writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_warning);
        if (writer.png) writer.info = png_create_info_struct(writer.png);
        if (writer.info)
            write_rows(writer.png, writer.info, stream, image, software);
        else
            writer.status = ead_fail(EAD_NO_MEMORY, "%s: no memory to write a PNG", label);
    }
    png_destroy_write_struct(&writer.png, &writer.info);
    return writer.status;
}

EadStatus ead_png_write_by(const char *path, const EadImage *image, const char *software) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadStatus status = write_png(file.stream, path, image, software);
    if (status == EAD_OK) return ead_atomic_file_commit(&file);
    ead_atomic_file_discard(&file);
    return status;
}

EadStatus ead_png_write(const char *path, const EadImage *image) {
    return ead_png_write_by(path, image, NULL);
}

bool ead_png_at_is_by(int descriptor, int64_t offset, const char *software) {
    enum { TEXT = 37 }; /* where the text's chunk begins, behind signature, header and its length */
    char bytes[128], mark[80];
    int length = snprintf(mark, sizeof mark, "tEXt" SOFTWARE "%c%s", '\0', software);
    return ead_read_at(descriptor, bytes, TEXT + (size_t)length, offset) &&
           memcmp(bytes, "\x89PNG", 4) == 0 && memcmp(bytes + TEXT, mark, (size_t)length) == 0;
}

bool ead_png_is_by(const char *path, const char *software) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_by = descriptor >= 0 && ead_png_at_is_by(descriptor, 0, software);
    if (descriptor >= 0) close(descriptor);
    return is_by;
}

EadStatus ead_png_encode(const EadImage *image, uint8_t **bytes, size_t *size) {
    char *buffer = NULL;
    *bytes = NULL, *size = 0;
    FILE *stream = open_memstream(&buffer, size);
    if (!stream) return ead_fail(EAD_NO_MEMORY, "no memory to write a PNG");
    EadStatus status = write_png(stream, "PNG in memory", image, NULL);
    EadStatus closed = ead_memory_stream_close(stream, &buffer, "a PNG");
    if (status == EAD_OK) status = closed;
    if (status == EAD_OK) {
        *bytes = (uint8_t *)buffer;
        return EAD_OK;
    }
    free(buffer);
    *size = 0;
    return status;
}
