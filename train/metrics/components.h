/* Connected components of a defect mask, which AU-PRO counts one by one. Two pixels belong together when
 * they touch at a side or at a corner (8-connected), as in the official evaluation. */
#ifndef EAD_TRAIN_COMPONENTS_H
#define EAD_TRAIN_COMPONENTS_H

#include "core/base/status.h"

#include <stdint.h>

typedef struct EadComponents {
    int32_t count;   /* number of components, >= 0 */
    int32_t *labels; /* [height][width], owned: 0 background, else 1..count in order of the first pixel */
    int64_t *areas;  /* [count + 1] pixels of each label, owned; areas[0] is the background */
} EadComponents;

/* Labels the components of mask u8 [height][width], non-zero = defect. Union-find in two passes: no
 * recursion, linear time. Memory: 4 bytes a pixel kept, up to 1 byte a pixel more while it runs.
 * Errors: EAD_BAD_SHAPE for sizes outside 1..65,535 or more than 2^30 pixels, EAD_NO_MEMORY. On error
 * *components is empty. */
EadStatus ead_components_label(EadComponents *components, const uint8_t *mask, int width, int height);

/* Frees the arrays and leaves an empty struct; harmless on an empty (zeroed) one. */
void ead_components_free(EadComponents *components);

#endif
