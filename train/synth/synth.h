/* Generated pictures of a part, flawless or with one defect, each with its exact mask: a data set for the
 * demo and the tests, where nothing can be downloaded. The part is a gasket: a metal flange with bolt holes
 * and a seal. Pictures are pure functions of their EadSynthPart. */
#pragma once

#include "core/image/image.h"

/* X(name): scratch, blob (dirt) and chip (a bite out of the part) are structural; missing, doubled and
 * swapped holes are logical: each spot alone looks normal. */
#define EAD_SYNTH_DEFECTS(X) X(good) X(scratch) X(blob) X(chip) X(missing) X(doubled) X(swapped)

#define EAD_SYNTH_ENUMERATOR(name) EAD_SYNTH_DEFECT_##name,
typedef enum EadSynthDefect { EAD_SYNTH_DEFECTS(EAD_SYNTH_ENUMERATOR) EAD_SYNTH_DEFECT_COUNT } EadSynthDefect;

typedef struct EadSynthPart {
    EadSynthDefect defect;
    uint64_t seed;
    uint32_t number;   /* of the picture: pose, light and grain follow from seed and number alone */
    int height, width; /* pixels, at least 32 */
} EadSynthPart;

const char *ead_synth_defect_name(EadSynthDefect defect);

/* Draws a part. image [height][width][3], mask [height][width] with 255 on the defect, for a logical one on
 * the element that is missing, added or exchanged; both new and owned by the caller. A defective part differs
 * from the flawless one of the same number only in and right beside its mask. Errors: EAD_NO_MEMORY. */
EadStatus ead_synth_draw(const EadSynthPart *part, EadImage *image, EadImage *mask);

/* Draws the good part of that number and of seed 0. Errors: EAD_NO_MEMORY. */
EadStatus ead_synth_draw_good(uint32_t number, int height, int width, EadImage *image);
