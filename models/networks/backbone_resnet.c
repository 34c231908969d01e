/* ResNets as a family of backbones. */
#include "core/ops/normalize_image/normalize_image.h"
#include "models/networks/backbone.h"
#include "models/networks/resnet.h"

#include <stdio.h>
#include <string.h>

extern const EadBackboneFamily ead_backbone_resnet;

static const char *const suffixes[] = {[EAD_RESNET_TORCHVISION] = "", [EAD_RESNET_CAFFE] = "_caffe"};

static int stages_of(const EadBackbone *backbone) {
    return backbone->whole ? EAD_RESNET_ALL_STAGES : EAD_RESNET_STAGES;
}

static void take(EadResnet *resnet, EadBackbone *out) {
    out->kind = resnet->kind;
    out->variant = (int)resnet->variant;
    out->params = resnet->params;
}

static EadStatus read(const EadSafetensors *file, EadBackbone *out) {
    EadResnetVariant variant;
    EadResnet resnet;
    EAD_TRY(ead_resnet_variant(file, &variant));
    EAD_TRY(ead_resnet_read(file, variant, stages_of(out), &resnet));
    snprintf(out->name, sizeof out->name, "%s%s", resnet.kind->name, suffixes[variant]);
    take(&resnet, out);
    return EAD_OK;
}

static bool find(EadBackbone *out) {
    const EadResnetKind *kind;
    for (int i = 0; (kind = ead_resnet_kind(i)) != NULL; i++)
        for (int variant = 0; variant < (int)(sizeof suffixes / sizeof *suffixes); variant++) {
            char name[EAD_BACKBONE_NAME];
            snprintf(name, sizeof name, "%s%s", kind->name, suffixes[variant]);
            out->kind = kind;
            out->variant = variant;
            if (strcmp(name, out->name) == 0) return true;
        }
    return false;
}

static EadStatus declare(EadBackbone *out) {
    EadResnet resnet;
    EAD_TRY(ead_resnet_new(out->kind, (EadResnetVariant)out->variant, stages_of(out), &resnet));
    take(&resnet, out);
    return EAD_OK;
}

/* Of a whole network layer4, which is no feature that methods choose, comes behind the taps. */
static void build(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]) {
    EadResnet resnet = {backbone->kind, (EadResnetVariant)backbone->variant, stages_of(backbone),
                        backbone->params};
    ead_resnet_build(graph, &resnet, ead_normalize_image(graph, images), taps);
}

const EadBackboneFamily ead_backbone_resnet = {
    .networks = "ResNet-18/34/50/101, WideResNet-50-2/101-2 and ResNeXt101-32x8d",
    .taps = "layer1|layer2|layer3",
    .default_taps = "layer2,layer3",
    .patch_length = 1024,
    .patch_noise = 0.015,
    .mark = "layer1.0.conv1.weight",
    .parts = "conv1.|bn1.|layer1.|layer2.|layer3.|layer4.",
    .beyond = EAD_RESNET_BEYOND,
    .end = "layer4.0.conv1.weight",
    .variant = "torchvision",
    .read = read,
    .find = find,
    .declare = declare,
    .build = build};
