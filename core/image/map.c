/* Storage and bilinear resize of maps. */
#include "core/image/map.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

EadStatus ead_map_alloc(EadMap *map, const char *name, int width, int height) {
    *map = (EadMap){name, width, height, ead_new((int64_t)width * height, sizeof *map->values, "a map")};
    if (map->values) return EAD_OK;
    *map = (EadMap){0};
    return EAD_NO_MEMORY;
}

void ead_map_free(EadMap *map) {
    free(map->values);
    *map = (EadMap){0};
}

/* The two source cells of an output cell and the weight of the second. */
typedef struct Tap {
    int first, second;
    float weight;
} Tap;

static Tap tap_of(int position, float ratio, int size) {
    float source = ((float)position + 0.5f) * ratio - 0.5f;
    if (source < 0) source = 0;
    int first = (int)source;
    if (first > size - 1) first = size - 1;
    return (Tap){first, first + 1 < size ? first + 1 : first, source - (float)first};
}

/* Ratios: cells a pixel. */
static float resize(const float *map, int height, int width, float row_ratio, float column_ratio, float *out,
                    int out_height, int out_width) {
    float max = -INFINITY;
#pragma omp parallel for schedule(static) reduction(max : max)
    for (int y = 0; y < out_height; y++) {
        Tap row = tap_of(y, row_ratio, height);
        const float *upper = map + (int64_t)row.first * width, *lower = map + (int64_t)row.second * width;
        for (int x = 0; x < out_width; x++) {
            Tap column = tap_of(x, column_ratio, width);
            float top = upper[column.first] * (1 - column.weight) + upper[column.second] * column.weight;
            float bottom = lower[column.first] * (1 - column.weight) + lower[column.second] * column.weight;
            float value = top * (1 - row.weight) + bottom * row.weight;
            if (out) out[(int64_t)y * out_width + x] = value;
            max = value > max ? value : max;
        }
    }
    return max;
}

float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width) {
    return resize(map, height, width, (float)height / (float)out_height, (float)width / (float)out_width, out,
                  out_height, out_width);
}

void ead_map_enlarge(const float *map, int height, int width, int step, float *out, int out_height,
                     int out_width) {
    float ratio = 1 / (float)step;
    resize(map, height, width, ratio, ratio, out, out_height, out_width);
}
