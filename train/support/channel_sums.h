/* Mean and standard deviation of each channel of features over many images, in double. */
#pragma once

#include "core/base/real.h"
#include "core/ranks/ranks.h"

#include <stdint.h>

typedef struct EadChannelSums {
    int channels;
    int64_t count; /* positions so far */
    double *origin, *sum,
        *squares;   /* [channels]; origin: a first value: differences from it lose no digits */
    double *common; /* [channels]: for joining */
} EadChannelSums;

/* Empty sums. Errors: EAD_NO_MEMORY. Free with ead_channel_sums_free() (harmless on a zeroed struct). */
EadStatus ead_channel_sums_new(int channels, EadChannelSums *out);
void ead_channel_sums_free(EadChannelSums *sums);

/* Adds features [positions][channels]. */
void ead_channel_sums_add(EadChannelSums *sums, const real *features, int64_t positions);

/* Makes the sums those of what all ranks added. Every rank must call it. */
void ead_channel_sums_join(EadChannelSums *sums, const EadRanks *ranks);

/* Mean and (population) standard deviation [channels] of what was added, at least one position. */
void ead_channel_sums_result(const EadChannelSums *sums, double *mean, double *std);
