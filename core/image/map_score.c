/* The largest values in a heap whose root is the least of them. */
#include "core/image/map_score.h"

#include <math.h>

/* Puts a value in the place of the root of heap [count]. */
static void replace_least(float *heap, int count, float value) {
    int place = 0;
    for (int child = 1; child < count; child = 2 * place + 1) {
        child += child + 1 < count && heap[child + 1] < heap[child];
        if (heap[child] >= value) break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = value;
}

static void add_value(float *heap, int count, float value) {
    int place = count;
    for (; place > 0 && heap[(place - 1) / 2] > value; place = (place - 1) / 2)
        heap[place] = heap[(place - 1) / 2];
    heap[place] = value;
}

float ead_map_score(const float *map, const uint8_t *inside, int64_t count, EadScoreRule rule, float *top) {
    float max = -INFINITY;
    double sum = 0;
    int there = 0;
    for (int64_t i = 0; i < count; i++) {
        if (inside && !inside[i]) continue;
        max = map[i] > max ? map[i] : max;
        if (rule.method == EAD_SCORE_MAX) continue;
        if (there < rule.cells)
            add_value(top, there++, map[i]);
        else if (map[i] > top[0])
            replace_least(top, there, map[i]);
    }
    if (rule.method == EAD_SCORE_MAX) return max;
    if (rule.method == EAD_SCORE_AREA) return top[0];
    for (int i = 0; i < there; i++) sum += (double)top[i];
    return (float)(sum / there);
}
