/* Each image's channels times numbers of its own: the excitation of squeeze-excitation. */
#pragma once

#include "core/graph/graph.h"

/* x [N,H,W,C], scale [N,1,1,C] -> the shape of x. No gradient: frozen networks have it. Errors: EAD_BAD_SHAPE. */
EadNode *ead_image_scale(EadGraph *graph, EadNode *x, EadNode *scale);
