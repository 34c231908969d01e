/* A model as an ONNX file: its inference graph between an input form and its outputs, with all that is known of the model
 * as metadata. */
#pragma once

#include "core/file/safetensors.h"
#include "models/method.h"

#include <stdbool.h>
#include <stdint.h>

/* What goes into the graph. */
typedef enum EadExportInput {
    EAD_EXPORT_CAMERA, /* "image", uint8 [N,height,width,3], RGB as the camera gives it: the resize is in the graph */
    EAD_EXPORT_TENSOR, /* "input", float32 [N,3,H,W], RGB 0 .. 1, of the model's size H x W */
} EadExportInput;

/* Out come "anomaly_map", float32 [N,1,height,width] of the input's size, and "pred_score", float32 [N,1], both as
 * ead_detector_run() gives them. */
typedef struct EadExportSpec {
    const EadModel *model;
    const EadSafetensors *file; /* that it was read from */
    const char *path;           /* of that file */
    EadExportInput input;
    int height, width; /* of the input's images; TENSOR: the model's */
    bool halves;       /* convolutions and what lies between them in float16 */
    int batch;         /* N; 0: any */
    bool map_only;     /* no "pred_score": for readers that want one output and take its maximum */
} EadExportSpec;

/* What was written. */
typedef struct EadExportResult {
    int nodes, constants;
    uint64_t bytes; /* of the constants */
} EadExportResult;

/* Writes the file, complete and read back, or not at all. Errors: EAD_UNSUPPORTED, naming the method and what of it ONNX
 * cannot say, or a model too large for the format; EAD_IO; EAD_NO_MEMORY. */
EadStatus ead_export_onnx(const EadExportSpec *spec, const char *path, EadExportResult *result);

/* Refuses a file there that is no ONNX file of this program; `option` named it. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_export_check_replaced(const char *path, const char *option);
