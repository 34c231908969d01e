/* EfficientNet-Lite (Tan and Le 2019, without squeeze-excitation, ReLU6 for swish) up to stride 32: a table of stages;
 * one walk over their blocks declares the parameters, another builds the graph. */
#include "core/ops/add/add.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/grouped_conv2d/grouped_conv2d.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/relu6/relu6.h"
#include "models/networks/backbone.h"
#include "models/networks/folded_conv.h"

#include <stdio.h>
#include <string.h>

extern /* Of Lite0, and of 1 and 2, which lie behind the last features. */
#define LAST_BLOCKS "_blocks.15.|_blocks.20."

    const EadBackboneFamily ead_backbone_efficientnet_lite;

enum { STAGES = 6, STEM_CHANNELS = 32 }; /* a seventh stage and the head lie behind the features */

/* Of its blocks the first has the stride. */
static const struct {
    int kernel, stride, expansion;
    bool tap; /* its output is a feature */
} stages[STAGES] = {{3, 1, 1, false}, {3, 2, 6, false}, {5, 2, 6, true},
                    {3, 2, 6, false}, {5, 1, 6, true},  {5, 2, 6, true}};

typedef struct LiteKind {
    const char *name;
    int channels[STAGES], blocks[STAGES];
} LiteKind;

static const LiteKind kinds[] = {{"efficientnet_lite0", {16, 24, 40, 80, 112, 192}, {1, 2, 2, 3, 3, 4}},
                                 {"efficientnet_lite1", {16, 24, 40, 80, 112, 192}, {1, 3, 3, 4, 4, 5}},
                                 {"efficientnet_lite2", {16, 24, 48, 88, 120, 208}, {1, 3, 3, 4, 4, 5}}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const double EPSILON = 1e-3;                                          /* of its batch norms */
static const EadColorScale scale = {{127.0 / 255, 127.0 / 255, 127.0 / 255}, /* (x - 127) / 128 */
                                    {128.0 / 255, 128.0 / 255, 128.0 / 255}};

/* A block: 1x1 to more channels (not where the expansion is 1), depthwise, 1x1 to `out`. */
typedef struct LiteBlock {
    char prefix[EAD_NAME_SIZE / 2]; /* "_blocks.12" */
    int kernel, stride, in, middle, out;
    bool tap;
} LiteBlock;

/* Block number *index, which is counted up; false behind the last. */
static bool next_block(const LiteKind *kind, int *index, LiteBlock *block) {
    int first = 0, stage = 0;
    while (stage < STAGES && *index >= first + kind->blocks[stage]) first += kind->blocks[stage++];
    if (stage == STAGES) return false;
    int in = *index == 0       ? STEM_CHANNELS
             : *index == first ? kind->channels[stage - 1]
                               : kind->channels[stage];
    *block = (LiteBlock){.kernel = stages[stage].kernel,
                         .stride = *index == first ? stages[stage].stride : 1,
                         .in = in,
                         .middle = in * stages[stage].expansion,
                         .out = kind->channels[stage],
                         .tap = stages[stage].tap && *index == first + kind->blocks[stage] - 1};
    snprintf(block->prefix, sizeof block->prefix, "_blocks.%d", (*index)++);
    return true;
}

static const char *layer(const LiteBlock *block, const char *name, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%s.%s", block->prefix, name);
    return out;
}

static EadStatus declare_block(EadParams *params, const LiteBlock *b) {
    char name[EAD_NAME_SIZE];
    if (b->middle != b->in)
        EAD_TRY(ead_params_declare_conv(params, layer(b, "_expand_conv", name), b->middle, 1, 1, b->in));
    EAD_TRY(ead_params_declare_conv(params, layer(b, "_depthwise_conv", name), b->middle, b->kernel,
                                    b->kernel, 1));
    return ead_params_declare_conv(params, layer(b, "_project_conv", name), b->out, 1, 1, b->middle);
}

static EadStatus declare(EadBackbone *out) {
    LiteBlock block;
    EAD_TRY(ead_params_declare_conv(&out->params, "_conv_stem", STEM_CHANNELS, 3, 3, 3));
    for (int i = 0; next_block(out->kind, &i, &block);) EAD_TRY(declare_block(&out->params, &block));
    return ead_params_allocate(&out->params);
}

/* ---- graph ---- */

static EadNode *grouped(EadGraph *graph, const EadBackbone *backbone, const char *name, EadNode *x,
                        int groups, int stride) {
    EadConvParams p = ead_conv_params(graph, &backbone->params, name, 0, 0, false);
    return ead_grouped_conv2d(graph, x, p.weight, p.bias,
                              (EadGroupedConv2d){groups, stride, EAD_PADDING_SAME, EAD_ACTIVATION_RELU6});
}

static EadNode *pointwise(EadGraph *graph, const EadBackbone *backbone, const char *name, EadNode *x) {
    EadConvParams p = ead_conv_params(graph, &backbone->params, name, 0, 0, false);
    return ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1});
}

static EadNode *build_block(EadGraph *graph, const EadBackbone *backbone, const LiteBlock *b, EadNode *x) {
    char name[EAD_NAME_SIZE];
    EadNode *y = x;
    if (b->middle != b->in)
        y = ead_relu6(graph, pointwise(graph, backbone, layer(b, "_expand_conv", name), y));
    y = grouped(graph, backbone, layer(b, "_depthwise_conv", name), y, b->middle, b->stride);
    y = pointwise(graph, backbone, layer(b, "_project_conv", name), y);
    return b->stride == 1 && b->in == b->out ? ead_add(graph, y, x) : y;
}

static void build(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]) {
    LiteBlock block;
    int tap = 0;
    EadNode *x = ead_normalize_image_by(graph, images, &scale);
    x = grouped(graph, backbone, "_conv_stem", x, 1, 2);
    for (int i = 0; next_block(backbone->kind, &i, &block);) {
        x = build_block(graph, backbone, &block, x);
        if (block.tap) taps[tap++] = x;
    }
}

/* ---- files ---- */

/* The last block tells them apart; EfficientNet-B0 has squeeze-excitation besides. */
static bool is_kind(const EadSafetensors *file, const LiteKind *kind) {
    char name[EAD_NAME_SIZE];
    LiteBlock block;
    for (int i = 0; next_block(kind, &i, &block);) {
    }
    snprintf(name, sizeof name, "%s._project_conv.weight", block.prefix);
    const EadFileTensor *last = ead_safetensors_find(file, name);
    return last && last->dims == 4 && last->shape[0] == block.out &&
           !ead_safetensors_find(file, "_blocks.0._se_reduce.weight");
}

/* The batch norm behind a convolution. */
static void norm_of(const char *conv, char out[EAD_NAME_SIZE]) {
    const char *last = strrchr(conv, '.');
    const char *norm = strstr(conv, "_depthwise_") ? "_bn1" : strstr(conv, "_project_") ? "_bn2" : "_bn0";
    snprintf(out, EAD_NAME_SIZE, "%.*s%s", last ? (int)(last + 1 - conv) : 0, conv, norm);
}

static EadStatus read(const EadSafetensors *file, EadBackbone *out) {
    int i = 0;
    while (i < KINDS && !is_kind(file, &kinds[i])) i++;
    if (i == KINDS)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: is an EfficientNet, but none of EfficientNet-Lite0, 1 and 2; import one of these",
            ead_safetensors_path(file));
    out->kind = &kinds[i];
    snprintf(out->name, sizeof out->name, "%s", kinds[i].name);
    EAD_TRY(declare(out));
    for (int p = 0; p < out->params.count; p += 2) {
        char conv[EAD_NAME_SIZE], norm[EAD_NAME_SIZE];
        ead_layer_name(&out->params.items[p], conv);
        norm_of(conv, norm);
        EAD_TRY(ead_folded_conv_read(file, &out->params, &out->params.items[p], norm, EPSILON));
    }
    return EAD_OK;
}

static bool find(EadBackbone *out) {
    for (int i = 0; i < KINDS; i++) {
        out->kind = &kinds[i];
        if (strcmp(kinds[i].name, out->name) == 0) return true;
    }
    return false;
}

const EadBackboneFamily ead_backbone_efficientnet_lite = {.networks = "EfficientNet-Lite0/1/2",
                                                          .taps = "stride8|stride16|stride32",
                                                          .default_taps = "stride8,stride16",
                                                          .patch_length = 384,
                                                          .mark = "_conv_stem.weight",
                                                          .parts = "_conv_stem.|_bn0.|_blocks.",
                                                          .beyond = LAST_BLOCKS "|_conv_head.|_bn1.|_fc.",
                                                          .read = read,
                                                          .find = find,
                                                          .declare = declare,
                                                          .build = build};
