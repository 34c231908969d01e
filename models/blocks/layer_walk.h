/* Networks that are each written once, as what they compute: walked without a graph, the same code declares their parameters.
 * All give NULL then, and take it. */
#pragma once

#include "core/graph/params.h"

/* A network that is being built, or whose parameters are being declared. */
typedef struct EadLayerWalk {
    EadGraph *graph;   /* NULL: parameters are declared, and nodes are NULL */
    EadParams *params; /* changed by declaring only */
    const char *name;  /* prefix of its parameters */
    bool trainable;
    EadStatus *status; /* of declaring */
} EadLayerWalk;

/* A walk that declares, of which *status, EAD_OK at first, keeps the first error; and one that builds. */
EadLayerWalk ead_layers_declaring(EadParams *params, const char *name, EadStatus *status);
EadLayerWalk ead_layers_building(EadGraph *graph, const EadParams *params, const char *name, bool trainable);

/* Layers, with <name>.<layer>.weight and, but for the plain one, .bias. x [N,H,W,inputs] ->
 *   conv     [N,H/stride,W/stride,outputs]: (kernel - 1) / 2 of padding
 *   conv_relu  [N,H,W,outputs]: the same of an odd kernel, and its ReLU
 *   plain    [N,H,W,outputs]: the same of an odd kernel, without a bias
 *   squeeze  [N,1,1,outputs]: one kernel of height x width over all
 *   up       [N,2H,2W,outputs]: transposed, of stride 2 and an even kernel
 *   spread   [N,height,width,outputs] of [N,1,1,inputs]: transposed
 * PyTorch takes the outputs of a transposed convolution for its inputs when it draws its weights, and so does the fan of these. */
EadNode *ead_layer_conv(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                        int kernel, int stride);
EadNode *ead_layer_conv_relu(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                             int kernel);
EadNode *ead_layer_plain(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                         int kernel);
EadNode *ead_layer_squeeze(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                           int height, int width);
EadNode *ead_layer_up(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                      int kernel);
EadNode *ead_layer_spread(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                          int height, int width);

/* Without parameters: ReLU, 2x2 max pooling, b behind a along the channels. */
EadNode *ead_layer_relu(const EadLayerWalk *walk, EadNode *x);
EadNode *ead_layer_pool(const EadLayerWalk *walk, EadNode *x);
EadNode *ead_layer_join(const EadLayerWalk *walk, EadNode *a, EadNode *b);
