/* All figures of one test set: collects scores, maps and masks image by image, then computes what
 * metrics.json, scores.csv and the report show, over everything and per kind of defect (its images with all
 * good ones). */
#ifndef EAD_TRAIN_EVALUATION_H
#define EAD_TRAIN_EVALUATION_H

#include "train/curve.h"

#include <stdint.h>

/* One test image, in the order added. Strings are owned by the evaluation. */
typedef struct EadSample {
    char *path;
    char *defect;  /* test subfolder: "good", "scratch", ... */
    int anomalous; /* 0 or 1 */
    float score;
} EadSample;

/* The figures of one group, fractions of 1, NAN where undefined (one class absent). */
typedef struct EadFigureSet {
    int64_t images; /* for a kind of defect: its own images, without the good ones */
    double image_auroc;
    double image_f1_best, image_f1_threshold; /* best F1 on these images, and where it is reached */
    int has_pixels;                           /* 0: no maps or masks; the next three are left out */
    double au_pro_30, au_pro_05, pixel_auroc;
} EadFigureSet;

typedef struct EadDefectFigures {
    char *name; /* owned */
    EadFigureSet set;
} EadDefectFigures;

typedef struct EadFigures {
    EadFigureSet total;
    int defect_count;
    EadDefectFigures *defects; /* in order of name */
    int has_threshold;         /* 1 once ead_evaluation_set_threshold was called */
    double threshold;          /* score >= threshold is anomalous */
    EadCurve roc;              /* images, exact; empty when undefined */
    EadCurve pro;              /* pixels, at most some 20,000 points; empty when undefined */
} EadFigures;

typedef struct EadEvaluation EadEvaluation;

/* Errors: EAD_NO_MEMORY. Free with ead_evaluation_free (harmless on NULL). */
EadStatus ead_evaluation_new(EadEvaluation **evaluation);
void ead_evaluation_free(EadEvaluation *evaluation);

/* Adds one test image; path and defect are copied.
 * defect     test subfolder; NULL stands for "good" or "defect"
 * anomalous  0 or 1
 * score      finite
 * map        [height][width] f32, finite, at the original image's size, or NULL
 * mask       [height][width] u8, non-zero = defect, or NULL; must be NULL or empty for a good image
 * Pixel figures need a map for every image and a mask for every anomalous one. A kind of defect where one is
 * missing has none, and then neither has the total; a good image without a map leaves none at all. 8 bytes a
 * pixel are kept until free. Errors: EAD_BAD_ARGUMENT (values above), EAD_BAD_SHAPE, EAD_NO_MEMORY. */
EadStatus ead_evaluation_add(EadEvaluation *evaluation, const char *path, const char *defect, int anomalous,
                             float score, const float *map, int width, int height, const uint8_t *mask);

/* The decision threshold of the model, when it has one; only reported. */
void ead_evaluation_set_threshold(EadEvaluation *evaluation, double threshold);

/* The samples so far, valid until the next add. */
const EadSample *ead_evaluation_samples(const EadEvaluation *evaluation, int64_t *count);

/* Computes everything; the caller frees with ead_figures_free. Errors: EAD_BAD_ARGUMENT without any image,
 * EAD_NO_MEMORY. More images may be added afterwards. */
EadStatus ead_evaluation_finish(EadEvaluation *evaluation, EadFigures *figures);

/* Harmless on an empty (zeroed) struct. */
void ead_figures_free(EadFigures *figures);

#endif
