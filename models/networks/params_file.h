/* Parameters and numbers in .safetensors files, and what all files of networks say in their metadata. Names
 * and shapes are checked; files' OIHW becomes memory's O,KH,KW,I and back. */
#pragma once

#include "core/graph/params.h"
#include "core/file/safetensors.h"

/* What to do about a file that does not fit: the end of such errors. */
#define EAD_MODEL_FILE_HINT "make it again or take another file"

/* Whether so many numbers would fit into what is free: pages that are not there end a process. Errors: EAD_NO_MEMORY,
 * with both in megabytes. */
EadStatus ead_params_check_room(int64_t numbers);

/* Reads the tensor that is called like `param`, one of params. Errors: EAD_BAD_FILE, naming file and tensor,
 * if it is missing, has another shape or type, or holds values that are not finite; EAD_NO_MEMORY. */
EadStatus ead_params_read(const EadSafetensors *file, EadParams *params, const EadParam *param);

/* The same for all of params. */
EadStatus ead_params_read_all(const EadSafetensors *file, EadParams *params);

/* Whether all of params, declared at least, are there and have their shapes and a type that can be read: what the header
 * tells. Errors: EAD_BAD_FILE. */
EadStatus ead_params_check_all(const EadSafetensors *file, const EadParams *params);

/* The same for a network that is a part of a file: "conv1.weight" is called "PREFIX.conv1.weight" there. */
EadStatus ead_params_read_part(const EadSafetensors *file, const char *prefix, EadParams *params);

/* Reads a tensor of `count` numbers in any shape. */
EadStatus ead_vector_read(const EadSafetensors *file, const char *name, int count, double *out);

/* Reads two vectors, the means of channels and their standard deviations, which must be positive. */
EadStatus ead_statistics_read(const EadSafetensors *file, const char *mean_name, const char *std_name,
                              int count, double *mean, double *std);

/* Beginnings of names of what the program keeps beside networks: what validation images gave, the mask of a region of
 * interest, and a checkpoint's optimizer and counter. */
#define EAD_TENSORS_BESIDE "validation_|roi_mask|adam.|step"

/* Whether all tensors have been read. One that has no place in the network says that it is not the one that was written.
 * others: beginnings of names that may be left, "a.|b"; a framework's counters may, too; network: for the message.
 * Errors: EAD_BAD_FILE, naming file and tensor. */
EadStatus ead_check_all_used(const EadSafetensors *file, const char *others, const char *network);

/* Adds params to a file; weights: the type they are stored in, EAD_FILE_F32 or EAD_FILE_F16; biases are F32.
 * Errors: EAD_NO_MEMORY. */
EadStatus ead_params_write(EadSafetensorsWriter *writer, const EadParams *params, EadFileType weights);

/* The same for a network that is a part of a file. */
EadStatus ead_params_write_part(EadSafetensorsWriter *writer, const char *prefix, const EadParams *params,
                                EadFileType weights);

/* Rounds every weight, but no bias, to what it is in a file of such weights. */
void ead_params_round(EadParams *params, EadFileType weights);

/* Adds `count` numbers as a vector of F32. */
EadStatus ead_vector_write(EadSafetensorsWriter *writer, const char *name, int count, const real *values);

/* ---- metadata ---- */

/* What came of making that which a file describes: a failure but EAD_NO_MEMORY is the file's, EAD_BAD_FILE, and names it. */
EadStatus ead_made_of_file(const EadSafetensors *file, EadStatus status);

/* "FILE: metadata 'key' is 'value', expected ...", EAD_BAD_FILE; value may be NULL. */
EadStatus ead_bad_metadata(const EadSafetensors *file, const char *key, const char *value,
                           const char *expected);

/* Sets *out to the position of a metadata value among `choices`, which ends with NULL; all: these as text. */
EadStatus ead_metadata_choice(const EadSafetensors *file, const char *key, const char *const *choices,
                              const char *all, int *out);

/* Adds a number as text that is read as the same 64 bits. Errors: EAD_NO_MEMORY. */
EadStatus ead_metadata_number_write(EadSafetensorsWriter *writer, const char *key, double value);

/* Sets *out to a metadata value that is a number from least to most. */
EadStatus ead_metadata_number(const EadSafetensors *file, const char *key, double least, double most,
                              double *out);

/* The same for a whole number; most: up to 2^53. */
EadStatus ead_metadata_count(const EadSafetensors *file, const char *key, double least, double most,
                             int64_t *out);

/* Fails unless metadata "format" is "efficientad/1". */
EadStatus ead_check_format(const EadSafetensors *file);

/* Metadata "image_size": "256" or "128x256" (height x width). The writing one adds "format" too. */
EadStatus ead_image_size_read(const EadSafetensors *file, int *height, int *width);
EadStatus ead_image_size_write(EadSafetensorsWriter *writer, int height, int width);

/* Writes "256" or "128x256" (height x width). */
void ead_format_image_size(int height, int width, char out[24]);
