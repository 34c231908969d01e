/* The metrics of one group of images: what metrics.def lists. */
#ifndef EAD_TRAIN_METRIC_SET_H
#define EAD_TRAIN_METRIC_SET_H

#include <stdint.h>

enum {
#define EAD_METRIC(name, ...) EAD_METRIC_##name,
#include "train/metrics/metrics.def"
#undef EAD_METRIC
    EAD_METRICS
};

/* Fractions of 1, NAN where undefined (one class is absent) or out of scope. */
typedef struct EadMetricSet {
    int64_t images;            /* for a kind of defect: its own images, without the good ones */
    int has_pixels, has_spro;  /* 0: no maps or masks; 0: no defect channels */
    double image_f1_threshold; /* where image_f1_best is reached */
    double pixel_f1_threshold; /* the map value where pixel_f1_best is reached */
    union {
        struct {
#define EAD_METRIC(name, ...) double name;
#include "train/metrics/metrics.def"
#undef EAD_METRIC
        };
        double values[EAD_METRICS]; /* the same by number */
    };
} EadMetricSet;

/* No images; all values NAN. */
EadMetricSet ead_metric_set_empty(void);

#endif
