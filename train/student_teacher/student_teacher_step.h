/* The steps of S-T: what its fit, the bench and the tests share. */
#pragma once

#include "models/networks/backbone.h"
#include "models/student_teacher/student_teacher.h"
#include "train/loop/loss_log.h"
#include "train/loop/step.h"

extern const EadLossColumn ead_student_teacher_losses[];

/* What a teacher learns from: the network and, pooled over the patch, which of its features; a linear layer from the
 * descriptor to these, used in the distillation alone. */
typedef struct EadDescriptorSource {
    const EadBackbone *backbone;
    int tap;                  /* number in its family's list; -1: the vector of a whole image */
    const EadParams *decoder; /* "decoder.p33.weight", ..., trained with the teacher */
} EadDescriptorSource;

/* How long the vector is that a patch of `field` pixels gives. Errors: the graph's. */
EadStatus ead_descriptor_source_length(const EadBackbone *backbone, int tap, int field, int *length);

/* Declares the decoder of a field of that length. */
EadStatus ead_descriptor_decoder_declare(EadParams *params, int field, int length);

typedef struct EadTeacherOptions {
    int batch;  /* patches */
    int losses; /* columns of the fit, of which the first two and the last, the total, are filled */
    double rate, weight_decay, compactness;
} EadTeacherOptions;

/* Plans the step that distils a teacher of patches of `field` pixels; parameters are updated in place and must outlive it, as
 * must all else. Its input: U8 [batch,P,P,3]. plan may be NULL. Errors: EAD_NO_MEMORY, the graph's. Free with
 * ead_step_free(step). */
EadStatus ead_teacher_step_new(EadParams *teacher, int field, const EadDescriptorSource *source,
                               const EadTeacherOptions *options, const EadPlanOptions *plan, EadStep *step);

/* The same of the step that trains all students. Its input: U8 [1,H,W,3]. */
EadStatus ead_students_step_new(EadStudentTeacher *model, double rate, double weight_decay,
                                const EadPlanOptions *plan, EadStep *step);
