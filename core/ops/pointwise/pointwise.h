/* Functions of single numbers that are met in small tensors. */
#pragma once

#include "core/graph/graph.h"

typedef enum EadFunction {
    EAD_FUNCTION_EXP,
    EAD_FUNCTION_LOG,
    EAD_FUNCTION_SOFTPLUS,
    EAD_FUNCTION_SIGMOID,
    EAD_FUNCTION_SQRT,
} EadFunction;

typedef struct EadPointwise {
    EadFunction function;
    double beta; /* of softplus */
} EadPointwise;

/* x [N,H,W,C] -> the same shape, with gradients. */
EadNode *ead_exp(EadGraph *graph, EadNode *x);
EadNode *ead_log(EadGraph *graph, EadNode *x);     /* natural; x > 0 */
EadNode *ead_sqrt(EadGraph *graph, EadNode *x);    /* x >= 0; the gradient at 0 is infinite */
EadNode *ead_sigmoid(EadGraph *graph, EadNode *x); /* 1 / (1 + exp(-x)), without overflow for any x */

/* ln(1 + exp(beta x)) / beta, without overflow for any x. Errors: EAD_BAD_ARGUMENT for a beta that is not above 0. */
EadNode *ead_softplus(EadGraph *graph, EadNode *x, double beta);
