/* What stands before the networks: from what a camera gives to an image of the model's size. */
#pragma once

#include "models/method.h"
#include "train/export/onnx_graph.h"

/* image: uint8 [N,height,width,3] -> float32 [N,3,H,W] of the model's size, 0 .. 255, of the box of its region, the same bytes
 * as ead_resize_u8() gives. Returns its name. */
const char *ead_onnx_resize_image(EadOnnxGraph *g, const char *image, int height, int width,
                                  const EadModel *model);
