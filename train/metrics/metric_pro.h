/* The pixel metrics, exact, fed image by image at the images' own sizes: AU-PRO (Bergmann et al., MVTec
 * AD), its variant AU-sPRO for MVTec LOCO, AU-ROC, average precision and best F1 of the pixels. At a
 * threshold
 *     PRO  = mean over all defects (8-connected components of the masks) of the covered share
 *     sPRO = mean over all defect channels of min(covered pixels / saturation area, 1)
 *     AU-PRO, AU-sPRO = area under it over the false-positive rate of the pixels, up to a limit, divided by
 *                       the limit
 * and
 *     PIMO = mean over the images with a defect of the covered share of all their pixels with one (the true-positive
 *            rate of each; Bertoldo et al. 2024)
 *     AUPIMO = area under it over the logarithm of the false-positive rate of the pixels of good images alone, from
 *              1e-5 to 1e-4, divided by the length. As in anomalib, the mean of the good images' own rates counts;
 *              but the ends lie at these rates, not at the nearest that a threshold reaches.
 *
 * Memory: 4 bytes for a pixel without defect (its 32-bit score key), 8 for one with (key and region
 * number), both sorted in place, in memory or, from a budget on, in files; while an image is added, 5 bytes a pixel of it. Every metric is then one
 * walk down the defect pixels that looks up how many of the others lie above. */
#pragma once

#include "data/dataset/ground_truth.h"
#include "train/metrics/metric_ranking.h"

#include <stdint.h>

#define EAD_PRO_GOOD       0    /* group of the good images: part of every metric */
#define EAD_PRO_ALL        (-1) /* asks for all groups together */
#define EAD_PRO_MAX_LIMITS 8

typedef struct EadProAccumulator EadProAccumulator;

/* Errors: EAD_NO_MEMORY. Free with ead_pro_free (harmless on NULL). */
EadStatus ead_pro_new(EadProAccumulator **accumulator);
void ead_pro_free(EadProAccumulator *accumulator);

/* From `budget` bytes of pixels on (0: never) they lie in files without a name in this folder, borrowed until the end. To be called
 * before the first image. Metrics are the same, to the bit. */
void ead_pro_spill(EadProAccumulator *accumulator, const char *folder, size_t budget);

/* Adds one test image.
 * map    [height][width] f32, finite, at the original image's size
 * truth  of the same size; NULL = no defect. An empty mask is allowed.
 * inside [height][width], 1 for pixels that count, 0 for those that do not, which have no defect; NULL: all count
 * group  EAD_PRO_GOOD for good images, 1.. for one kind of defect
 * Errors: EAD_BAD_ARGUMENT for NaN or infinity in the map, EAD_BAD_SHAPE, EAD_UNSUPPORTED from 2^32 pixels
 * on, EAD_NO_MEMORY; then nothing was added. */
EadStatus ead_pro_add(EadProAccumulator *accumulator, const float *map, int width, int height,
                      const EadGroundTruth *truth, const uint8_t *inside, int group);

/* Sorts all pixels by score (radix, in place, parallel). Needed once between the last add and the metrics. */
void ead_pro_sort(EadProAccumulator *accumulator);

/* Sorts the pixels of each image alone, for ead_pro_measure_type(). Not after ead_pro_sort(). */
void ead_pro_sort_images(EadProAccumulator *accumulator);

/* AU-sPRO of one type of defect (EadDefectChannel.type), as the official evaluation of MVTec LOCO defines it:
 * sPRO of the channels of that type; false positives outside of all channels of the good images and of those
 * with such a channel. au_spro [limit_count] is 0..1, NAN where a good pixel or such a channel is missing.
 * limits and errors as below. Needs ead_pro_sort_images(). Safe to call from several threads at once. */
EadStatus ead_pro_measure_type(const EadProAccumulator *accumulator, int type, const double *limits,
                               int limit_count, double *au_spro);

/* Areas up to each limit, 0..1; NAN where a defect, a good pixel or (sPRO) a channel is missing. */
typedef struct EadProAreas {
    double au_pro[EAD_PRO_MAX_LIMITS], au_spro[EAD_PRO_MAX_LIMITS];
} EadProAreas;

/* The areas of one group with the good images, or of EAD_PRO_ALL, and into *set, which was empty, its other
 * metrics of the pixels; of these AUPIMO is NAN
 * where every threshold that a good pixel reaches has a rate above 1e-5, as with fewer than 100,000 of them, and where
 * good images differ in their number of pixels. limits [limit_count] in (0,1], limit_count <= EAD_PRO_MAX_LIMITS. Needs
 * ead_pro_sort. Safe to call from several threads at once. Errors: EAD_NO_MEMORY. */
EadStatus ead_pro_measure(const EadProAccumulator *accumulator, int group, const double *limits,
                          int limit_count, EadProAreas *areas, EadMetricSet *set);

typedef enum EadPixelCurve {
    EAD_CURVE_PRO,  /* x false-positive rate of the pixels, y PRO */
    EAD_CURVE_SPRO, /* x false-positive rate of the pixels, y sPRO */
    EAD_CURVE_ROC,  /* x false-positive rate of the pixels, y true-positive rate */
    EAD_CURVE_PR,   /* x recall, y precision; one point for each score of a defect pixel */
} EadPixelCurve;

/* A curve for plots and tables, from (0,0) to (1,1), but PR from (0,1) to recall 1: a point is omitted while
 * it is nearer than `step` to the last one kept in both directions; step 0 keeps all. Empty where the metric
 * is undefined. The caller frees it. Errors: EAD_NO_MEMORY. */
EadStatus ead_pro_curve(const EadProAccumulator *accumulator, int group, EadPixelCurve kind, double step,
                        EadCurve *curve);
