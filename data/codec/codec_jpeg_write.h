/* JPEG into memory: small pictures for embedding in the HTML report. */
#ifndef EAD_DATA_CODEC_JPEG_WRITE_H
#define EAD_DATA_CODEC_JPEG_WRITE_H

#include "core/image/image.h"

/* Encodes an image of 1 or 3 channels. quality 1..100. *bytes [*size] is for the caller to free(); the same
 * image gives the same bytes. Errors: EAD_BAD_SHAPE for sides above libjpeg's 65,500, EAD_NO_MEMORY; then
 * *bytes is NULL. */
EadStatus ead_jpeg_encode(const EadImage *image, int quality, uint8_t **bytes, size_t *size);

#endif
