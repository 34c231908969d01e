/* What is defective in one test image: the mask that every data set has, and the single defects that MVTec
 * LOCO tells apart because each is found in its own measure (sPRO). */
#pragma once

#include "core/image/image.h"
#include "data/dataset/defect_types.h"

/* One defect. Channels of one image may overlap. */
typedef struct EadDefectChannel {
    uint8_t *mask;      /* [height][width], nonzero = defect, at least one pixel; owned */
    int64_t saturation; /* pixels that count as the whole defect found, 1 .. its area */
    int type;           /* the first entry of EadGroundTruth.types that has its name */
} EadDefectChannel;

typedef struct EadGroundTruth {
    EadImage mask;              /* [height][width], nonzero = defect: the union of all channels */
    EadDefectChannel *channels; /* [channel_count], owned; none where the data set has one mask an image */
    int channel_count;
    const EadDefectTypes *types; /* of the channels, the data set's; NULL: they have none */
} EadGroundTruth;

/* Harmless on an empty (zeroed) one. */
void ead_ground_truth_free(EadGroundTruth *truth);
