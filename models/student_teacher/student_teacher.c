/* The model, its graphs, and its row among the methods. */
#include "models/student_teacher/student_teacher.h"

#include "core/base/memory.h"
#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = EAD_DESCRIPTOR_FEATURES };

static const char *const student_names[EAD_STUDENTS_MOST] = {"student1", "student2", "student3", "student4",
                                                             "student5", "student6", "student7", "student8"};

static void free_model(EadModel *base) {
    EadStudentTeacher *model = (EadStudentTeacher *)base;
    for (int f = 0; f < EAD_DESCRIPTOR_FIELDS; f++) {
        ead_params_free(&model->teacher[f]);
        ead_params_free(&model->students[f]);
    }
    free(model);
}

/* ---- parameters ---- */

EadPatchDescriptor ead_student_teacher_teacher(const EadStudentTeacher *model, int field, bool trainable) {
    return (EadPatchDescriptor){model->spec.fields.size[field], "teacher", &model->teacher[field], trainable};
}

EadPatchDescriptor ead_student_teacher_student(const EadStudentTeacher *model, int field, int student,
                                               bool trainable) {
    return (EadPatchDescriptor){model->spec.fields.size[field], student_names[student],
                                &model->students[field], trainable};
}

static EadStatus declare_field(EadStudentTeacher *model, int field) {
    EadPatchDescriptor teacher = ead_student_teacher_teacher(model, field, false);
    EAD_TRY(ead_patch_descriptor_declare(&teacher, &model->teacher[field]));
    for (int i = 0; i < model->spec.students; i++) {
        EadPatchDescriptor student = ead_student_teacher_student(model, field, i, false);
        EAD_TRY(ead_patch_descriptor_declare(&student, &model->students[field]));
    }
    return EAD_OK;
}

static EadStatus declare(EadStudentTeacher *model) {
    int64_t total = 0;
    for (int f = 0; f < model->spec.fields.count; f++) {
        EAD_TRY(declare_field(model, f));
        total += model->teacher[f].total + model->students[f].total;
    }
    EAD_TRY(ead_params_check_room(total));
    for (int f = 0; f < model->spec.fields.count; f++) {
        EAD_TRY(ead_params_allocate(&model->teacher[f]));
        EAD_TRY(ead_params_allocate(&model->students[f]));
    }
    return EAD_OK;
}

EadStatus ead_student_teacher_new(const EadStudentTeacherSpec *spec, EadStudentTeacher **out) {
    EAD_TRY(ead_descriptor_fields_check(&spec->fields, spec->height, spec->width));
    EadStudentTeacher *model = ead_new(1, sizeof *model, "a model");
    if (!model) return EAD_NO_MEMORY;
    model->base = ead_model_new("student_teacher", spec->height, spec->width);
    model->spec = *spec;
    for (int f = 0; f < EAD_DESCRIPTOR_FIELDS; f++) {
        for (int c = 0; c < FEATURES; c++) model->std[f][c] = model->scale[f][c] = 1;
        model->maps[f] = ead_field_maps();
    }
    EadStatus status = declare(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

void ead_student_teacher_initialize(EadStudentTeacher *model, uint64_t seed) {
    for (int f = 0; f < model->spec.fields.count; f++) {
        ead_params_initialize(&model->teacher[f], seed);
        ead_params_initialize(&model->students[f], seed);
    }
}

/* ---- statistics ---- */

void ead_student_teacher_set_statistics(EadStudentTeacher *model, int field, const double *mean,
                                        const double *std) {
    for (int c = 0; c < FEATURES; c++) {
        EadStandardizing s = ead_standardizing(mean[c], std[c]);
        model->mean[field][c] = s.mean;
        model->std[field][c] = s.std;
        model->scale[field][c] = s.scale;
        model->shift[field][c] = s.shift;
    }
}

EadStatus ead_student_teacher_set_maps(EadStudentTeacher *model, int field,
                                       double statistics[EAD_FIELD_MAPS][2]) {
    static const char *const names[] = {"map of the regression error", "map of the predictive variance"};
    int count = model->spec.students > 1 ? EAD_FIELD_MAPS : 1;
    EAD_TRY(
        ead_field_maps_set(&model->maps[field], model->spec.fields.size[field], names, count, statistics));
    model->base.color_high = (float)count * EAD_FIELD_MAP_HIGH;
    return EAD_OK;
}

/* ---- the graph ---- */

EadNode *ead_student_teacher_target(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x) {
    EadPatchDescriptor teacher = ead_student_teacher_teacher(model, field, false);
    void *scale = (void *)model->scale[field], *shift = (void *)model->shift[field];
    return ead_channel_affine(graph, ead_patch_descriptor_dense(graph, &teacher, x),
                              ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, FEATURES, scale),
                              ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, FEATURES, shift));
}

static EadNode *student_output(EadGraph *graph, const EadStudentTeacher *model, int field, int student,
                               EadNode *x, bool trainable) {
    EadPatchDescriptor descriptor = ead_student_teacher_student(model, field, student, trainable);
    return ead_patch_descriptor_dense(graph, &descriptor, x);
}

/* sum may be NULL: nothing yet. */
static EadNode *add_to(EadGraph *graph, EadNode *sum, EadNode *x) {
    return sum ? ead_add(graph, sum, x) : x;
}

EadNode *ead_student_teacher_loss(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x) {
    EadNode *target = ead_student_teacher_target(graph, model, field, x), *sum = NULL;
    for (int i = 0; i < model->spec.students; i++) {
        EadNode *output = student_output(graph, model, field, i, x, true);
        sum = add_to(graph, sum, ead_mean(graph, ead_squared_difference(graph, output, target)));
    }
    return ead_scale(graph, sum, FEATURES);
}

/* |a - b|² of each position. */
static EadNode *distance(EadGraph *graph, EadNode *a, EadNode *b) {
    return ead_scale(graph, ead_channel_mean(graph, ead_squared_difference(graph, a, b)), FEATURES);
}

void ead_student_teacher_raw_maps(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x,
                                  EadNode *maps[EAD_FIELD_MAPS]) {
    int students = model->spec.students, size = model->spec.fields.size[field];
    EadNode *outputs[EAD_STUDENTS_MOST], *mean = NULL, *variance = NULL;
    EadNode *target = ead_student_teacher_target(graph, model, field, x);
    for (int i = 0; i < students; i++) {
        outputs[i] = student_output(graph, model, field, i, x, false);
        mean = add_to(graph, mean, outputs[i]);
    }
    if (students > 1) mean = ead_scale(graph, mean, 1.0 / students);
    for (int i = 0; i < students && students > 1; i++)
        variance = add_to(graph, variance, distance(graph, outputs[i], mean));
    maps[EAD_MAP_ERROR] = ead_patch_descriptor_picture(graph, size, distance(graph, mean, target));
    maps[EAD_MAP_VARIANCE] =
        variance ? ead_patch_descriptor_picture(graph, size, ead_scale(graph, variance, 1.0 / students))
                 : NULL;
}

/* Of each field the normalised maps, added up; and their mean over the fields. */
static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    static const char *const names[] = {"regression error", "predictive variance"};
    const EadStudentTeacher *model = (const EadStudentTeacher *)base;
    int fields = model->spec.fields.count;
    EadNode *x = ead_normalize_image(graph, images), *sums[EAD_FIELD_MAPS] = {NULL};
    for (int f = 0; f < fields; f++) {
        EadNode *maps[EAD_FIELD_MAPS];
        ead_student_teacher_raw_maps(graph, model, f, x, maps);
        ead_field_maps_add(graph, &model->maps[f], maps, sums);
    }
    return ead_field_maps_detection(graph, sums, fields, names);
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadStudentTeacher *model = (const EadStudentTeacher *)base;
    int64_t numbers = 0;
    for (int f = 0; f < model->spec.fields.count; f++)
        numbers += model->teacher[f].total + model->students[f].total;
    return (size_t)numbers * sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadStudentTeacherSpec *spec = &((const EadStudentTeacher *)base)->spec;
    char fields[EAD_FIELDS_TEXT];
    ead_descriptor_fields_text(&spec->fields, fields);
    snprintf(text, size, "S-T at %dx%d, %d student%s of patches of %s pixels", base->height, base->width,
             spec->students, spec->students > 1 ? "s each" : "", fields);
}

extern const EadMethodFunctions ead_student_teacher_functions;
const EadMethodFunctions ead_student_teacher_functions = {.read = ead_student_teacher_read,
                                                          .write = ead_student_teacher_write,
                                                          .build = build,
                                                          .bytes = bytes,
                                                          .describe = describe,
                                                          .free = free_model,
                                                          .scores_by_peak = true};
