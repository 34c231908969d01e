/* Bilinear resize of feature maps, no antialiasing: torch.nn.functional.interpolate with mode="bilinear". (Images are resized by core/image/image.h, which antialiases.) */
#pragma once

#include "core/graph/graph.h"

#include <stdbool.h>

typedef struct EadResizeBilinear {
    int h, w;     /* size of the output; for the gradient op, of the forward input */
    bool corners; /* PyTorch's align_corners */
} EadResizeBilinear;

/* x [N,H,W,C] -> [N,out_h,out_w,C], up or down. Output pixel i looks at (i + 1/2) H/out_h - 1/2, moved into
 * the image, and mixes the two rows (columns) around it. Errors: EAD_BAD_SHAPE for sizes below 1. */
EadNode *ead_resize_bilinear(EadGraph *graph, EadNode *x, int out_h, int out_w);

/* The same with the corners of both on each other (align_corners = true): output pixel i looks at i (H - 1) / (out_h - 1). */
EadNode *ead_resize_corners(EadGraph *graph, EadNode *x, int out_h, int out_w);
