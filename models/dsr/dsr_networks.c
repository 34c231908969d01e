/* The networks as sequences of layers. In declaring mode nodes are NULL and every op is passed over. */
#include "models/dsr/dsr_networks.h"

#include "core/ops/add/add.h"
#include "core/ops/instance_norm/instance_norm.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"

#include <stdio.h>

enum { BOTTLENECK = 64, RESIDUAL_LAYERS = 2 };

static const double EPSILON = 1e-5; /* of the instance norms */

/* ---- layers ---- */

static EadNode *doubled(const EadLayerWalk *walk, EadNode *x) {
    return walk->graph ? ead_resize_corners(walk->graph, x, 2 * x->y.h, 2 * x->y.w) : NULL;
}

/* A 3x3 convolution, instance norm, ReLU: layer number `index` of a block. */
static EadNode *normed(const EadLayerWalk *walk, const char *block, int index, EadNode *x, int inputs,
                       int outputs) {
    char layer[EAD_NAME_SIZE];
    snprintf(layer, sizeof layer, "%.20s.conv%d", block, index);
    x = ead_layer_conv(walk, layer, x, inputs, outputs, 3, 1);
    return walk->graph ? ead_relu(walk->graph, ead_instance_norm(walk->graph, x, EPSILON)) : NULL;
}

/* Two of them. */
static EadNode *normed_pair(const EadLayerWalk *walk, const char *block, EadNode *x, int inputs, int between,
                            int outputs) {
    x = normed(walk, block, 1, x, inputs, between);
    return normed(walk, block, 2, x, between, outputs);
}

/* Residual layers, r + conv1x1(ReLU(conv3x3(r))) of r = ReLU(x): what is added to has gone through the ReLU, too. */
static EadNode *residual_stack(const EadLayerWalk *walk, EadNode *x, int channels) {
    char layer[EAD_NAME_SIZE];
    for (int i = 0; i < RESIDUAL_LAYERS; i++) {
        EadNode *r = ead_layer_relu(walk, x);
        snprintf(layer, sizeof layer, "stack%d.conv1", i);
        EadNode *y = ead_layer_plain(walk, layer, r, channels, channels / 2, 3);
        snprintf(layer, sizeof layer, "stack%d.conv2", i);
        y = ead_layer_plain(walk, layer, ead_layer_relu(walk, y), channels / 2, channels, 1);
        x = walk->graph ? ead_add(walk->graph, r, y) : NULL;
    }
    return ead_layer_relu(walk, x);
}

/* ---- networks ---- */

EadNode *ead_dsr_encode_hi(const EadLayerWalk *walk, EadNode *x, int channels) {
    x = ead_layer_relu(walk, ead_layer_conv(walk, "conv1", x, 3, channels / 2, 4, 2));
    x = ead_layer_relu(walk, ead_layer_conv(walk, "conv2", x, channels / 2, channels, 4, 2));
    x = ead_layer_conv(walk, "conv3", x, channels, channels, 3, 1);
    return residual_stack(walk, x, channels);
}

EadNode *ead_dsr_encode_lo(const EadLayerWalk *walk, EadNode *x, int channels) {
    x = ead_layer_relu(walk, ead_layer_conv(walk, "conv1", x, channels, channels, 4, 2));
    x = ead_layer_relu(walk, ead_layer_conv(walk, "conv2", x, channels, channels, 3, 1));
    return residual_stack(walk, x, channels);
}

/* What both decoders end with. */
static EadNode *draw_pixels(const EadLayerWalk *walk, EadNode *x, int inputs, int channels) {
    x = ead_layer_conv(walk, "conv1", x, inputs, channels, 3, 1);
    x = residual_stack(walk, x, channels);
    x = ead_layer_relu(walk, ead_layer_up(walk, "up1", x, channels, channels / 2, 4));
    return ead_layer_up(walk, "up2", x, channels / 2, 3, 4);
}

EadNode *ead_dsr_decode(const EadLayerWalk *walk, EadNode *x, int channels) {
    return draw_pixels(walk, x, 2 * channels, channels);
}

EadNode *ead_dsr_decode_object(const EadLayerWalk *walk, EadNode *x, int channels) {
    x = ead_layer_pool(walk, normed_pair(walk, "down1", x, 2 * channels, 2 * channels, 4 * channels));
    x = ead_layer_pool(walk, normed_pair(walk, "down2", x, 4 * channels, 4 * channels, 8 * channels));
    x = ead_layer_conv(walk, "narrow", x, 8 * channels, BOTTLENECK, 1, 1);
    x = ead_layer_relu(walk, ead_layer_up(walk, "widen1", x, BOTTLENECK, BOTTLENECK, 4));
    x = ead_layer_relu(walk, ead_layer_up(walk, "widen2", x, BOTTLENECK, BOTTLENECK, 4));
    return draw_pixels(walk, x, BOTTLENECK, channels);
}

EadNode *ead_dsr_restrict(const EadLayerWalk *walk, EadNode *x, int channels) {
    x = ead_layer_pool(walk, normed_pair(walk, "down1", x, channels, channels, channels));
    x = ead_layer_pool(walk, normed_pair(walk, "down2", x, channels, 2 * channels, 2 * channels));
    x = normed_pair(walk, "down3", x, 2 * channels, 4 * channels, 4 * channels);
    x = normed(walk, "up1", 0, doubled(walk, x), 4 * channels, 2 * channels);
    x = normed_pair(walk, "up1", x, 2 * channels, 2 * channels, 2 * channels);
    x = normed(walk, "up2", 0, doubled(walk, x), 2 * channels, channels);
    x = normed_pair(walk, "up2", x, channels, channels, channels);
    return ead_layer_conv(walk, "out", x, channels, channels, 3, 1);
}

/* One level up: x twice as large, with what was seen there on the way down behind it. */
static EadNode *ascend(const EadLayerWalk *walk, const char *block, EadNode *x, EadNode *seen, int inputs,
                       int outputs) {
    x = normed(walk, block, 0, doubled(walk, x), inputs, outputs);
    return normed_pair(walk, block, ead_layer_join(walk, x, seen), 2 * outputs, outputs, outputs);
}

EadNode *ead_dsr_unet(const EadLayerWalk *walk, EadNode *x, int inputs, int width) {
    EadNode *seen1 = normed_pair(walk, "down1", x, inputs, width, width);
    EadNode *seen2 = normed_pair(walk, "down2", ead_layer_pool(walk, seen1), width, 2 * width, 2 * width);
    EadNode *seen3 = normed_pair(walk, "down3", ead_layer_pool(walk, seen2), 2 * width, 4 * width, 4 * width);
    x = normed_pair(walk, "down4", ead_layer_pool(walk, seen3), 4 * width, 4 * width, 4 * width);
    x = ascend(walk, "up1", x, seen3, 4 * width, 4 * width);
    x = ascend(walk, "up2", x, seen2, 4 * width, 2 * width);
    x = ascend(walk, "up3", x, seen1, 2 * width, width);
    return ead_layer_conv(walk, "out", x, width, 2, 3, 1);
}
