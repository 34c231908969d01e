/* JPEG by libjpeg-turbo, from and into memory. libjpeg only warns of missing or broken data and fills the
 * rest with gray; a detector would learn that gray, so those warnings are errors here. */
#include "data/codec/codec.h"
#include "data/codec/codec_formats.h"
#include "data/codec/tiff_tag.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file of a few bytes a scan can ask for endless passes over a large image. */
enum { MAX_SCANS = 200 };

typedef struct JpegReader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    EadDecoding *decoding;
    EadStatus status;
    jmp_buf escape;
} JpegReader;

/* Leaves with a status whose message is already set. */
static _Noreturn void leave(JpegReader *reader, EadStatus status) {
    reader->status = status;
    longjmp(reader->escape, 1);
}

static _Noreturn void on_error(j_common_ptr info) {
    char text[JMSG_LENGTH_MAX];
    JpegReader *reader = info->client_data;
    info->err->format_message(info, text);
    bool memory = info->err->msg_code == JERR_OUT_OF_MEMORY;
    leave(reader, ead_fail(memory ? EAD_NO_MEMORY : EAD_BAD_FILE, "%s: damaged JPEG: %s",
                           reader->decoding->label, text));
}

/* Level -1 is a warning, from 0 on it is chatter. Warnings that leave the pixels whole are let pass. */
static void on_message(j_common_ptr info, int level) {
    JpegReader *reader = info->client_data;
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
        leave(reader, ead_fail(EAD_BAD_FILE, "%s: truncated JPEG: it ends after %zu bytes",
                               reader->decoding->label, reader->decoding->size));
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        on_error(info);
    default:
        break;
    }
}

static void on_progress(j_common_ptr info) {
    JpegReader *reader = info->client_data;
    if (reader->info.input_scan_number > MAX_SCANS)
        leave(reader, ead_fail(EAD_BAD_FILE, "%s: damaged JPEG: more than %d scans", reader->decoding->label,
                               MAX_SCANS));
}

/* How many pictures an index of them (CIPA's Multi-Picture Format) names besides previews; 0: damaged. */
static int count_pictures(const uint8_t *bytes, size_t size) {
    enum { ENTRIES = 0xB002, NUMBER = 0xB001, ENTRY = 16, PREVIEW = 1 };
    size_t directory = ead_tiff_first_directory(bytes, size);
    uint32_t number, at;
    int pictures = 0;
    if (!ead_tiff_find_tag(bytes, size, directory, NUMBER, &number) ||
        !ead_tiff_find_tag(bytes, size, directory, ENTRIES, &at))
        return 0;
    for (; number > 0 && size >= ENTRY && at <= size - ENTRY; number--, at += ENTRY) {
        const uint8_t *entry = bytes + at; /* its kind is the second highest byte of a number */
        pictures += entry[bytes[0] == 'M' ? 1 : 2] != PREVIEW;
    }
    return pictures;
}

/* EXIF and XMP lie in markers of one kind, told apart by how they begin. Of several with EXIF the first counts:
 * the others go on with it, or are of another program. */
static void read_markers(JpegReader *reader) {
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/", index[] = "MPF", exif[6] = "Exif\0";
    bool turned = false;
    for (jpeg_saved_marker_ptr marker = reader->info.marker_list; marker; marker = marker->next) {
        if (marker->marker == JPEG_APP0 + 2 && marker->data_length >= sizeof index &&
            memcmp(marker->data, index, sizeof index) == 0)
            reader->decoding->pages =
                count_pictures(marker->data + sizeof index, marker->data_length - sizeof index);
        if (marker->marker != JPEG_APP0 + 1) continue;
        bool first =
            !turned && marker->data_length >= sizeof exif && memcmp(marker->data, exif, sizeof exif) == 0;
        if (first) ead_codec_take_exif(reader->decoding, marker->data, marker->data_length);
        turned |= first;
        if (marker->data_length >= sizeof xmp && memcmp(marker->data, xmp, sizeof xmp) == 0)
            ead_codec_take_xmp(reader->decoding, marker->data, marker->data_length);
    }
}

/* All that may jump. A Huffman-coded block of 64 pixels takes at least one bit, so a byte makes at most 512
 * pixels; arithmetic coding gets by with far less. */
static void read_jpeg(JpegReader *reader) {
    struct jpeg_decompress_struct *info = &reader->info;
    EadDecoding *decoding = reader->decoding;
    jpeg_mem_src(info, decoding->bytes, (unsigned long)decoding->size);
    for (int i = 1; i <= 2; i++) jpeg_save_markers(info, JPEG_APP0 + i, 0xFFFF);
    jpeg_read_header(info, TRUE);
    read_markers(reader);
    J_COLOR_SPACE space = info->jpeg_color_space;
    if (space == JCS_CMYK || space == JCS_YCCK)
        leave(reader, ead_fail(EAD_UNSUPPORTED,
                               "%s: a CMYK JPEG has no defined colours here; convert it to RGB, e.g. "
                               "with ImageMagick -colorspace sRGB",
                               decoding->label));
    if ((space != JCS_GRAYSCALE && space != JCS_YCbCr && space != JCS_RGB) || info->data_precision != 8)
        leave(reader, ead_fail(EAD_UNSUPPORTED,
                               "%s: a JPEG of %d channels and %d bits is not supported; save it as 8-bit RGB",
                               decoding->label, info->num_components, info->data_precision));
    EadStatus status =
        ead_codec_alloc(decoding, info->image_width, info->image_height, info->arith_code ? 1 << 16 : 512);
    if (status != EAD_OK) leave(reader, status);
    if (decoding->use == EAD_PIXELS_NONE) return;
    info->out_color_space = JCS_RGB;
    info->progress = &reader->progress;
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = decoding->out->pixels + (size_t)info->output_scanline * info->output_width * 3;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info);
    /* Without an index another picture may follow all the same. */
    if (!decoding->pages && info->src->bytes_in_buffer > 2 &&
        memcmp(info->src->next_input_byte, "\xFF\xD8\xFF", 3) == 0)
        decoding->pages = 2;
}

EadStatus ead_jpeg_decode(EadDecoding *decoding) {
    JpegReader reader = {.decoding = decoding};
    reader.info.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = on_error;
    reader.errors.emit_message = on_message;
    reader.progress.progress_monitor = on_progress;
    reader.info.client_data = &reader; /* jpeg_create_decompress keeps err and client_data */
    if (setjmp(reader.escape) == 0) {
        jpeg_create_decompress(&reader.info);
        read_jpeg(&reader);
    }
    jpeg_destroy_decompress(&reader.info);
    return reader.status;
}

/* ---- writing ---- */

typedef struct JpegWriter {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    uint8_t *bytes;
    unsigned long size;
    jmp_buf escape;
} JpegWriter;

static _Noreturn void on_write_error(j_common_ptr info) {
    JpegWriter *writer = info->client_data;
    longjmp(writer->escape, 1);
}

static void say_nothing(j_common_ptr info) {
    (void)info;
}

static void encode(JpegWriter *writer, const EadImage *image, int quality) {
    struct jpeg_compress_struct *info = &writer->info;
    jpeg_create_compress(info);
    jpeg_mem_dest(info, &writer->bytes, &writer->size);
    info->image_width = (JDIMENSION)image->width;
    info->image_height = (JDIMENSION)image->height;
    info->input_components = image->channels;
    info->in_color_space = image->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    info->optimize_coding = TRUE;
    jpeg_start_compress(info, TRUE);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = image->pixels + stride * info->next_scanline;
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

EadStatus ead_jpeg_encode(const EadImage *image, int quality, uint8_t **bytes, size_t *size) {
    *bytes = NULL;
    *size = 0;
    if (image->width > JPEG_MAX_DIMENSION || image->height > JPEG_MAX_DIMENSION)
        return ead_fail(EAD_BAD_SHAPE, "JPEG of %d x %d pixels: at most %ld a side", image->width,
                        image->height, (long)JPEG_MAX_DIMENSION);
    /* More than any JPEG of that size takes. libjpeg replaces a buffer that is too small and then, on an
     * error, leaves no way to tell which one to free; it never comes to that here. */
    unsigned long width = ((unsigned long)image->width + 15) / 16 * 16;
    unsigned long height = ((unsigned long)image->height + 15) / 16 * 16;
    JpegWriter writer = {.size = width * height * 6 + 4096};
    writer.bytes = malloc(writer.size);
    if (writer.bytes && setjmp(writer.escape) == 0) {
        writer.info.err = jpeg_std_error(&writer.errors);
        writer.info.client_data = &writer;
        writer.errors.error_exit = on_write_error;
        writer.errors.output_message = say_nothing;
        encode(&writer, image, quality);
        uint8_t *shrunk = realloc(writer.bytes, writer.size);
        *bytes = shrunk ? shrunk : writer.bytes;
        *size = writer.size;
    } else
        free(writer.bytes);
    jpeg_destroy_compress(&writer.info);
    if (*bytes) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "no memory to encode a JPEG of %d x %d", image->width, image->height);
}
