/* Batch norm in files of trained networks: for inference it is a scale and a shift, folded into the convolution
 * before it or kept by itself. */
#pragma once

#include "core/file/safetensors.h"
#include "core/graph/params.h"

/* Reads a convolution: weight is one of params, its bias the next. norm: its batch norm in the file, whose
 * NORM.weight, .bias, .running_mean and .running_var are folded in; a file without NORM.running_var has a bias
 * instead. Errors: EAD_BAD_FILE, naming file and tensor, for what is missing, of another shape or not finite, and for
 * a negative variance; EAD_NO_MEMORY. */
EadStatus ead_folded_conv_read(const EadSafetensors *file, EadParams *params, const EadParam *weight,
                               const char *norm, double epsilon);

/* Declares a batch norm as PREFIX.weight and PREFIX.bias [channels]. */
EadStatus ead_folded_norm_declare(EadParams *params, const char *prefix, int channels);

/* Reads one; weight: its PREFIX.weight among params. In a file without PREFIX.running_var these two are all. */
EadStatus ead_folded_norm_read(const EadSafetensors *file, EadParams *params, const EadParam *weight,
                               double epsilon);

/* ---- running statistics of a batch norm that is trained: running [2][channels], mean and variance ---- */

/* Those of PREFIX.running_mean and .running_var. Errors: EAD_BAD_FILE, also for a negative variance; EAD_NO_MEMORY. */
EadStatus ead_running_read(const EadSafetensors *file, const char *prefix, int channels, real *running);
EadStatus ead_running_write(EadSafetensorsWriter *writer, const char *prefix, int channels,
                            const real *running);

/* merged [2][channels]: scale and shift that PREFIX.weight and .bias of params with these statistics come to. */
void ead_running_merge(const EadParams *params, const char *prefix, const real *running, double epsilon,
                       real *merged);

/* The part of a parameter's name before its last dot. */
void ead_layer_name(const EadParam *param, char out[EAD_NAME_SIZE]);
