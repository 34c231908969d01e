/* Resize of a map outside the graph, whose sizes are fixed, to whatever size an image has. */
#include "models/efficientad/map_resize.h"

#include <math.h>
#include <stdint.h>

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

float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width) {
    float row_ratio = (float)height / (float)out_height, column_ratio = (float)width / (float)out_width;
    float largest = -INFINITY;
#pragma omp parallel for schedule(static) reduction(max : largest)
    for (int y = 0; y < out_height; y++) {
        Tap row = tap_of(y, row_ratio, height);
        const float *upper = map + (int64_t)row.first * width, *lower = map + (int64_t)row.second * width;
        for (int x = 0; x < out_width; x++) {
            Tap column = tap_of(x, column_ratio, width);
            float top = upper[column.first] * (1 - column.weight) + upper[column.second] * column.weight;
            float bottom = lower[column.first] * (1 - column.weight) + lower[column.second] * column.weight;
            float value = top * (1 - row.weight) + bottom * row.weight;
            out[(int64_t)y * out_width + x] = value;
            largest = value > largest ? value : largest;
        }
    }
    return largest;
}
