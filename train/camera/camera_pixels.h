/* Pixels as cameras name them: GenICam's Pixel Format Naming Convention. Those that stand one behind the other in whole bytes are
 * read; packed ones (Mono12p), mosaics of colours (BayerRG8) and YUV are not: cameras have others, too. */
#pragma once

#include "core/image/image.h"

#include <stdbool.h>

/* Sets channels, step, reversed and white of *rows for a format's number; false: it is not read. */
bool ead_camera_pixels(uint32_t format, EadPixelRows *rows);

/* The name of a format that is read, by index from 0 on; NULL behind the last. */
const char *ead_camera_pixel_name(int index);
