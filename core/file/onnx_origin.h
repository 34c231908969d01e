/* Whether an ONNX file was written by efficientad export, and from which model: by its producer, or by its metadata where
 * another tool has written it again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct EadOnnxOrigin {
    bool ours;
    char source[256]; /* the model's file name, cut where it is longer; "" where nothing says it */
} EadOnnxOrigin;

/* Of a file, in small parts, however large its weights are; and of one in memory. What cannot be read is not ours. */
EadOnnxOrigin ead_onnx_origin(const char *path);
EadOnnxOrigin ead_onnx_origin_in(const void *bytes, size_t size);
