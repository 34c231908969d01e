/* PatchCore's embedding of two stages of a ResNet. */
#include "models/networks/patch_features.h"

#include "core/file/file_role.h"
#include "models/networks/params_file.h"
#include "models/networks/patch_embedding.h"

enum { LAYERS = 2, FIRST_LAYER = 2, PER_LAYER = 1024 };

static EadStatus read_backbone(const EadSafetensors *file, const EadResnetVariant *wanted, EadResnet *out) {
    EadResnetVariant variant;
    if (!wanted) EAD_TRY(ead_resnet_variant(file, &variant));
    EAD_TRY(ead_resnet_read(file, wanted ? *wanted : variant, EAD_RESNET_STAGES, out));
    return ead_check_all_used(file, EAD_RESNET_BEYOND, out->kind->name);
}

EadStatus ead_patch_features_check(const char *path) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, EAD_ROLE(BACKBONE) | EAD_ROLE(WEIGHTS), "a backbone"));
    EAD_TRY(ead_safetensors_open_header(path, &file));
    ead_safetensors_close(file);
    return EAD_OK;
}

EadStatus ead_patch_features_open(const char *path, const EadResnetVariant *variant, EadPatchFeatures *out) {
    EadSafetensors *file;
    *out = (EadPatchFeatures){0};
    EAD_TRY(ead_patch_features_check(path));
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = read_backbone(file, variant, &out->backbone);
    ead_safetensors_close(file);
    if (status != EAD_OK) ead_patch_features_free(out);
    return status;
}

EadStatus ead_patch_features_new(const EadResnetKind *kind, EadResnetVariant variant, EadPatchFeatures *out) {
    *out = (EadPatchFeatures){0};
    return ead_resnet_new(kind, variant, EAD_RESNET_STAGES, &out->backbone);
}

void ead_patch_features_free(EadPatchFeatures *features) {
    ead_resnet_free(&features->backbone);
}

EadNode *ead_patch_features_build(EadGraph *graph, const EadPatchFeatures *features, EadNode *x) {
    EadNode *stages[EAD_RESNET_STAGES];
    ead_resnet_build(graph, &features->backbone, x, stages);
    return ead_patch_embedding(graph, LAYERS, stages + FIRST_LAYER - 1, PER_LAYER, EAD_FEATURES);
}
