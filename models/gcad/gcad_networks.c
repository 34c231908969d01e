/* The networks as sequences of layers. In declaring mode nodes are NULL and every op is passed over. */
#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "models/gcad/gcad.h"

#include <stdio.h>

enum { UNET_LEVELS = 5, FEATURES = EAD_DESCRIPTOR_FEATURES };

static const double SLOPE = 0.005; /* of the leaky ReLUs: the descriptor's; the paper does not say */

const char *ead_gcad_name(const char *network, int field, EadGcadName out) {
    snprintf(out, sizeof(EadGcadName), "%s.p%d", network, field);
    return out;
}

/* ---- the U-Nets ---- */

/* Two 3x3 convolutions with ReLU of a level, "down1" or "up1". */
static EadNode *pair(const EadLayerWalk *walk, const char *level, EadNode *x, int inputs, int outputs) {
    EadGcadName layer;
    snprintf(layer, sizeof layer, "%.8s.conv1", level);
    x = ead_layer_conv_relu(walk, layer, x, inputs, outputs, 3);
    snprintf(layer, sizeof layer, "%.8s.conv2", level);
    return ead_layer_conv_relu(walk, layer, x, outputs, outputs, 3);
}

EadNode *ead_gcad_unet(const EadLayerWalk *walk, EadNode *x, int outputs, int width) {
    EadNode *seen[UNET_LEVELS];
    EadGcadName level, layer;
    int inputs = 3, channels = width;
    for (int i = 0; i < UNET_LEVELS; i++) {
        snprintf(level, sizeof level, "down%d", i + 1);
        x = seen[i] = pair(walk, level, i ? ead_layer_pool(walk, x) : x, inputs, channels);
        inputs = channels;
        channels *= 2;
    }
    for (int i = 1; i < UNET_LEVELS; i++, inputs /= 2) {
        snprintf(level, sizeof level, "up%d", i);
        snprintf(layer, sizeof layer, "up%d.up", i);
        x = ead_layer_up(walk, layer, x, inputs, inputs / 2, 2);
        x = pair(walk, level, ead_layer_join(walk, x, seen[UNET_LEVELS - 1 - i]), inputs, inputs / 2);
    }
    return ead_layer_conv(walk, "out", x, inputs, outputs, 1, 1);
}

/* ---- the encoder ---- */

static EadNode *leaky(const EadLayerWalk *walk, EadNode *x) {
    return walk->graph ? ead_leaky_relu(walk->graph, x, SLOPE) : NULL;
}

/* x and, weighted, a 1x1 convolution of what was seen at level number `level` on the way down; skips NULL: x. */
static EadNode *skipped(const EadLayerWalk *skipping, int level, EadNode *x, EadNode *seen, int channels,
                        EadNode *const skips[EAD_GCAD_LEVELS]) {
    EadGcadName layer;
    if (!skips) return x;
    snprintf(layer, sizeof layer, "level%d", level + 1);
    EadNode *y = ead_layer_conv(skipping, layer, seen, channels, channels, 1, 1);
    return ead_add(skipping->graph, x, ead_channel_affine(skipping->graph, y, skips[level], NULL));
}

EadNode *ead_gcad_encode(const EadLayerWalk *walk, const EadGcadSpec *spec, EadNode *x,
                         const EadLayerWalk *skipping, EadNode *const skips[EAD_GCAD_LEVELS]) {
    EadNode *seen[EAD_GCAD_LEVELS];
    EadGcadName layer;
    int channels = spec->channels, height = spec->height / EAD_GCAD_STEP, width = spec->width / EAD_GCAD_STEP;
    for (int i = 0; i < EAD_GCAD_LEVELS; i++) {
        snprintf(layer, sizeof layer, "down%d", i + 1);
        x = seen[i] = leaky(walk, ead_layer_conv(walk, layer, x, i ? channels : 3, channels, 4, 2));
    }
    x = ead_layer_squeeze(walk, "squeeze", x, channels, spec->bottleneck, height, width);
    x = leaky(walk, ead_layer_spread(walk, "spread", x, spec->bottleneck, channels, height, width));
    for (int i = EAD_GCAD_LEVELS - 1; i > 0; i--) {
        snprintf(layer, sizeof layer, "up%d", EAD_GCAD_LEVELS - i);
        x = skipped(skipping, i, x, seen[i], channels, skips);
        x = leaky(walk, ead_layer_up(walk, layer, x, channels, channels, 4));
    }
    x = skipped(skipping, 0, x, seen[0], channels, skips);
    return ead_layer_up(walk, "out", x, channels, EAD_GCAD_ENCODED, 4);
}

EadNode *ead_gcad_widen(const EadLayerWalk *walk, EadNode *x) {
    x = leaky(walk, ead_layer_conv(walk, "conv1", x, EAD_GCAD_ENCODED, FEATURES, 1, 1));
    x = leaky(walk, ead_layer_conv(walk, "conv2", x, FEATURES, FEATURES, 1, 1));
    return ead_layer_conv(walk, "conv3", x, FEATURES, FEATURES, 1, 1);
}
