/* The family as data: kinds, and the convolutions of a block. One walk over them declares the parameters,
 * another builds the graph. */
#include "models/networks/resnet.h"

#include "core/ops/add/add.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/relu/relu.h"
#include "core/ops/grouped_conv2d/grouped_conv2d.h"
#include "models/networks/folded_conv.h"

#include <stdio.h>
#include <string.h>

static const EadResnetKind kinds[] = {
    {"resnet18", false, {2, 2, 2, 2}, 64, 1},
    {"resnet34", false, {3, 4, 6, 3}, 64, 1},
    {"resnet50", true, {3, 4, 6, 3}, 64, 1},
    {"resnet101", true, {3, 4, 23, 3}, 64, 1},
    {"wide_resnet50_2", true, {3, 4, 6, 3}, 128, 1},
    {"wide_resnet101_2", true, {3, 4, 23, 3}, 128, 1},
    {"resnext101_32x8d", true, {3, 4, 23, 3}, 256, 32},
};

enum { KINDS = sizeof kinds / sizeof *kinds, STEM_CHANNELS = 64, MAX_CONVS = 3 };

const EadResnetKind *ead_resnet_kind(int index) {
    return index < KINDS ? &kinds[index] : NULL;
}

int ead_resnet_channels(const EadResnetKind *kind, int stage) {
    return (kind->bottleneck ? 4 : 1) * (STEM_CHANNELS << (stage - 1));
}

typedef struct Conv {
    const char *name;
    int kernel, stride, channels, groups;
} Conv;

typedef struct Block {
    char prefix[EAD_NAME_SIZE / 2]; /* "layer3.22" */
    Conv convs[MAX_CONVS + 1];      /* up to one without name */
    Conv shortcut;                  /* without name where the input itself is added */
} Block;

/* Block number `index` of a stage, whose input has in_channels. */
static Block block_at(const EadResnet *resnet, int stage, int index, int in_channels) {
    const EadResnetKind *kind = resnet->kind;
    int width = kind->width << (stage - 1), out = ead_resnet_channels(kind, stage);
    int stride = stage > 1 && index == 0 ? 2 : 1;
    bool early = resnet->variant == EAD_RESNET_CAFFE;
    Block block = {.prefix = ""};
    snprintf(block.prefix, sizeof block.prefix, "layer%d.%d", stage, index);
    if (kind->bottleneck) {
        block.convs[0] = (Conv){"conv1", 1, early ? stride : 1, width, 1};
        block.convs[1] = (Conv){"conv2", 3, early ? 1 : stride, width, kind->groups};
        block.convs[2] = (Conv){"conv3", 1, 1, out, 1};
    } else {
        block.convs[0] = (Conv){"conv1", 3, stride, out, 1};
        block.convs[1] = (Conv){"conv2", 3, 1, out, 1};
    }
    if (stride > 1 || in_channels != out) block.shortcut = (Conv){"downsample.0", 1, stride, out, 1};
    return block;
}

static void full_name(const Block *block, const Conv *conv, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%s.%s", block->prefix, conv->name);
}

static EadStatus declare(EadParams *params, const Block *block, const Conv *conv, int in) {
    char name[EAD_NAME_SIZE];
    full_name(block, conv, name);
    return ead_params_declare_conv(params, name, conv->channels, conv->kernel, conv->kernel,
                                   in / conv->groups);
}

static EadStatus declare_all(EadResnet *resnet) {
    int in = STEM_CHANNELS;
    EAD_TRY(ead_params_declare_conv(&resnet->params, "conv1", STEM_CHANNELS, 7, 7, 3));
    for (int stage = 1; stage <= resnet->stages; stage++)
        for (int i = 0; i < resnet->kind->blocks[stage - 1]; i++) {
            Block block = block_at(resnet, stage, i, in);
            if (block.shortcut.name) EAD_TRY(declare(&resnet->params, &block, &block.shortcut, in));
            for (const Conv *conv = block.convs; conv->name; conv++) {
                EAD_TRY(declare(&resnet->params, &block, conv, in));
                in = conv->channels;
            }
        }
    return ead_params_allocate(&resnet->params);
}

EadStatus ead_resnet_new(const EadResnetKind *kind, EadResnetVariant variant, int stages, EadResnet *out) {
    *out = (EadResnet){.kind = kind, .variant = variant, .stages = stages};
    EadStatus status = declare_all(out);
    if (status != EAD_OK) ead_resnet_free(out);
    return status;
}

void ead_resnet_free(EadResnet *resnet) {
    ead_params_free(&resnet->params);
    *resnet = (EadResnet){0};
}

static EadNode *apply(EadGraph *graph, const EadResnet *resnet, const Block *block, const Conv *conv,
                      EadNode *x, bool relu) {
    char name[EAD_NAME_SIZE];
    full_name(block, conv, name);
    EadConvParams p = ead_conv_params(graph, &resnet->params, name, 0, 0, false);
    int padding = conv->kernel / 2;
    if (conv->groups == 1)
        return ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){conv->stride, padding, relu});
    return ead_grouped_conv2d(graph, x, p.weight, p.bias,
                              (EadGroupedConv2d){conv->groups, conv->stride, padding,
                                                 relu ? EAD_ACTIVATION_RELU : EAD_ACTIVATION_NONE});
}

void ead_resnet_build(EadGraph *graph, const EadResnet *resnet, EadNode *x, EadNode *stages[]) {
    EadConvParams p = ead_conv_params(graph, &resnet->params, "conv1", 0, 0, false);
    bool caffe = resnet->variant == EAD_RESNET_CAFFE;
    int in = STEM_CHANNELS; /* not x->y.c: a graph that has failed goes on with nodes of any shape */
    x = ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 2, .padding = 3, .relu = true});
    x = ead_max_pool2d(
        graph, x, (EadMaxPool2d){.kernel = 3, .stride = 2, .padding = caffe ? 0 : 1, .ceil_mode = caffe});
    for (int stage = 1; stage <= resnet->stages; stage++) {
        for (int i = 0; i < resnet->kind->blocks[stage - 1]; i++) {
            Block block = block_at(resnet, stage, i, in);
            EadNode *y = x; /* x = relu(convolutions(x) + shortcut(x)) */
            if (block.shortcut.name) x = apply(graph, resnet, &block, &block.shortcut, x, false);
            for (const Conv *conv = block.convs; conv->name; conv++)
                y = apply(graph, resnet, &block, conv, y, conv[1].name != NULL);
            x = ead_relu(graph, ead_add(graph, y, x));
            in = ead_resnet_channels(resnet->kind, stage);
        }
        stages[stage - 1] = x;
    }
}

/* ---- reading: which network a file holds, and the folding of batch norm ---- */

static const double EPSILON = 1e-5; /* torch.nn.BatchNorm2d's */

static bool has_block(const EadSafetensors *file, int stage, int index) {
    char name[64];
    snprintf(name, sizeof name, "layer%d.%d.conv1.weight", stage, index);
    return ead_safetensors_find(file, name) != NULL;
}

static bool is_kind(const EadSafetensors *file, const EadResnetKind *kind) {
    const EadFileTensor *first = ead_safetensors_find(file, "layer1.0.conv1.weight");
    bool bottleneck = ead_safetensors_find(file, "layer1.0.conv3.weight") != NULL;
    const EadFileTensor *second = ead_safetensors_find(file, "layer1.0.conv2.weight");
    if (!first || first->dims != 4 || first->shape[0] != kind->width || bottleneck != kind->bottleneck ||
        !second || second->dims != 4 || second->shape[1] != kind->width / kind->groups)
        return false;
    for (int stage = 1; stage <= EAD_RESNET_STAGES; stage++) {
        int blocks = kind->blocks[stage - 1];
        if (!has_block(file, stage, blocks - 1) || has_block(file, stage, blocks)) return false;
    }
    return true;
}

static EadStatus find_kind(const EadSafetensors *file, const EadResnetKind **out) {
    char known[256] = "";
    size_t used = 0;
    for (int i = 0; (*out = ead_resnet_kind(i)) != NULL; i++) {
        if (is_kind(file, *out)) return EAD_OK;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", (*out)->name);
    }
    return ead_fail(EAD_BAD_FILE,
                    "%s: holds no backbone that is known; needed are torchvision's tensors conv1.weight, "
                    "layer1.0.conv1.weight ... of one of %s",
                    ead_safetensors_path(file), known);
}

/* The batch norm behind a convolution: conv1 has bn1, downsample.0 has downsample.1. */
static void norm_name(const char *conv, char out[EAD_NAME_SIZE]) {
    const char *last = strrchr(conv, '.');
    last = last ? last + 1 : conv;
    int length = (int)(last - conv);
    if (strcmp(last, "0") == 0)
        snprintf(out, EAD_NAME_SIZE, "%.*s1", length, conv);
    else
        snprintf(out, EAD_NAME_SIZE, "%.*sbn%s", length, conv, last + strlen("conv"));
}

EadStatus ead_resnet_variant(const EadSafetensors *file, EadResnetVariant *out) {
    const char *text = ead_safetensors_metadata(file, "variant");
    bool caffe = text && strncmp(text, "caffe", strlen("caffe")) == 0;
    *out = caffe ? EAD_RESNET_CAFFE : EAD_RESNET_TORCHVISION;
    if (!text || caffe || strncmp(text, "torchvision", strlen("torchvision")) == 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: metadata 'variant' is '%.80s'; known are torchvision and caffe",
                    ead_safetensors_path(file), text);
}

EadStatus ead_resnet_read(const EadSafetensors *file, EadResnetVariant variant, int stages, EadResnet *out) {
    const EadResnetKind *kind;
    *out = (EadResnet){0};
    EAD_TRY(find_kind(file, &kind));
    EAD_TRY(ead_resnet_new(kind, variant, stages, out));
    EadStatus status = EAD_OK;
    for (int i = 0; i < out->params.count && status == EAD_OK; i += 2) {
        char conv[EAD_NAME_SIZE], norm[EAD_NAME_SIZE];
        ead_layer_name(&out->params.items[i], conv);
        norm_name(conv, norm);
        status = ead_folded_conv_read(file, &out->params, &out->params.items[i], norm, EPSILON);
    }
    if (status != EAD_OK) ead_resnet_free(out);
    return status;
}
