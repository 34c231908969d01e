/* The three networks as tables of layers. */
#include "models/student_teacher/patch_descriptor.h"

#include "core/ops/conv2d/conv2d.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/space_to_batch/space_to_batch.h"

#include <stdio.h>

typedef struct PatchLayer {
    const char *name;
    int kernel, channels;
    bool pool; /* followed by 2x2 max pooling; a last odd row or column of a patch is in no window */
} PatchLayer;

enum { MAX_LAYERS = 5, POOL = 2 };

/* The paper's table for 65 contradicts itself in the channels of conv3 and the last kernel: with 128 and 1x1, sizes and
 * kinds of the layers fit together. */
static const struct {
    int field;
    PatchLayer layers[MAX_LAYERS + 1];
} networks[EAD_DESCRIPTOR_FIELDS] = {
    {17,
     {{"conv1", 6, 128, false}, {"conv2", 5, 256, false}, {"conv3", 5, 256, false}, {"conv4", 4, 0, false}}},
    {33,
     {{"conv1", 5, 128, true}, {"conv2", 5, 256, true}, {"conv3", 2, 256, false}, {"conv4", 4, 0, false}}},
    {65,
     {{"conv1", 5, 128, true},
      {"conv2", 5, 128, true},
      {"conv3", 5, 128, true},
      {"conv4", 4, 256, false},
      {"conv5", 1, 0, false}}},
};

static const double SLOPE = 0.005; /* of the leaky ReLU behind every layer but the last */

/* Of a size that is known. */
static const PatchLayer *layers_of(int field) {
    int i = 0;
    while (networks[i].field != field) i++;
    return networks[i].layers;
}

bool ead_patch_descriptor_is_known(int field) {
    for (int i = 0; i < EAD_DESCRIPTOR_FIELDS; i++)
        if (networks[i].field == field) return true;
    return false;
}

int ead_patch_descriptor_step(int field) {
    int step = 1;
    for (const PatchLayer *layer = layers_of(field); layer->name; layer++)
        if (layer->pool) step *= POOL;
    return step;
}

static void full_name(const EadPatchDescriptor *descriptor, const PatchLayer *layer,
                      char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "%s.p%d.%s", descriptor->name, descriptor->field, layer->name);
}

EadStatus ead_patch_descriptor_declare(const EadPatchDescriptor *descriptor, EadParams *params) {
    int channels = 3;
    for (const PatchLayer *layer = layers_of(descriptor->field); layer->name; layer++) {
        char name[EAD_NAME_SIZE];
        int outputs = layer->channels ? layer->channels : EAD_DESCRIPTOR_FEATURES;
        full_name(descriptor, layer, name);
        EAD_TRY(ead_params_declare_conv(params, name, outputs, layer->kernel, layer->kernel, channels));
        channels = outputs;
    }
    return EAD_OK;
}

/* dense: the windows of a pooling begin at every pixel, and each of their four places becomes a picture. */
static EadNode *build(EadGraph *graph, const EadPatchDescriptor *descriptor, EadNode *x, bool dense) {
    for (const PatchLayer *layer = layers_of(descriptor->field); layer->name; layer++) {
        char name[EAD_NAME_SIZE];
        full_name(descriptor, layer, name);
        EadConvParams p = ead_conv_params(graph, descriptor->params, name, 0, 0, descriptor->trainable);
        x = ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1});
        if (layer[1].name) x = ead_leaky_relu(graph, x, SLOPE);
        if (!layer->pool) continue;
        x = ead_max_pool2d(graph, x, (EadMaxPool2d){.kernel = POOL, .stride = dense ? 1 : POOL});
        if (dense) x = ead_space_to_batch(graph, x);
    }
    return x;
}

EadNode *ead_patch_descriptor_of_patches(EadGraph *graph, const EadPatchDescriptor *descriptor, EadNode *x) {
    return build(graph, descriptor, x, false);
}

EadNode *ead_patch_descriptor_dense(EadGraph *graph, const EadPatchDescriptor *descriptor, EadNode *x) {
    return build(graph, descriptor, ead_pad_border(graph, x, descriptor->field / 2), true);
}

EadNode *ead_patch_descriptor_picture(EadGraph *graph, int field, EadNode *x) {
    for (int step = ead_patch_descriptor_step(field); step > 1; step /= POOL)
        x = ead_batch_to_space(graph, x);
    return x;
}
