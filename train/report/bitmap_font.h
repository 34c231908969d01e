/* A few letters of 5 x 7 pixels for numbers and verdicts in pictures. */
#pragma once

#include "core/image/image.h"

enum {
    EAD_FONT_ADVANCE = 6,
    EAD_FONT_HEIGHT = 7
}; /* pixels from letter to letter, of a letter; times the scale */

/* Width of a text in pixels, without the space behind its last letter; scale >= 1. */
int ead_font_width(const char *text, int scale);

/* Draws a text with its upper left corner at (x, y), each pixel of a letter as scale x scale pixels; what lies outside of
 * the image is cut off. image of 3 channels. Letters: digits, " .-+e<>=" and those of OK and NG; others are blank. */
void ead_font_draw(EadImage *image, const char *text, int x, int y, int scale, const uint8_t rgb[3]);
