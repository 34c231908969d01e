/* The three networks as tables of layers. */
#include "models/blocks/patch_descriptor.h"

#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/pad_replicate/pad_replicate.h"
#include "core/ops/space_to_batch/space_to_batch.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_known(int field) {
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

/* ---- sizes ---- */

EadStatus ead_descriptor_fields_find(const char *text, EadDescriptorFields *fields) {
    const char *at = text;
    fields->count = 0;
    for (int last = 0;; at++) {
        char *end;
        long field = strtol(at, &end, 10);
        if (end == at || field <= last || field > 255 || !is_known((int)field) ||
            fields->count == EAD_DESCRIPTOR_FIELDS)
            break;
        fields->size[fields->count++] = last = (int)field;
        at = end;
        if (*at == '\0') return EAD_OK;
        if (*at != ',') break;
    }
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "'%.40s' are no sizes of patches; there are 17, 33 and 65, to be joined by commas, the least "
        "first",
        text);
}

EadStatus ead_descriptor_fields_check(const EadDescriptorFields *fields, int height, int width) {
    for (int f = 0; f < fields->count; f++) {
        int step = ead_patch_descriptor_step(fields->size[f]);
        if (height % step || width % step)
            return ead_fail(
                EAD_BAD_ARGUMENT,
                "images of %dx%d: patches of %d pixels need a height and width that are multiples "
                "of %d",
                height, width, fields->size[f], step);
    }
    return EAD_OK;
}

void ead_descriptor_fields_text(const EadDescriptorFields *fields, char text[EAD_FIELDS_TEXT]) {
    text[0] = '\0';
    for (int f = 0; f < fields->count; f++) {
        size_t used = strlen(text);
        snprintf(text + used, EAD_FIELDS_TEXT - used, "%s%d", f ? "," : "", fields->size[f]);
    }
}

EadStatus ead_descriptor_fields_read(const EadSafetensors *file, EadDescriptorFields *fields) {
    const char *text = ead_safetensors_metadata(file, "fields");
    if (!text || ead_descriptor_fields_find(text, fields) != EAD_OK)
        return ead_bad_metadata(file, "fields", text, "some of 17,33,65");
    return EAD_OK;
}

EadStatus ead_descriptor_fields_write(EadSafetensorsWriter *writer, const EadDescriptorFields *fields) {
    char text[EAD_FIELDS_TEXT];
    ead_descriptor_fields_text(fields, text);
    return ead_safetensors_writer_metadata(writer, "fields", text);
}

/* ---- parameters ---- */

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

void ead_patch_descriptor_standardize(const EadPatchDescriptor *descriptor, EadParams *params,
                                      const double *mean, const double *std) {
    char name[EAD_NAME_SIZE + 8];
    const PatchLayer *last = layers_of(descriptor->field);
    while (last[1].name) last++;
    full_name(descriptor, last, name);
    char *part = name + strlen(name);
    const EadParam *weight = ead_params_find(params, strcat(name, ".weight"));
    strcpy(part, ".bias");
    real *w = params->values + weight->offset, *b = params->values + ead_params_find(params, name)->offset;
    int64_t inputs = ead_param_size(weight) / weight->n;
    for (int c = 0; c < weight->n; c++) {
        EadStandardizing s = ead_standardizing(mean[c], std[c]);
        for (int64_t i = 0; i < inputs; i++) w[c * inputs + i] *= s.scale;
        b[c] = b[c] * s.scale + s.shift;
    }
}

/* ---- graphs ---- */

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
    return build(graph, descriptor, ead_pad_replicate(graph, x, descriptor->field / 2), true);
}

EadNode *ead_patch_descriptor_picture(EadGraph *graph, int field, EadNode *x) {
    for (int step = ead_patch_descriptor_step(field); step > 1; step /= POOL)
        x = ead_batch_to_space(graph, x);
    return x;
}
