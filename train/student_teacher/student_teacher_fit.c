/* S-T as a row of train/fits.def: a phase that distils the teacher of each size of patches, unless they come from a model,
 * and one that trains all students. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/base/text.h"
#include "core/file/file_role.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "data/loader/patch_draws.h"
#include "data/loader/training_images.h"
#include "models/networks/params_file.h"
#include "train/fit.h"
#include "train/loop/channel_measure.h"
#include "train/loop/checkpoint.h"
#include "train/loop/train_backbone.h"
#include "train/student_teacher/student_teacher_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_student_teacher;

enum { LOADER_THREADS = 2, FEATURES = EAD_DESCRIPTOR_FEATURES };
enum { PHOTOGRAPH_SIDE = 512 }; /* as they are kept: about the size of ImageNet's */
enum { USUAL_IMAGES = 200 };    /* of a sample */

#define PHOTOGRAPHS "photographs"

typedef struct StudentFit {
    const EadRunSpec *run;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample */
    int images;               /* for training */
    EadStudentTeacher *model;
    EadBackbone backbone; /* empty where the teachers come from a model */
    int tap;
    EadParams decoders[EAD_DESCRIPTOR_FIELDS];
    EadImageList photograph_list;
    EadImageDraws *photographs;
    EadPatchDraws patches;
    EadTrainingImages train;
} StudentFit;

static bool distils(const StudentFit *s) {
    return s->config->student_teacher_descriptor[0] == '\0';
}

/* Phases that distil; the one behind them trains the students. */
static int teacher_phases(const StudentFit *s) {
    return distils(s) ? s->model->spec.fields : 0;
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
    EAD_TRY(ead_student_teacher_find_fields(config->student_teacher_fields, &spec));
    return planned(s, ead_student_teacher_new(&spec, &s->model));
}

static EadStatus open_source(StudentFit *s) {
    const char *layer = s->config->student_teacher_layer;
    EadTaps taps;
    EAD_TRY(ead_open_whole_backbone(s->config, &s->backbone));
    s->tap = -1;
    if (layer[0]) {
        EadStatus status = ead_backbone_find_taps(&s->backbone, layer, &taps);
        if (status != EAD_OK) return ead_fail_prefix(status, "student_teacher.layer: ");
        s->tap = taps.at[0];
    }
    for (int f = 0; f < s->model->spec.fields; f++) {
        int length, field = s->model->spec.field[f];
        EAD_TRY(ead_descriptor_source_length(&s->backbone, s->tap, field, &length));
        EAD_TRY(ead_descriptor_decoder_declare(&s->decoders[f], field, length));
        EAD_TRY(ead_params_allocate(&s->decoders[f]));
    }
    return EAD_OK;
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    StudentFit *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (StudentFit){
        .run = spec, .config = spec->config, .data = data, .images = images > 0 ? images : USUAL_IMAGES};
    *state = s;
    EAD_TRY(new_model(s));
    return distils(s) ? open_source(s) : EAD_OK;
}

static EadStatus list_photographs(StudentFit *s) {
    EadDrawOrder order = {s->config->train_seed, EAD_STREAM_DISTILL_ORDER};
    EAD_TRY(ead_train_data_others(s->config, "student_teacher.images", s->config->student_teacher_images,
                                  "photographs", &order, s->data, &s->photograph_list));
    s->photograph_list.rules.max_pixels = s->config->dataset_max_pixels;
    return EAD_OK;
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EAD_TRY(new_state(spec, data, data->dataset.train.count, state));
    return distils(*state) ? list_photographs(*state) : EAD_OK;
}

static void initialize(StudentFit *s) {
    ead_student_teacher_initialize(s->model, s->config->train_seed);
    for (int f = 0; f < teacher_phases(s); f++) ead_params_initialize(&s->decoders[f], s->config->train_seed);
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, images, state));
    initialize(*state);
    return EAD_OK;
}

static void free_state(void *state) {
    StudentFit *s = state;
    ead_image_draws_print(s->photographs, stderr);
    ead_image_draws_close(s->photographs);
    ead_image_list_free(&s->photograph_list);
    for (int f = 0; f < EAD_DESCRIPTOR_FIELDS; f++) ead_params_free(&s->decoders[f]);
    ead_backbone_free(&s->backbone);
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
    int teachers = teacher_phases(s), students = s->model->spec.fields * s->model->spec.students;
    for (int f = 0; f < teachers; f++)
        out[f] = (EadPhase){"distilling", config->student_teacher_teacher_steps, "student_teacher.teacher_lr",
                            config->student_teacher_teacher_lr, s->decoders[f].items[1].c};
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
    EadDescriptorSource source = {&s->backbone, s->tap, &s->decoders[phase]};
    EadTeacherOptions options = {.batch = config->student_teacher_teacher_batch,
                                 .rate = config->student_teacher_teacher_lr,
                                 .weight_decay = config->student_teacher_weight_decay,
                                 .compactness = config->student_teacher_compactness};
    return planned(s, ead_teacher_step_new(s->model, phase, &source, &options, &plan_options, step));
}

static EadStatus open_photographs(void *state) {
    StudentFit *s = state;
    const EadConfig *config = s->config;
    EadImageFit fit = {EAD_FIT_RESIZE, PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE, NULL};
    int64_t drawn = (int64_t)config->student_teacher_teacher_steps * config->student_teacher_teacher_batch;
    if (!distils(s)) return EAD_OK;
    EAD_TRY(ead_open_draws(config, &s->photograph_list, fit, PHOTOGRAPHS, "student_teacher.images",
                           drawn * s->model->spec.fields, &s->photographs));
    return ead_image_draws_try(s->photographs);
}

static EadStatus start(void *state, const EadStep *step) {
    const StudentFit *s = state;
    const EadConfig *config = s->config;
    char text[256];
    s->model->base.method->functions->describe(&s->model->base, text, sizeof text);
    ead_print(stderr, "%s, on %s, %s: %d training, %d validation, %d test images; %lld steps of one image\n",
              text, s->run->backend->name, ead_run_precision_name(s->run), s->images,
              ead_image_cache_count(s->data->validation), s->data->dataset.test_count,
              (long long)student_steps(s));
    if (distils(s))
        ead_print(
            stderr,
            "the teachers are distilled first, each in %d steps of %d patches of %d photographs, from %s\n",
            config->student_teacher_teacher_steps, config->student_teacher_teacher_batch,
            s->photograph_list.count, s->backbone.name);
    (void)step;
    return EAD_OK;
}

static EadStatus read_descriptor(StudentFit *s) {
    EadSafetensors *file;
    EAD_TRY(ead_safetensors_open(s->config->student_teacher_descriptor, &file));
    EadStatus status = ead_student_teacher_read_teachers(s->model, file);
    ead_safetensors_close(file);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "student_teacher.descriptor: ");
}

/* ---- passes over images ---- */

/* Of field number `field`. */
typedef struct FieldPass {
    const EadStudentTeacher *model;
    int field;
} FieldPass;

static EadNode *build_teacher(void *context, EadGraph *graph, EadNode *images) {
    const FieldPass *pass = context;
    EadPatchDescriptor teacher = ead_student_teacher_teacher(pass->model, pass->field, false);
    EadNode *x = ead_patch_descriptor_dense(graph, &teacher, ead_normalize_image(graph, images));
    return ead_patch_descriptor_picture(graph, teacher.field, x);
}

static EadNode *build_maps(void *context, EadGraph *graph, EadNode *images) {
    const FieldPass *pass = context;
    EadNode *maps[EAD_STUDENT_MAPS];
    ead_student_teacher_raw_maps(graph, pass->model, pass->field, ead_normalize_image(graph, images), maps);
    return maps[EAD_MAP_VARIANCE] ? ead_concat_channels(graph, EAD_STUDENT_MAPS, maps) : maps[EAD_MAP_ERROR];
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
    for (int f = 0; f < s->model->spec.fields; f++) {
        double mean[FEATURES], std[FEATURES];
        FieldPass pass = {s->model, f};
        EadChannelMeasure measure = measure_of(s, &pass);
        measure.what = "measuring the teacher", measure.images = images, measure.build = build_teacher;
        measure.channels = FEATURES, measure.quiet = quiet;
        EAD_TRY(ead_measure_channels(&measure, mean, std));
        ead_student_teacher_set_statistics(s->model, f, mean, std);
    }
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    StudentFit *s = state;
    if (phase == 0) initialize(s);
    if (phase == 0 && !distils(s)) EAD_TRY(read_descriptor(s));
    return phase == teacher_phases(s) ? measure_teachers(s, s->data->train, s->run->quiet) : EAD_OK;
}

static EadStatus look(void *state, const EadImageCache *few) {
    return measure_teachers(state, few, true);
}

static int calibrated(const EadConfig *config, int validation, int test) {
    (void)config, (void)test;
    return validation;
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    StudentFit *s = state;
    bool several = s->model->spec.students > 1;
    (void)folder, (void)config_text, (void)done;
    for (int f = 0; f < s->model->spec.fields; f++) {
        double mean[EAD_STUDENT_MAPS] = {0}, std[EAD_STUDENT_MAPS] = {1, 1}, statistics[EAD_STUDENT_MAPS][2];
        FieldPass pass = {s->model, f};
        EadChannelMeasure measure = measure_of(s, &pass);
        measure.what = "measuring the maps", measure.images = s->data->validation;
        measure.build = build_maps, measure.channels = several ? EAD_STUDENT_MAPS : 1;
        EAD_TRY(ead_measure_channels(&measure, mean, std));
        for (int m = 0; m < EAD_STUDENT_MAPS; m++) statistics[m][0] = mean[m], statistics[m][1] = std[m];
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
    s->patches = (EadPatchDraws){.photographs = s->photographs,
                                 .side = PHOTOGRAPH_SIDE,
                                 .field = s->model->spec.field[phase],
                                 .batch = config->student_teacher_teacher_batch,
                                 .seed = config->train_seed,
                                 .gray = config->student_teacher_gray_probability};
    loader->fill = ead_patch_draws_fill;
    loader->context = &s->patches;
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const StudentFit *s = state;
    for (int f = 0; f < teacher_phases(s); f++)
        EAD_TRY(ead_params_write(writer, &s->decoders[f], EAD_FILE_F32));
    if (distils(s)) EAD_TRY(ead_checkpoint_write_list(writer, PHOTOGRAPHS, &s->photograph_list));
    return ead_model_write(&s->model->base, writer);
}

/* The model of a finished run has none. */
static EadStatus read_decoders(StudentFit *s, const EadSafetensors *file) {
    for (int f = 0; f < teacher_phases(s); f++)
        if (ead_safetensors_find(file, s->decoders[f].items[0].name))
            EAD_TRY(ead_params_read_all(file, &s->decoders[f]));
    return EAD_OK;
}

static bool take(EadModel *own, const EadModel *base) {
    EadStudentTeacher *model = (EadStudentTeacher *)own;
    const EadStudentTeacher *read = (const EadStudentTeacher *)base;
    if (memcmp(&model->spec, &read->spec, sizeof model->spec) != 0) return false;
    for (int f = 0; f < model->spec.fields; f++) {
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
    if (distils(s)) ead_checkpoint_compare_list(file, PHOTOGRAPHS, &s->photograph_list);
    EAD_TRY(read_decoders(s, file));
    return ead_fit_read_model(file, &s->model->base, take);
}

static EadModel *model_of(void *state) {
    return &((StudentFit *)state)->model->base;
}

/* ---- the config ---- */

/* Whether the file has teachers for all fields, as far as its header tells. */
static EadStatus judge_descriptor(const char *path, const EadStudentTeacherSpec *spec) {
    EadSafetensors *file;
    EadStudentTeacher model = {.spec = *spec};
    EAD_TRY(ead_file_expect(path, EAD_ROLES_TRAINED, "a model of student_teacher"));
    EAD_TRY(ead_safetensors_open_header(path, &file));
    const char *method = ead_safetensors_metadata(file, "method");
    EadStatus status = EAD_OK;
    if (!method || strcmp(method, "student_teacher") != 0)
        status = ead_fail(EAD_BAD_FILE, "%s: is of the method %s, not student_teacher", path,
                          method ? method : "efficientad");
    for (int f = 0; f < spec->fields && status == EAD_OK; f++) {
        EadPatchDescriptor teacher = ead_student_teacher_teacher(&model, f, false);
        status = ead_patch_descriptor_declare(&teacher, &model.teacher[f]);
        if (status == EAD_OK) status = ead_params_check_all(file, &model.teacher[f]);
        ead_params_free(&model.teacher[f]);
    }
    ead_safetensors_close(file);
    return status;
}

static void check_files(EadConfig *config, const EadStudentTeacherSpec *spec) {
    bool distilled = config->student_teacher_descriptor[0] == '\0';
    if (distilled) ead_check_backbone(config, EAD_KEY_student_teacher_layer);
    if (distilled && ead_config_is_there(config, EAD_KEY_student_teacher_images))
        ead_config_judge(config, EAD_KEY_student_teacher_images,
                         ead_image_source_check(config->student_teacher_images));
    if (spec->fields && ead_config_is_there(config, EAD_KEY_student_teacher_descriptor))
        ead_config_judge(config, EAD_KEY_student_teacher_descriptor,
                         judge_descriptor(config->student_teacher_descriptor, spec));
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    EadStudentTeacherSpec spec = {.height = config->model_image_size.height,
                                  .width = config->model_image_size.width};
    EadStatus status = ead_student_teacher_find_fields(config->student_teacher_fields, &spec);
    if (status != EAD_OK) spec.fields = 0;
    ead_config_judge(config, EAD_KEY_student_teacher_fields, status);
    ead_config_judge(config, EAD_KEY_model_image_size, ead_student_teacher_check_size(&spec));
    if (strchr(config->student_teacher_layer, ','))
        ead_config_wrong(config, EAD_KEY_student_teacher_layer,
                         "student_teacher.layer: '%.80s' names several features; name one",
                         config->student_teacher_layer);
    if (scope >= EAD_CHECK_TRAINING && !config->student_teacher_images[0] &&
        !config->student_teacher_descriptor[0])
        ead_config_wrong(config, EAD_KEY_student_teacher_images,
                         "student_teacher.images is not set; set it to a folder or .tar archive of varied "
                         "photographs, or student_teacher.descriptor to a model whose teachers to take");
    if (scope >= EAD_CHECK_FILES) check_files(config, &spec);
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
                                        .calibrated = calibrated,
                                        .calibrate = calibrate,
                                        .model = model_of};
