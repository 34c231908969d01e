/* Encoder: five halving convolutions and a bottleneck. Decoder: six times resize and convolve, a head. */
#include "models/networks/autoencoder.h"

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/dropout/dropout.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "models/networks/pdn.h"

#include <stdio.h>

enum { HALVINGS = 5, DECODER_STAGES = 6, WIDTH = 64 };

static const int encoder_channels[HALVINGS + 1] = {3, 32, 32, 64, 64, 64};

EadStatus ead_autoencoder_declare(EadParams *params, int height, int width) {
    char name[EAD_NAME_SIZE];
    for (int i = 1; i <= HALVINGS; i++) {
        snprintf(name, sizeof name, "autoencoder.enc_conv%d", i);
        EAD_TRY(ead_params_declare_conv(params, name, encoder_channels[i], 4, 4, encoder_channels[i - 1]));
    }
    EAD_TRY(ead_params_declare_conv(params, "autoencoder.enc_conv6", WIDTH, height / 32, width / 32, WIDTH));
    for (int i = 1; i <= DECODER_STAGES; i++) {
        snprintf(name, sizeof name, "autoencoder.dec_conv%d", i);
        EAD_TRY(ead_params_declare_conv(params, name, WIDTH, 4, 4, WIDTH));
    }
    EAD_TRY(ead_params_declare_conv(params, "autoencoder.dec_conv7", WIDTH, 3, 3, WIDTH));
    return ead_params_declare_conv(params, "autoencoder.dec_conv8", EAD_FEATURES, 3, 3, WIDTH);
}

static EadNode *conv(EadGraph *graph, const EadAutoencoder *a, EadNode *x, const char *part, int number,
                     EadConv2d attributes) {
    char name[EAD_NAME_SIZE];
    snprintf(name, sizeof name, "autoencoder.%s_conv%d", part, number);
    EadConvParams p = ead_conv_params(graph, a->params, name, 0, 0, a->trainable);
    return ead_conv2d(graph, x, p.weight, p.bias, attributes);
}

/* Size before decoder stage 1..6 of an image of that size: 256 gives 3, 8, 15, 32, 63, 127. */
static int decoder_size(int stage, int image) {
    int size = image >> (DECODER_STAGES + 1 - stage);
    if (stage != 2 && stage != 4) size--;
    return size > 0 ? size : 1; /* below 128 pixels, where only stage 1 would have none */
}

EadNode *ead_autoencoder(EadGraph *graph, const EadAutoencoder *a, EadNode *x) {
    for (int i = 1; i <= HALVINGS; i++)
        x = conv(graph, a, x, "enc", i, (EadConv2d){.stride = 2, .padding = 1, .relu = true});
    x = conv(graph, a, x, "enc", HALVINGS + 1, (EadConv2d){.stride = 1});
    for (int i = 1; i <= DECODER_STAGES; i++) {
        x = ead_resize_bilinear(graph, x, decoder_size(i, a->height), decoder_size(i, a->width));
        x = conv(graph, a, x, "dec", i, (EadConv2d){.stride = 1, .padding = 2, .relu = true});
        if (a->dropout > 0) x = ead_dropout(graph, x, a->step, a->dropout, a->seed, i - 1);
    }
    x = ead_resize_bilinear(graph, x, a->output_height, a->output_width);
    x = conv(graph, a, x, "dec", 7, (EadConv2d){.stride = 1, .padding = 1, .relu = true});
    return conv(graph, a, x, "dec", 8, (EadConv2d){.stride = 1, .padding = 1});
}
