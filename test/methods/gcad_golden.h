/* GCAD against PyTorch's layers and the published U-Net (test/golden/methods/gcad_golden.py), in float and, with tighter bounds, in
 * double. */
#pragma once

#include "autograd/optimizer.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/plan/plan.h"
#include "models/gcad/gcad.h"
#include "test/methods/golden_steps.h"
#include "test/support/sample_models.h"

enum {
    GCAD_SEED = 5,
    GCAD_HEIGHT = 32,
    GCAD_WIDTH = 64,
    GCAD_PIXELS = GCAD_HEIGHT * GCAD_WIDTH,
    GCAD_JUDGED = 30,
    GCAD_TRAINED = 31,
    GCAD_STEPS = 3,
    GCAD_JOINS = 2,
    GCAD_STRIDE = 331,
};

typedef struct GcadBounds {
    double value, loss, gradient, parameter;
} GcadBounds;

static inline void gcad_numbers(const char *what, int field, int count, double factor, double plus,
                                double *out) {
    char name[64];
    snprintf(name, sizeof name, "%s of %d", what, field);
    for (int i = 0; i < count; i++) out[i] = (double)(float)(drawn(name, i) * factor + plus);
}

/* With drawn networks and statistics. */
static inline EadGcad *gcad_model(const char *fields) {
    EadGcadSpec spec = {
        .height = GCAD_HEIGHT, .width = GCAD_WIDTH, .unet = 4, .channels = 4, .bottleneck = 6};
    EadGcad *model;
    ck_assert_int_eq(ead_descriptor_fields_find(fields, &spec.fields), EAD_OK);
    ck_assert_msg(ead_gcad_new(&spec, &model) == EAD_OK, "%s", ead_error_message());
    ead_gcad_initialize(model, GCAD_SEED);
    for (int f = 0; f < spec.fields.count; f++) {
        double mean[EAD_DESCRIPTOR_FEATURES], std[EAD_DESCRIPTOR_FEATURES], maps[EAD_FIELD_MAPS][2];
        EadPatchDescriptor teacher = ead_gcad_teacher(model, f);
        gcad_numbers("mean", teacher.field, EAD_DESCRIPTOR_FEATURES, 0.1, 0, mean);
        gcad_numbers("std", teacher.field, EAD_DESCRIPTOR_FEATURES, 0.04, 0.06, std);
        gcad_numbers("maps", teacher.field, 4, 1, 2, &maps[0][0]);
        ead_patch_descriptor_standardize(&teacher, &model->teacher[f], mean, std);
        ck_assert_int_eq(ead_gcad_set_maps(model, f, maps), EAD_OK);
    }
    return model;
}

static inline EadParams gcad_helpers(const EadGcad *model) {
    EadParams helpers = {0};
    ck_assert_int_eq(ead_gcad_declare_helpers(&model->spec, &helpers), EAD_OK);
    ck_assert_int_eq(ead_params_allocate(&helpers), EAD_OK);
    ead_params_initialize(&helpers, GCAD_SEED);
    return helpers;
}

static inline void check_gcad_value(const EadSafetensors *file, const char *name, const EadNode *node,
                                    double allowed) {
    int64_t count = (ead_count(&node->y) + GCAD_STRIDE - 1) / GCAD_STRIDE;
    double *expected = golden_numbers(file, name, count), *got = malloc((size_t)count * sizeof *got);
    for (int64_t i = 0; i < count; i++) got[i] = (double)((const real *)node->y.data)[i * GCAD_STRIDE];
    check_numbers(name, got, expected, count, allowed);
    free(expected), free(got);
}

/* What the networks say, and the gradients of an encoder that is led, in one pass. */
static inline void check_gcad_values(const EadSafetensors *file, const uint8_t *image, GcadBounds allowed) {
    EadGcad *model = gcad_model("33");
    EadParams params = gcad_helpers(model);
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadOptimizer optimizer;
    real one = 1, rate = 0;
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, GCAD_HEIGHT, GCAD_WIDTH, 3, NULL),
            *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL),
            *weight = ead_leaf(graph, "one", EAD_REAL, 1, 1, 1, 1, &one);
    EadGcadHelpers helpers = {&params, {weight, weight, weight, weight, weight}, weight, true};
    EadGcadLoss loss = ead_gcad_loss(graph, model, 0, ead_normalize_image(graph, images), &helpers);
    EadGcadOutputs *o = &loss.outputs;
    EadNode *kept[] = {o->described, o->local, o->encoded, o->global, loss.widened};
    for (int i = 0; i < 5; i++) ead_keep(kept[i]);
    ck_assert_int_eq(ead_optimizer_new(&model->first, &optimizer), EAD_OK);
    EadParamGroup group = {&model->first, &optimizer, ead_adam_usual(0),
                           ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    ead_optimizer_append(graph, 1, &group, loss.total, step, (EadShare){0});
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    memcpy(images->y.data, image, (size_t)GCAD_PIXELS * 3);
    ead_plan_run(plan);
    static const char *const names[] = {"described", "local", "encoded", "global", "widened"};
    for (int i = 0; i < 5; i++) check_gcad_value(file, names[i], kept[i], allowed.value);
    check_samples(file, "led.gradients", &model->first, optimizer.gradients, allowed.gradient, NULL);
    ead_plan_free(plan);
    ead_optimizer_free(&optimizer);
    ead_graph_free(graph);
    ead_params_free(&params);
    ead_model_free(&model->base);
}

/* Of group number `group`: the encoder and the local U-Net, what helps in training, the global U-Net. */
static inline void check_gcad_group(const EadSafetensors *file, int group, const EadParams *params,
                                    const real *gradients, double allowed) {
    static const char *const names[] = {"first", "helpers", "later"};
    char full[32];
    snprintf(full, sizeof full, "%s.%s", names[group], gradients ? "gradients" : "parameters");
    check_samples(file, full, params, gradients ? gradients : params->values, allowed, NULL);
}
