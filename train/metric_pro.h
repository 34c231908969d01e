/* AU-PRO and pixel AU-ROC, exact, fed image by image (Bergmann et al.'s protocol; the project's benchmark
 * figure for localisation). PRO at a threshold is the mean, over all defects (8-connected components of the
 * masks), of the covered share of the defect; AU-PRO is the area under PRO against the false-positive rate of
 * the pixels, up to a limit, divided by the limit.
 *
 * Memory: 8 bytes a pixel (32-bit score key, 32-bit region number), sorted in place; a region is one
 * component of one image or the background of one image. Every figure is then one linear walk. */
#ifndef EAD_TRAIN_METRIC_PRO_H
#define EAD_TRAIN_METRIC_PRO_H

#include "train/curve.h"

#include <stdint.h>

#define EAD_PRO_GOOD       0    /* group of the good images: part of every figure */
#define EAD_PRO_ALL        (-1) /* asks for all groups together */
#define EAD_PRO_MAX_LIMITS 8

typedef struct EadProAccumulator EadProAccumulator;

/* Errors: EAD_NO_MEMORY. Free with ead_pro_free (harmless on NULL). */
EadStatus ead_pro_new(EadProAccumulator **accumulator);
void ead_pro_free(EadProAccumulator *accumulator);

/* Adds one test image.
 * map    [height][width] f32, finite, at the original image's size
 * mask   [height][width] u8, non-zero = defect; NULL = no defect. An empty mask is allowed.
 * group  EAD_PRO_GOOD for good images, 1.. for one kind of defect
 * Errors: EAD_BAD_ARGUMENT for NaN or infinity in the map, EAD_BAD_SHAPE, EAD_NO_MEMORY; then nothing was
 * added. */
EadStatus ead_pro_add(EadProAccumulator *accumulator, const float *map, const uint8_t *mask, int width,
                      int height, int group);

/* Sorts all pixels by score (radix, in place, parallel). Needed once between the last add and the figures. */
void ead_pro_sort(EadProAccumulator *accumulator);

typedef struct EadProFigures {
    double au_pro[EAD_PRO_MAX_LIMITS]; /* one for each limit, 0..1; NAN without a defect or a good pixel */
    double pixel_auroc;                /* 0..1, ties count half; NAN when a class is absent */
} EadProFigures;

/* Figures of one group with the good images, or of EAD_PRO_ALL. limits [limit_count] in (0,1],
 * limit_count <= EAD_PRO_MAX_LIMITS. Needs ead_pro_sort. Safe to call from several threads at once. */
EadProFigures ead_pro_measure(const EadProAccumulator *accumulator, int group, const double *limits,
                              int limit_count);

/* The PRO curve (x false-positive rate of the pixels, y PRO) from (0,0) to (1,1), for plots and tables: a
 * point is left out while it is nearer than `step` to the last one kept in both directions; step 0 keeps all.
 * An empty curve where AU-PRO is undefined. The caller frees it. Errors: EAD_NO_MEMORY. */
EadStatus ead_pro_curve(const EadProAccumulator *accumulator, int group, double step, EadCurve *curve);

#endif
