/* The networks as sequences of layers. In declaring mode nodes are NULL and every op is passed over. */
#include "models/dsr/dsr_networks.h"

#include "core/ops/add/add.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/instance_norm/instance_norm.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

#include <stdio.h>

enum { BOTTLENECK = 64, RESIDUAL_LAYERS = 2 };

static const double EPSILON = 1e-5; /* of the instance norms */

/* ---- layers ---- */

static void parameter_name(const EadDsrWalk *walk, const char *layer, const char *part,
                           char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%.16s.%.20s%.8s", walk->name, layer, part);
}

static void declare(const EadDsrWalk *walk, const char *layer, const char *part, const int shape[4],
                    int fan_in) {
    char name[EAD_NAME_SIZE];
    parameter_name(walk, layer, part, name);
    if (*walk->status == EAD_OK)
        *walk->status =
            ead_params_declare(walk->params, name, shape[0], shape[1], shape[2], shape[3], fan_in);
}

static EadNode *parameter(const EadDsrWalk *walk, const char *layer, const char *part) {
    char name[EAD_NAME_SIZE];
    parameter_name(walk, layer, part, name);
    return ead_param_leaf(walk->graph, walk->params, name, walk->trainable);
}

/* A convolution of any stride; half the kernel of padding, less for an even one. */
static EadNode *conv_with(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                          int kernel, int stride) {
    int fan_in = kernel * kernel * inputs;
    if (!walk->graph) {
        declare(walk, layer, ".weight", (int[]){outputs, kernel, kernel, inputs}, fan_in);
        declare(walk, layer, ".bias", (int[]){1, 1, 1, outputs}, fan_in);
        return NULL;
    }
    return ead_conv2d(walk->graph, x, parameter(walk, layer, ".weight"), parameter(walk, layer, ".bias"),
                      (EadConv2d){.stride = stride, .padding = (kernel - 1) / 2});
}

EadNode *ead_dsr_conv(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                      int kernel) {
    return conv_with(walk, layer, x, inputs, outputs, kernel, 1);
}

/* A convolution without a bias. */
static EadNode *conv_plain(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs,
                           int kernel) {
    if (!walk->graph) {
        declare(walk, layer, ".weight", (int[]){outputs, kernel, kernel, inputs}, kernel * kernel * inputs);
        return NULL;
    }
    return ead_conv2d(walk->graph, x, parameter(walk, layer, ".weight"), NULL,
                      (EadConv2d){.stride = 1, .padding = kernel / 2});
}

/* PyTorch takes the outputs of a transposed convolution for its inputs when it draws its weights. */
EadNode *ead_dsr_up(const EadDsrWalk *walk, const char *layer, EadNode *x, int inputs, int outputs) {
    if (!walk->graph) {
        declare(walk, layer, ".weight", (int[]){inputs, 4, 4, outputs}, 16 * outputs);
        declare(walk, layer, ".bias", (int[]){1, 1, 1, outputs}, 16 * outputs);
        return NULL;
    }
    return ead_conv_transpose2d(walk->graph, x, parameter(walk, layer, ".weight"),
                                parameter(walk, layer, ".bias"), 2, 1);
}

static EadNode *rectified(const EadDsrWalk *walk, EadNode *x) {
    return walk->graph ? ead_relu(walk->graph, x) : NULL;
}

static EadNode *pooled(const EadDsrWalk *walk, EadNode *x) {
    return walk->graph ? ead_max_pool2d(walk->graph, x, (EadMaxPool2d){.kernel = 2, .stride = 2}) : NULL;
}

static EadNode *doubled(const EadDsrWalk *walk, EadNode *x) {
    return walk->graph ? ead_resize_corners(walk->graph, x, 2 * x->y.h, 2 * x->y.w) : NULL;
}

/* A 3x3 convolution, instance norm, ReLU: layer number `index` of a block. */
static EadNode *normed(const EadDsrWalk *walk, const char *block, int index, EadNode *x, int inputs,
                       int outputs) {
    char layer[EAD_NAME_SIZE];
    snprintf(layer, sizeof layer, "%.20s.conv%d", block, index);
    x = ead_dsr_conv(walk, layer, x, inputs, outputs, 3);
    return walk->graph ? ead_relu(walk->graph, ead_instance_norm(walk->graph, x, EPSILON)) : NULL;
}

/* Two of them. */
static EadNode *normed_pair(const EadDsrWalk *walk, const char *block, EadNode *x, int inputs, int between,
                            int outputs) {
    x = normed(walk, block, 1, x, inputs, between);
    return normed(walk, block, 2, x, between, outputs);
}

/* Residual layers, r + conv1x1(ReLU(conv3x3(r))) of r = ReLU(x): what is added to has gone through the ReLU, too. */
static EadNode *residual_stack(const EadDsrWalk *walk, EadNode *x, int channels) {
    char layer[EAD_NAME_SIZE];
    for (int i = 0; i < RESIDUAL_LAYERS; i++) {
        EadNode *r = rectified(walk, x);
        snprintf(layer, sizeof layer, "stack%d.conv1", i);
        EadNode *y = conv_plain(walk, layer, r, channels, channels / 2, 3);
        snprintf(layer, sizeof layer, "stack%d.conv2", i);
        y = conv_plain(walk, layer, rectified(walk, y), channels / 2, channels, 1);
        x = walk->graph ? ead_add(walk->graph, r, y) : NULL;
    }
    return rectified(walk, x);
}

/* ---- networks ---- */

EadNode *ead_dsr_encode_hi(const EadDsrWalk *walk, EadNode *x, int channels) {
    x = rectified(walk, conv_with(walk, "conv1", x, 3, channels / 2, 4, 2));
    x = rectified(walk, conv_with(walk, "conv2", x, channels / 2, channels, 4, 2));
    x = ead_dsr_conv(walk, "conv3", x, channels, channels, 3);
    return residual_stack(walk, x, channels);
}

EadNode *ead_dsr_encode_lo(const EadDsrWalk *walk, EadNode *x, int channels) {
    x = rectified(walk, conv_with(walk, "conv1", x, channels, channels, 4, 2));
    x = rectified(walk, ead_dsr_conv(walk, "conv2", x, channels, channels, 3));
    return residual_stack(walk, x, channels);
}

/* What both decoders end with. */
static EadNode *draw_pixels(const EadDsrWalk *walk, EadNode *x, int inputs, int channels) {
    x = ead_dsr_conv(walk, "conv1", x, inputs, channels, 3);
    x = residual_stack(walk, x, channels);
    x = rectified(walk, ead_dsr_up(walk, "up1", x, channels, channels / 2));
    return ead_dsr_up(walk, "up2", x, channels / 2, 3);
}

EadNode *ead_dsr_decode(const EadDsrWalk *walk, EadNode *x, int channels) {
    return draw_pixels(walk, x, 2 * channels, channels);
}

EadNode *ead_dsr_decode_object(const EadDsrWalk *walk, EadNode *x, int channels) {
    x = pooled(walk, normed_pair(walk, "down1", x, 2 * channels, 2 * channels, 4 * channels));
    x = pooled(walk, normed_pair(walk, "down2", x, 4 * channels, 4 * channels, 8 * channels));
    x = ead_dsr_conv(walk, "narrow", x, 8 * channels, BOTTLENECK, 1);
    x = rectified(walk, ead_dsr_up(walk, "widen1", x, BOTTLENECK, BOTTLENECK));
    x = rectified(walk, ead_dsr_up(walk, "widen2", x, BOTTLENECK, BOTTLENECK));
    return draw_pixels(walk, x, BOTTLENECK, channels);
}

EadNode *ead_dsr_restrict(const EadDsrWalk *walk, EadNode *x, int channels) {
    x = pooled(walk, normed_pair(walk, "down1", x, channels, channels, channels));
    x = pooled(walk, normed_pair(walk, "down2", x, channels, 2 * channels, 2 * channels));
    x = normed_pair(walk, "down3", x, 2 * channels, 4 * channels, 4 * channels);
    x = normed(walk, "up1", 0, doubled(walk, x), 4 * channels, 2 * channels);
    x = normed_pair(walk, "up1", x, 2 * channels, 2 * channels, 2 * channels);
    x = normed(walk, "up2", 0, doubled(walk, x), 2 * channels, channels);
    x = normed_pair(walk, "up2", x, channels, channels, channels);
    return ead_dsr_conv(walk, "out", x, channels, channels, 3);
}

/* One level up: x twice as large, with what was seen there on the way down behind it. */
static EadNode *ascend(const EadDsrWalk *walk, const char *block, EadNode *x, EadNode *seen, int inputs,
                       int outputs) {
    x = normed(walk, block, 0, doubled(walk, x), inputs, outputs);
    if (walk->graph) x = ead_concat_channels(walk->graph, 2, (EadNode *[]){x, seen});
    return normed_pair(walk, block, x, 2 * outputs, outputs, outputs);
}

EadNode *ead_dsr_unet(const EadDsrWalk *walk, EadNode *x, int inputs, int width) {
    EadNode *seen1 = normed_pair(walk, "down1", x, inputs, width, width);
    EadNode *seen2 = normed_pair(walk, "down2", pooled(walk, seen1), width, 2 * width, 2 * width);
    EadNode *seen3 = normed_pair(walk, "down3", pooled(walk, seen2), 2 * width, 4 * width, 4 * width);
    x = normed_pair(walk, "down4", pooled(walk, seen3), 4 * width, 4 * width, 4 * width);
    x = ascend(walk, "up1", x, seen3, 4 * width, 4 * width);
    x = ascend(walk, "up2", x, seen2, 4 * width, 2 * width);
    x = ascend(walk, "up3", x, seen1, 2 * width, width);
    return ead_dsr_conv(walk, "out", x, width, 2, 3);
}
