/* The graphs of the two steps. */
#include "train/student_teacher/student_teacher_step.h"

#include "core/ops/add/add.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/gram/gram.h"
#include "core/ops/mean/mean.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/scale/scale.h"
#include "core/ops/squared_difference/squared_difference.h"

#include <stdio.h>

const EadLossColumn ead_student_teacher_losses[] = {
    {"loss_distillation", "loss/distillation"},
    {"loss_compactness", "loss/compactness"},
    {"loss_student", "loss/student"},
    {"loss_total", "loss/total"},
    {NULL, NULL},
};

enum { DISTILLATION, COMPACTNESS, STUDENT, TOTAL };

static const double EPSILON = 1e-5; /* of the correlations' variances */

/* ---- what is learned from ---- */

static EadNode *source_vector(EadGraph *graph, const EadBackbone *backbone, int tap, EadNode *patches) {
    return tap < 0 ? ead_backbone_vector(graph, backbone, patches)
                   : ead_backbone_pooled(graph, backbone, tap, patches);
}

EadStatus ead_descriptor_source_length(const EadBackbone *backbone, int tap, int field, int *length) {
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *patches = ead_leaf(graph, "patches", EAD_U8, 1, field, field, 3, NULL);
    *length = source_vector(graph, backbone, tap, patches)->y.c;
    EadStatus status = ead_graph_status(graph);
    ead_graph_free(graph);
    return status;
}

static void decoder_name(int field, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "decoder.p%d", field);
}

EadStatus ead_descriptor_decoder_declare(EadParams *params, int field, int length) {
    char name[EAD_NAME_SIZE];
    decoder_name(field, name);
    return ead_params_declare_conv(params, name, length, 1, 1, EAD_DESCRIPTOR_FEATURES);
}

/* ---- the distillation ---- */

typedef struct TeacherBuilder {
    EadParams *teacher;
    int field;
    const EadDescriptorSource *source;
    const EadTeacherOptions *options;
} TeacherBuilder;

static EadNode *decode(EadGraph *graph, const TeacherBuilder *b, EadNode *descriptors) {
    char name[EAD_NAME_SIZE];
    decoder_name(b->field, name);
    EadConvParams p = ead_conv_params(graph, b->source->decoder, name, 0, 0, true);
    return ead_conv2d(graph, descriptors, p.weight, p.bias, (EadConv2d){.stride = 1});
}

/* An EadStepBuilder: the mean of |decoded - vector|², and the squared correlations of the descriptor's numbers. */
static void build_teacher(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const TeacherBuilder *b = context;
    const EadTeacherOptions *o = b->options;
    EadPatchDescriptor teacher = {b->field, "teacher", b->teacher, true};
    EadNode *patches = parts->inputs[0] =
        ead_leaf(graph, "patches", EAD_U8, o->batch, b->field, b->field, 3, NULL);
    EadNode *descriptors =
        ead_patch_descriptor_of_patches(graph, &teacher, ead_normalize_image(graph, patches));
    EadNode *target = source_vector(graph, b->source->backbone, b->source->tap, patches);
    EadNode *mean = ead_mean(graph, ead_squared_difference(graph, decode(graph, b, descriptors), target));
    parts->total = parts->losses[DISTILLATION] = ead_scale(graph, mean, target->y.c);
    if (o->compactness > 0) {
        parts->losses[COMPACTNESS] = ead_correlation_loss(graph, descriptors, EPSILON);
        parts->total =
            ead_add(graph, parts->total, ead_scale(graph, parts->losses[COMPACTNESS], o->compactness));
    }
    parts->losses[o->losses - 1] = parts->total;
    EadLrSchedule schedule = {o->rate, 1, -1};
    EadAdam adam = ead_adam_usual(o->weight_decay);
    parts->groups[0] = (EadStepGroup){b->teacher, adam, schedule};
    parts->groups[1] = (EadStepGroup){(EadParams *)b->source->decoder, adam, schedule};
    parts->group_count = 2;
    parts->share = ead_ranks_share(NULL, o->batch);
    (void)done;
}

EadStatus ead_teacher_step_new(EadParams *teacher, int field, const EadDescriptorSource *source,
                               const EadTeacherOptions *options, const EadPlanOptions *plan, EadStep *step) {
    TeacherBuilder builder = {teacher, field, source, options};
    return ead_step_new(step, options->losses, build_teacher, &builder, plan);
}

/* ---- the students ---- */

typedef struct StudentsBuilder {
    EadStudentTeacher *model;
    double rate, weight_decay;
} StudentsBuilder;

/* An EadStepBuilder: the losses of all students added up, for none has a parameter of another. Told is their mean. */
static void build_students(void *context, EadGraph *graph, EadNode *done, EadStepParts *parts) {
    const StudentsBuilder *b = context;
    EadStudentTeacher *model = b->model;
    int fields = model->spec.fields.count;
    parts->inputs[0] = ead_leaf(graph, "images", EAD_U8, 1, model->base.height, model->base.width, 3, NULL);
    EadNode *x = ead_normalize_image(graph, parts->inputs[0]);
    for (int f = 0; f < fields; f++) {
        EadNode *loss = ead_student_teacher_loss(graph, model, f, x);
        parts->total = f ? ead_add(graph, parts->total, loss) : loss;
        parts->groups[f] = (EadStepGroup){&model->students[f], ead_adam_usual(b->weight_decay),
                                          (EadLrSchedule){b->rate, 1, -1}};
    }
    parts->group_count = fields;
    parts->losses[STUDENT] = ead_scale(graph, parts->total, 1.0 / (fields * model->spec.students));
    parts->losses[TOTAL] = parts->total;
    (void)done;
}

EadStatus ead_students_step_new(EadStudentTeacher *model, double rate, double weight_decay,
                                const EadPlanOptions *plan, EadStep *step) {
    StudentsBuilder builder = {model, rate, weight_decay};
    return ead_step_new(step, ead_loss_count(ead_student_teacher_losses), build_students, &builder, plan);
}
