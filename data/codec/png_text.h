/* Metadata that PNG holds as text. */
#pragma once

#include "data/codec/codec_formats.h"

/* Takes the orientation from the content of a chunk of text, of kind 't' (tEXt), 'z' (zTXt) or 'i' (iTXt):
 * XMP, or EXIF in hexadecimal digits, as exiv2 (GIMP, darktable) and older ImageMagick write it. Other text
 * and damage name none. */
void ead_png_take_text(EadDecoding *decoding, char kind, const uint8_t *content, size_t size);
