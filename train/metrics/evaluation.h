/* What an evaluation collects: evaluation.c fills it, metrics.c measures. */
#ifndef EAD_TRAIN_EVALUATION_H
#define EAD_TRAIN_EVALUATION_H

#include "core/base/string_list.h"
#include "train/metrics/metric_pro.h"
#include "train/metrics/metrics.h"

#include <stdbool.h>

/* Group 0 holds the good images, 1.. the kinds of defects in order of appearance; the same numbers serve
 * the store of pixels. */
typedef struct DefectGroup {
    char *name;      /* owned; NULL for the good images */
    bool incomplete; /* an image without map or mask: no pixel metrics */
} DefectGroup;

struct EadEvaluation {
    EadSample *samples;
    int count, capacity;
    DefectGroup *groups; /* [group_count] */
    int group_count, group_capacity;
    EadStringList type_names; /* of the channels */
    EadProAccumulator *pro;
    bool has_threshold;
    EadThreshold threshold;
    double pro_limit; /* 0: none */
    float *scores;    /* [count], scratch of ead_evaluation_finish(), like the labels */
    uint8_t *anomalous;
};

#endif
