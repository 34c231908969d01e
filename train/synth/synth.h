/* Generated pictures of parts, flawless or with one defect, each with its exact mask: a data set for the demo
 * and the tests, where nothing can be downloaded. Pictures are pure functions of their EadSynthPart. */
#ifndef EAD_TRAIN_SYNTH_H
#define EAD_TRAIN_SYNTH_H

#include "core/image/image.h"
#include "train/synth/synth_canvas.h"

/* X(name): a category is one file train/synth_<name>.c with a function draw_<name>. */
#define EAD_SYNTH_CATEGORIES(X) X(gasket) X(label) X(weave)

/* X(name): scratch, blob (dirt) and chip (a bite out of the part) are structural; missing, doubled and
 * swapped elements are logical: each spot alone looks normal. */
#define EAD_SYNTH_DEFECTS(X) X(good) X(scratch) X(blob) X(chip) X(missing) X(doubled) X(swapped)

typedef enum EadSynthCategory {
#define X(name) EAD_SYNTH_##name,
    EAD_SYNTH_CATEGORIES(X)
#undef X
        EAD_SYNTH_CATEGORY_COUNT
} EadSynthCategory;

typedef enum EadSynthDefect {
#define X(name) EAD_SYNTH_DEFECT_##name,
    EAD_SYNTH_DEFECTS(X)
#undef X
        EAD_SYNTH_DEFECT_COUNT
} EadSynthDefect;

typedef struct EadSynthPart {
    EadSynthCategory category;
    EadSynthDefect defect;
    uint64_t seed;
    uint32_t number;   /* of the picture: pose, light and grain follow from seed and number alone */
    int height, width; /* pixels, at least 32 */
} EadSynthPart;

const char *ead_synth_category_name(EadSynthCategory category);
const char *ead_synth_defect_name(EadSynthDefect defect);

/* Draws a part. image [height][width][3], mask [height][width] with 255 on the defect, for a logical one on
 * the element that is missing, added or exchanged; both new and owned by the caller. A defective part differs
 * from the flawless one of the same number only in and right beside its mask. Errors: EAD_NO_MEMORY. */
EadStatus ead_synth_draw(const EadSynthPart *part, EadImage *image, EadImage *mask);

/* Draws a picture of nothing in particular (gradients, noise of several scales, shapes, stripes) in random
 * colours, new and owned by the caller. Errors: EAD_NO_MEMORY. */
EadStatus ead_synth_draw_texture(uint64_t seed, uint32_t number, int height, int width, EadImage *image);

/* What a category's function gets: the canvas, random numbers of the part, and others of the defect, so that
 * a defect does not change the part around it. */
typedef struct EadSynthTask {
    EadCanvas *canvas;
    EadSynthDefect defect;
    EadSynthRandom part, flaw;
} EadSynthTask;

#define X(name) void ead_synth_draw_##name(EadSynthTask *task);
EAD_SYNTH_CATEGORIES(X)
#undef X

/* Structural defects painted over a part, in part coordinates; they enter the mask. */
void ead_synth_paint_scratch(EadSynthTask *task, EadPoint centre, float angle, EadColor color);
void ead_synth_paint_blob(EadSynthTask *task, EadPoint centre, EadColor color);

#endif
