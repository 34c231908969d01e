/* S-T against its patch networks in PyTorch (test/golden/methods/student_teacher_golden.py), in float and, with tighter
 * bounds, in double. */
#pragma once

#include "autograd/optimizer.h"
#include "core/ops/add/add.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/gram/gram.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/plan/plan.h"
#include "models/student_teacher/student_teacher.h"
#include "test/methods/golden_steps.h"
#include "test/support/sample_models.h"

enum {
    ST_SEED = 5,
    ST_HEIGHT = 8,
    ST_WIDTH = 16,
    ST_PIXELS = ST_HEIGHT * ST_WIDTH,
    ST_JUDGED = 30,
    CHANNEL_STEP = 16
};

static inline void draw_values(const char *what, int field, int count, double factor, double plus,
                               double *out) {
    char name[64];
    snprintf(name, sizeof name, "%s of %d", what, field);
    for (int i = 0; i < count; i++) out[i] = (double)(float)(drawn(name, i) * factor + plus);
}

/* With drawn networks and statistics. */
static inline EadStudentTeacher *student_teacher_model(const char *fields, int students) {
    EadStudentTeacherSpec spec = {.height = ST_HEIGHT, .width = ST_WIDTH, .students = students};
    EadStudentTeacher *model;
    ck_assert_int_eq(ead_descriptor_fields_find(fields, &spec.fields), EAD_OK);
    ck_assert_msg(ead_student_teacher_new(&spec, &model) == EAD_OK, "%s", ead_error_message());
    ead_student_teacher_initialize(model, ST_SEED);
    for (int f = 0; f < spec.fields.count; f++) {
        double mean[EAD_DESCRIPTOR_FEATURES], std[EAD_DESCRIPTOR_FEATURES], maps[EAD_FIELD_MAPS][2];
        draw_values("mean", spec.fields.size[f], EAD_DESCRIPTOR_FEATURES, 0.1, 0, mean);
        draw_values("std", spec.fields.size[f], EAD_DESCRIPTOR_FEATURES, 0.04, 0.06, std);
        draw_values("maps", spec.fields.size[f], 4, 1, 2, &maps[0][0]);
        ead_student_teacher_set_statistics(model, f, mean, std);
        ck_assert_int_eq(ead_student_teacher_set_maps(model, f, maps), EAD_OK);
    }
    return model;
}

static inline void check_values(const EadSafetensors *file, const char *what, int field, const real *values,
                                int64_t count, int64_t stride, double allowed) {
    char name[32];
    if (field)
        snprintf(name, sizeof name, "%s.p%d", what, field);
    else
        snprintf(name, sizeof name, "%s", what);
    double *expected = golden_numbers(file, name, count), *got = malloc((size_t)count * sizeof *got);
    for (int64_t i = 0; i < count; i++) got[i] = (double)values[i * stride];
    check_numbers(name, got, expected, count, allowed);
    free(expected), free(got);
}

/* Descriptors of all pixels, and what is made of them, for a whole image at once: those of each patch by itself. */
static inline void check_dense(const EadSafetensors *file, EadStudentTeacher *model, const uint8_t *image,
                               double allowed) {
    for (int f = 0; f < model->spec.fields.count; f++) {
        EadGraph *graph = ead_graph_new();
        EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, ST_HEIGHT, ST_WIDTH, 3, NULL);
        EadNode *x = ead_normalize_image(graph, images), *maps[EAD_FIELD_MAPS];
        EadPatchDescriptor teacher = ead_student_teacher_teacher(model, f, false);
        EadNode *dense = ead_patch_descriptor_picture(graph, teacher.field,
                                                      ead_patch_descriptor_dense(graph, &teacher, x));
        EadPlan *plan;
        ead_student_teacher_raw_maps(graph, model, f, x, maps);
        ead_keep(dense), ead_keep(maps[EAD_MAP_ERROR]), ead_keep(maps[EAD_MAP_VARIANCE]);
        ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
        memcpy(images->y.data, image, (size_t)ST_PIXELS * 3);
        ead_plan_run(plan);
        ck_assert_int_eq(ead_count(&dense->y), ST_PIXELS * EAD_DESCRIPTOR_FEATURES);
        check_values(file, "dense", teacher.field, dense->y.data, ead_count(&dense->y) / CHANNEL_STEP,
                     CHANNEL_STEP, allowed);
        check_values(file, "error", teacher.field, maps[EAD_MAP_ERROR]->y.data, ST_PIXELS, 1, allowed);
        check_values(file, "variance", teacher.field, maps[EAD_MAP_VARIANCE]->y.data, ST_PIXELS, 1, allowed);
        ead_plan_free(plan);
        ead_graph_free(graph);
    }
}

enum { ST_TRAINED = 31, ST_STEPS = 3 };

typedef struct StudentBounds {
    double loss, gradient, parameter;
} StudentBounds;

/* Three steps of Adam of one student of 33 pixels on an image. */
static inline void check_student_steps(const EadSafetensors *file, const uint8_t *image,
                                       StudentBounds allowed) {
    EadStudentTeacher *model = student_teacher_model("33", 1);
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, ST_HEIGHT, ST_WIDTH, 3, NULL),
            *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    EadNode *loss = ead_keep(ead_student_teacher_loss(graph, model, 0, ead_normalize_image(graph, images)));
    EadOptimizer optimizer;
    EadPlan *plan;
    real rate = (real)1e-4;
    ck_assert_int_eq(ead_optimizer_new(&model->students[0], &optimizer), EAD_OK);
    EadParamGroup group = {&model->students[0], &optimizer, ead_adam_usual(1e-5),
                           ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    ead_optimizer_append(graph, 1, &group, loss, step, (EadShare){0});
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    memcpy(images->y.data, image, (size_t)ST_PIXELS * 3);
    double *losses = golden_numbers(file, "students.losses", ST_STEPS + 1), got;
    for (int s = 0; s <= ST_STEPS; s++) {
        if (s == ST_STEPS)
            check_samples(file, "students.parameters", group.params, group.params->values, allowed.parameter,
                          NULL);
        ead_plan_run(plan);
        got = (double)*(const real *)loss->y.data;
        check_numbers("students.losses", &got, losses + s, 1, allowed.loss);
        if (s == 0)
            check_samples(file, "students.gradients", group.params, optimizer.gradients, allowed.gradient,
                          NULL);
    }
    free(losses);
    ead_plan_free(plan);
    ead_optimizer_free(&optimizer);
    ead_graph_free(graph);
    ead_model_free(&model->base);
}

enum { PATCHES = 6, FIELD = 33, PATCH_SEED = 50, DRAWN_SIDE = 40, VECTOR = 512 };

static inline void golden_patches(uint8_t *out) {
    uint8_t whole[DRAWN_SIDE * DRAWN_SIDE * 3];
    for (int i = 0; i < PATCHES; i++) {
        golden_image((uint64_t)(PATCH_SEED + i), DRAWN_SIDE, DRAWN_SIDE, whole);
        for (int h = 0; h < FIELD; h++, out += 3 * FIELD)
            memcpy(out, whole + (ptrdiff_t)h * 3 * DRAWN_SIDE, (size_t)3 * FIELD);
    }
}

/* The losses of a distillation and the gradients of a teacher, of patches whose vectors the file holds. */
static inline void check_teacher_gradients(const EadSafetensors *file, const uint8_t *patches,
                                           double loss_bound, double gradient_bound) {
    EadStudentTeacher *model = student_teacher_model("33", 1);
    EadPatchDescriptor teacher = ead_student_teacher_teacher(model, 0, true);
    EadParams decoder = {0};
    EadOptimizer optimizer;
    EadPlan *plan;
    real rate = 0;
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "patches", EAD_U8, PATCHES, FIELD, FIELD, 3, NULL),
            *vector = ead_leaf(graph, "vector", EAD_REAL, PATCHES, 1, 1, VECTOR, NULL),
            *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    ck_assert_int_eq(ead_params_declare_conv(&decoder, "decoder.p33", VECTOR, 1, 1, EAD_DESCRIPTOR_FEATURES),
                     EAD_OK);
    ck_assert_int_eq(ead_params_allocate(&decoder), EAD_OK);
    ead_params_initialize(&decoder, ST_SEED);
    EadNode *x = ead_patch_descriptor_of_patches(graph, &teacher, ead_normalize_image(graph, images));
    EadConvParams p = ead_conv_params(graph, &decoder, "decoder.p33", 0, 0, false);
    EadNode *decoded = ead_conv2d(graph, x, p.weight, p.bias, (EadConv2d){.stride = 1});
    EadNode *parts[3] = {
        ead_keep(ead_scale(graph, ead_mean(graph, ead_squared_difference(graph, decoded, vector)), VECTOR)),
        ead_keep(ead_correlation_loss(graph, x, 1e-5))};
    parts[2] = ead_keep(ead_add(graph, parts[0], ead_scale(graph, parts[1], 0.5)));
    ck_assert_int_eq(ead_optimizer_new(&model->teacher[0], &optimizer), EAD_OK);
    EadParamGroup group = {&model->teacher[0], &optimizer, ead_adam_usual(0),
                           ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    ead_optimizer_append(graph, 1, &group, parts[2], step, (EadShare){0});
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    memcpy(images->y.data, patches, (size_t)PATCHES * FIELD * FIELD * 3);
    double *numbers = golden_numbers(file, "vector", PATCHES * VECTOR), got[3],
           *losses = golden_numbers(file, "teacher.losses", (ST_STEPS + 1) * 3);
    for (int i = 0; i < PATCHES * VECTOR; i++) ((real *)vector->y.data)[i] = (real)numbers[i];
    ead_plan_run(plan);
    for (int i = 0; i < 3; i++) got[i] = (double)*(const real *)parts[i]->y.data;
    check_numbers("teacher.losses", got, losses, 3, loss_bound);
    check_samples(file, "teacher.gradients", group.params, optimizer.gradients, gradient_bound, NULL);
    free(numbers), free(losses);
    ead_plan_free(plan);
    ead_optimizer_free(&optimizer);
    ead_params_free(&decoder);
    ead_graph_free(graph);
    ead_model_free(&model->base);
}
