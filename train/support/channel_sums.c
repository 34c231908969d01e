/* Sums over positions. */
#include "train/support/channel_sums.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

EadStatus ead_channel_sums_new(int channels, EadChannelSums *out) {
    double *sums = ead_new(4 * (int64_t)channels, sizeof *sums, "sums of channels");
    *out = (EadChannelSums){.channels = channels, .origin = sums};
    if (!sums) return EAD_NO_MEMORY;
    out->sum = sums + channels;
    out->squares = sums + 2 * channels;
    out->common = sums + 3 * channels;
    return EAD_OK;
}

void ead_channel_sums_free(EadChannelSums *sums) {
    free(sums->origin);
    *sums = (EadChannelSums){0};
}

void ead_channel_sums_add(EadChannelSums *s, const real *y, int64_t positions) {
    if (s->count == 0)
        for (int c = 0; c < s->channels; c++) s->origin[c] = (double)y[c];
    for (int64_t p = 0; p < positions; p++, y += s->channels)
        for (int c = 0; c < s->channels; c++) {
            double d = (double)y[c] - s->origin[c];
            s->sum[c] += d;
            s->squares[c] += d * d;
        }
    s->count += positions;
}

/* The first rank's origin takes the place of each rank's own. */
void ead_channel_sums_join(EadChannelSums *s, const EadRanks *ranks) {
    double count = (double)s->count;
    if (!ranks) return;
    for (int c = 0; c < s->channels; c++) s->common[c] = ead_ranks_leads(ranks) ? s->origin[c] : 0;
    ranks->sum_doubles(ranks, s->common, s->channels);
    for (int c = 0; c < s->channels; c++) {
        double shift = s->origin[c] - s->common[c];
        s->squares[c] += shift * (2 * s->sum[c] + count * shift);
        s->sum[c] += count * shift;
        s->origin[c] = s->common[c];
    }
    ranks->sum_doubles(ranks, s->sum, s->channels);
    ranks->sum_doubles(ranks, s->squares, s->channels);
    ranks->sum_doubles(ranks, &count, 1);
    s->count = (int64_t)count;
}

void ead_channel_sums_result(const EadChannelSums *s, double *mean, double *std) {
    for (int c = 0; c < s->channels; c++) {
        double shift = s->sum[c] / (double)s->count;
        mean[c] = s->origin[c] + shift;
        std[c] = sqrt(fmax(s->squares[c] / (double)s->count - shift * shift, 0));
    }
}
