/* Sums over positions. */
#include "train/support/channel_sums.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

EadStatus ead_channel_sums_new(int channels, EadChannelSums *out) {
    double *sums = ead_new(3 * (int64_t)channels, sizeof *sums, "sums of channels");
    *out = (EadChannelSums){channels, 0, sums, NULL, NULL};
    if (!sums) return EAD_NO_MEMORY;
    out->sum = sums + channels;
    out->squares = sums + 2 * channels;
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

void ead_channel_sums_result(const EadChannelSums *s, double *mean, double *std) {
    for (int c = 0; c < s->channels; c++) {
        double shift = s->sum[c] / (double)s->count;
        mean[c] = s->origin[c] + shift;
        std[c] = sqrt(fmax(s->squares[c] / (double)s->count - shift * shift, 0));
    }
}
