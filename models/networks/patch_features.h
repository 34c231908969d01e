/* The feature extractor of distillation (EfficientAD, Appendix A.2): what PatchCore computes from a
 * backbone's layer2 and layer3 (models/networks/patch_embedding.h), 384 numbers for each position of layer2. */
#pragma once

#include "models/networks/pdn.h"
#include "models/networks/resnet.h"

typedef struct EadPatchFeatures {
    EadResnet backbone;
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
