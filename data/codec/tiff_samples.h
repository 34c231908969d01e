/* The samples of a TIFF as libtiff unpacks them, made RGB by ourselves: libtiff's own RGBA interface
 * multiplies alpha in, mirrors turned pictures, and takes signed numbers for unsigned ones. */
#pragma once

#include "data/codec/codec_formats.h"

#include <tiffio.h>

/* Whether the present page holds gray, RGB, CMYK or palette samples; else its colours are for libtiff to
 * convert (YCbCr, Lab, …). */
bool ead_tiff_has_samples(TIFF *tiff);

/* The error of a TIFF that libtiff cannot read, with what that says. */
EadStatus ead_tiff_damaged(const EadDecoding *decoding);

/* Reads the present page, which has samples, into decoding->out. most: bytes that a hostile file may claim.
 * Errors: EAD_UNSUPPORTED for kinds that are not read; EAD_BAD_FILE; EAD_NO_MEMORY. */
EadStatus ead_tiff_read_samples(TIFF *tiff, EadDecoding *decoding, size_t most);

/* The same into decoding->numbers, of a page of one channel in floating point or with 16 bits. */
EadStatus ead_tiff_read_numbers(TIFF *tiff, EadDecoding *decoding, size_t most);
