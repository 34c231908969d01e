/* JPEG by libjpeg-turbo, read from memory. libjpeg only warns of missing or broken data and fills the rest
 * with gray; a detector would learn that gray, so those warnings are errors here. */
#include "data/codec/codec_formats.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file of a few bytes a scan can ask for endless passes over a large image. */
enum { MAX_SCANS = 200 };

typedef struct JpegReader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    const uint8_t *bytes;
    size_t size;
    const char *label;
    EadPixelUse use;
    EadImage *out;
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
    leave(reader,
          ead_fail(memory ? EAD_NO_MEMORY : EAD_BAD_FILE, "%s: damaged JPEG: %s", reader->label, text));
}

/* Level -1 is a warning, from 0 on it is chatter. Warnings that leave the pixels whole are let pass. */
static void on_message(j_common_ptr info, int level) {
    JpegReader *reader = info->client_data;
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
        leave(reader, ead_fail(EAD_BAD_FILE, "%s: truncated JPEG: it ends after %zu bytes", reader->label,
                               reader->size));
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
        leave(reader,
              ead_fail(EAD_BAD_FILE, "%s: damaged JPEG: more than %d scans", reader->label, MAX_SCANS));
}

static EadStatus check_colours(const JpegReader *reader) {
    J_COLOR_SPACE space = reader->info.jpeg_color_space;
    if (space == JCS_CMYK || space == JCS_YCCK)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a CMYK JPEG has no defined colours here; convert it to RGB, e.g. "
                        "with ImageMagick -colorspace sRGB",
                        reader->label);
    if ((space != JCS_GRAYSCALE && space != JCS_YCbCr && space != JCS_RGB) ||
        reader->info.data_precision != 8)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a JPEG of %d channels and %d bits is not supported; save it as "
                        "8-bit RGB",
                        reader->label, reader->info.num_components, reader->info.data_precision);
    return EAD_OK;
}

/* All that may jump. A Huffman-coded block of 64 pixels takes at least one bit, so a byte makes at most 512
 * pixels; arithmetic coding gets by with far less. */
static void read_jpeg(JpegReader *reader) {
    struct jpeg_decompress_struct *info = &reader->info;
    jpeg_mem_src(info, reader->bytes, (unsigned long)reader->size);
    jpeg_read_header(info, TRUE);
    EadStatus status = check_colours(reader);
    if (status == EAD_OK)
        status = ead_codec_alloc(reader->out, reader->label, info->image_width, info->image_height,
                                 reader->use, reader->size, info->arith_code ? 1 << 16 : 512);
    if (status != EAD_OK) leave(reader, status);
    if (reader->use == EAD_PIXELS_NONE) return;
    info->out_color_space = JCS_RGB;
    info->progress = &reader->progress;
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = reader->out->pixels + (size_t)info->output_scanline * (size_t)reader->out->width * 3;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info);
}

EadStatus ead_jpeg_decode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                          EadImage *out) {
    JpegReader reader = {.bytes = bytes, .size = size, .label = label, .use = use, .out = out};
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
    if (reader.status != EAD_OK) ead_image_free(out);
    return reader.status;
}
