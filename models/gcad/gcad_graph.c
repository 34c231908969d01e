/* What the networks of a field say, the losses of their training, and the map. */
#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/ops/straight_through/straight_through.h"
#include "models/gcad/gcad.h"

enum { FEATURES = EAD_DESCRIPTOR_FEATURES };

static EadNode *unet(EadGraph *graph, const EadGcad *model, const EadParams *params, const char *network,
                     int field, EadNode *x, int outputs, bool trainable) {
    EadGcadName name;
    EadLayerWalk walk = ead_layers_building(
        graph, params, ead_gcad_name(network, model->spec.fields.size[field], name), trainable);
    return ead_gcad_unet(&walk, x, outputs, model->spec.unet);
}

/* helpers NULL: as it is used, after its training. */
static EadNode *encoded(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                        const EadGcadHelpers *helpers) {
    int size = model->spec.fields.size[field];
    EadGcadName name, skips;
    EadLayerWalk walk =
        ead_layers_building(graph, &model->first, ead_gcad_name("encode", size, name), helpers);
    if (!helpers) return ead_gcad_encode(&walk, &model->spec, x, NULL, NULL);
    EadLayerWalk skipping =
        ead_layers_building(graph, helpers->params, ead_gcad_name("step.skips", size, skips), true);
    return ead_gcad_encode(&walk, &model->spec, x, &skipping, helpers->skips);
}

static EadGcadOutputs outputs_of(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                                 const EadGcadHelpers *helpers) {
    EadPatchDescriptor teacher = ead_gcad_teacher(model, field);
    EadNode *dense = ead_patch_descriptor_dense(graph, &teacher, x);
    return (EadGcadOutputs){
        .described = ead_patch_descriptor_picture(graph, teacher.field, dense),
        .local = unet(graph, model, &model->first, "local", field, x, FEATURES, helpers),
        .encoded = encoded(graph, model, field, x, helpers),
        .global = unet(graph, model, &model->later, "global", field, x, EAD_GCAD_ENCODED, helpers)};
}

static EadNode *mean_distance(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_mean(graph, ead_squared_difference(graph, a, b));
}

EadGcadLoss ead_gcad_loss(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                          const EadGcadHelpers *helpers) {
    EadGcadLoss loss = {.outputs = outputs_of(graph, model, field, x, helpers)};
    const EadGcadOutputs *o = &loss.outputs;
    EadGcadName name;
    EadLayerWalk walk = ead_layers_building(
        graph, helpers->params, ead_gcad_name("step.widen", model->spec.fields.size[field], name), true);
    EadNode *target = helpers->led ? o->encoded : ead_straight_through(graph, o->encoded, NULL);
    loss.widened = ead_gcad_widen(&walk, o->encoded);
    loss.transfer = mean_distance(graph, o->described, loss.widened);
    loss.global = mean_distance(graph, target, o->global);
    loss.local = mean_distance(graph, o->described, o->local);
    loss.total = ead_add(graph, ead_add(graph, loss.transfer, loss.local),
                         ead_channel_affine(graph, loss.global, helpers->joined, NULL));
    return loss;
}

/* |a - b| of each pixel. */
static EadNode *distance(EadGraph *graph, EadNode *a, EadNode *b) {
    EadNode *mean = ead_channel_mean(graph, ead_squared_difference(graph, a, b));
    return ead_sqrt(graph, ead_scale(graph, mean, a->y.c));
}

void ead_gcad_raw_maps(EadGraph *graph, const EadGcad *model, int field, EadNode *x,
                       EadNode *maps[EAD_FIELD_MAPS]) {
    EadGcadOutputs o = outputs_of(graph, model, field, x, NULL);
    maps[EAD_GCAD_LOCAL] = distance(graph, o.described, o.local);
    maps[EAD_GCAD_GLOBAL] = distance(graph, o.encoded, o.global);
}

EadDetection ead_gcad_build(EadGraph *graph, const EadModel *base, EadNode *images) {
    static const char *const names[] = {"local map", "global map"};
    const EadGcad *model = (const EadGcad *)base;
    int fields = model->spec.fields.count;
    EadNode *x = ead_normalize_image(graph, images), *sums[EAD_FIELD_MAPS] = {NULL};
    for (int f = 0; f < fields; f++) {
        EadNode *maps[EAD_FIELD_MAPS];
        ead_gcad_raw_maps(graph, model, f, x, maps);
        ead_field_maps_add(graph, &model->maps[f], maps, sums);
    }
    return ead_field_maps_detection(graph, sums, fields, names);
}
