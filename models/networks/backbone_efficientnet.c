/* EfficientNet-B5 and EfficientNet-Lite (Tan and Le 2019; Lite without squeeze-excitation, ReLU6 for swish) up to stride
 * 32: a table of stages; one walk over their blocks declares the parameters, another builds the graph. */
#include "core/ops/add/add.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/global_avg_pool/global_avg_pool.h"
#include "core/ops/grouped_conv2d/grouped_conv2d.h"
#include "core/ops/image_scale/image_scale.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/relu6/relu6.h"
#include "core/ops/swish/swish.h"
#include "models/networks/backbone.h"
#include "models/networks/folded_conv.h"

#include <stdio.h>
#include <string.h>

extern const EadBackboneFamily ead_backbone_efficientnet, ead_backbone_efficientnet_lite;

enum { STAGES = 6 }; /* a seventh stage and the head lie behind the features */

/* Of its blocks the first has the stride. */
static const struct {
    int kernel, stride, expansion;
    bool tap; /* its output is a feature */
    /* EfficientNet-B5 in PyTorch keeps the padding that TensorFlow's rule gives for images of 456: the sides of these
     * stages' inputs are odd then (57, 29), so that both ends get as much. */
    bool symmetric;
} stages[STAGES] = {{3, 1, 1, false, false}, {3, 2, 6, false, false}, {5, 2, 6, true, false},
                    {3, 2, 6, false, true},  {5, 1, 6, true, false},  {5, 2, 6, true, true}};

typedef struct NetKind {
    const EadBackboneFamily *family;
    const char *name;
    int stem; /* channels */
    int channels[STAGES], blocks[STAGES];
} NetKind;

static const NetKind kinds[] = {
    {&ead_backbone_efficientnet, "efficientnet_b5", 48, {24, 40, 64, 128, 176, 304}, {3, 5, 5, 7, 7, 9}},
    {&ead_backbone_efficientnet_lite,
     "efficientnet_lite0",
     32,
     {16, 24, 40, 80, 112, 192},
     {1, 2, 2, 3, 3, 4}},
    {&ead_backbone_efficientnet_lite,
     "efficientnet_lite1",
     32,
     {16, 24, 40, 80, 112, 192},
     {1, 3, 3, 4, 4, 5}},
    {&ead_backbone_efficientnet_lite,
     "efficientnet_lite2",
     32,
     {16, 24, 48, 88, 120, 208},
     {1, 3, 3, 4, 4, 5}}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const double EPSILON = 1e-3;                                               /* of its batch norms */
static const EadColorScale lite_scale = {{127.0 / 255, 127.0 / 255, 127.0 / 255}, /* (x - 127) / 128 */
                                         {128.0 / 255, 128.0 / 255, 128.0 / 255}};

static bool is_lite(const NetKind *kind) {
    return kind->family == &ead_backbone_efficientnet_lite;
}

/* A block: 1x1 to more channels (not where the expansion is 1), depthwise, squeeze-excitation through `squeezed` channels
 * (not where these are 0), 1x1 to `out`. */
typedef struct NetBlock {
    char prefix[EAD_NAME_SIZE / 2]; /* "_blocks.12" */
    int kernel, stride, padding, in, middle, squeezed, out;
    bool tap;
} NetBlock;

/* Block number *index, which is counted up; false behind the last. */
static bool next_block(const NetKind *kind, int *index, NetBlock *block) {
    int first = 0, stage = 0;
    while (stage < STAGES && *index >= first + kind->blocks[stage]) first += kind->blocks[stage++];
    if (stage == STAGES) return false;
    int in = *index == 0 ? kind->stem : *index == first ? kind->channels[stage - 1] : kind->channels[stage];
    bool symmetric = !is_lite(kind) && stages[stage].symmetric && *index == first;
    *block = (NetBlock){.kernel = stages[stage].kernel,
                        .stride = *index == first ? stages[stage].stride : 1,
                        .padding = symmetric ? stages[stage].kernel / 2 : EAD_PADDING_SAME,
                        .in = in,
                        .middle = in * stages[stage].expansion,
                        .squeezed = is_lite(kind) ? 0 : in / 4,
                        .out = kind->channels[stage],
                        .tap = stages[stage].tap && *index == first + kind->blocks[stage] - 1};
    snprintf(block->prefix, sizeof block->prefix, "_blocks.%d", (*index)++);
    return true;
}

static const char *layer(const NetBlock *block, const char *name, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%s.%s", block->prefix, name);
    return out;
}

static EadStatus declare_block(EadParams *params, const NetBlock *b) {
    char name[EAD_NAME_SIZE];
    if (b->middle != b->in)
        EAD_TRY(ead_params_declare_conv(params, layer(b, "_expand_conv", name), b->middle, 1, 1, b->in));
    EAD_TRY(ead_params_declare_conv(params, layer(b, "_depthwise_conv", name), b->middle, b->kernel,
                                    b->kernel, 1));
    if (b->squeezed) {
        EAD_TRY(ead_params_declare_conv(params, layer(b, "_se_reduce", name), b->squeezed, 1, 1, b->middle));
        EAD_TRY(ead_params_declare_conv(params, layer(b, "_se_expand", name), b->middle, 1, 1, b->squeezed));
    }
    return ead_params_declare_conv(params, layer(b, "_project_conv", name), b->out, 1, 1, b->middle);
}

static EadStatus declare(EadBackbone *out) {
    const NetKind *kind = out->kind;
    NetBlock block;
    EAD_TRY(ead_params_declare_conv(&out->params, "_conv_stem", kind->stem, 3, 3, 3));
    for (int i = 0; next_block(kind, &i, &block);) EAD_TRY(declare_block(&out->params, &block));
    return ead_params_allocate(&out->params);
}

/* ---- graph ---- */

static EadNode *grouped(EadGraph *graph, const EadBackbone *backbone, const char *name, EadNode *x,
                        EadGroupedConv2d conv) {
    bool lite = is_lite(backbone->kind);
    EadConvParams p = ead_conv_params(graph, &backbone->params, name, 0, 0, false);
    conv.activation = lite ? EAD_ACTIVATION_RELU6 : EAD_ACTIVATION_NONE;
    x = ead_grouped_conv2d(graph, x, p.weight, p.bias, conv);
    return lite ? x : ead_swish(graph, x);
}

static EadNode *pointwise(EadGraph *graph, const EadBackbone *backbone, const char *name, EadNode *x) {
    EadConvParams p = ead_conv_params(graph, &backbone->params, name, 0, 0, false);
    return ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1});
}

/* x times what two layers make of its channels' means. */
static EadNode *squeeze_excite(EadGraph *graph, const EadBackbone *backbone, const NetBlock *b, EadNode *x) {
    char name[EAD_NAME_SIZE];
    EadNode *y = ead_global_avg_pool(graph, x);
    y = ead_swish(graph, pointwise(graph, backbone, layer(b, "_se_reduce", name), y));
    y = ead_sigmoid(graph, pointwise(graph, backbone, layer(b, "_se_expand", name), y));
    return ead_image_scale(graph, x, y);
}

static EadNode *build_block(EadGraph *graph, const EadBackbone *backbone, const NetBlock *b, EadNode *x) {
    bool lite = is_lite(backbone->kind);
    char name[EAD_NAME_SIZE];
    EadNode *y = x;
    if (b->middle != b->in) {
        y = pointwise(graph, backbone, layer(b, "_expand_conv", name), y);
        y = lite ? ead_relu6(graph, y) : ead_swish(graph, y);
    }
    y = grouped(graph, backbone, layer(b, "_depthwise_conv", name), y,
                (EadGroupedConv2d){.groups = b->middle, .stride = b->stride, .padding = b->padding});
    if (b->squeezed) y = squeeze_excite(graph, backbone, b, y);
    y = pointwise(graph, backbone, layer(b, "_project_conv", name), y);
    return b->stride == 1 && b->in == b->out ? ead_add(graph, y, x) : y;
}

static void build(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]) {
    NetBlock block;
    int tap = 0;
    EadNode *x = is_lite(backbone->kind) ? ead_normalize_image_by(graph, images, &lite_scale)
                                         : ead_normalize_image(graph, images);
    x = grouped(graph, backbone, "_conv_stem", x,
                (EadGroupedConv2d){.groups = 1, .stride = 2, .padding = EAD_PADDING_SAME});
    for (int i = 0; next_block(backbone->kind, &i, &block);) {
        x = build_block(graph, backbone, &block, x);
        if (block.tap) taps[tap++] = x;
    }
}

/* ---- files ---- */

/* The last block tells them apart. */
static bool is_kind(const EadSafetensors *file, const NetKind *kind) {
    char name[EAD_NAME_SIZE];
    NetBlock block;
    for (int i = 0; next_block(kind, &i, &block);) {
    }
    snprintf(name, sizeof name, "%s._project_conv.weight", block.prefix);
    const EadFileTensor *last = ead_safetensors_find(file, name);
    return last && last->dims == 4 && last->shape[0] == block.out;
}

/* The batch norm behind a convolution; "": none. */
static void norm_of(const char *conv, char out[EAD_NAME_SIZE]) {
    const char *last = strrchr(conv, '.');
    const char *norm = strstr(conv, "_depthwise_") ? "_bn1" : strstr(conv, "_project_") ? "_bn2" : "_bn0";
    snprintf(out, EAD_NAME_SIZE, "%.*s%s", last ? (int)(last + 1 - conv) : 0, conv, norm);
    if (strstr(conv, "_se_")) out[0] = '\0';
}

static EadStatus read_params(const EadSafetensors *file, EadParams *params) {
    for (int p = 0; p < params->count; p += 2) {
        char conv[EAD_NAME_SIZE], norm[EAD_NAME_SIZE];
        ead_layer_name(&params->items[p], conv);
        norm_of(conv, norm);
        EAD_TRY(ead_folded_conv_read(file, params, &params->items[p], norm, EPSILON));
    }
    return EAD_OK;
}

/* The network of a file, one of a family's. */
static EadStatus read_one_of(const EadBackboneFamily *family, const EadSafetensors *file, EadBackbone *out) {
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].family != family || !is_kind(file, &kinds[i])) continue;
        out->kind = &kinds[i];
        snprintf(out->name, sizeof out->name, "%s", kinds[i].name);
        EAD_TRY(declare(out));
        return read_params(file, &out->params);
    }
    return ead_fail(EAD_BAD_FILE, "%s: is an EfficientNet, but not %s; import that",
                    ead_safetensors_path(file), family->networks);
}

static EadStatus read_squeezing(const EadSafetensors *file, EadBackbone *out) {
    return read_one_of(&ead_backbone_efficientnet, file, out);
}

static EadStatus read_lite(const EadSafetensors *file, EadBackbone *out) {
    return read_one_of(&ead_backbone_efficientnet_lite, file, out);
}

static bool find_one_of(const EadBackboneFamily *family, EadBackbone *out) {
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].family != family || strcmp(kinds[i].name, out->name) != 0) continue;
        out->kind = &kinds[i];
        return true;
    }
    return false;
}

static bool find_squeezing(EadBackbone *out) {
    return find_one_of(&ead_backbone_efficientnet, out);
}

static bool find_lite(EadBackbone *out) {
    return find_one_of(&ead_backbone_efficientnet_lite, out);
}

/* ---- torchvision's names ---- */

/* "block.1.fc1.weight" of a block -> "_se_reduce.weight"; in the first stage, which does not expand, one less. */
static bool part_of_torchvision(int stage, const char *theirs, char *out, size_t size) {
    static const struct {
        const char *theirs, *ours;
    } parts[] = {{"0.0.", "_expand_conv."},  {"0.1.", "_bn0."},         {"1.0.", "_depthwise_conv."},
                 {"1.1.", "_bn1."},          {"2.fc1.", "_se_reduce."}, {"2.fc2.", "_se_expand."},
                 {"3.0.", "_project_conv."}, {"3.1.", "_bn2."}};
    char moved[EAD_NAME_SIZE];
    snprintf(moved, sizeof moved, "%s", theirs);
    if (stage == 1) moved[0]++;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t length = strlen(parts[i].theirs);
        if (strncmp(moved, parts[i].theirs, length) != 0) continue;
        snprintf(out, size, "%s%s", parts[i].ours, moved + length);
        return true;
    }
    return false;
}

/* "features.2.1.block.0.0.weight" is the expansion of the second block of stage 2. */
static bool rename_torchvision(const char *theirs, char out[EAD_NAME_SIZE]) {
    int stage, block, length = 0;
    char part[EAD_NAME_SIZE / 2];
    if (strncmp(theirs, "features.0.0.", 13) == 0 || strncmp(theirs, "features.0.1.", 13) == 0) {
        snprintf(out, EAD_NAME_SIZE, "%s.%s", theirs[11] == '0' ? "_conv_stem" : "_bn0", theirs + 13);
        return true;
    }
    if (sscanf(theirs, "features.%1d.%2d.block.%n", &stage, &block, &length) < 2 || length == 0) return false;
    if (stage < 1 || stage > STAGES || block < 0) return false;
    if (!part_of_torchvision(stage, theirs + length, part, sizeof part)) return false;
    for (int s = 1; s < stage; s++) block += kinds[0].blocks[s - 1];
    snprintf(out, EAD_NAME_SIZE, "_blocks.%d.%s", block, part);
    return true;
}

#define TAPS    "stride8|stride16|stride32"
#define DEFAULT "stride8,stride16"
#define PARTS   "_conv_stem.|_bn0.|_blocks."
#define HEAD    "_conv_head.|_bn1.|_fc."

const EadBackboneFamily ead_backbone_efficientnet = {.networks = "EfficientNet-B5",
                                                     .taps = TAPS,
                                                     .default_taps = DEFAULT,
                                                     .patch_length = 1024,
                                                     .mark = "_blocks.0._se_reduce.weight",
                                                     .parts = PARTS,
                                                     .beyond = "_blocks.36.|_blocks.37.|_blocks.38.|" HEAD
                                                               "|features.7.|features.8.|classifier.",
                                                     .other_mark = "features.1.0.block.1.fc1.weight",
                                                     .rename = rename_torchvision,
                                                     .read = read_squeezing,
                                                     .find = find_squeezing,
                                                     .declare = declare,
                                                     .build = build};

/* Blocks 15 of Lite0 and 20 of the others lie behind the last features. */
const EadBackboneFamily ead_backbone_efficientnet_lite = {.networks = "EfficientNet-Lite0/1/2",
                                                          .taps = TAPS,
                                                          .default_taps = DEFAULT,
                                                          .patch_length = 384,
                                                          .mark = "_conv_stem.weight",
                                                          .parts = PARTS,
                                                          .beyond = "_blocks.15.|_blocks.20.|" HEAD,
                                                          .read = read_lite,
                                                          .find = find_lite,
                                                          .declare = declare,
                                                          .build = build};
