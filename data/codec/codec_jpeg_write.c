/* libjpeg reports errors by calling a function that must not return; ours jumps back. */
#include "data/codec/codec_jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>

typedef struct Encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    unsigned char *bytes;
    unsigned long size;
} Encoder;

static void jump_back(j_common_ptr jpeg) {
    Encoder *encoder = jpeg->client_data;
    longjmp(encoder->failed, 1);
}

static void say_nothing(j_common_ptr jpeg) {
    (void)jpeg;
}

/* More than any JPEG of that size takes. libjpeg replaces a buffer that is too small and then, on an error,
 * leaves no way to tell which one to free; it never comes to that here. */
static size_t max_bytes(const EadImage *image) {
    size_t width = ((size_t)image->width + 15) / 16 * 16, height = ((size_t)image->height + 15) / 16 * 16;
    return width * height * 6 + 4096;
}

static void encode(Encoder *encoder, const EadImage *image, int quality) {
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &encoder->bytes, &encoder->size);
    jpeg->image_width = (JDIMENSION)image->width;
    jpeg->image_height = (JDIMENSION)image->height;
    jpeg->input_components = image->channels;
    jpeg->in_color_space = image->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->optimize_coding = TRUE;
    jpeg_start_compress(jpeg, TRUE);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = image->pixels + stride * jpeg->next_scanline;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

EadStatus ead_jpeg_encode(const EadImage *image, int quality, uint8_t **bytes, size_t *size) {
    *bytes = NULL;
    *size = 0;
    if (image->width > JPEG_MAX_DIMENSION || image->height > JPEG_MAX_DIMENSION)
        return ead_fail(EAD_BAD_SHAPE, "JPEG of %d x %d pixels: at most %ld a side", image->width,
                        image->height, (long)JPEG_MAX_DIMENSION);
    Encoder *encoder = calloc(1, sizeof *encoder);
    size_t most = max_bytes(image);
    uint8_t *buffer = encoder ? malloc(most) : NULL;
    if (!buffer) {
        free(encoder);
        return ead_fail(EAD_NO_MEMORY, "no memory to encode a JPEG of %d x %d", image->width, image->height);
    }
    encoder->bytes = buffer;
    encoder->size = (unsigned long)most;
    encoder->jpeg.err = jpeg_std_error(&encoder->errors);
    encoder->jpeg.client_data = encoder;
    encoder->errors.error_exit = jump_back;
    encoder->errors.output_message = say_nothing;
    EadStatus status = EAD_OK;
    if (setjmp(encoder->failed) == 0) {
        encode(encoder, image, quality);
        *size = (size_t)encoder->size;
        uint8_t *shrunk = realloc(encoder->bytes, *size);
        *bytes = shrunk ? shrunk : encoder->bytes;
    } else {
        free(encoder->bytes);
        status =
            ead_fail(EAD_NO_MEMORY, "no memory to encode a JPEG of %d x %d", image->width, image->height);
    }
    jpeg_destroy_compress(&encoder->jpeg);
    free(encoder);
    return status;
}
