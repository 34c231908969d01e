/* Storage of ground truth. */
#include "data/dataset/ground_truth.h"

#include <stdlib.h>

void ead_ground_truth_free(EadGroundTruth *truth) {
    for (int i = 0; i < truth->channel_count; i++) free(truth->channels[i].mask);
    free(truth->channels);
    ead_image_free(&truth->mask);
    *truth = (EadGroundTruth){0};
}
