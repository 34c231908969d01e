/* S-T as a row of train/fits.def: a phase that distils the teacher of each size of patches, unless they come from a model,
 * and one that trains all students. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "data/loader/training_images.h"
#include "train/loop/channel_measure.h"
#include "train/student_teacher/descriptor_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_student_teacher;

enum { LOADER_THREADS = 2, FEATURES = EAD_DESCRIPTOR_FEATURES };
enum { USUAL_IMAGES = 200 }; /* of a sample */

typedef struct StudentFit {
    const EadRunSpec *run;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample */
    int images;               /* for training */
    EadStudentTeacher *model;
    EadDescriptorFit descriptors;
    EadTrainingImages train;
} StudentFit;

/* Phases that distil; the one behind them trains the students. */
static int teacher_phases(const StudentFit *s) {
    return ead_descriptor_fit_phases(&s->descriptors);
}

/* ---- the model ---- */

/* What is too large names what makes it smaller. */
static EadStatus planned(const StudentFit *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_student_teacher_fields, EAD_KEY_student_teacher_students,
                                          EAD_KEY_student_teacher_teacher_batch};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static EadStatus new_model(StudentFit *s) {
    const EadConfig *config = s->config;
    EadStudentTeacherSpec spec = {.height = config->model_image_size.height,
                                  .width = config->model_image_size.width,
                                  .students = config->student_teacher_students};
    EAD_TRY(ead_descriptor_fields_find(config->student_teacher_fields, &spec.fields));
    return planned(s, ead_student_teacher_new(&spec, &s->model));
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    StudentFit *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (StudentFit){
        .run = spec, .config = spec->config, .data = data, .images = images > 0 ? images : USUAL_IMAGES};
    *state = s;
    EAD_TRY(new_model(s));
    return ead_descriptor_fit_open(&s->descriptors, spec, &s->model->spec.fields, s->model->teacher,
                                   ead_student_teacher_losses);
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EAD_TRY(new_state(spec, data, data->dataset.train.count, state));
    return ead_descriptor_fit_list(&((StudentFit *)*state)->descriptors, data);
}

static void initialize(StudentFit *s) {
    ead_student_teacher_initialize(s->model, s->config->train_seed);
    ead_descriptor_fit_initialize(&s->descriptors);
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, images, state));
    initialize(*state);
    return EAD_OK;
}

static void free_state(void *state) {
    StudentFit *s = state;
    ead_descriptor_fit_free(&s->descriptors);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phases ---- */

static int64_t student_steps(const StudentFit *s) {
    return (int64_t)s->config->student_teacher_epochs * s->images;
}

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    EAD_SAME_VALUE(EAD_MAX_PHASES >= EAD_DESCRIPTOR_FIELDS + 1, 1);
    const StudentFit *s = state;
    const EadConfig *config = s->config;
    int teachers = teacher_phases(s), students = s->model->spec.fields.count * s->model->spec.students;
    ead_descriptor_fit_name_phases(&s->descriptors, out);
    out[teachers] = (EadPhase){"training", student_steps(s), "student_teacher.lr", config->student_teacher_lr,
                               (double)students * FEATURES};
    return teachers + 1;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    StudentFit *s = state;
    const EadConfig *config = s->config;
    EadPlanOptions plan_options = ead_run_plan_options(s->run);
    if (phase == teacher_phases(s))
        return planned(s, ead_students_step_new(s->model, config->student_teacher_lr,
                                                config->student_teacher_weight_decay, &plan_options, step));
    return planned(s, ead_descriptor_fit_plan(&s->descriptors, phase, step));
}

static EadStatus open_photographs(void *state) {
    return ead_descriptor_fit_open_photographs(&((StudentFit *)state)->descriptors);
}

static EadStatus start(void *state, const EadStep *step) {
    const StudentFit *s = state;
    char text[256];
    s->model->base.method->functions->describe(&s->model->base, text, sizeof text);
    ead_print(stderr, "%s, on %s, %s: %d training, %d validation, %d test images; %lld steps of one image\n",
              text, s->run->backend->name, ead_run_precision_name(s->run), s->images,
              ead_image_cache_count(s->data->validation), s->data->dataset.test_count,
              (long long)student_steps(s));
    ead_descriptor_fit_print_start(&s->descriptors);
    (void)step;
    return EAD_OK;
}

/* ---- passes over images ---- */

/* Of field number `field`. */
typedef struct FieldPass {
    const EadStudentTeacher *model;
    int field;
} FieldPass;

static EadNode *build_maps(void *context, EadGraph *graph, EadNode *images) {
    const FieldPass *pass = context;
    EadNode *maps[EAD_FIELD_MAPS];
    ead_student_teacher_raw_maps(graph, pass->model, pass->field, ead_normalize_image(graph, images), maps);
    return maps[EAD_MAP_VARIANCE] ? ead_concat_channels(graph, EAD_FIELD_MAPS, maps) : maps[EAD_MAP_ERROR];
}

static EadChannelMeasure measure_of(const StudentFit *s, FieldPass *pass) {
    return (EadChannelMeasure){.backend = s->run->backend,
                               .height = s->model->base.height,
                               .width = s->model->base.width,
                               .context = pass,
                               .inside = s->model->base.region.mask,
                               .quiet = s->run->quiet};
}

static EadStatus measure_teachers(StudentFit *s, const EadImageCache *images, bool quiet) {
    for (int f = 0; f < s->model->spec.fields.count; f++) {
        double mean[FEATURES], std[FEATURES];
        EAD_TRY(ead_descriptor_fit_measure(&s->descriptors, f, &s->model->base, images, quiet, mean, std));
        ead_student_teacher_set_statistics(s->model, f, mean, std);
    }
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    StudentFit *s = state;
    if (phase == 0) initialize(s);
    if (phase == 0) EAD_TRY(ead_descriptor_fit_take(&s->descriptors));
    return phase == teacher_phases(s) ? measure_teachers(s, s->data->train, s->run->quiet) : EAD_OK;
}

static EadStatus look(void *state, const EadImageCache *few) {
    return measure_teachers(state, few, true);
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    StudentFit *s = state;
    bool several = s->model->spec.students > 1;
    (void)folder, (void)config_text, (void)done;
    for (int f = 0; f < s->model->spec.fields.count; f++) {
        double mean[EAD_FIELD_MAPS] = {0}, std[EAD_FIELD_MAPS] = {1, 1}, statistics[EAD_FIELD_MAPS][2];
        FieldPass pass = {s->model, f};
        EadChannelMeasure measure = measure_of(s, &pass);
        measure.what = "measuring the maps", measure.images = s->data->validation;
        measure.build = build_maps, measure.channels = several ? EAD_FIELD_MAPS : 1;
        EAD_TRY(ead_measure_channels(&measure, mean, std));
        for (int m = 0; m < EAD_FIELD_MAPS; m++) statistics[m][0] = mean[m], statistics[m][1] = std[m];
        EAD_TRY(ead_student_teacher_set_maps(s->model, f, statistics));
    }
    return EAD_OK;
}

/* ---- steps ---- */

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    StudentFit *s = state;
    const EadConfig *config = s->config;
    (void)step;
    loader->threads = LOADER_THREADS;
    if (!s->data) return EAD_OK;
    if (phase == teacher_phases(s)) {
        s->train = (EadTrainingImages){.train = s->data->train,
                                       .seed = config->train_seed,
                                       .penalty_at = -1,
                                       .train_at = 0,
                                       .augmented_at = -1,
                                       .count = 1};
        loader->fill = ead_training_images_fill;
        loader->context = &s->train;
        return EAD_OK;
    }
    ead_descriptor_fit_begin(&s->descriptors, phase, loader);
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const StudentFit *s = state;
    EAD_TRY(ead_descriptor_fit_write(&s->descriptors, writer));
    return ead_model_write(&s->model->base, writer);
}

static bool take(EadModel *own, const EadModel *base) {
    EadStudentTeacher *model = (EadStudentTeacher *)own;
    const EadStudentTeacher *read = (const EadStudentTeacher *)base;
    if (memcmp(&model->spec, &read->spec, sizeof model->spec) != 0) return false;
    for (int f = 0; f < model->spec.fields.count; f++) {
        ead_params_copy(&model->teacher[f], &read->teacher[f]);
        ead_params_copy(&model->students[f], &read->students[f]);
    }
    memcpy(model->mean, read->mean, sizeof model->mean);
    memcpy(model->std, read->std, sizeof model->std);
    memcpy(model->scale, read->scale, sizeof model->scale);
    memcpy(model->shift, read->shift, sizeof model->shift);
    return true;
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    StudentFit *s = state;
    EAD_TRY(ead_descriptor_fit_read(&s->descriptors, file));
    return ead_fit_read_model(file, &s->model->base, take);
}

static EadModel *model_of(void *state) {
    return &((StudentFit *)state)->model->base;
}

/* ---- the config ---- */

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    EadStudentTeacherSpec spec = {.height = config->model_image_size.height,
                                  .width = config->model_image_size.width};
    EadStatus status = ead_descriptor_fields_find(config->student_teacher_fields, &spec.fields);
    if (status != EAD_OK) spec.fields.count = 0;
    ead_config_judge(config, EAD_KEY_student_teacher_fields, status);
    ead_config_judge(config, EAD_KEY_model_image_size,
                     ead_descriptor_fields_check(&spec.fields, spec.height, spec.width));
    ead_descriptor_fit_check(config, scope, &spec.fields);
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_student_teacher = {.name = "student_teacher",
                                        .model_name = "model.safetensors",
                                        .scope = EAD_SAME_STEPS,
                                        .losses = ead_student_teacher_losses,
                                        .maps_key = -1,
                                        .slots = 3,
                                        .length_key = EAD_KEY_student_teacher_epochs,
                                        .second_length_key = EAD_KEY_student_teacher_teacher_steps,
                                        .check = check,
                                        .create = create,
                                        .sample = sample,
                                        .free = free_state,
                                        .phases = phases,
                                        .plan = plan,
                                        .open = open_photographs,
                                        .start = start,
                                        .fit = fit,
                                        .look = look,
                                        .begin = begin,
                                        .write = write_checkpoint,
                                        .read = read_checkpoint,
                                        .calibrated = ead_fit_calibrated_by_validation,
                                        .calibrate = calibrate,
                                        .model = model_of};
