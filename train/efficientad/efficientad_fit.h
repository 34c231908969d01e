/* The training of EfficientAD's student and autoencoder (Algorithm 1): what its files, the bench and the
 * tests share.
 *   efficientad_fit.c  the row of train/fits.def, from config to model
 *   training_step.c    the step, and the images that it draws from tables
 *   calibration.c      passes over the data without gradient */
#pragma once

#include "data/loader/training_images.h"
#include "models/efficientad/losses.h"
#include "train/fit.h"

/* ---- the step (training_step.c) ---- */

/* What can stay with the step from the start instead of coming with each. */
typedef enum EadResidentImages {
    EAD_TABLE_TRAIN,   /* training images, u8 [H][W][3] */
    EAD_TABLE_PENALTY, /* penalty images, u8 [H][W][3]; only with the training images */
    EAD_TABLE_TEACHER, /* the teacher's normalized outputs on the training images, real [H'][W'][384] */
    EAD_TABLES,
} EadResidentImages;

/* Rows of each, 0: no such table. The step then draws from them what data/loader/training_images.h would have
 * brought, in the same order and with the same changes. All zero: everything comes with the step. */
typedef struct EadResidentData {
    int rows[EAD_TABLES];
    uint64_t seed; /* of order, jitter and gray */
    bool augment;  /* colour jitter for the autoencoder's image */
} EadResidentData;

typedef struct EadTrainingOptions {
    EadLossOptions loss;
    EadAdam adam;
    EadLrSchedule schedule;
    EadResidentData tables;
} EadTrainingOptions;

/* The paper's settings for that many steps. */
EadTrainingOptions ead_training_options_default(int64_t steps, uint64_t seed);

/* Hard, penalty, autoencoder, student and autoencoder, total: see models/efficientad/losses.h. */
extern const EadLossColumn ead_efficientad_losses[];

/* The step of a model, whose trained parameters are updated in place. It and `step` must not move. */
typedef struct EadTrainingStep {
    EadEfficientad *model;
    EadTrainingOptions options;
    EadStep *step;
    EadNode *tables[EAD_TABLES];
    int64_t train_count, penalty_count; /* images that are drawn from */
} EadTrainingStep;

/* Plans it into *step, for images [penalty image], training image, [augmented image] for which there is no
 * table. plan may be NULL. Errors: EAD_NO_MEMORY and what the graph's builders find. Free with
 * ead_step_free(step). */
EadStatus ead_training_step_new(EadEfficientad *model, const EadTrainingOptions *options,
                                const EadPlanOptions *plan, EadStep *step, EadTrainingStep *out);

/* Bytes of a table of so many rows for a model. */
size_t ead_step_table_bytes(const EadEfficientadSpec *spec, EadResidentImages table, int rows);

/* Fills a row; all rows that can be drawn, before the first step. */
void ead_training_step_set_row(EadTrainingStep *step, EadResidentImages table, int row, const void *value);

/* How many of the rows of a table are drawn from, where they are fewer than planned: 1 .. rows. Training
 * images and the teacher's outputs on them share one number. Upload the step afterwards. */
void ead_training_step_draw_from(EadTrainingStep *step, EadResidentImages table, int count);

/* Chooses the tables when the data is listed: the teacher's outputs where the config asks for them; on a
 * device also the training images and then the penalty images, where they take less than half of what is free
 * there: the other half is left to the step itself and to the plans of measuring and evaluation. With tiles none. Errors:
 * EAD_NO_MEMORY if the teacher's outputs find no room, with the numbers and the cure. */
EadStatus ead_resident_data_choose(const EadConfig *config, const EadBackend *backend,
                                   const EadEfficientadSpec *spec, int train_images, int penalty_images,
                                   EadResidentData *out);

/* ---- passes without gradient (calibration.c) ---- */

/* Sets the mean and (population) standard deviation of each of the teacher's output channels over all
 * positions of all images (Algorithm 1). Errors: EAD_INTERRUPTED on Ctrl-C, those of the cache. */
EadStatus ead_measure_teacher(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                              bool quiet);

/* Hands the teacher's outputs on all training images to a step with a table of them, computed by a plan of
 * these options, which must be the step's own. The statistics must be set. Errors: as above. */
EadStatus ead_cache_teacher_outputs(const EadEfficientad *model, const EadPlanOptions *options,
                                    const EadImageCache *images, bool quiet, EadTrainingStep *step);

/* The mean of all raw maps over all positions of all images: how far the student, and the autoencoder, still are from what
 * they imitate. Errors: as above. */
EadStatus ead_mean_of_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           double *mean);

/* How to measure the maps. */
typedef struct EadMapMeasure {
    EadMapNormalization normalization;
    double q_start, q_end; /* of EAD_MAPS_QUANTILE */
} EadMapMeasure;

/* Runs the model over the validation images and sets its map statistics: quantiles, or mean and standard
 * deviation, over all pixels of all raw maps at image size (section 3.4); of a model with tiles over all cells of the maps blended of them,
 * and of those of whole images. Takes 4 bytes a pixel, or cell, and map. */
EadStatus ead_measure_maps(EadEfficientad *model, const EadBackend *backend, const EadImageCache *images,
                           const EadMapMeasure *measure, bool quiet);
