/* An anomaly map, or another one of float values, and its resize. */
#pragma once

#include "core/base/status.h"

typedef struct EadMap {
    const char *name;  /* borrowed; NULL: none */
    int width, height; /* cells, >= 1 once filled */
    float *values;     /* [height][width], owned; NULL when empty */
} EadMap;

/* Gives *map storage of that size (content undefined) and the name. Errors: EAD_NO_MEMORY; the map is empty then. */
EadStatus ead_map_alloc(EadMap *map, const char *name, int width, int height);

/* Leaves an empty map; harmless on an empty one. */
void ead_map_free(EadMap *map);

/* Bilinear resize of one map outside a graph, whose sizes are fixed: map [height][width] -> out
 * [out_height][out_width], align_corners = false, no antialiasing (as torch.nn.functional.interpolate). All
 * sizes >= 1. Returns the largest value of out: an image's score. out NULL: only that. */
float ead_map_resize(const float *map, int height, int width, float *out, int out_height, int out_width);

/* The same where each cell covers step x step pixels, of which the last columns and rows may lie beyond the image:
 * out_height <= height * step, likewise the width. */
void ead_map_enlarge(const float *map, int height, int width, int step, float *out, int out_height,
                     int out_width);
