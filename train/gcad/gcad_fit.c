/* GCAD as a row of train/fits.def: the phases that distil its descriptors, unless they come from a model, and one that trains all
 * else. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "data/loader/augmented_images.h"
#include "models/networks/params_file.h"
#include "train/gcad/gcad_step.h"
#include "train/loop/channel_measure.h"
#include "train/student_teacher/descriptor_fit.h"

#include <stdlib.h>

extern const EadFit ead_fit_gcad;

enum { LOADER_THREADS = 2, FEATURES = EAD_DESCRIPTOR_FEATURES };
enum { USUAL_IMAGES = 200 }; /* of a sample */

typedef struct GcadFit {
    const EadRunSpec *run;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample */
    int images;               /* for training */
    EadGcad *model;
    EadParams helpers;
    EadDescriptorFit descriptors;
    EadAugmentedImages train;
} GcadFit;

/* ---- the model ---- */

/* What is too large names what makes it smaller. */
static EadStatus planned(const GcadFit *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_gcad_batch, EAD_KEY_gcad_unet, EAD_KEY_gcad_width,
                                          EAD_KEY_gcad_fields, EAD_KEY_student_teacher_teacher_batch};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static EadStatus new_model(GcadFit *s) {
    const EadConfig *config = s->config;
    EadGcadSpec spec = {.height = config->model_image_size.height,
                        .width = config->model_image_size.width,
                        .unet = config->gcad_unet,
                        .channels = config->gcad_width,
                        .bottleneck = config->gcad_bottleneck};
    EAD_TRY(ead_descriptor_fields_find(config->gcad_fields, &spec.fields));
    EAD_TRY(planned(s, ead_gcad_new(&spec, &s->model)));
    EAD_TRY(ead_gcad_declare_helpers(&spec, &s->helpers));
    return planned(s, ead_params_allocate(&s->helpers));
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    GcadFit *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (GcadFit){
        .run = spec, .config = spec->config, .data = data, .images = images > 0 ? images : USUAL_IMAGES};
    *state = s;
    EAD_TRY(new_model(s));
    return ead_descriptor_fit_open(&s->descriptors, spec, &s->model->spec.fields, s->model->teacher,
                                   ead_gcad_losses);
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EAD_TRY(new_state(spec, data, data->dataset.train.count, state));
    return ead_descriptor_fit_list(&((GcadFit *)*state)->descriptors, data);
}

static void initialize(GcadFit *s) {
    ead_gcad_initialize(s->model, s->config->train_seed);
    ead_params_initialize(&s->helpers, s->config->train_seed);
    ead_descriptor_fit_initialize(&s->descriptors);
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, images, state));
    initialize(*state);
    return EAD_OK;
}

static void free_state(void *state) {
    GcadFit *s = state;
    ead_descriptor_fit_free(&s->descriptors);
    ead_params_free(&s->helpers);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phases ---- */

static int64_t steps_of(const GcadFit *s) {
    int64_t images = (int64_t)s->config->gcad_epochs * s->images, batch = s->config->gcad_batch;
    return (images + batch - 1) / batch;
}

/* A share of them. */
static int64_t part_of(const GcadFit *s, double share) {
    return (int64_t)(share * (double)steps_of(s));
}

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const GcadFit *s = state;
    int distilling = ead_descriptor_fit_phases(&s->descriptors);
    ead_descriptor_fit_name_phases(&s->descriptors, out);
    out[distilling] =
        (EadPhase){"training", steps_of(s), "gcad.lr", s->config->gcad_lr, 2.0 * s->model->spec.fields.count};
    return distilling + 1;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    GcadFit *s = state;
    const EadConfig *config = s->config;
    EadPlanOptions plan_options = ead_run_plan_options(s->run);
    EadGcadOptions options = {.batch = config->gcad_batch,
                              .rate = config->gcad_lr,
                              .weight_decay = config->gcad_weight_decay,
                              .skips_until = part_of(s, config->gcad_skips_until),
                              .global_from = part_of(s, config->gcad_global_from),
                              .encoder_led = config->gcad_encoder_led};
    if (phase < ead_descriptor_fit_phases(&s->descriptors))
        return planned(s, ead_descriptor_fit_plan(&s->descriptors, phase, step));
    return planned(s, ead_gcad_step_new(s->model, &s->helpers, &options, &plan_options, step));
}

static EadStatus open_photographs(void *state) {
    return ead_descriptor_fit_open_photographs(&((GcadFit *)state)->descriptors);
}

static EadStatus start(void *state, const EadStep *step) {
    const GcadFit *s = state;
    char text[256];
    (void)step;
    s->model->base.method->functions->describe(&s->model->base, text, sizeof text);
    ead_print(stderr, "%s, on %s, %s: %d training, %d validation, %d test images; %lld steps of %d\n", text,
              s->run->backend->name, ead_run_precision_name(s->run), s->images,
              ead_image_cache_count(s->data->validation), s->data->dataset.test_count, (long long)steps_of(s),
              s->config->gcad_batch);
    ead_descriptor_fit_print_start(&s->descriptors);
    return EAD_OK;
}

/* ---- passes over images ---- */

/* Takes what they say of good images to mean 0 and variance 1. */
static EadStatus standardize(GcadFit *s, const EadImageCache *images, bool quiet) {
    for (int f = 0; f < s->model->spec.fields.count; f++) {
        double mean[FEATURES], std[FEATURES];
        EadPatchDescriptor teacher = ead_gcad_teacher(s->model, f);
        EAD_TRY(ead_descriptor_fit_measure(&s->descriptors, f, &s->model->base, images, quiet, mean, std));
        ead_patch_descriptor_standardize(&teacher, &s->model->teacher[f], mean, std);
    }
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    GcadFit *s = state;
    if (phase == 0) initialize(s);
    if (phase == 0) EAD_TRY(ead_descriptor_fit_take(&s->descriptors));
    if (phase < ead_descriptor_fit_phases(&s->descriptors)) return EAD_OK;
    return standardize(s, s->data->train, s->run->quiet);
}

static EadStatus look(void *state, const EadImageCache *few) {
    return standardize(state, few, true);
}

/* Of field number `field`. */
typedef struct GcadPass {
    const EadGcad *model;
    int field;
} GcadPass;

static EadNode *build_maps(void *context, EadGraph *graph, EadNode *images) {
    const GcadPass *pass = context;
    EadNode *maps[EAD_FIELD_MAPS];
    ead_gcad_raw_maps(graph, pass->model, pass->field, ead_normalize_image(graph, images), maps);
    return ead_concat_channels(graph, EAD_FIELD_MAPS, maps);
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    GcadFit *s = state;
    (void)folder, (void)config_text, (void)done;
    for (int f = 0; f < s->model->spec.fields.count; f++) {
        double mean[EAD_FIELD_MAPS], std[EAD_FIELD_MAPS], statistics[EAD_FIELD_MAPS][2];
        GcadPass pass = {s->model, f};
        EadChannelMeasure measure = {.what = "measuring the maps",
                                     .backend = s->run->backend,
                                     .images = s->data->validation,
                                     .height = s->model->base.height,
                                     .width = s->model->base.width,
                                     .build = build_maps,
                                     .context = &pass,
                                     .channels = EAD_FIELD_MAPS,
                                     .inside = s->model->base.region.mask,
                                     .quiet = s->run->quiet};
        EAD_TRY(ead_measure_channels(&measure, mean, std));
        for (int m = 0; m < EAD_FIELD_MAPS; m++) statistics[m][0] = mean[m], statistics[m][1] = std[m];
        EAD_TRY(ead_gcad_set_maps(s->model, f, statistics));
    }
    return EAD_OK;
}

/* ---- steps ---- */

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    GcadFit *s = state;
    const EadConfig *config = s->config;
    (void)step;
    loader->threads = LOADER_THREADS;
    if (!s->data) return EAD_OK;
    if (phase < ead_descriptor_fit_phases(&s->descriptors)) {
        ead_descriptor_fit_begin(&s->descriptors, phase, loader);
        return EAD_OK;
    }
    s->train = (EadAugmentedImages){.train = s->data->train,
                                    .height = s->model->base.height,
                                    .width = s->model->base.width,
                                    .batch = config->gcad_batch,
                                    .seed = config->train_seed,
                                    .mirrored = config->gcad_mirror_probability,
                                    .flipped = config->gcad_flip_probability,
                                    .turned = config->gcad_turn,
                                    .jitter = config->gcad_jitter};
    loader->fill = ead_augmented_images_fill;
    loader->context = &s->train;
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const GcadFit *s = state;
    EAD_TRY(ead_descriptor_fit_write(&s->descriptors, writer));
    EAD_TRY(ead_params_write(writer, &s->helpers, EAD_FILE_F32));
    return ead_model_write(&s->model->base, writer);
}

static bool take(EadModel *own, const EadModel *read) {
    return ead_gcad_copy((EadGcad *)own, (const EadGcad *)read);
}

/* The model of a finished run has no helpers. */
static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    GcadFit *s = state;
    EAD_TRY(ead_descriptor_fit_read(&s->descriptors, file));
    if (ead_safetensors_find(file, s->helpers.items[0].name)) EAD_TRY(ead_params_read_all(file, &s->helpers));
    return ead_fit_read_model(file, &s->model->base, take);
}

static EadModel *model_of(void *state) {
    return &((GcadFit *)state)->model->base;
}

/* ---- the config ---- */

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    EadSize size = config->model_image_size;
    EadDescriptorFields fields;
    EadStatus status = ead_descriptor_fields_find(config->gcad_fields, &fields);
    if (status != EAD_OK) fields.count = 0;
    ead_config_judge(config, EAD_KEY_gcad_fields, status);
    ead_config_judge(config, EAD_KEY_model_image_size, ead_gcad_check_size(size.height, size.width));
    ead_descriptor_fit_check(config, scope, &fields);
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_gcad = {.name = "gcad",
                             .model_name = "model.safetensors",
                             .scope = EAD_SAME_STEPS,
                             .losses = ead_gcad_losses,
                             .maps_key = -1,
                             .slots = 2,
                             .length_key = EAD_KEY_gcad_epochs,
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
