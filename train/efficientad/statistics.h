/* Passes over a run's images: the numbers that a model takes from its data besides the weights (the teacher's
 * channel statistics and the statistics of the validation maps), and the teacher's outputs themselves. */
#ifndef EAD_TRAIN_STATISTICS_H
#define EAD_TRAIN_STATISTICS_H

#include "core/backend/backend.h"
#include "data/cache/image_cache.h"
#include "models/efficientad/model.h"
#include "train/support/progress.h"
#include "train/efficientad/training_step.h"

/* Sets the mean and (population) standard deviation of each of the teacher's output channels over all
 * positions of all images (Algorithm 1). progress is started here. Errors: EAD_INTERRUPTED on Ctrl-C, those
 * of the cache. */
EadStatus ead_measure_teacher(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                              bool quiet);

/* Hands the teacher's outputs on all training images to a step with a table of them, computed by a plan of
 * these options, which must be the step's own. The statistics must be set. Errors: as above. */
EadStatus ead_cache_teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options,
                                    const EadImageCache *images, bool quiet, EadTrainingStep *step);

/* How to measure the maps. */
typedef struct EadMapMeasure {
    EadMapNormalization normalization;
    double q_start, q_end; /* of EAD_MAPS_QUANTILE */
} EadMapMeasure;

/* Runs the model over the validation images and sets its map statistics: quantiles, or mean and standard
 * deviation, over all pixels of all raw maps at image size (section 3.4). Takes 4 bytes a pixel and map. */
EadStatus ead_measure_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           const EadMapMeasure *measure, bool quiet);

#endif
