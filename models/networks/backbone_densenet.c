/* DenseNets (Huang et al. 2017) up to their third block: a table of blocks; one walk over their layers declares the
 * parameters, another builds the graph. The batch norm before a layer sees all channels so far and cannot be folded
 * into a convolution; it is a scale and a shift. */
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/relu/relu.h"
#include "models/networks/backbone.h"
#include "models/networks/folded_conv.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <string.h>

extern const EadBackboneFamily ead_backbone_densenet;

enum { BLOCKS = 3, BOTTLENECK = 4 }; /* a layer's 1x1 has that many times its new channels */

typedef struct DenseKind {
    const char *name;
    int first, growth; /* channels of the first convolution, and those that each layer adds */
    int layers[BLOCKS];
} DenseKind;

static const DenseKind kinds[] = {{"densenet121", 64, 32, {6, 12, 24}},
                                  {"densenet161", 96, 48, {6, 12, 36}},
                                  {"densenet169", 64, 32, {6, 12, 32}},
                                  {"densenet201", 64, 32, {6, 12, 48}}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const double EPSILON = 1e-5; /* torch.nn.BatchNorm2d's */

enum { NAME_SIZE = 2 * EAD_NAME_SIZE };

/* "features.denseblock3.denselayer48.conv1" */
static const char *layer_part(int block, int layer, const char *part, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "features.denseblock%d.denselayer%d.%s", block, layer, part);
    return out;
}

static const char *transition_part(int block, const char *part, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "features.transition%d.%s", block, part);
    return out;
}

/* A convolution without bias or batch norm behind it. */
static EadStatus declare_weight(EadParams *params, const char *name, int out, int kernel, int in) {
    return ead_params_declare(params, name, out, kernel, kernel, in, kernel * kernel * in);
}

static EadStatus declare_layer(EadParams *params, const DenseKind *kind, int block, int layer, int in) {
    char name[NAME_SIZE];
    int middle = BOTTLENECK * kind->growth;
    EAD_TRY(ead_folded_norm_declare(params, layer_part(block, layer, "norm1", name), in));
    EAD_TRY(ead_params_declare_conv(params, layer_part(block, layer, "conv1", name), middle, 1, 1, in));
    return declare_weight(params, layer_part(block, layer, "conv2.weight", name), kind->growth, 3, middle);
}

static EadStatus declare(EadBackbone *out) {
    const DenseKind *kind = out->kind;
    char name[NAME_SIZE];
    int channels = kind->first;
    EAD_TRY(ead_params_declare_conv(&out->params, "features.conv0", channels, 7, 7, 3));
    for (int block = 1; block <= BLOCKS; block++) {
        for (int layer = 1; layer <= kind->layers[block - 1]; layer++, channels += kind->growth)
            EAD_TRY(declare_layer(&out->params, kind, block, layer, channels));
        if (block == BLOCKS) break;
        EAD_TRY(ead_folded_norm_declare(&out->params, transition_part(block, "norm", name), channels));
        EAD_TRY(declare_weight(&out->params, transition_part(block, "conv.weight", name), channels / 2, 1,
                               channels));
        channels /= 2;
    }
    return ead_params_allocate(&out->params);
}

/* ---- graph ---- */

static EadNode *part_leaf(EadGraph *graph, const EadBackbone *backbone, const char *layer, const char *part) {
    char name[NAME_SIZE + 8];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return ead_param_leaf(graph, &backbone->params, name, false);
}

/* relu(batch norm(x)) */
static EadNode *activated(EadGraph *graph, const EadBackbone *backbone, const char *norm, EadNode *x) {
    EadNode *scale = part_leaf(graph, backbone, norm, "weight"),
            *shift = part_leaf(graph, backbone, norm, "bias");
    return ead_relu(graph, ead_channel_affine(graph, x, scale, shift));
}

/* x with the channels that a layer adds. */
static EadNode *dense_layer(EadGraph *graph, const EadBackbone *backbone, int block, int layer, EadNode *x) {
    char name[NAME_SIZE];
    EadNode *y = activated(graph, backbone, layer_part(block, layer, "norm1", name), x);
    EadConvParams p =
        ead_conv_params(graph, &backbone->params, layer_part(block, layer, "conv1", name), 0, 0, false);
    y = ead_conv2d(graph, y, p.weight, p.bias, (EadConv2d){.stride = 1, .relu = true});
    y = ead_conv2d(graph, y, part_leaf(graph, backbone, layer_part(block, layer, "conv2", name), "weight"),
                   NULL, (EadConv2d){.stride = 1, .padding = 1});
    return ead_concat_channels(graph, 2, (EadNode *[]){x, y});
}

/* Half of the channels, half the size. */
static EadNode *transition(EadGraph *graph, const EadBackbone *backbone, int block, EadNode *x) {
    char name[NAME_SIZE];
    x = activated(graph, backbone, transition_part(block, "norm", name), x);
    x = ead_conv2d(graph, x, part_leaf(graph, backbone, transition_part(block, "conv", name), "weight"), NULL,
                   (EadConv2d){.stride = 1});
    return ead_avg_pool2d(graph, x, 2, 2, 0);
}

static void build(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]) {
    const DenseKind *kind = backbone->kind;
    EadConvParams p = ead_conv_params(graph, &backbone->params, "features.conv0", 0, 0, false);
    EadNode *x = ead_conv2d(graph, ead_normalize_image(graph, images), p.weight, p.bias,
                            (EadConv2d){.stride = 2, .padding = 3, .relu = true});
    x = ead_max_pool2d(graph, x, (EadMaxPool2d){.kernel = 3, .stride = 2, .padding = 1});
    for (int block = 1; block <= BLOCKS; block++) {
        for (int layer = 1; layer <= kind->layers[block - 1]; layer++)
            x = dense_layer(graph, backbone, block, layer, x);
        taps[block - 1] = x;
        if (block < BLOCKS) x = transition(graph, backbone, block, x);
    }
}

/* ---- files ---- */

static bool has_layer(const EadSafetensors *file, int block, int layer) {
    char name[NAME_SIZE];
    return ead_safetensors_find(file, layer_part(block, layer, "conv1.weight", name)) != NULL;
}

static bool is_kind(const EadSafetensors *file, const DenseKind *kind) {
    const EadFileTensor *stem = ead_safetensors_find(file, "features.conv0.weight");
    if (!stem || stem->dims != 4 || stem->shape[0] != kind->first) return false;
    for (int block = 1; block <= BLOCKS; block++) {
        int layers = kind->layers[block - 1];
        if (!has_layer(file, block, layers) || has_layer(file, block, layers + 1)) return false;
    }
    return true;
}

/* Reads a layer by its weight: of a batch norm, of a convolution with one behind it, or of one without. */
static EadStatus read_layer(const EadSafetensors *file, EadParams *params, int index) {
    const EadParam *weight = &params->items[index];
    char name[EAD_NAME_SIZE], norm[NAME_SIZE];
    bool biased = index + 1 < params->count && strstr(params->items[index + 1].name, ".bias");
    if (!biased) return ead_params_read(file, params, weight);
    if (weight->n == 1) return ead_folded_norm_read(file, params, weight, EPSILON);
    ead_layer_name(weight, name); /* "….conv0" has norm0, "….conv1" norm2 */
    int length = (int)(strlen(name) - strlen("conv0"));
    snprintf(norm, sizeof norm, "%.*snorm%c", length, name, name[length + 4] == '0' ? '0' : '2');
    return ead_folded_conv_read(file, params, weight, norm, EPSILON);
}

static EadStatus read(const EadSafetensors *file, EadBackbone *out) {
    int i = 0;
    while (i < KINDS && !is_kind(file, &kinds[i])) i++;
    if (i == KINDS)
        return ead_fail(EAD_BAD_FILE,
                        "%s: is none of DenseNet-121, 161, 169 and 201 with torchvision's names; import one "
                        "of these",
                        ead_safetensors_path(file));
    out->kind = &kinds[i];
    snprintf(out->name, sizeof out->name, "%s", kinds[i].name);
    EAD_TRY(declare(out));
    for (int p = 0; p < out->params.count; p++)
        if (!strstr(out->params.items[p].name, ".bias")) EAD_TRY(read_layer(file, &out->params, p));
    return EAD_OK;
}

static bool find(EadBackbone *out) {
    for (int i = 0; i < KINDS; i++) {
        out->kind = &kinds[i];
        if (strcmp(kinds[i].name, out->name) == 0) return true;
    }
    return false;
}

const EadBackboneFamily ead_backbone_densenet = {
    .networks = "DenseNet-121/161/169/201",
    .taps = "denseblock1|denseblock2|denseblock3",
    .default_taps = "denseblock2,denseblock3",
    .patch_length = 1024,
    .mark = "features.conv0.weight",
    .parts = "features.conv0.|features.norm0.|features.denseblock1.|features.denseblock2.|features."
             "denseblock3.|features.transition1.|features.transition2.",
    .beyond = "features.transition3.|features.denseblock4.|features.norm5.|classifier.",
    .read = read,
    .find = find,
    .declare = declare,
    .build = build};
