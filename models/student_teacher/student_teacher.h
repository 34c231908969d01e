/* An S-T model in memory ("Uninformed Students", Bergmann et al. 2020): for each size of patches a teacher, distilled
 * from a network that knows photographs, and students that learned to say what it says on good images. Where their mean
 * is off, or they disagree, an image is anomalous.
 *
 * In the model file (models/method.h) it is
 *   metadata  fields "17,33,65", students "3"
 *   tensors   of each field P the networks teacher.pP.* and student1.pP.* ... (weights O,I,KH,KW, biases O), F32;
 *             teacher.pP.mean and .std [128], of its outputs on the training images; map.pP [4], mean and standard
 *             deviation of the regression error and of the predictive variance on good images */
#pragma once

#include "models/blocks/field_maps.h"

enum { EAD_STUDENTS_MOST = 8 };

typedef struct EadStudentTeacherSpec {
    int height, width; /* of the images: multiples of the fields' steps */
    EadDescriptorFields fields;
    int students; /* of each, 1 .. EAD_STUDENTS_MOST */
} EadStudentTeacherSpec;

/* What the maps of a field are made of. */
enum { EAD_MAP_ERROR, EAD_MAP_VARIANCE };

typedef struct EadStudentTeacher {
    EadModel base; /* first, so that a pointer to one is a pointer to the other */
    EadStudentTeacherSpec spec;
    EadParams teacher[EAD_DESCRIPTOR_FIELDS]; /* in the order of spec.field */
    EadParams students[EAD_DESCRIPTOR_FIELDS];
    real mean[EAD_DESCRIPTOR_FIELDS][EAD_DESCRIPTOR_FEATURES],
        std[EAD_DESCRIPTOR_FIELDS][EAD_DESCRIPTOR_FEATURES];
    real scale[EAD_DESCRIPTOR_FIELDS][EAD_DESCRIPTOR_FEATURES],
        shift[EAD_DESCRIPTOR_FIELDS][EAD_DESCRIPTOR_FEATURES]; /* (t - mean) / std = t * scale + shift */
    EadFieldMaps maps[EAD_DESCRIPTOR_FIELDS];
} EadStudentTeacher;

/* Checks the sizes and makes a model with zeroed parameters, unit statistics of the teachers and maps as they are. Errors:
 * EAD_BAD_ARGUMENT for a size of images that is no multiple of a field's step; EAD_NO_MEMORY. Free with ead_model_free() of
 * its base. */
EadStatus ead_student_teacher_new(const EadStudentTeacherSpec *spec, EadStudentTeacher **out);

/* Draws teachers and students as PyTorch does. */
void ead_student_teacher_initialize(EadStudentTeacher *model, uint64_t seed);

/* Sets a teacher's statistics and what follows from them. A channel that never changes keeps its scale. */
void ead_student_teacher_set_statistics(EadStudentTeacher *model, int field, const double *mean,
                                        const double *std);

/* Sets the statistics of a field's maps and what follows from them; without a second student the variance is 0, and its
 * statistics are not looked at. Errors: EAD_BAD_ARGUMENT if they are not finite or a map has no spread. */
EadStatus ead_student_teacher_set_maps(EadStudentTeacher *model, int field,
                                       double statistics[EAD_FIELD_MAPS][2]);

/* Networks of field number `field`; student: from 0. */
EadPatchDescriptor ead_student_teacher_teacher(const EadStudentTeacher *model, int field, bool trainable);
EadPatchDescriptor ead_student_teacher_student(const EadStudentTeacher *model, int field, int student,
                                               bool trainable);

/* x [N,H,W,3], normalised images -> the teacher's outputs as ead_patch_descriptor_dense() has them, normalised by its
 * statistics. */
EadNode *ead_student_teacher_target(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x);

/* The students' losses of a field, each the mean over pixels of |student - teacher|², added up: a scalar. x as above. */
EadNode *ead_student_teacher_loss(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x);

/* The maps of a field as they are, [N,H,W,1]: regression error |mean of students - teacher|², predictive variance, the mean
 * of |student - mean of students|²; NULL with one student. */
void ead_student_teacher_raw_maps(EadGraph *graph, const EadStudentTeacher *model, int field, EadNode *x,
                                  EadNode *maps[EAD_FIELD_MAPS]);

/* EadMethodFunctions.read and .write (models/student_teacher/student_teacher_file.c). */
EadStatus ead_student_teacher_read(const EadSafetensors *file, int height, int width, EadModel **out);
EadStatus ead_student_teacher_write(const EadModel *base, EadSafetensorsWriter *writer);
