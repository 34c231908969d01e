/* The distillation of descriptors as phases, and teachers taken of models. */
#include "train/student_teacher/descriptor_fit.h"

#include "core/base/printing.h"
#include "core/file/file_role.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "models/networks/params_file.h"
#include "train/loop/channel_measure.h"
#include "train/loop/checkpoint.h"
#include "train/loop/train_backbone.h"

#include <string.h>

enum { PHOTOGRAPH_SIDE = 512 }; /* as they are kept: about the size of ImageNet's */

#define PHOTOGRAPHS "photographs"

static bool distils(const EadDescriptorFit *d) {
    return d->config->student_teacher_descriptor[0] == '\0';
}

static EadPatchDescriptor teacher_of(const EadDescriptorFit *d, int field) {
    return (EadPatchDescriptor){d->fields->size[field], "teacher", &d->teachers[field], false};
}

/* ---- what they are distilled from ---- */

static EadStatus open_source(EadDescriptorFit *d) {
    const char *layer = d->config->student_teacher_layer;
    EadTaps taps;
    EAD_TRY(ead_open_whole_backbone(d->config, &d->backbone));
    d->tap = -1;
    if (layer[0]) {
        EadStatus status = ead_backbone_find_taps(&d->backbone, layer, &taps);
        if (status != EAD_OK) return ead_fail_prefix(status, "student_teacher.layer: ");
        d->tap = taps.at[0];
    }
    for (int f = 0; f < d->fields->count; f++) {
        int length, field = d->fields->size[f];
        EAD_TRY(ead_descriptor_source_length(&d->backbone, d->tap, field, &length));
        EAD_TRY(ead_descriptor_decoder_declare(&d->decoders[f], field, length));
        EAD_TRY(ead_params_allocate(&d->decoders[f]));
    }
    return EAD_OK;
}

EadStatus ead_descriptor_fit_open(EadDescriptorFit *d, const EadRunSpec *run,
                                  const EadDescriptorFields *fields, EadParams *teachers,
                                  const EadLossColumn *losses) {
    *d = (EadDescriptorFit){.run = run,
                            .config = run->config,
                            .fields = fields,
                            .teachers = teachers,
                            .losses = ead_loss_count(losses)};
    return distils(d) ? open_source(d) : EAD_OK;
}

void ead_descriptor_fit_free(EadDescriptorFit *d) {
    ead_image_draws_print(d->photographs, stderr);
    ead_image_draws_close(d->photographs);
    ead_image_list_free(&d->list);
    for (int f = 0; f < EAD_DESCRIPTOR_FIELDS; f++) ead_params_free(&d->decoders[f]);
    ead_backbone_free(&d->backbone);
}

EadStatus ead_descriptor_fit_list(EadDescriptorFit *d, const EadTrainData *data) {
    EadDrawOrder order = {d->config->train_seed, EAD_STREAM_DISTILL_ORDER};
    if (!distils(d)) return EAD_OK;
    EAD_TRY(ead_train_data_others(d->config, "student_teacher.images", d->config->student_teacher_images,
                                  PHOTOGRAPHS, &order, data, &d->list));
    d->list.rules.max_pixels = d->config->dataset_max_pixels;
    return EAD_OK;
}

EadStatus ead_descriptor_fit_open_photographs(EadDescriptorFit *d) {
    const EadConfig *config = d->config;
    EadImageFit fit = {EAD_FIT_RESIZE, PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE, NULL};
    int64_t drawn = (int64_t)config->student_teacher_teacher_steps * config->student_teacher_teacher_batch;
    if (!distils(d)) return EAD_OK;
    EAD_TRY(ead_open_draws(config, &d->list, fit, PHOTOGRAPHS, "student_teacher.images",
                           drawn * d->fields->count, &d->photographs));
    return ead_image_draws_try(d->photographs);
}

void ead_descriptor_fit_initialize(EadDescriptorFit *d) {
    for (int f = 0; f < ead_descriptor_fit_phases(d); f++)
        ead_params_initialize(&d->decoders[f], d->config->train_seed);
}

/* ---- the phases ---- */

int ead_descriptor_fit_phases(const EadDescriptorFit *d) {
    return distils(d) ? d->fields->count : 0;
}

void ead_descriptor_fit_name_phases(const EadDescriptorFit *d, EadPhase phases[EAD_MAX_PHASES]) {
    const EadConfig *config = d->config;
    for (int f = 0; f < ead_descriptor_fit_phases(d); f++)
        phases[f] =
            (EadPhase){"distilling", config->student_teacher_teacher_steps, "student_teacher.teacher_lr",
                       config->student_teacher_teacher_lr, d->decoders[f].items[1].c};
}

EadStatus ead_descriptor_fit_plan(EadDescriptorFit *d, int phase, EadStep *step) {
    const EadConfig *config = d->config;
    EadPlanOptions plan_options = ead_run_plan_options(d->run);
    EadPatchDescriptor teacher = teacher_of(d, phase);
    EadDescriptorSource source = {&d->backbone, d->tap, &d->decoders[phase]};
    EadTeacherOptions options = {.batch = config->student_teacher_teacher_batch,
                                 .losses = d->losses,
                                 .rate = config->student_teacher_teacher_lr,
                                 .weight_decay = config->student_teacher_weight_decay,
                                 .compactness = config->student_teacher_compactness};
    return ead_teacher_step_new(&d->teachers[phase], teacher.field, &source, &options, &plan_options, step);
}

void ead_descriptor_fit_print_start(const EadDescriptorFit *d) {
    if (distils(d))
        ead_print(
            stderr,
            "the teachers are distilled first, each in %d steps of %d patches of %d photographs, from %s\n",
            d->config->student_teacher_teacher_steps, d->config->student_teacher_teacher_batch, d->list.count,
            d->backbone.name);
}

void ead_descriptor_fit_begin(EadDescriptorFit *d, int phase, EadLoaderSpec *loader) {
    const EadConfig *config = d->config;
    d->patches = (EadPatchDraws){.photographs = d->photographs,
                                 .side = PHOTOGRAPH_SIDE,
                                 .field = d->fields->size[phase],
                                 .batch = config->student_teacher_teacher_batch,
                                 .seed = config->train_seed,
                                 .gray = config->student_teacher_gray_probability};
    loader->fill = ead_patch_draws_fill;
    loader->context = &d->patches;
}

static EadStatus read_teachers(EadDescriptorFit *d, const EadSafetensors *file) {
    for (int f = 0; f < d->fields->count; f++) EAD_TRY(ead_params_read_all(file, &d->teachers[f]));
    return EAD_OK;
}

EadStatus ead_descriptor_fit_take(EadDescriptorFit *d) {
    EadSafetensors *file;
    if (distils(d)) return EAD_OK;
    EAD_TRY(ead_safetensors_open(d->config->student_teacher_descriptor, &file));
    EadStatus status = read_teachers(d, file);
    ead_safetensors_close(file);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "student_teacher.descriptor: ");
}

/* ---- what a teacher says of images ---- */

static EadNode *build_teacher(void *context, EadGraph *graph, EadNode *images) {
    const EadPatchDescriptor *teacher = context;
    EadNode *x = ead_patch_descriptor_dense(graph, teacher, ead_normalize_image(graph, images));
    return ead_patch_descriptor_picture(graph, teacher->field, x);
}

EadStatus ead_descriptor_fit_measure(const EadDescriptorFit *d, int field, const EadModel *model,
                                     const EadImageCache *images, bool quiet, double *mean, double *std) {
    EadPatchDescriptor teacher = teacher_of(d, field);
    EadChannelMeasure measure = {.what = "measuring the teacher",
                                 .backend = d->run->backend,
                                 .images = images,
                                 .height = model->height,
                                 .width = model->width,
                                 .build = build_teacher,
                                 .context = &teacher,
                                 .channels = EAD_DESCRIPTOR_FEATURES,
                                 .inside = model->region.mask,
                                 .quiet = quiet};
    return ead_measure_channels(&measure, mean, std);
}

/* ---- checkpoints ---- */

EadStatus ead_descriptor_fit_write(const EadDescriptorFit *d, EadSafetensorsWriter *writer) {
    if (!distils(d)) return EAD_OK;
    for (int f = 0; f < d->fields->count; f++)
        EAD_TRY(ead_params_write(writer, &d->decoders[f], EAD_FILE_F32));
    return ead_checkpoint_write_list(writer, PHOTOGRAPHS, &d->list);
}

/* The model of a finished run has no decoders. */
EadStatus ead_descriptor_fit_read(EadDescriptorFit *d, const EadSafetensors *file) {
    if (distils(d)) ead_checkpoint_compare_list(file, PHOTOGRAPHS, &d->list);
    for (int f = 0; f < ead_descriptor_fit_phases(d); f++)
        if (ead_safetensors_find(file, d->decoders[f].items[0].name))
            EAD_TRY(ead_params_read_all(file, &d->decoders[f]));
    return EAD_OK;
}

/* ---- the config ---- */

/* Whether the file has teachers for all fields, as far as its header tells. */
static EadStatus judge_descriptor(const char *path, const EadDescriptorFields *fields) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, EAD_ROLES_TRAINED, "a model of student_teacher or gcad"));
    EAD_TRY(ead_safetensors_open_header(path, &file));
    const char *method = ead_safetensors_metadata(file, "method");
    EadStatus status = EAD_OK;
    if (!method || (strcmp(method, "student_teacher") != 0 && strcmp(method, "gcad") != 0))
        status = ead_fail(EAD_BAD_FILE, "%s: is of the method %s, not student_teacher or gcad", path,
                          method ? method : "efficientad");
    for (int f = 0; f < fields->count && status == EAD_OK; f++) {
        EadParams params = {0};
        EadPatchDescriptor teacher = {fields->size[f], "teacher", &params, false};
        status = ead_patch_descriptor_declare(&teacher, &params);
        if (status == EAD_OK) status = ead_params_check_all(file, &params);
        ead_params_free(&params);
    }
    ead_safetensors_close(file);
    return status;
}

static void check_files(EadConfig *config, const EadDescriptorFields *fields) {
    bool distilled = config->student_teacher_descriptor[0] == '\0';
    if (distilled) ead_check_backbone(config, EAD_KEY_student_teacher_layer);
    if (distilled && ead_config_is_there(config, EAD_KEY_student_teacher_images))
        ead_config_judge(config, EAD_KEY_student_teacher_images,
                         ead_image_source_check(config->student_teacher_images));
    if (fields->count && ead_config_is_there(config, EAD_KEY_student_teacher_descriptor))
        ead_config_judge(config, EAD_KEY_student_teacher_descriptor,
                         judge_descriptor(config->student_teacher_descriptor, fields));
}

void ead_descriptor_fit_check(EadConfig *config, EadCheckScope scope, const EadDescriptorFields *fields) {
    if (strchr(config->student_teacher_layer, ','))
        ead_config_wrong(config, EAD_KEY_student_teacher_layer,
                         "student_teacher.layer: '%.80s' names several features; name one",
                         config->student_teacher_layer);
    if (scope >= EAD_CHECK_TRAINING && !config->student_teacher_images[0] &&
        !config->student_teacher_descriptor[0])
        ead_config_wrong(config, EAD_KEY_student_teacher_images,
                         "student_teacher.images is not set; set it to a folder or .tar archive of varied "
                         "photographs, or student_teacher.descriptor to a model whose teachers to take");
    if (scope >= EAD_CHECK_FILES) check_files(config, fields);
}
