/* The detectors of one model, each in a thread of its own with its share of OpenMP's threads: what many requests bring at
 * once is scored in the order in which it came, several images together where the detectors take batches. */
#pragma once

#include "models/detector.h"

/* An image to be scored; pixels are borrowed meanwhile. */
typedef struct EadPoolImage {
    const uint8_t *pixels;       /* [height][width][channels] */
    int width, height, channels; /* channels 3 (RGB) or 1 (gray) */
    float *map;                  /* [ead_pool_map_cells()], the caller's, to be filled; NULL: not wanted */
    float score;                 /* found */
} EadPoolImage;

enum { EAD_POOL_BATCH = 64 }; /* most images that go through a network at once */

typedef struct EadDetectorPool EadDetectorPool;

/* Numbers of an image's map: of the model's size [height][width], with tiles of the image's. */
static inline int64_t ead_pool_map_cells(const EadModel *model, const EadPoolImage *image) {
    if (model->tiles.size) return (int64_t)image->width * image->height;
    return (int64_t)model->width * model->height;
}

/* `count` detectors of `threads` threads each, for batches of up to `batch` images (1..EAD_POOL_BATCH). model must outlive it. Errors: those of
 * ead_detector_new(). */
EadStatus ead_detector_pool_new(const EadModel *model, const EadPlanOptions *plan, int count, int threads,
                                int batch, EadDetectorPool **out);

/* Scores images, which is waited for. What has not begun at the deadline (ead_clock_seconds()) is not begun any more.
 * Errors: EAD_BAD_ARGUMENT for an image that the model's region of interest is not for; EAD_INTERRUPTED, past the deadline;
 * EAD_NOT_FINITE where the model is damaged; EAD_NO_MEMORY. */
EadStatus ead_detector_pool_score(EadDetectorPool *pool, EadPoolImage *images, int count, double deadline);

/* Bytes of the detectors. */
size_t ead_detector_pool_bytes(const EadDetectorPool *pool);

/* For when nothing is being scored; harmless on NULL. */
void ead_detector_pool_free(EadDetectorPool *pool);
