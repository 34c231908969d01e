/* What a detector consists of, for the files that make one, open one and run one. */
#pragma once

#include "models/detector.h"
#include "models/host_state.h"

#include <stdatomic.h>
#include <sys/types.h>

struct EadDetector {
    EadModel *owned;        /* NULL if the model belongs to the caller */
    EadSafetensors *file;   /* it was read from, without data; NULL if there is none */
    EadThreadCount threads; /* to work with; count 0: as many as OpenMP gives */
    pid_t process;          /* which alone may use it, on a GPU; 0: any */
    atomic_bool busy;
    const EadModel *model;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images;
    EadDetection result;
    float *maps_inside; /* [batch][H][W] of the last run, filled outside of the mask; NULL: there is none */
    int batch;          /* images of a run */
    int64_t max_pixels; /* of an image */
    char maps[EAD_MAP_NAME_SIZE];
};
