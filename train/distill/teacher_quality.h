/* How good a teacher is: its loss on images that it was not distilled on, and how much of each feature
 * channel's variance it explains. */
#ifndef EAD_TRAIN_TEACHER_QUALITY_H
#define EAD_TRAIN_TEACHER_QUALITY_H

#include "models/networks/pdn.h"
#include "train/distill/feature_source.h"

#include <stdio.h>

typedef struct EadTeacherQuality {
    int images;
    double loss; /* mean squared error against the normalised features, whose variance is about 1 */
    double explained[EAD_FEATURES]; /* 1 - error / variance of the channel; 1 is perfect, 0 no better than its
                                       mean */
} EadTeacherQuality;

/* Runs teacher and features over the images at positions 0 .. held_out - 1. mean, std: by which features are
 * normalised. Errors: those of the source and of planning; EAD_INTERRUPTED. */
EadStatus ead_teacher_quality_measure(const EadPdn *teacher, const EadBackend *backend,
                                      EadFeatureSource *source, const float mean[EAD_FEATURES],
                                      const float std[EAD_FEATURES], bool quiet, EadTeacherQuality *quality);

/* Of the explained shares: mean, least, median, greatest. */
typedef struct EadExplained {
    double mean, least, median, greatest;
} EadExplained;
EadExplained ead_teacher_quality_summary(const EadTeacherQuality *quality);

/* One line for people. */
void ead_teacher_quality_print(FILE *stream, const EadTeacherQuality *quality);

/* metrics.json of a distillation: held_out_loss, held_out_images, explained_variance {mean, least, median,
 * greatest, channels [384]}. Errors: EAD_IO. */
EadStatus ead_teacher_quality_write(const char *path, const EadTeacherQuality *quality);

#endif
