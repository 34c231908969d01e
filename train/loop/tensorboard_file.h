/* TensorBoard's event files: records of a length, a checksum, a protobuf message "Event" and its checksum.
 * Only what is written here is known: scalars, pictures, and the mark of a restart. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct EadTensorboardFile {
    FILE *stream;
    char *path;
} EadTensorboardFile;

typedef struct EadTensorboardScalar {
    const char *tag; /* "loss/total": what stands before the slash becomes a group */
    float value;
} EadTensorboardScalar;

/* Makes a new file events.out.tfevents.SECONDS.NANOSECONDS in the folder, which continues the files of
 * earlier processes there from step done + 1 on: what these say of later steps is void, and TensorBoard drops
 * it. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_tensorboard_open(EadTensorboardFile *file, const char *folder, int64_t done);

/* Adds the scalars [count] of a step; a viewer sees them at once. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_tensorboard_scalars(EadTensorboardFile *file, int64_t step, const EadTensorboardScalar *scalars,
                                  int count);

/* Adds a picture: a PNG or JPEG [size] of width x height pixels and 3 channels. Errors as above. */
EadStatus ead_tensorboard_picture(EadTensorboardFile *file, int64_t step, const char *tag, int width,
                                  int height, const uint8_t *bytes, size_t size);

/* Harmless on a zeroed file. */
void ead_tensorboard_close(EadTensorboardFile *file);

/* CRC-32C (Castagnoli), and as the records hold it. */
uint32_t ead_crc32c(const uint8_t *bytes, size_t size);
uint32_t ead_masked_crc32c(const uint8_t *bytes, size_t size);
