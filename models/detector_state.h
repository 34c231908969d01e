/* What a detector consists of, for the files that make one, open one and run one. */
#pragma once

#include "models/detector.h"
#include "models/host_state.h"

#include <stdatomic.h>
#include <sys/types.h>

/* A graph that is planned, or zeroed. */
typedef struct EadDetectorNetwork {
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images;
    EadDetection result;
} EadDetectorNetwork;

struct EadDetector {
    EadModel *owned;        /* NULL if the model belongs to the caller */
    EadSafetensors *file;   /* it was read from, without data; NULL if there is none */
    EadThreadCount threads; /* to work with; count 0: as many as OpenMP gives */
    pid_t process;          /* which alone may use it, on a GPU; 0: any */
    atomic_bool busy;
    const EadModel *model;
    EadPlanOptions planned; /* how networks are */
    /* The second takes gray images, where the model was trained on such; then it is planned first, and the first when a
     * picture with colours comes. */
    EadDetectorNetwork colour, gray;
    EadDetectorNetwork *network; /* that ran last, or runs first */
    uint8_t *rgb; /* [batch][H][W][3] images that may be gray; NULL: they go straight to the plan */
    const EadRegion *region;         /* that it looks at: the model's, or a narrower one of the call */
    bool fills;                      /* something is outside of its mask, and filled in maps_inside */
    float *maps_inside;              /* [batch][H][W] of the last run; NULL: not needed so far */
    float *top;                      /* for ead_map_score() of maps of its size; NULL: not needed */
    EadMap part_maps[EAD_MAP_PARTS]; /* of an image in tiles, where parts are wanted; else empty */
    int batch;                       /* images of a run, or tiles */
    bool parts;                      /* ead_detector_part() gives them */
    int64_t max_pixels;              /* of an image */
    char maps[EAD_MAP_NAME_SIZE];
};

/* Where ead_detector_run_batch() takes images from without a copy. */
uint8_t *ead_detector_image_buffer(EadDetector *detector);

/* Whether images go through it in tiles. */
static inline bool ead_detector_has_tiles(const EadDetector *detector) {
    return detector->model->tiles.size > 0;
}

/* Looks at an image in tiles: *map, the caller's, is its anomaly map, or that of the region's box, at the size at which it was
 * looked at. Errors: those of ead_region_resize(), EAD_NO_MEMORY, what stopped the device. */
EadStatus ead_detector_run_tiles(EadDetector *detector, const EadPixelRows *image, EadMap *map);

/* Makes it look at a region of its model's size, which is borrowed. Errors: EAD_NO_MEMORY; it looks at the one before then. */
EadStatus ead_detector_look_at(EadDetector *detector, const EadRegion *region);
