/* Reading PNG, JPEG, BMP, TIFF and WebP; writing PNG, JPEG and TIFF. Every size is checked before memory is
 * asked for, and damage of any kind is one clear error, never a half-filled image. */
#pragma once

#include "core/image/image.h"
#include "data/codec/image_notes.h"

#include <stdbool.h>
#include <stdint.h>

/* Most pixels of an image that is read unless its rules say otherwise: 2^28, 16,384 x 16,384. */
#define EAD_IMAGE_MAX_PIXELS 268435456

/* How images are read, beyond what their files say of themselves. Zeroed: as usual. */
typedef struct EadImageRules {
    int bits;  /* that count in samples stored with 16, 1..16 (12 for a 12-bit camera); 0: what the
                             file says, else all. Any larger value is an error then. */
    int white; /* in place of bits: the value that counts as white, 1..65,535, in samples of more than 8
                             bits, and larger values do, too: ead_level_of_white(); 0: by bits */
    int64_t max_pixels;   /* 0: EAD_IMAGE_MAX_PIXELS */
    EadImageNotes *notes; /* told what is worth telling of images that are read; NULL: nobody wants to know */
} EadImageRules;

/* Reads PNG, JPEG, BMP, TIFF or WebP (told apart by content, not by name) as 8-bit RGB. In all formats:
 * - Orientation (EXIF, XMP, TIFF's tag) is obeyed, as by Pillow's ImageOps.exif_transpose(). Width and height
 *   are those of the upright picture.
 * - Samples of more than 8 bits keep their upper 8 bits, as Pillow does it for colours; where it clips gray
 *   ones at 255 instead, that is not followed. How many bits there are says the file (TIFF: BitsPerSample,
 *   or MaxSampleValue where it is 2^n - 1) or rules->bits; rules->white
 *   scales them instead. By PNG's definition samples are scaled to all 16
 *   bits whatever sBIT says. 16-bit images without a value above 16,383, or above what sBIT says, are told to
 *   rules->notes. Fewer than 8 bits are spread to 0..255.
 * - Alpha is dropped without compositing, as by Pillow's convert("RGB"), premultiplied colours (TIFF) are
 *   divided by it before. Other channels behind the colours are ignored. So are tRNS, gamma and profiles.
 * - Of several pages, frames or pictures in one file (MPO) the first counts, of TIFF's the first that is no
 *   thumbnail and no transparency mask; this is told to rules->notes.
 * PNG: every colour type and depth, interlaced too.
 * JPEG: baseline and progressive, 8 bits, gray or YCbCr or RGB; CMYK is refused.
 * BMP: 1, 4 and 8 bits with palette, 16, 24 and 32 bits, top-down too; without run-length coding.
 * TIFF: gray, RGB, palettes and CMYK (turned to RGB as Pillow does it) in unsigned whole numbers of 1 to 16
 *   bits, every byte order, layout and compression of libtiff; YCbCr, Lab and LogLuv as libtiff turns them
 *   into RGB, which is told to rules->notes but for JPEG's YCbCr. A palette that is missing, and a preview
 *   whose picture only raw converters find, are errors.
 *   "0 is white" is obeyed for every depth (Pillow does so up to 8 bits), and palettes with 8-bit entries are
 *   recognised as libtiff does it (Pillow shows them black). Signed and floating-point numbers, such as the
 *   maps of predict, have no white and no black, and are refused.
 * WebP: lossy and lossless.
 * Errors: EAD_IO; EAD_BAD_FILE for empty, truncated, damaged and foreign files, more than 65,535 pixels a
 * side or the limit in all, and values beyond their bits; EAD_UNSUPPORTED for what is not named above;
 * EAD_NO_MEMORY. *out is empty then, else owned by the caller. */
EadStatus ead_image_load(const char *path, EadImage *out);

/* The same by rules (NULL: as usual); from `size` bytes at an offset of a file, e.g. of a tar archive, and
 * from memory, where too many pixels are EAD_BAD_SHAPE; label is what errors call the image. */
EadStatus ead_image_load_with(const char *path, const EadImageRules *rules, EadImage *out);
EadStatus ead_image_load_part(const char *path, int64_t offset, int64_t size, const char *label,
                              const EadImageRules *rules, EadImage *out);
EadStatus ead_image_decode(const uint8_t *bytes, size_t size, const char *label, EadImage *out);
EadStatus ead_image_decode_with(const uint8_t *bytes, size_t size, const char *label,
                                const EadImageRules *rules, EadImage *out);

/* Reads a ground-truth mask as one channel: the largest of each pixel's channels as ead_image_load() reads
 * them, upright too, but at least 1 if any bit is set. Nonzero means defect. PNG,
 * BMP and TIFF: JPEG's and WebP's ringing would be taken for defects (EAD_UNSUPPORTED). */
EadStatus ead_mask_load(const char *path, EadImage *out);
EadStatus ead_mask_load_with(const char *path, const EadImageRules *rules, EadImage *out);

/* Width and height of the upright picture from the file's header; pixels are not looked at. Errors: those of
 * ead_image_load_with() that a header shows. */
EadStatus ead_image_size(const char *path, const EadImageRules *rules, int *width, int *height);

/* Writes an 8-bit PNG of 1 or 3 channels, atomically or into memory (*bytes is for the caller to free()); the
 * same image gives the same bytes. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_png_write(const char *path, const EadImage *image);
EadStatus ead_png_encode(const EadImage *image, uint8_t **bytes, size_t *size);

/* The same with the text "Software" in it, and whether a file is a PNG whose text begins so, with up to 60 bytes. */
EadStatus ead_png_write_by(const char *path, const EadImage *image, const char *software);
bool ead_png_is_by(const char *path, const char *software);
bool ead_png_at_is_by(int descriptor, int64_t offset, const char *software);

/* Encodes an image of 1 or 3 channels as JPEG into memory. quality 1..100. *bytes [*size] is for the caller
 * to free(); the same image gives the same bytes. Errors: EAD_BAD_SHAPE for sides above libjpeg's 65,500,
 * EAD_NO_MEMORY; then *bytes is NULL. */
EadStatus ead_jpeg_encode(const EadImage *image, int quality, uint8_t **bytes, size_t *size);

/* Writes map [height][width] as an uncompressed TIFF of one 32-bit float channel, the form that the official
 * MVTec evaluation reads. Atomic; the folder must exist. Errors: EAD_BAD_SHAPE for sizes outside 1..65,535,
 * EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_tiff_write_map(const char *path, const float *map, int width, int height);

/* Whether a file is one that this wrote, by its tag Software. */
bool ead_tiff_is_map(const char *path);

/* What the text of overlays and masks begins with. */
#define EAD_PNG_OF_OURS "efficientad "

/* Whether a file is a map, overlay or mask that this program wrote about an image, by that text and tag. Only PNG and TIFF
 * files by their endings, and files without one of an image, are looked into. */
bool ead_image_is_output(const char *path);

/* "libpng 1.6.39, libjpeg-turbo 2.1.5, libtiff 4.5.0, libwebp 1.2.4". */
void ead_codec_versions(char *text, size_t size);

/* What the format is called ("PNG") that a file begins like, whose first bytes these are, or NULL. */
const char *ead_image_format(const uint8_t *bytes, size_t size);

/* Whether a file name ends in the extension of an image format, in any case; and these extensions, for
 * messages: ".png, .jpg, .jpeg, .bmp, .tif, .tiff, .webp". */
bool ead_image_has_known_extension(const char *name);
const char *ead_image_extensions(void);
