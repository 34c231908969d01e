/* Sums over positions. */
#include "train/support/channel_sums.h"

#include <math.h>

void ead_channel_sums_add(EadChannelSums *s, const real *y, int64_t positions) {
    if (s->count == 0)
        for (int c = 0; c < EAD_FEATURES; c++) s->origin[c] = (double)y[c];
    for (int64_t p = 0; p < positions; p++, y += EAD_FEATURES)
        for (int c = 0; c < EAD_FEATURES; c++) {
            double d = (double)y[c] - s->origin[c];
            s->sum[c] += d;
            s->squares[c] += d * d;
        }
    s->count += positions;
}

void ead_channel_sums_result(const EadChannelSums *s, double mean[EAD_FEATURES], double std[EAD_FEATURES]) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        double shift = s->sum[c] / (double)s->count;
        mean[c] = s->origin[c] + shift;
        std[c] = sqrt(fmax(s->squares[c] / (double)s->count - shift * shift, 0));
    }
}
