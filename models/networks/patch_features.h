/* The feature extractor of distillation (EfficientAD, Appendix A.2): what PatchCore computes from a
 * backbone's layer2 and layer3, 384 numbers for each position of layer2.
 *
 * 3x3 patches around every position (zero padding), layer3's resized bilinearly to layer2's grid; each patch,
 * flattened with the positions of one channel as neighbours, pooled adaptively to 1,024 numbers; those of
 * both layers, one behind the other, pooled adaptively to 384. All of this is linear, and the first half of
 * the 384 comes from layer2 alone, the second from layer3 alone: so it is one 3x3 convolution a layer, and
 * the patches are never made. Resizing mixes positions, pooling mixes what a patch holds, so the order of the
 * two does not matter. */
#pragma once

#include "models/networks/pdn.h"
#include "models/networks/resnet.h"

typedef struct EadPatchFeatures {
    EadResnet backbone;
    EadParams pooling; /* "layer2.weight" and "layer3.weight" [192,3,3,channels]; biases, all zero */
} EadPatchFeatures;

/* Whether a file may hold such a backbone, as far as its header tells. Errors: those of opening. */
EadStatus ead_patch_features_check(const char *path);

/* Reads the backbone from a .safetensors file. variant: NULL takes the file's own metadata "variant" (a text
 * that begins with "caffe" or "torchvision"), torchvision where there is none. Errors: those of opening and
 * of ead_resnet_read(); EAD_BAD_FILE for another variant. Free with ead_patch_features_free(). */
EadStatus ead_patch_features_open(const char *path, const EadResnetVariant *variant, EadPatchFeatures *out);

/* An extractor whose backbone has zeroed parameters. Errors: EAD_NO_MEMORY. */
EadStatus ead_patch_features_new(const EadResnetKind *kind, EadResnetVariant variant, EadPatchFeatures *out);

/* Harmless on a zeroed struct. */
void ead_patch_features_free(EadPatchFeatures *features);

/* x [N,H,W,3], a normalised image -> [N,H/8,W/8,EAD_FEATURES], sizes rounded up. */
EadNode *ead_patch_features_build(EadGraph *graph, const EadPatchFeatures *features, EadNode *x);
