/* A stroke font for printed labels: capitals, digits and a dash, drawn as thick lines. */
#ifndef EAD_TRAIN_SYNTH_FONT_H
#define EAD_TRAIN_SYNTH_FONT_H

#include "train/synth/synth_canvas.h"

/* Paints text from its upper left corner at `place`, with letters of `height` units; returns nothing because
 * every letter takes 0.85 of the height. Unknown characters are blanks. */
void ead_synth_paint_text(EadCanvas *canvas, const char *text, EadPoint place, float height, EadColor color);

/* The width of a text of that height. */
float ead_synth_text_width(const char *text, float height);

#endif
