/* The pooling as weights of two convolutions. */
#include "models/networks/patch_features.h"

#include "core/file/file_role.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "models/networks/params_file.h"

#include <assert.h>

enum { LAYERS = 2, FIRST_LAYER = 2, PATCH = 9, PER_LAYER = 1024, HALF = EAD_FEATURES / LAYERS };

static const char *const names[LAYERS] = {"layer2", "layer3"};

/* The inputs begin .. end-1 that output i of an adaptive pooling from `size` to `outputs` averages. */
typedef struct Window {
    int begin, end;
} Window;

static Window window_of(int i, int size, int outputs) {
    return (Window){(int)((int64_t)i * size / outputs),
                    (int)(((int64_t)(i + 1) * size + outputs - 1) / outputs)};
}

/* The weights [3,3,channels] of output o of a layer's half. Number j of a flattened patch is position j % 9
 * of channel j / 9. */
static void fill_output(int layer, int o, int channels, real *weights) {
    Window outer = window_of(layer * HALF + o, LAYERS * PER_LAYER, EAD_FEATURES);
    assert(outer.begin >= layer * PER_LAYER && outer.end <= (layer + 1) * PER_LAYER);
    for (int i = outer.begin - layer * PER_LAYER; i < outer.end - layer * PER_LAYER; i++) {
        Window inner = window_of(i, channels * PATCH, PER_LAYER);
        double share = 1.0 / ((double)(outer.end - outer.begin) * (inner.end - inner.begin));
        for (int j = inner.begin; j < inner.end; j++)
            weights[j % PATCH * channels + j / PATCH] += (real)share;
    }
}

static EadStatus make_pooling(EadPatchFeatures *features) {
    const EadResnetKind *kind = features->backbone.kind;
    for (int layer = 0; layer < LAYERS; layer++)
        EAD_TRY(ead_params_declare_conv(&features->pooling, names[layer], HALF, 3, 3,
                                        ead_resnet_channels(kind, FIRST_LAYER + layer)));
    EAD_TRY(ead_params_allocate(&features->pooling));
    for (int layer = 0; layer < LAYERS; layer++) {
        const EadParam *weight = &features->pooling.items[LAYERS * layer];
        for (int o = 0; o < HALF; o++)
            fill_output(layer, o, weight->c,
                        features->pooling.values + weight->offset + (int64_t)o * PATCH * weight->c);
    }
    return EAD_OK;
}

static EadStatus read_backbone(const EadSafetensors *file, const EadResnetVariant *wanted, EadResnet *out) {
    EadResnetVariant variant;
    if (!wanted) EAD_TRY(ead_resnet_variant(file, &variant));
    EAD_TRY(ead_resnet_read(file, wanted ? *wanted : variant, out));
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
    if (status == EAD_OK) status = make_pooling(out);
    if (status != EAD_OK) ead_patch_features_free(out);
    return status;
}

EadStatus ead_patch_features_new(const EadResnetKind *kind, EadResnetVariant variant, EadPatchFeatures *out) {
    *out = (EadPatchFeatures){0};
    EAD_TRY(ead_resnet_new(kind, variant, &out->backbone));
    EadStatus status = make_pooling(out);
    if (status != EAD_OK) ead_patch_features_free(out);
    return status;
}

void ead_patch_features_free(EadPatchFeatures *features) {
    ead_resnet_free(&features->backbone);
    ead_params_free(&features->pooling);
}

EadNode *ead_patch_features_build(EadGraph *graph, const EadPatchFeatures *features, EadNode *x) {
    EadNode *stages[EAD_RESNET_STAGES], *halves[LAYERS];
    ead_resnet_build(graph, &features->backbone, x, stages);
    for (int layer = 0; layer < LAYERS; layer++) {
        EadConvParams p = ead_conv_params(graph, &features->pooling, names[layer], 0, 0, false);
        halves[layer] = ead_conv2d(graph, stages[FIRST_LAYER - 1 + layer], p.weight, NULL,
                                   (EadConv2d){.stride = 1, .padding = 1});
    }
    const EadTensor *grid = &halves[0]->y;
    halves[1] = ead_resize_bilinear(graph, halves[1], grid->h, grid->w);
    return ead_concat_channels(graph, LAYERS, halves);
}
