/* Layers that are built, or whose parameters are declared. */
#include "models/blocks/layer_walk.h"

#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/relu/relu.h"

#include <stdio.h>

EadLayerWalk ead_layers_declaring(EadParams *params, const char *name, EadStatus *status) {
    return (EadLayerWalk){.params = params, .name = name, .status = status};
}

EadLayerWalk ead_layers_building(EadGraph *graph, const EadParams *params, const char *name, bool trainable) {
    return (EadLayerWalk){
        .graph = graph, .params = (EadParams *)params, .name = name, .trainable = trainable};
}

static void parameter_name(const EadLayerWalk *walk, const char *layer, const char *part,
                           char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%.20s.%.16s%.8s", walk->name, layer, part);
}

static void declare(const EadLayerWalk *walk, const char *layer, const char *part, const int shape[4],
                    int fan_in) {
    char name[EAD_NAME_SIZE];
    parameter_name(walk, layer, part, name);
    if (*walk->status == EAD_OK)
        *walk->status =
            ead_params_declare(walk->params, name, shape[0], shape[1], shape[2], shape[3], fan_in);
}

static EadNode *parameter(const EadLayerWalk *walk, const char *layer, const char *part) {
    char name[EAD_NAME_SIZE];
    parameter_name(walk, layer, part, name);
    return ead_param_leaf(walk->graph, walk->params, name, walk->trainable);
}

/* A layer's kernel, as the op takes it, and where a bias is. */
typedef struct Kernel {
    int n, h, w, c; /* of the weight */
    int fan_in, outputs, stride, padding;
    bool bias, transposed, relu;
} Kernel;

static EadNode *layer_of(const EadLayerWalk *walk, const char *layer, EadNode *x, Kernel k) {
    if (!walk->graph) {
        declare(walk, layer, ".weight", (int[]){k.n, k.h, k.w, k.c}, k.fan_in);
        if (k.bias) declare(walk, layer, ".bias", (int[]){1, 1, 1, k.outputs}, k.fan_in);
        return NULL;
    }
    EadNode *weight = parameter(walk, layer, ".weight"),
            *bias = k.bias ? parameter(walk, layer, ".bias") : NULL;
    return k.transposed ? ead_conv_transpose2d(walk->graph, x, weight, bias, k.stride, k.padding)
                        : ead_conv2d(walk->graph, x, weight, bias, (EadConv2d){k.stride, k.padding, k.relu});
}

/* stride 0: the kernel is laid once. */
static Kernel forward(int inputs, int outputs, int height, int width, int stride, bool bias) {
    return (Kernel){.n = outputs,
                    .h = height,
                    .w = width,
                    .c = inputs,
                    .fan_in = height * width * inputs,
                    .outputs = outputs,
                    .stride = stride ? stride : 1,
                    .padding = stride ? (height - 1) / 2 : 0,
                    .bias = bias};
}

static Kernel transposed(int inputs, int outputs, int height, int width, int stride) {
    return (Kernel){.n = inputs,
                    .h = height,
                    .w = width,
                    .c = outputs,
                    .fan_in = height * width * outputs,
                    .outputs = outputs,
                    .stride = stride ? stride : 1,
                    .padding = stride ? (height - stride) / 2 : 0,
                    .bias = true,
                    .transposed = true};
}

EadNode *ead_layer_conv(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                        int kernel, int stride) {
    return layer_of(walk, layer, x, forward(inputs, outputs, kernel, kernel, stride, true));
}

EadNode *ead_layer_conv_relu(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                             int kernel) {
    Kernel k = forward(inputs, outputs, kernel, kernel, 1, true);
    k.relu = true;
    return layer_of(walk, layer, x, k);
}

EadNode *ead_layer_plain(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                         int kernel) {
    return layer_of(walk, layer, x, forward(inputs, outputs, kernel, kernel, 1, false));
}

EadNode *ead_layer_squeeze(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                           int height, int width) {
    return layer_of(walk, layer, x, forward(inputs, outputs, height, width, 0, true));
}

EadNode *ead_layer_up(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                      int kernel) {
    return layer_of(walk, layer, x, transposed(inputs, outputs, kernel, kernel, 2));
}

EadNode *ead_layer_spread(const EadLayerWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                          int height, int width) {
    return layer_of(walk, layer, x, transposed(inputs, outputs, height, width, 0));
}

EadNode *ead_layer_relu(const EadLayerWalk *walk, EadNode *x) {
    return walk->graph ? ead_relu(walk->graph, x) : NULL;
}

EadNode *ead_layer_pool(const EadLayerWalk *walk, EadNode *x) {
    return walk->graph ? ead_max_pool2d(walk->graph, x, (EadMaxPool2d){.kernel = 2, .stride = 2}) : NULL;
}

EadNode *ead_layer_join(const EadLayerWalk *walk, EadNode *a, EadNode *b) {
    return walk->graph ? ead_concat_channels(walk->graph, 2, (EadNode *[]){a, b}) : NULL;
}
