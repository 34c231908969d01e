/* Distillation as a row of train/fits.def: one phase, and no detector. */
#include "train/distill/distill.h"

#include "core/base/printing.h"
#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/file/output_check.h"
#include "data/dataset/overlap.h"
#include "models/efficientad/model.h"
#include "models/networks/params_file.h"
#include "train/loop/checkpoint.h"
#include "train/support/channel_sums.h"
#include "train/support/progress.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>

#define MEAN "feature_mean"
#define STD  "feature_std"
#define LIST "images to distil on"

enum { LOADER_THREADS = 2, MIN_IMAGES = 2 };

EAD_SAME_VALUE(EAD_VARIANT_CHOICE_TORCHVISION - EAD_VARIANT_CHOICE_TORCHVISION, EAD_RESNET_TORCHVISION);
EAD_SAME_VALUE(EAD_VARIANT_CHOICE_CAFFE - EAD_VARIANT_CHOICE_TORCHVISION, EAD_RESNET_CAFFE);

typedef struct DistillState {
    const EadRunSpec *spec;
    const EadConfig *config;
    EadDistillImages images;
    EadPatchFeatures backbone;
    EadFeatureSource source;
    EadParams params; /* the teacher's */
    EadPdn teacher;
    EadDistillStep step;
    real mean[EAD_FEATURES], std[EAD_FEATURES]; /* of the features */
} DistillState;

/* ---- the state ---- */

/* Appends the images of a key's value, at least `least`. */
static EadStatus add_images(EadDistillImages *images, const char *path, const char *key, int least) {
    int before = images->files.count;
    EadStatus status = ead_image_list_add(&images->files, path);
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", key);
    if (images->files.count - before >= least) return EAD_OK;
    EAD_TRY(ead_left_out_print(&images->files.left_out, key, stderr)); /* perhaps because of these */
    return ead_fail(EAD_BAD_ARGUMENT, "%s: %s holds %d images; at least %d are needed", key, path,
                    images->files.count - before, least);
}

/* The held-out images first, where they have a place of their own. */
static EadStatus add_held_out(const EadConfig *config, EadDistillImages *images) {
    const char *apart = config->distill_validation, *others = config->distill_images;
    if (!apart[0]) return EAD_OK;
    if (ead_path_lies_within(apart, others) || ead_path_lies_within(others, apart))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "distill.validation: %s and distill.images, %s, lie in one another; name two folders apart",
            apart, others);
    images->apart = true;
    EAD_TRY(add_images(images, apart, "distill.validation", 1));
    images->held_out = images->files.count;
    return EAD_OK;
}

static EadStatus check_apart(const EadConfig *config, const EadDistillImages *images) {
    EadStringList doubts = {0};
    if (!images->apart) return EAD_OK;
    EadStatus status = ead_image_list_check_apart(&images->files, images->held_out, "distill.images",
                                                  "distill.validation", &doubts);
    if (status == EAD_OK) status = ead_config_tell_doubts(config, &doubts, 0);
    ead_strings_free(&doubts);
    return status;
}

static EadStatus list_images(DistillState *s) {
    const EadConfig *config = s->config;
    EadDistillImages *images = &s->images;
    *images = (EadDistillImages){.height = config->model_image_size.height,
                                 .width = config->model_image_size.width,
                                 .batch = ead_ranks_share(s->spec->ranks, config->distill_batch),
                                 .seed = config->train_seed,
                                 .gray = config->distill_gray_probability};
    images->files.rules.max_pixels = config->dataset_max_pixels;
    EAD_TRY(add_held_out(config, images));
    EAD_TRY(add_images(images, config->distill_images, "distill.images", MIN_IMAGES));
    int count = images->files.count, most = count / 10 > 1 ? count / 10 : 1;
    EAD_TRY(ead_left_out_print(&images->files.left_out, "distill.images", stderr));
    EAD_TRY(ead_check_output_apart(&images->files.left_out, config->output));
    EAD_TRY(check_apart(config, images));
    EAD_TRY(ead_skipped_images_new(count, count, &images->skipped));
    if (!images->apart)
        images->held_out =
            config->distill_validation_images < most ? config->distill_validation_images : most;
    int64_t side = ead_pdn_output_size(true, images->height);
    images->features = side * ead_pdn_output_size(true, images->width) * EAD_FEATURES;
    return EAD_OK;
}

static EadPdnSize teacher_size(const EadConfig *config) {
    return config->model_size == EAD_SIZE_CHOICE_MEDIUM ? EAD_PDN_MEDIUM : EAD_PDN_SMALL;
}

static EadStatus make_teacher(DistillState *s) {
    EadPdnSize size = teacher_size(s->config);
    s->teacher = (EadPdn){size, true, "teacher", EAD_FEATURES, &s->params, true};
    EAD_TRY(ead_pdn_declare(&s->teacher, &s->params));
    EAD_TRY(ead_params_allocate(&s->params));
    ead_params_initialize(&s->params, s->config->train_seed);
    return s->config->model_init[0] ? ead_teacher_read(size, s->config->model_init, &s->params) : EAD_OK;
}

static EadStatus new_state(const EadRunSpec *spec, void **state) {
    DistillState *s = ead_new(1, sizeof *s, "a distillation");
    if (!s) return EAD_NO_MEMORY;
    *s = (DistillState){.spec = spec, .config = spec->config};
    *state = s;
    return EAD_OK;
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    (void)data;
    EAD_TRY(new_state(spec, state));
    DistillState *s = *state;
    int choice = s->config->distill_backbone_variant;
    EadResnetVariant variant = (EadResnetVariant)(choice - EAD_VARIANT_CHOICE_TORCHVISION);
    EAD_TRY(list_images(s));
    EAD_TRY(ead_patch_features_open(s->config->distill_backbone,
                                    choice == EAD_VARIANT_CHOICE_AUTO ? NULL : &variant, &s->backbone));
    return make_teacher(s);
}

/* Its features come from a cache. */
static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    (void)images;
    EAD_TRY(new_state(spec, state));
    DistillState *s = *state;
    s->images = (EadDistillImages){.height = spec->config->model_image_size.height,
                                   .width = spec->config->model_image_size.width,
                                   .batch = ead_ranks_share(NULL, spec->config->distill_batch)};
    return make_teacher(s);
}

static void free_state(void *state) {
    DistillState *s = state;
    ead_feature_source_close(&s->source);
    ead_skipped_images_print(s->images.skipped, "distill.images",
                             s->spec->messages ? s->spec->messages : stderr);
    ead_skipped_images_free(s->images.skipped);
    ead_image_list_free(&s->images.files);
    ead_params_free(&s->params);
    ead_patch_features_free(&s->backbone);
    free(s);
}

/* ---- the phase ---- */

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const EadConfig *config = ((const DistillState *)state)->config;
    out[0] = (EadPhase){"distilling", config->distill_steps, "distill.lr", config->distill_lr, 1};
    return 1;
}

static int batch(const void *state) {
    return ((const DistillState *)state)->config->distill_batch;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    DistillState *s = state;
    const EadConfig *config = s->config;
    bool in_step = s->backbone.backbone.kind && !config->distill_cache[0];
    EadDistillOptions options = {
        .batch = s->images.batch,
        .height = s->images.height,
        .width = s->images.width,
        .backbone = in_step ? &s->backbone : NULL,
        .adam = ead_adam_usual(config->distill_weight_decay),
        .schedule = {config->distill_lr, config->distill_lr_drop_factor,
                     ead_run_drop_step(config->distill_lr_drop_at, config->distill_steps)}};
    EadPlanOptions plan_options = ead_run_plan_options(s->spec);
    (void)phase;
    return ead_fit_planned(config, 1, &(EadConfigKeyId){EAD_KEY_distill_batch},
                           ead_distill_step_new(&s->teacher, &options, &plan_options, step, &s->step));
}

static EadStatus forecast(void *state, EadStep *step) {
    DistillState *s = state;
    return ead_distill_forecast(&s->images, &s->backbone, s->spec, step);
}

static EadStatus later(void *state, size_t *bytes) {
    DistillState *s = state;
    return ead_feature_source_measure(&s->images, &s->backbone, s->spec, bytes);
}

static EadStatus start(void *state, const EadStep *step) {
    DistillState *s = state;
    const EadDistillImages *images = &s->images;
    EadPath path;
    char name[64];
    uint64_t key = 0;
    bool cached = s->config->distill_cache[0] != '\0';
    ead_print(stderr, "teacher %s at %dx%d from %s on %s, %s: %d images to distil on, %d held out\n",
              s->teacher.size == EAD_PDN_SMALL ? "S" : "M", images->height, images->width,
              s->backbone.backbone.kind->name, s->spec->backend->name, ead_run_precision_name(s->spec),
              images->files.count - images->held_out, images->held_out);
    if (cached) { /* the file that belongs to these images and this backbone */
        EAD_TRY(ead_distill_key(images, s->config->distill_backbone, (uint64_t)s->backbone.backbone.variant,
                                &key));
        EAD_TRY(ead_make_directories(s->config->distill_cache));
        snprintf(name, sizeof name, "features_%016llx.cache", (unsigned long long)key);
        EAD_TRY(ead_path_in(path, s->config->distill_cache, name));
    }
    EadStatus status =
        ead_feature_source_open(&s->source, &s->images, &s->backbone, s->spec, cached ? path : NULL, key,
                                ead_distill_beside_cache(s->spec, step));
    if (status == EAD_OK || !cached) return status;
    return ead_name_cache_folder(status, s->config->distill_cache, "distill.cache");
}

/* Sums over the features of the images that are distilled on. */
typedef struct FeatureSums {
    DistillState *state;
    EadShare share; /* of the images, that this rank adds */
    EadChannelSums channels;
    uint8_t *pixels;
} FeatureSums;

static EadStatus add_image(void *context, int index) {
    FeatureSums *sums = context;
    DistillState *s = sums->state;
    const float *features;
    EAD_TRY(ead_feature_source_read(&s->source, s->images.held_out + sums->share.first + index, sums->pixels,
                                    &features));
    ead_channel_sums_add(&sums->channels, features, s->images.features / EAD_FEATURES);
    return EAD_OK;
}

/* Mean and standard deviation of the channels; the positions of images are in random order already. */
static EadStatus fit(void *state, int phase) {
    DistillState *s = state;
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    int count = s->images.files.count - s->images.held_out, wanted = s->config->distill_statistics_images;
    FeatureSums sums = {.state = s,
                        .share = ead_ranks_share(s->spec->ranks, wanted < count ? wanted : count)};
    EadWalk walk = {.what = "measuring the features", .count = sums.share.count, .quiet = s->spec->quiet};
    (void)phase;
    sums.pixels = ead_new((int64_t)s->images.height * s->images.width, 3, "an image");
    if (!sums.pixels) return EAD_NO_MEMORY;
    EadStatus status = ead_channel_sums_new(EAD_FEATURES, &sums.channels);
    if (status == EAD_OK) status = ead_walk(&walk, add_image, &sums);
    status = ead_ranks_agree(s->spec->ranks, status);
    if (status == EAD_OK) ead_channel_sums_join(&sums.channels, s->spec->ranks);
    if (status == EAD_OK) ead_channel_sums_result(&sums.channels, mean, std);
    for (int c = 0; c < EAD_FEATURES && status == EAD_OK; c++) {
        s->mean[c] = (real)mean[c];
        s->std[c] = (real)std[c];
    }
    ead_channel_sums_free(&sums.channels);
    free(sums.pixels);
    return status;
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    DistillState *s = state;
    (void)phase, (void)step;
    ead_distill_step_normalize(&s->step, s->mean, s->std);
    loader->threads = LOADER_THREADS;
    loader->fill = ead_distill_fill;
    loader->context = &s->images;
    return EAD_OK;
}

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    const DistillState *s = state;
    EadTeacherFile teacher = {s->teacher, s->images.height, s->images.width, EAD_FILE_F32};
    EAD_TRY(ead_checkpoint_write_list(writer, LIST, &s->images.files));
    EAD_TRY(ead_teacher_write(&teacher, writer));
    EAD_TRY(ead_vector_write(writer, MEAN, EAD_FEATURES, s->mean));
    return ead_vector_write(writer, STD, EAD_FEATURES, s->std);
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    DistillState *s = state;
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    ead_checkpoint_compare_list(file, LIST, &s->images.files);
    EAD_TRY(ead_vector_read(file, MEAN, EAD_FEATURES, mean));
    EAD_TRY(ead_vector_read(file, STD, EAD_FEATURES, std));
    for (int c = 0; c < EAD_FEATURES; c++) {
        s->mean[c] = (real)mean[c];
        s->std[c] = (real)std[c];
    }
    return ead_params_read_all(file, &s->params);
}

/* ---- how good the teacher is, and its file ---- */

static EadStatus measure(DistillState *s, EadTeacherQuality *quality) {
    return ead_teacher_quality_measure(&s->teacher, s->spec, &s->source, s->mean, s->std, quality);
}

/* By now. The last teacher is measured as it is written to its file. */
static EadStatus after_save(void *state, int64_t done) {
    EadTeacherQuality quality;
    EadStatus status = measure(state, &quality);
    if (status == EAD_INTERRUPTED) return EAD_OK; /* the loop ends as it does on every Ctrl-C */
    if (status == EAD_OK) {
        ead_print(stderr, "step %lld: ", (long long)done);
        ead_teacher_quality_print(stderr, &quality);
    }
    return status;
}

/* What the file will hold is what is measured. */
static void round_weights(EadParams *params) {
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        if (p->n == 1 && p->h == 1 && p->w == 1) continue; /* a bias */
        int64_t count = (int64_t)p->n * p->h * p->w * p->c;
        for (int64_t i = 0; i < count; i++) {
            real *value = &params->values[p->offset + i];
            *value = (real)ead_half_to_float(ead_half_from_float((float)*value));
        }
    }
}

static EadStatus save_teacher(const DistillState *s, const char *path, const char *config_text, int64_t done,
                              const EadTeacherQuality *quality) {
    char steps[32], images[32], loss[32], explained[32];
    snprintf(steps, sizeof steps, "%lld", (long long)done);
    snprintf(images, sizeof images, "%d", s->images.files.count - s->images.held_out);
    snprintf(loss, sizeof loss, "%.4f on %d images", quality->loss, quality->images);
    snprintf(explained, sizeof explained, "%.4f", ead_teacher_quality_summary(quality).mean);
    const EadFileMetadata metadata[] = {
        {"config", config_text},   {"backbone", s->backbone.backbone.kind->name},
        {"steps", steps},          {"images", images},
        {"held_out_loss", loss},   {"explained_variance", explained},
        {"version", ead_version()}};
    EadTeacherFile teacher = {s->teacher, s->images.height, s->images.width, EAD_FILE_F16};
    EadFileExtras extras = {metadata, (int)(sizeof metadata / sizeof *metadata), NULL, 0};
    return ead_teacher_save(&teacher, path, &extras);
}

static EadStatus calibrate(void *state, const EadRunFolder *folder, const char *config_text, int64_t done) {
    DistillState *s = state;
    EadTeacherQuality quality;
    EadJudgements judgements;
    EadPath metrics;
    round_weights(&s->params);
    EAD_TRY(measure(s, &quality));
    if (!ead_ranks_leads(s->spec->ranks)) return EAD_OK;
    EAD_TRY(save_teacher(s, folder->model, config_text, done, &quality));
    EAD_TRY(ead_path_in(metrics, folder->path, "metrics.json"));
    EAD_TRY(ead_judges_run(s->spec, folder->model, done, &judgements));
    EAD_TRY(ead_teacher_quality_write(metrics, &quality, &judgements));
    ead_teacher_quality_print(stderr, &quality);
    ead_judges_print(stderr, &judgements);
    return EAD_OK;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    if (!config->distill_backbone[0])
        ead_config_wrong(
            config, EAD_KEY_distill_backbone,
            "distill.backbone is not set; set it to a .safetensors file of a ResNet or WideResNet with "
            "torchvision's tensor names");
    if (!config->distill_images[0])
        ead_config_wrong(
            config, EAD_KEY_distill_images,
            "distill.images is not set; set it to a folder or .tar archive of varied photographs");
    if (!config->output[0])
        ead_config_wrong(config, EAD_KEY_output, "output is not set; set it to the run folder");
    if (scope >= EAD_CHECK_FILES) {
        if (ead_config_is_there(config, EAD_KEY_distill_backbone))
            ead_config_judge(config, EAD_KEY_distill_backbone,
                             ead_patch_features_check(config->distill_backbone));
        if (ead_config_is_there(config, EAD_KEY_distill_images))
            ead_config_judge(config, EAD_KEY_distill_images, ead_image_source_check(config->distill_images));
        if (ead_config_is_there(config, EAD_KEY_distill_validation))
            ead_config_judge(config, EAD_KEY_distill_validation,
                             ead_image_source_check(config->distill_validation));
        if (ead_config_is_there(config, EAD_KEY_model_init))
            ead_config_judge(config, EAD_KEY_model_init,
                             ead_teacher_read(teacher_size(config), config->model_init, NULL));
        ead_judges_check(config);
    }
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_distill = {.name = "distill",
                                .model_name = "teacher.safetensors",
                                .scope = EAD_SAME_DISTILLATION,
                                .losses = ead_distill_losses,
                                .maps_key = -1,
                                .slots = 3,
                                .length_key = EAD_KEY_distill_steps,
                                .check = check,
                                .create = create,
                                .sample = sample,
                                .free = free_state,
                                .phases = phases,
                                .batch = batch,
                                .plan = plan,
                                .forecast = forecast,
                                .later = later,
                                .start = start,
                                .fit = fit,
                                .begin = begin,
                                .write = write_checkpoint,
                                .read = read_checkpoint,
                                .after_save = after_save,
                                .calibrate = calibrate};
