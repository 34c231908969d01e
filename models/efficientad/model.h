/* An EfficientAD model in memory: teacher, student, autoencoder, and the numbers that make their outputs
 * comparable. Made new, or read from a file; used to build the losses of training
 * (models/efficientad/losses.h) and inference.
 *
 * In the model file (models/method.h) it is
 *   metadata  model small|medium, padding true|false, map_normalization, preprocessing
 *   tensors   teacher.*, student.*, autoencoder.* (weights O,I,KH,KW, biases O), teacher_mean,
 *             teacher_std [384], and quantiles [4] = q_a, q_b of the student-teacher map and of the
 *             autoencoder map (map normalization gaussian: gaussian [4] = mean, standard deviation of each
 *             instead); with tiles.whole_image the same of the maps of whole images: whole_quantiles, whole_gaussian */
#pragma once

#include "models/method.h"
#include "models/networks/autoencoder.h"
#include "models/networks/pdn.h"

typedef struct EadEfficientadSpec {
    EadPdnSize size;
    bool padding;
    int height, width; /* of the images: multiples of 4 from 64 up */
    bool autoencoder;  /* without: the student has 384 outputs and there is one map */
} EadEfficientadSpec;

/* How the two maps are made comparable before they are added (section 3.4, Table 5). The statistics are taken
 * over all pixels of all validation maps at image size. */
typedef enum EadMapNormalization {
    EAD_MAPS_QUANTILE, /* 0.1 (M - q_a) / (q_b - q_a) */
    EAD_MAPS_GAUSSIAN, /* (M - mean) / standard deviation */
    EAD_MAPS_NONE,     /* M */
} EadMapNormalization;

enum { EAD_MAP_ST, EAD_MAP_AE, EAD_MAP_COUNT };

/* What the networks look at: images of the model's size, or tiles; whole images reduced to a tile (tiles.whole_image). */
typedef enum EadLook { EAD_LOOK_USUAL, EAD_LOOK_WHOLE, EAD_LOOKS } EadLook;

/* EadModel.map_choice, in the order of its row in models/methods.def: which of the two make the anomaly map.
 * Without autoencoder both is the same as ST. */
typedef enum EadMapUse { EAD_USE_BOTH, EAD_USE_ST, EAD_USE_AE } EadMapUse;

typedef struct EadEfficientad {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadEfficientadSpec spec;
    EadParams teacher;                                             /* constant in training */
    EadParams trained;                                             /* student and autoencoder */
    real teacher_mean[EAD_FEATURES], teacher_std[EAD_FEATURES];    /* of its outputs on the training images */
    real teacher_scale[EAD_FEATURES], teacher_shift[EAD_FEATURES]; /* (t - mean) / std = t * scale + shift */
    EadMapNormalization normalization;
    real map_statistics[EAD_LOOKS][EAD_MAP_COUNT][2]; /* q_a, q_b or mean, standard deviation */
    real map_scale[EAD_LOOKS][EAD_MAP_COUNT],
        map_shift[EAD_LOOKS][EAD_MAP_COUNT]; /* normalized map = M * scale + shift */
} EadEfficientad;

/* Checks the spec and makes a model with zeroed parameters, unit teacher statistics and maps as they are.
 * Errors: EAD_BAD_SHAPE for impossible image sizes, saying which are possible. Free with
 * ead_efficientad_free(), or ead_model_free() of its base. */
EadStatus ead_efficientad_new(const EadEfficientadSpec *spec, EadEfficientad **out);
void ead_efficientad_free(EadEfficientad *model);

/* Says whether images of that size can be used. */
EadStatus ead_efficientad_check_image_size(int height, int width);

/* Sets the teacher's statistics and what follows from them. A channel whose standard deviation is 0 to
 * rounding (it never changes on the training images) gets 1, or one odd pixel would drown all others. */
void ead_efficientad_set_teacher_statistics(EadEfficientad *model, const double mean[EAD_FEATURES],
                                            const double std[EAD_FEATURES]);

/* Sets the map statistics and what follows from them. Errors: EAD_BAD_ARGUMENT if they are not finite or not
 * in order (a constant map has no spread to normalize by). */
EadStatus ead_efficientad_set_map_statistics(EadEfficientad *model, EadMapNormalization normalization,
                                             double statistics[EAD_MAP_COUNT][2]);

/* The same for the maps of whole images, by the normalization set before. */
EadStatus ead_efficientad_set_whole_statistics(EadEfficientad *model, double statistics[EAD_MAP_COUNT][2]);

/* Size of the networks' outputs and so of the raw maps. */
int ead_efficientad_map_height(const EadEfficientadSpec *spec);
int ead_efficientad_map_width(const EadEfficientadSpec *spec);

/* Cells on each side of these that would cover the border of an image: 4 without padding, else 0. */
int ead_efficientad_unseen_cells(const EadEfficientadSpec *spec);

/* The networks, ready to be built into a graph. */
EadPdn ead_efficientad_teacher(const EadEfficientad *model);
EadPdn ead_efficientad_student(const EadEfficientad *model, bool trainable);
EadAutoencoder ead_efficientad_autoencoder(const EadEfficientad *model, bool trainable);

/* The teacher's normalized output for x [N,H,W,3] (normalized image) -> [N,H',W',384]. */
EadNode *ead_efficientad_teacher_output(EadGraph *graph, const EadEfficientad *model, EadNode *x);

/* ---- inference (Algorithm 2; models/efficientad/anomaly_map.c) ---- */

typedef struct EadMaps {
    /* [N,H',W',1] at the networks' output size: mean over channels of (teacher - student)^2, and of
     * (autoencoder - student)^2 (NULL without autoencoder). */
    EadNode *raw[EAD_MAP_COUNT];
    /* The two normalized, with a border like that of combined, where both are in it; else NULL. */
    EadNode *normalized[EAD_MAP_COUNT];
    /* [N,H,W,1] at image size: the mean of the normalized maps. Without padding the networks leave a border
     * of 4 cells unseen, which is 0, the level of q_a. Of a model with tiles, as the normalized, the cells that are seen. */
    EadNode *combined;
    EadNode *whole; /* these by the statistics of whole images, with tiles.whole_image; else NULL */
} EadMaps;

/* images: U8 leaf [N,H,W,3] of the model's size, or, without padding, as models/method.h says of gray ones. */
EadMaps ead_build_maps(EadGraph *graph, const EadEfficientad *model, EadNode *images);

/* The raw maps stretched to image size, [N,H,W,1] each: what normalization takes its statistics of; of a model with tiles not
 * stretched, [N,H',W',1]. */
EadMaps ead_build_raw_maps(EadGraph *graph, const EadEfficientad *model, EadNode *images);

/* ---- files (models/efficientad/efficientad_file.c) ---- */

/* A teacher alone: what distillation makes, with only teacher.* of the above. */
typedef struct EadTeacherFile {
    EadPdn pdn;          /* size, padding, parameters */
    int height, width;   /* of the images it was distilled on */
    EadFileType weights; /* EAD_FILE_F32, or EAD_FILE_F16 for half the size; biases are F32 */
} EadTeacherFile;

/* Adds a teacher to a file. Errors: EAD_NO_MEMORY. */
EadStatus ead_teacher_write(const EadTeacherFile *teacher, EadSafetensorsWriter *writer);

/* Writes one with extras (or NULL), complete or not at all. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_teacher_save(const EadTeacherFile *teacher, const char *path, const EadFileExtras *extras);

/* Reads teacher.* of a teacher file, a model file or a checkpoint of either into parameters declared for a PDN of that
 * size. params may be NULL: the file is only checked, as far as its header tells. Errors: EAD_IO, EAD_BAD_FILE. */
EadStatus ead_teacher_read(EadPdnSize size, const char *path, EadParams *params);

/* The same into a model. */
EadStatus ead_efficientad_read_teacher(EadEfficientad *model, const char *path);

/* Reads student.* and autoencoder.* of a model file into a model of the same kind (model.init). */
EadStatus ead_efficientad_read_trained(EadEfficientad *model, const char *path);

/* Whether it can do so with such a model, as far as the file's header tells. This and ead_teacher_read() look at the
 * file's other networks, too: these may be missing, but not be of other names or shapes. */
EadStatus ead_efficientad_check_trained(const EadEfficientadSpec *spec, const char *path);
