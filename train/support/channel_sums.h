/* Mean and standard deviation of each of the 384 feature channels over many images, in double. */
#ifndef EAD_TRAIN_CHANNEL_SUMS_H
#define EAD_TRAIN_CHANNEL_SUMS_H

#include "models/networks/pdn.h"

typedef struct EadChannelSums {
    int64_t count;               /* positions so far; a zeroed struct is empty */
    double origin[EAD_FEATURES]; /* a first value: sums of differences from it lose no digits */
    double sum[EAD_FEATURES], squares[EAD_FEATURES];
} EadChannelSums;

/* Adds features [positions][EAD_FEATURES]. */
void ead_channel_sums_add(EadChannelSums *sums, const real *features, int64_t positions);

/* Mean and (population) standard deviation of what was added, at least one position. */
void ead_channel_sums_result(const EadChannelSums *sums, double mean[EAD_FEATURES], double std[EAD_FEATURES]);

#endif
