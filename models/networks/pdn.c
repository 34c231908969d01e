/* The two PDNs as tables of layers. */
#include "models/networks/pdn.h"

#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/ops/normalize_image/normalize_image.h"

#include <stdio.h>

typedef struct Layer {
    const char *name;
    int kernel;
    int channels; /* 0: the network's outputs */
    int padding;  /* used in padded networks only */
    bool relu;
    bool pool; /* followed by 2x2 average pooling */
} Layer;

enum { MAX_LAYERS = 6, POOL_PADDING = 1 };

static const Layer layers[2][MAX_LAYERS + 1] = {
    [EAD_PDN_SMALL] = {{"conv1", 4, 128, 3, true, true},
                       {"conv2", 4, 256, 3, true, true},
                       {"conv3", 3, 256, 1, true, false},
                       {"conv4", 4, 0, 0, false, false}},
    [EAD_PDN_MEDIUM] = {{"conv1", 4, 256, 3, true, true},
                        {"conv2", 4, 512, 3, true, true},
                        {"conv3", 1, 512, 0, true, false},
                        {"conv4", 3, 512, 1, true, false},
                        {"conv5", 4, 0, 0, true, false},
                        {"conv6", 1, 0, 0, false, false}},
};

static void full_name(const EadPdn *pdn, const Layer *layer, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%s.%s", pdn->name, layer->name);
}

EadStatus ead_pdn_declare(const EadPdn *pdn, EadParams *params) {
    int channels = 3;
    for (const Layer *layer = layers[pdn->size]; layer->name; layer++) {
        char name[EAD_NAME_SIZE];
        full_name(pdn, layer, name);
        int outputs = layer->channels ? layer->channels : pdn->outputs;
        EAD_TRY(ead_params_declare_conv(params, name, outputs, layer->kernel, layer->kernel, channels));
        channels = outputs;
    }
    return EAD_OK;
}

/* The first layer's parameters for one channel g of a gray image, of which channel c is (s_g x_g + m_g - m_c) / s_c: what
 * multiplies x_g is summed, the rest goes into the bias. (In a border of zeros this would not be so.) */
static EadConvParams fold_gray(EadGraph *graph, EadConvParams p) {
    const EadColorScale *scale = &ead_imagenet_scale;
    const EadTensor *w = &p.weight->y;
    int64_t taps = (int64_t)w->h * w->w;
    real *weights = ead_graph_memory(graph, w->n * taps, sizeof *weights, "a layer for gray images");
    real *biases = ead_graph_memory(graph, w->n, sizeof *biases, "a layer for gray images");
    const real *from = w->data, *bias = p.bias->y.data;
    for (int64_t i = 0; weights && biases && i < w->n * taps; i++) {
        double sum = 0, shift = i % taps ? (double)biases[i / taps] : (double)bias[i / taps];
        for (int c = 0; c < w->c; c++, from++) {
            sum += (double)*from * scale->std[EAD_GRAY_CHANNEL] / scale->std[c];
            shift += (double)*from * (scale->mean[EAD_GRAY_CHANNEL] - scale->mean[c]) / scale->std[c];
        }
        weights[i] = (real)sum;
        biases[i / taps] = (real)shift;
    }
    return (EadConvParams){ead_leaf(graph, "gray.weight", EAD_REAL, w->n, w->h, w->w, 1, weights),
                           ead_leaf(graph, "gray.bias", EAD_REAL, 1, 1, 1, w->n, biases)};
}

static EadNode *apply(EadGraph *graph, const EadPdn *pdn, const Layer *layer, EadNode *x, int first,
                      int count) {
    char name[EAD_NAME_SIZE];
    full_name(pdn, layer, name);
    EadConvParams p = ead_conv_params(graph, pdn->params, name, first, count, pdn->trainable);
    if (x->y.c == 1) p = fold_gray(graph, p);
    EadConv2d conv = {.stride = 1, .padding = pdn->padding ? layer->padding : 0, .relu = layer->relu};
    if (!layer->pool) return ead_conv2d(graph, x, p.weight, p.bias, conv);
    EadConv2dPool pool = {conv, pdn->padding ? POOL_PADDING : 0};
    return ead_conv2d_pool(graph, x, p.weight, p.bias, pool);
}

EadNode *ead_pdn_trunk(EadGraph *graph, const EadPdn *pdn, EadNode *x) {
    for (const Layer *layer = layers[pdn->size]; layer[1].name; layer++)
        x = apply(graph, pdn, layer, x, 0, 0);
    return x;
}

EadNode *ead_pdn_head(EadGraph *graph, const EadPdn *pdn, EadNode *trunk, int first, int count) {
    const Layer *last = layers[pdn->size];
    while (last[1].name) last++;
    return apply(graph, pdn, last, trunk, first, count);
}

int ead_pdn_output_size(bool padding, int image) {
    int size = image;
    for (const Layer *layer = layers[EAD_PDN_SMALL]; layer->name; layer++) {
        size += (padding ? 2 * layer->padding : 0) - layer->kernel + 1;
        if (layer->pool) size = (size + (padding ? 2 * POOL_PADDING : 0) - 2) / 2 + 1;
    }
    return size;
}

const char *ead_pdn_size_name(EadPdnSize size) {
    return size == EAD_PDN_SMALL ? "small" : "medium";
}
