/* Which way up a picture is meant to be seen. Cameras store what the sensor saw and say in a tag how it was
 * held; TIFF has the tag itself, the others have EXIF or XMP that holds it. */
#pragma once

#include "core/image/image.h"

#include <stddef.h>
#include <stdint.h>

/* The orientation 1 to 8 that a block of EXIF (with or without "Exif\0\0" before it) or of XMP names; 0 where
 * it names none. Damaged blocks name none. */
int ead_exif_orientation(const uint8_t *bytes, size_t size);
int ead_xmp_orientation(const uint8_t *bytes, size_t size);

/* Turns or mirrors *image [height][width][3] from how orientation 1 to 8 stores it; width and height change
 * places from 5 on. Any other number, and an image without pixels, means: only the size. Errors:
 * EAD_NO_MEMORY; *image is as before then. */
EadStatus ead_image_set_upright(EadImage *image, int orientation);
