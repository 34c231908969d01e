/* The model file: one .safetensors with all that inference needs, readable by the Python package of that
 * name. tensors   teacher.*, student.*, autoencoder.* (weights O,I,KH,KW, biases O), teacher_mean,
 * teacher_std [384], and quantiles [4] = q_a, q_b of the student-teacher map and of the autoencoder map (map
 * normalisation gaussian: gaussian [4] = mean, standard deviation of each instead) metadata  format
 * "efficientad/1", model small|medium, padding true|false, image_size "256" or "HxW", map_normalization,
 * map_use (absent: both), preprocessing, threshold (when set), and what the program adds A teacher alone has
 * only teacher.*; a checkpoint has the optimizer's state besides. */
#ifndef EAD_MODELS_MODEL_FILE_H
#define EAD_MODELS_MODEL_FILE_H

#include "core/file/safetensors.h"
#include "models/efficientad/model.h"

/* What a program adds to a model file: metadata strings and further tensors. */
typedef struct EadFileMetadata {
    const char *key, *value;
} EadFileMetadata;

typedef struct EadFileArray {
    const char *name;
    EadFileType type;
    int64_t count; /* written as a vector [count] */
    const void *data;
} EadFileArray;

typedef struct EadFileExtras {
    const EadFileMetadata *metadata;
    int metadata_count;
    const EadFileArray *arrays;
    int array_count;
} EadFileExtras;

/* Writes the model, complete or not at all. extras may be NULL. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_model_save(const EadModel *model, const char *path, const EadFileExtras *extras);

/* A teacher alone: what distillation makes. */
typedef struct EadTeacherFile {
    EadPdn pdn;          /* size, padding, parameters */
    int height, width;   /* of the images it was distilled on */
    EadFileType weights; /* EAD_FILE_F32, or EAD_FILE_F16 for half the size; biases are F32 */
} EadTeacherFile;

/* Writes a teacher, complete or not at all; ead_model_read_teacher() reads it. extras may be NULL. Errors:
 * EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_teacher_save(const EadTeacherFile *teacher, const char *path, const EadFileExtras *extras);

/* Reads a complete model. Errors, naming file and tensor: EAD_IO; EAD_BAD_FILE for a file that is no
 * efficientad/1 model, lacks a tensor, or holds one of other type or shape or with a value that is not
 * finite. */
EadStatus ead_model_open(const char *path, EadModel **out);

/* The same from an open file (a checkpoint has more to read). */
EadStatus ead_model_read(const EadSafetensors *file, EadModel **out);

/* Reads teacher.* of a teacher file or a model file into a model of the same size. */
EadStatus ead_model_read_teacher(EadModel *model, const char *path);

/* Reads student.* and autoencoder.* of a model file into a model of the same kind (model.init). */
EadStatus ead_model_read_trained(EadModel *model, const char *path);

/* Writes "256" or "128x256" (height x width). */
void ead_format_image_size(int height, int width, char out[24]);

#endif
