/* Image files for callers that hold pixels themselves, such as the Python package: decoded as predict decodes them. In a
 * shared library of its own, libefficientad_files.so, since the inference library needs no image formats. */
#pragma once

#include <stdint.h>

/* Reads PNG, JPEG, BMP, TIFF or WebP as 8-bit RGB, width * height * 3 bytes, for ead_image_file_free(). bits: that count
 * in samples of 16 bits (0: what the file says); white: in place of bits, the value that counts as white in samples of more
 * than 8 (0: by bits). max_pixels: 0: 268,435,456. Returns 0 or a positive status with the
 * reason in ead_error_message(). */
int ead_image_file_read(const char *path, int bits, int white, int64_t max_pixels, uint8_t **pixels,
                        int *width, int *height);
void ead_image_file_free(uint8_t *pixels);
