/* Images of a list, brought to a network's size. */
#pragma once

#include "core/image/region.h"
#include "data/source/image_list.h"

typedef enum EadFitMode {
    EAD_FIT_RESIZE,      /* straight to width x height */
    EAD_FIT_CENTER_CROP, /* to twice the size, then its central part: penalty images (Algorithm 1) */
} EadFitMode;

typedef struct EadImageFit {
    EadFitMode mode;
    int width, height;       /* pixels, >= 1 */
    const EadRegion *region; /* of the images, for EAD_FIT_RESIZE; NULL: the whole images; borrowed */
} EadImageFit;

/* Errors: EAD_BAD_SHAPE for a size that images cannot be brought to. */
EadStatus ead_image_fit_check(EadImageFit fit);

/* Decodes image `index` to out [height][width][3]. notes: told what there is to tell; may be NULL. Several threads may
 * call it at once. Errors: those of ead_image_list_load() and ead_region_check(), with the image's name. */
EadStatus ead_image_fit_load(const EadImageList *images, int index, EadImageFit fit, EadImageNotes *notes,
                             uint8_t *out);
