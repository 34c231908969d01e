/* x times its sigmoid, the activation of EfficientNet. */
#pragma once

#include "core/graph/graph.h"

/* x real -> the same shape: x / (1 + exp(-x)); a NaN stays one. No gradient: frozen networks have it. */
EadNode *ead_swish(EadGraph *graph, EadNode *x);
