/* The model's region of interest around its graph, as core/image/region.h has it: outside is blank before the networks, and
 * the least value inside in the map. */
#pragma once

#include "models/method.h"
#include "train/export/onnx_graph.h"

/* image: float32 [N,3,height,width] -> the same of the box. */
const char *ead_onnx_cut_box(EadOnnxGraph *g, const EadRegion *region, const char *image);

/* image: float32 [N,3,H,W] of the model's size, white is `white` -> with the blank outside of the mask. */
const char *ead_onnx_blank_outside(EadOnnxGraph *g, const EadModel *model, const char *image, double white);

/* map [N,1,H,W] of the model's size -> filled outside of the mask. */
const char *ead_onnx_fill_outside(EadOnnxGraph *g, const EadModel *model, const char *map);

/* map of the box [N,1,h,w] -> of the whole image [N,1,height,width]. */
const char *ead_onnx_around_box(EadOnnxGraph *g, const EadRegion *region, const char *map, int height,
                                int width);
