/* ResNets as feature extractors (He et al. 2016; Zagoruyko and Komodakis 2016 for the wide ones, Xie et al. 2017 for
 * those in groups): the layers
 * up to layer3 or, of whole networks, layer4, for inference. Batch norm is folded into the convolutions when the file is read. */
#pragma once

#include "core/graph/params.h"
#include "core/file/safetensors.h"

#include <stdbool.h>

/* The two ways in which these networks are built. */
typedef enum EadResnetVariant {
    EAD_RESNET_TORCHVISION, /* a stage's stride on its first 3x3; max-pool 3/2 with padding 1 */
    EAD_RESNET_CAFFE,       /* on its first convolution, the 1x1 of bottlenecks; no padding, ceil mode */
} EadResnetVariant;

enum { EAD_RESNET_STAGES = 3, EAD_RESNET_ALL_STAGES };

/* A member of the family. */
typedef struct EadResnetKind {
    const char *name; /* as torchvision calls it: "wide_resnet101_2" */
    bool bottleneck;  /* blocks of 1x1, 3x3, 1x1 with four times the channels at the end; else two 3x3 */
    int blocks[EAD_RESNET_ALL_STAGES];
    int width;  /* channels of the 3x3 convolutions in layer1; doubled from stage to stage */
    int groups; /* of the 3x3 convolutions in bottlenecks */
} EadResnetKind;

typedef struct EadResnet {
    const EadResnetKind *kind;
    EadResnetVariant variant;
    int stages;       /* EAD_RESNET_STAGES, or all of a whole network */
    EadParams params; /* "conv1.weight", "layer1.0.conv1.bias", "layer1.0.downsample.0.weight", ... */
} EadResnet;

/* The kinds, index 0.. ; NULL behind the last. */
const EadResnetKind *ead_resnet_kind(int index);

/* Output channels of stage 1 to 4. */
int ead_resnet_channels(const EadResnetKind *kind, int stage);

/* The variant that a file's metadata "variant" names: a text that begins with "caffe" or "torchvision"; torchvision
 * where there is none. Errors: EAD_BAD_FILE for another one. */
EadStatus ead_resnet_variant(const EadSafetensors *file, EadResnetVariant *out);

/* Beginnings of names of what lies behind stage 3. */
#define EAD_RESNET_BEYOND "layer4.|fc."

/* Reads a backbone from a file with torchvision's tensor names. The kind is told from the tensors that are
 * there; what lies behind the stages is not read. A convolution has either its batch norm with running statistics
 * ("bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"; downsample.1 for downsample.0) or, folded
 * already, a bias. Errors: EAD_BAD_FILE, naming file and tensor, for a network of no known kind, missing
 * tensors, wrong shapes, values that are not finite or a negative variance; EAD_NO_MEMORY. Free with
 * ead_resnet_free(). */
EadStatus ead_resnet_read(const EadSafetensors *file, EadResnetVariant variant, int stages, EadResnet *out);

/* A network of that kind with zeroed parameters. */
EadStatus ead_resnet_new(const EadResnetKind *kind, EadResnetVariant variant, int stages, EadResnet *out);

/* Harmless on a zeroed struct. */
void ead_resnet_free(EadResnet *resnet);

/* x [N,H,W,3], a normalised image -> stages[0..2], the outputs of layer1 to layer3: [N,H/4,W/4,..] to
 * [N,H/16,W/16,..], sizes rounded up; of a whole network also stages[3]. The parameters are constants. */
void ead_resnet_build(EadGraph *graph, const EadResnet *resnet, EadNode *x, EadNode *stages[]);
