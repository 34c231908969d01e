/* An EfficientAD model in memory: teacher, student, autoencoder, and the numbers that make their outputs
 * comparable. Made new, or read from a file (models/efficientad/model_file.h); used to build the training step
 * (models/efficientad/losses.h) and inference (models/efficientad/anomaly_map.h). */
#ifndef EAD_MODELS_MODEL_H
#define EAD_MODELS_MODEL_H

#include "models/networks/autoencoder.h"
#include "models/networks/pdn.h"

typedef struct EadModelSpec {
    EadPdnSize size;
    bool padding;
    int height, width; /* of the images: multiples of 64 from 128 up */
    bool autoencoder;  /* without: the student has 384 outputs and there is one map */
} EadModelSpec;

/* How the two maps are made comparable before they are added (section 3.4, Table 5). The statistics are taken
 * over all pixels of all validation maps at image size. */
typedef enum EadMapNormalization {
    EAD_MAPS_QUANTILE, /* 0.1 (M - q_a) / (q_b - q_a) */
    EAD_MAPS_GAUSSIAN, /* (M - mean) / standard deviation */
    EAD_MAPS_NONE,     /* M */
} EadMapNormalization;

enum { EAD_MAP_ST, EAD_MAP_AE, EAD_MAP_COUNT };

/* Which of the two make the anomaly map. Without autoencoder both is the same as ST. */
typedef enum EadMapUse { EAD_USE_BOTH, EAD_USE_ST, EAD_USE_AE } EadMapUse;

typedef struct EadModel {
    EadModelSpec spec;
    EadParams teacher;                                             /* constant in training */
    EadParams trained;                                             /* student and autoencoder */
    real teacher_mean[EAD_FEATURES], teacher_std[EAD_FEATURES];    /* of its outputs on the training images */
    real teacher_scale[EAD_FEATURES], teacher_shift[EAD_FEATURES]; /* (t - mean) / std = t * scale + shift */
    EadMapNormalization normalization;
    real map_statistics[EAD_MAP_COUNT][2];                   /* q_a, q_b or mean, standard deviation */
    real map_scale[EAD_MAP_COUNT], map_shift[EAD_MAP_COUNT]; /* normalised map = M * scale + shift */
    EadMapUse use;
    float threshold; /* of the image score; NAN while not set */
} EadModel;

/* Checks the spec and makes a model with zeroed parameters, unit teacher statistics and maps as they are.
 * Errors: EAD_BAD_SHAPE for impossible image sizes, saying which are possible. */
EadStatus ead_model_new(const EadModelSpec *spec, EadModel **out);
void ead_model_free(EadModel *model);

/* Says whether images of that size can be used. */
EadStatus ead_model_check_image_size(int height, int width);

/* Sets the teacher's statistics and what follows from them. A channel whose standard deviation is 0 to
 * rounding (it never changes on the training images) gets 1, or one odd pixel would drown all others. */
void ead_model_set_teacher_statistics(EadModel *model, const double mean[EAD_FEATURES],
                                      const double std[EAD_FEATURES]);

/* Sets the map statistics and what follows from them. Errors: EAD_BAD_ARGUMENT if they are not finite or not
 * in order (a constant map has no spread to normalise by). */
EadStatus ead_model_set_map_statistics(EadModel *model, EadMapNormalization normalization,
                                       double statistics[EAD_MAP_COUNT][2]);

/* Chooses the maps that count. Errors: EAD_BAD_ARGUMENT for EAD_USE_AE without autoencoder. */
EadStatus ead_model_use_maps(EadModel *model, EadMapUse use);

/* "both", "st", "ae". */
const char *ead_map_use_name(EadMapUse use);

/* "quantile", "gaussian", "none". */
const char *ead_map_normalization_name(EadMapNormalization normalization);

/* Size of the networks' outputs and so of the raw maps. */
int ead_model_map_height(const EadModelSpec *spec);
int ead_model_map_width(const EadModelSpec *spec);

/* The networks, ready to be built into a graph. */
EadPdn ead_model_teacher(const EadModel *model);
EadPdn ead_model_student(const EadModel *model, bool trainable);
EadAutoencoder ead_model_autoencoder(const EadModel *model, bool trainable);

/* The teacher's normalised output for x [N,H,W,3] (normalised image) -> [N,H',W',384]. */
EadNode *ead_model_teacher_output(EadGraph *graph, const EadModel *model, EadNode *x);

#endif
