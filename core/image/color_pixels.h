/* The arithmetic of core/image/color.h on single pixels, inline, for C and for CUDA kernels: both give the
 * same bytes. The reference blends in single precision, and truncates; each line of ead_blend() keeps its
 * order of operations. */
#pragma once

#include "core/base/philox_rounds.h"

static EAD_DEVICE_FUNCTION inline unsigned ead_gray_of(const uint8_t *p) {
    return (p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16;
}

/* from + factor (to - from), truncated; outside 0..1 the result can leave 0..255 and is clipped. */
static EAD_DEVICE_FUNCTION inline uint8_t ead_blend(int from, int to, float factor) {
    float value = (float)from + factor * (float)(to - from);
    if (value <= 0.0f) return 0;
    return value >= 255.0f ? 255 : (uint8_t)value;
}

/* The gray that contrast blends with, of a picture whose grays have that sum. */
static EAD_DEVICE_FUNCTION inline int ead_mean_gray(double sum, int64_t pixels) {
    return (int)(sum / (double)pixels + 0.5);
}

typedef enum EadColorChange {
    EAD_BRIGHTNESS,
    EAD_CONTRAST,
    EAD_SATURATION,
    EAD_COLOR_CHANGES
} EadColorChange;

typedef struct EadColorJitter {
    EadColorChange change;
    float factor;
} EadColorJitter;

/* What ead_color_jitter() does at a step; stream is EAD_STREAM_AUGMENT. */
static EAD_DEVICE_FUNCTION inline EadColorJitter ead_draw_color_jitter(uint64_t seed, uint64_t stream,
                                                                       uint64_t step) {
    uint32_t words[4];
    ead_philox_rounds(seed, stream, step, words);
    EadColorJitter jitter = {(EadColorChange)(((uint64_t)words[0] * EAD_COLOR_CHANGES) >> 32),
                             (float)(0.8 + 0.4 * (double)ead_uniform(words[1]))};
    return jitter;
}
