/* Masks that lie beside their images: KolektorSDD's Part1.jpg and Part1_label.bmp, what labelling tools
 * write. */
#pragma once

#include "data/source/left_out.h"

/* Bytes of a name without extension that come before a mask's suffix (_mask, -label, _GT, ..., in any case);
 * 0 if it has none. length: bytes of the name without extension. */
size_t ead_mask_stem(const char *name, size_t length);

/* Moves the masks among the paths from index `first` on, which are sorted, to left_out. A mask is named like
 * an image in its folder, but for a suffix or (PNG beside JPEG) the format, and has at most 16 colours or is
 * nearly all black and white (what JPEG makes of a mask); what has a suffix and cannot be decoded counts as
 * one, too. Errors: EAD_NO_MEMORY. */
EadStatus ead_take_out_masks(EadStringList *paths, int first, EadLeftOut *left_out);
