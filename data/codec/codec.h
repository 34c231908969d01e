/* Reading PNG, JPEG, BMP and TIFF; writing PNG, JPEG and TIFF. Every size is checked before memory is asked
 * for, and damage of any kind is one clear error, never a half-filled image. */
#pragma once

#include "core/image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads a PNG, JPEG, BMP or TIFF file (told apart by content, not by name) as 8-bit RGB.
 * PNG: every colour type and depth, interlaced too. Alpha and tRNS are dropped without compositing, as
 * Pillow's convert("RGB") does. Of 16 bits the high byte is kept: what Pillow does for colour; its gray
 * 16-bit conversion clips at 255 instead, which makes nearly every such image white, and is not followed.
 * JPEG: baseline and progressive, gray or YCbCr or RGB. The EXIF orientation is not applied (nor does
 * Pillow's Image.open): rotate such files beforehand.
 * BMP: 1, 4 and 8 bits with palette, 16, 24 and 32 bits, top-down too; without run-length coding. A fourth
 * channel is dropped.
 * TIFF: the first page; whole numbers of up to 16 bits, every compression and layout that libtiff turns into
 * RGB as it does it: of 16 bits gray keeps the high byte and colours are rounded, alpha is multiplied in.
 * Maps of 32-bit floats, such as predict writes, are no images. Errors: EAD_IO; EAD_BAD_FILE for empty,
 * truncated, damaged and foreign files and more than 65,535 pixels a side or 2^28 in all; EAD_UNSUPPORTED for
 * CMYK and YCCK JPEG and for kinds of BMP and TIFF not named above; EAD_NO_MEMORY. *out is empty then, else
 * owned by the caller. */
EadStatus ead_image_load(const char *path, EadImage *out);

/* The same from `size` bytes at an offset of a file, e.g. of a tar archive, and from memory; label is what
 * errors call the image. */
EadStatus ead_image_load_part(const char *path, int64_t offset, int64_t size, const char *label,
                              EadImage *out);
EadStatus ead_image_decode(const uint8_t *bytes, size_t size, const char *label, EadImage *out);

/* Reads a ground-truth mask as one channel: gray values as stored (1, 2 and 4 bits spread to 0..255, of 16
 * bits the high byte but at least 1 if any bit is set), colours and palettes by their largest channel, alpha
 * ignored. Nonzero means defect. PNG only: JPEG's ringing would be taken for defects (EAD_UNSUPPORTED). */
EadStatus ead_mask_load(const char *path, EadImage *out);

/* Width and height from the file's header; pixels are not looked at. Errors: those of ead_image_load(). */
EadStatus ead_image_size(const char *path, int *width, int *height);

/* Writes an 8-bit PNG of 1 or 3 channels, atomically or into memory (*bytes is for the caller to free()); the
 * same image gives the same bytes. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_png_write(const char *path, const EadImage *image);
EadStatus ead_png_encode(const EadImage *image, uint8_t **bytes, size_t *size);

/* Encodes an image of 1 or 3 channels as JPEG into memory. quality 1..100. *bytes [*size] is for the caller
 * to free(); the same image gives the same bytes. Errors: EAD_BAD_SHAPE for sides above libjpeg's 65,500,
 * EAD_NO_MEMORY; then *bytes is NULL. */
EadStatus ead_jpeg_encode(const EadImage *image, int quality, uint8_t **bytes, size_t *size);

/* Writes map [height][width] as an uncompressed TIFF of one 32-bit float channel, the form that the official
 * MVTec evaluation reads. Atomic; the folder must exist. Errors: EAD_BAD_SHAPE for sizes outside 1..65,535,
 * EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_tiff_write_map(const char *path, const float *map, int width, int height);

/* What the format is called ("PNG") that a file begins like, whose first bytes these are, or NULL. */
const char *ead_image_format(const uint8_t *bytes, size_t size);

/* Whether a file name ends in the extension of an image format, in any case; and these extensions, for
 * messages: ".png, .jpg, .jpeg, .bmp, .tif, .tiff". */
bool ead_image_has_known_extension(const char *name);
const char *ead_image_extensions(void);
