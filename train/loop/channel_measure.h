/* What a graph says of images, one after another, as mean and standard deviation of each of its channels: of a teacher's
 * outputs, of maps. */
#pragma once

#include "core/backend/backend.h"
#include "data/cache/image_cache.h"

typedef struct EadChannelMeasure {
    const char *what; /* for the progress line */
    const EadBackend *backend;
    const EadImageCache *images;
    int height, width; /* of them */
    /* images: U8 [1,height,width,3] -> [1,height,width,channels]. */
    EadNode *(*build)(void *context, EadGraph *graph, EadNode *images);
    void *context;
    int channels;
    const uint8_t *inside; /* [height][width]: pixels that count; NULL: all */
    bool quiet;
} EadChannelMeasure;

/* mean, std: [channels]. Errors: those of graph, plan and cache; EAD_NO_MEMORY; EAD_INTERRUPTED. */
EadStatus ead_measure_channels(const EadChannelMeasure *measure, double *mean, double *std);
