/* S-T's part of model files. No file is believed before it is checked. */
#include "models/student_teacher/student_teacher.h"

#include "models/networks/params_file.h"

#include <stdio.h>
#include <string.h>

typedef char StatisticsName[EAD_NAME_SIZE];

static void statistics_name(const EadStudentTeacher *model, int field, const char *part, StatisticsName out) {
    snprintf(out, EAD_NAME_SIZE, "teacher.p%d.%s", model->spec.fields.size[field], part);
}

/* ---- reading ---- */

static EadStatus read_statistics(const EadSafetensors *file, EadStudentTeacher *model, int field) {
    double mean[EAD_DESCRIPTOR_FEATURES], std[EAD_DESCRIPTOR_FEATURES];
    StatisticsName mean_name, std_name;
    statistics_name(model, field, "mean", mean_name);
    statistics_name(model, field, "std", std_name);
    EAD_TRY(ead_statistics_read(file, mean_name, std_name, EAD_DESCRIPTOR_FEATURES, mean, std));
    ead_student_teacher_set_statistics(model, field, mean, std);
    return EAD_OK;
}

static EadStatus read_maps(const EadSafetensors *file, EadStudentTeacher *model, int field) {
    double statistics[EAD_FIELD_MAPS][2];
    EAD_TRY(ead_field_maps_read(file, model->spec.fields.size[field], statistics));
    return ead_made_of_file(file, ead_student_teacher_set_maps(model, field, statistics));
}

static EadStatus read_spec(const EadSafetensors *file, EadStudentTeacherSpec *spec) {
    int64_t students;
    EAD_TRY(ead_descriptor_fields_read(file, &spec->fields));
    EAD_TRY(ead_metadata_count(file, "students", 1, EAD_STUDENTS_MOST, &students));
    spec->students = (int)students;
    return EAD_OK;
}

static EadStatus read_parts(const EadSafetensors *file, EadStudentTeacher *model) {
    for (int f = 0; f < model->spec.fields.count; f++) {
        EAD_TRY(ead_params_read_all(file, &model->teacher[f]));
        EAD_TRY(ead_params_read_all(file, &model->students[f]));
        EAD_TRY(read_statistics(file, model, f));
        EAD_TRY(read_maps(file, model, f));
    }
    return EAD_OK;
}

EadStatus ead_student_teacher_read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadStudentTeacherSpec spec = {.height = height, .width = width};
    EadStudentTeacher *model;
    EAD_TRY(read_spec(file, &spec));
    EAD_TRY(ead_made_of_file(file, ead_student_teacher_new(&spec, &model)));
    EadStatus status = read_parts(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        ead_model_free(&model->base);
    return status;
}

/* ---- writing ---- */

static EadStatus write_field(const EadStudentTeacher *model, int field, EadSafetensorsWriter *writer) {
    StatisticsName name;
    EAD_TRY(ead_params_write(writer, &model->teacher[field], EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->students[field], EAD_FILE_F32));
    statistics_name(model, field, "mean", name);
    EAD_TRY(ead_vector_write(writer, name, EAD_DESCRIPTOR_FEATURES, model->mean[field]));
    statistics_name(model, field, "std", name);
    EAD_TRY(ead_vector_write(writer, name, EAD_DESCRIPTOR_FEATURES, model->std[field]));
    return ead_field_maps_write(writer, model->spec.fields.size[field], &model->maps[field]);
}

EadStatus ead_student_teacher_write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadStudentTeacher *model = (const EadStudentTeacher *)base;
    EAD_TRY(ead_descriptor_fields_write(writer, &model->spec.fields));
    EAD_TRY(ead_metadata_number_write(writer, "students", model->spec.students));
    for (int f = 0; f < model->spec.fields.count; f++) EAD_TRY(write_field(model, f, writer));
    return EAD_OK;
}
