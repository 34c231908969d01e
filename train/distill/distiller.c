/* The distillation run: prepare, loop, finish. */
#include "train/distill/distiller.h"

#include "core/base/half.h"
#include "core/base/paths.h"
#include "data/source/loader.h"
#include "train/support/channel_sums.h"
#include "train/distill/distill_checkpoint.h"
#include "train/distill/distill_step.h"
#include "train/distill/feature_source.h"
#include "data/source/skipped_images.h"
#include "train/loop/loss_log.h"
#include "train/support/progress.h"
#include "train/loop/run_folder.h"
#include "train/loop/step_loop.h"
#include "train/distill/teacher_quality.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 3, LOADER_THREADS = 2, MIN_IMAGES = 2 };

typedef struct Run {
    const EadRunSpec *spec;
    const EadConfig *config;
    char *config_text;
    EadRunFolder folder;
    EadDistillImages images;
    EadPatchFeatures backbone;
    EadFeatureSource source;
    EadParams params; /* the teacher's */
    EadPdn teacher;
    EadDistillStep *step;
    EadOptimizer *optimizer; /* the step's */
    float mean[EAD_FEATURES], std[EAD_FEATURES];
    EadLoader *loader;
    EadLossLog log;
    EadDistillLoss last; /* the last one read */
    int64_t done;        /* steps started */
} Run;

/* ---- preparation ---- */

static EadStatus list_images(Run *run) {
    const EadConfig *config = run->config;
    EadDistillImages *images = &run->images;
    *images = (EadDistillImages){.height = config->model_image_size.height,
                                 .width = config->model_image_size.width,
                                 .batch = config->distill_batch,
                                 .seed = config->train_seed,
                                 .gray = config->distill_gray_probability};
    EadStatus status = ead_image_list_add(&images->files, config->distill_images);
    if (status != EAD_OK) return ead_fail_prefix(status, "distill.images: ");
    int count = images->files.count, most = count / 10 > 1 ? count / 10 : 1;
    if (count < MIN_IMAGES)
        return ead_fail(EAD_BAD_ARGUMENT, "distill.images: %s holds %d images; at least %d are needed",
                        config->distill_images, count, MIN_IMAGES);
    EAD_TRY(ead_skipped_images_new(count, &images->skipped));
    images->held_out = config->distill_validation_images < most ? config->distill_validation_images : most;
    int64_t side = ead_pdn_output_size(true, images->height);
    images->features = side * ead_pdn_output_size(true, images->width) * EAD_FEATURES;
    return EAD_OK;
}

EAD_SAME_VALUE(EAD_VARIANT_CHOICE_TORCHVISION - EAD_VARIANT_CHOICE_TORCHVISION, EAD_RESNET_TORCHVISION);
EAD_SAME_VALUE(EAD_VARIANT_CHOICE_CAFFE - EAD_VARIANT_CHOICE_TORCHVISION, EAD_RESNET_CAFFE);

static EadStatus open_backbone(Run *run) {
    int choice = run->config->distill_backbone_variant;
    EadResnetVariant variant = (EadResnetVariant)(choice - EAD_VARIANT_CHOICE_TORCHVISION);
    return ead_patch_features_open(run->config->distill_backbone,
                                   choice == EAD_VARIANT_CHOICE_AUTO ? NULL : &variant, &run->backbone);
}

static EadStatus make_teacher(Run *run) {
    EadPdnSize size = run->config->model_size == EAD_SIZE_CHOICE_MEDIUM ? EAD_PDN_MEDIUM : EAD_PDN_SMALL;
    run->teacher = (EadPdn){size, true, "teacher", EAD_FEATURES, &run->params, true};
    EAD_TRY(ead_pdn_declare(&run->teacher, &run->params));
    EAD_TRY(ead_params_allocate(&run->params));
    ead_params_initialize(&run->params, run->config->train_seed);
    return EAD_OK;
}

static EadStatus make_step(Run *run) {
    const EadConfig *config = run->config;
    EadDistillOptions options = {
        .batch = run->images.batch,
        .height = run->images.height,
        .width = run->images.width,
        .backbone = config->distill_cache[0] ? NULL : &run->backbone,
        .adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = config->distill_weight_decay},
        .schedule = {config->distill_lr, config->distill_lr_drop_factor,
                     ead_run_drop_step(config->distill_lr_drop_at, config->distill_steps)}};
    EadPlanOptions plan = ead_run_plan_options(run->spec);
    EAD_TRY(ead_distill_step_new(&run->teacher, &options, &plan, &run->step));
    run->optimizer = ead_distill_step_optimizer(run->step);
    return EAD_OK;
}

static void print_start(const Run *run) {
    const EadDistillImages *images = &run->images;
    EadPrecision precision =
        ead_precision_resolve(run->spec->backend, (EadPrecision)run->config->train_precision, true);
    fprintf(stderr,
            "teacher %s at %dx%d from %s on %s, %s: %d images to distil on, %d held out; step: %.0f MB\n",
            run->teacher.size == EAD_PDN_SMALL ? "S" : "M", images->height, images->width,
            run->backbone.backbone.kind->name, run->spec->backend->name, ead_precision_name(precision),
            images->files.count - images->held_out, images->held_out,
            (double)ead_plan_bytes(ead_distill_step_plan(run->step)) * 1e-6);
}

/* The file in the folder distill.cache that belongs to these images and this backbone. */
static EadStatus name_cache(const Run *run, uint64_t *key, char **path) {
    char name[64];
    EAD_TRY(ead_distill_key(&run->images, run->config->distill_backbone,
                            (uint64_t)run->backbone.backbone.variant, key));
    EAD_TRY(ead_make_directories(run->config->distill_cache));
    snprintf(name, sizeof name, "features_%016llx.cache", (unsigned long long)*key);
    *path = ead_path_join(run->config->distill_cache, name);
    return *path ? EAD_OK : EAD_NO_MEMORY;
}

static EadStatus open_source(Run *run) {
    char *path = NULL;
    uint64_t key = 0;
    if (run->config->distill_cache[0]) EAD_TRY(name_cache(run, &key, &path));
    EadStatus status = ead_feature_source_open(&run->source, &run->images, &run->backbone, run->spec->backend,
                                               path, key, run->spec->quiet);
    free(path);
    return status;
}

static EadStatus sum_images(Run *run, EadChannelSums *sums, int count, uint8_t *pixels) {
    EadProgress progress;
    EadStatus status = EAD_OK;
    ead_progress_start(&progress, "measuring the features", 0, count, run->spec->quiet);
    for (int i = 0; i < count && status == EAD_OK; i++) {
        const float *features;
        status = ead_feature_source_read(&run->source, run->images.held_out + i, pixels, &features);
        if (status != EAD_OK) break;
        ead_channel_sums_add(sums, features, run->images.features / EAD_FEATURES);
        ead_progress_update(&progress, i + 1, NULL);
        if (ead_interrupted()) status = ead_fail(EAD_INTERRUPTED, "stopped while measuring the features");
    }
    ead_progress_finish(&progress);
    return status;
}

/* Mean and standard deviation of the channels; the positions of images are in random order already. */
static EadStatus measure_features(Run *run) {
    EadChannelSums sums;
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    int count = run->images.files.count - run->images.held_out,
        wanted = run->config->distill_statistics_images;
    uint8_t *pixels = malloc((size_t)run->images.height * (size_t)run->images.width * 3);
    if (!pixels) return ead_fail(EAD_NO_MEMORY, "no memory for an image");
    EadStatus status = ead_channel_sums_new(EAD_FEATURES, &sums);
    if (status == EAD_OK) status = sum_images(run, &sums, wanted < count ? wanted : count, pixels);
    free(pixels);
    if (status == EAD_OK) ead_channel_sums_result(&sums, mean, std);
    ead_channel_sums_free(&sums);
    for (int c = 0; c < EAD_FEATURES && status == EAD_OK; c++) {
        run->mean[c] = (float)mean[c];
        run->std[c] = (float)std[c];
    }
    return status;
}

static EadDistillState state_of(Run *run) {
    return (EadDistillState){run->teacher, &run->params, run->optimizer, run->mean, run->std};
}

static EadStatus start_or_resume(Run *run) {
    if (ead_run_folder_resumes(&run->folder, run->spec->resume)) {
        EadDistillState state = state_of(run);
        EAD_TRY(ead_distill_checkpoint_load(run->folder.checkpoint, &state, run->config));
        fprintf(stderr, "resuming after step %lld\n", (long long)run->optimizer->step);
    } else {
        EAD_TRY(measure_features(run));
    }
    ead_distill_step_normalize(run->step, run->mean, run->std);
    ead_distill_step_upload(run->step);
    run->done = run->optimizer->step;
    return ead_loss_log_open(&run->log, run->folder.losses, EAD_DISTILLATION_LOSSES, run->optimizer->step);
}

static EadStatus prepare(Run *run) {
    EAD_TRY(ead_config_to_yaml(run->config, &run->config_text));
    EAD_TRY(ead_run_folder_name(&run->folder, run->config->output, "teacher.safetensors"));
    EAD_TRY(ead_run_folder_check(&run->folder, run->spec->resume));
    EAD_TRY(list_images(run));
    EAD_TRY(open_backbone(run));
    EAD_TRY(make_teacher(run));
    EAD_TRY(make_step(run));
    EAD_TRY(ead_run_folder_make(&run->folder)); /* what is wrong till here leaves no folder */
    print_start(run);
    EAD_TRY(open_source(run));
    EAD_TRY(start_or_resume(run));
    return ead_run_folder_write_config(&run->folder, run->config_text);
}

/* ---- the loop ---- */

static EadStatus judge(Run *run, EadTeacherQuality *quality) {
    return ead_teacher_quality_measure(&run->teacher, run->spec->backend, &run->source, run->mean, run->std,
                                       run->spec->quiet, quality);
}

/* Brings the rows of the steps since the last call into the log. */
static EadStatus log_losses(Run *run) {
    const EadConfig *config = run->config;
    EadDistillLoss rows[EAD_LOSS_ROWS];
    int count;
    EAD_TRY(ead_distill_step_losses(run->step, rows, &count));
    int64_t first = run->done - count + 1;
    for (int i = 0; i < count; i++) {
        run->last = rows[i];
        EAD_TRY(ead_check_loss(config->output, first + i, (double)rows[i].loss, "distill.lr",
                               config->distill_lr));
        EAD_TRY(ead_loss_log_append(&run->log, first + i, (const float[]){rows[i].loss, rows[i].rate}, 2));
    }
    return EAD_OK;
}

static EadStatus save_checkpoint(Run *run) {
    EadDistillState state = state_of(run);
    EAD_TRY(log_losses(run));
    EAD_TRY(ead_loss_log_flush(&run->log)); /* the checkpoint must never be ahead of the log */
    EAD_TRY(ead_distill_step_download(run->step));
    return ead_distill_checkpoint_save(run->folder.checkpoint, &state, run->config, run->config_text);
}

/* A checkpoint on the way, and how good the teacher is by now. The last one is judged as it is written to its
 * file. */
static EadStatus save_on_the_way(void *context) {
    Run *run = context;
    EadTeacherQuality quality;
    EAD_TRY(save_checkpoint(run));
    if (ead_interrupted() || run->optimizer->step == run->config->distill_steps) return EAD_OK;
    EadStatus status = judge(run, &quality);
    if (status == EAD_INTERRUPTED) return EAD_OK; /* the loop ends as it does on every Ctrl-C */
    if (status == EAD_OK) {
        fprintf(stderr, "step %lld: ", (long long)run->optimizer->step);
        ead_teacher_quality_print(stderr, &quality);
    }
    return status;
}

static EadStatus do_step(void *context, char note[EAD_STEP_NOTE]) {
    Run *run = context;
    const uint8_t *slot;
    EAD_TRY(ead_loader_next(run->loader, &slot));
    ead_distill_step_run(run->step, slot);
    ead_loader_release(run->loader);
    run->done = ead_distill_step_count(run->step);
    if (ead_loss_ring_is_due(run->spec->backend, run->done)) EAD_TRY(log_losses(run));
    snprintf(note, EAD_STEP_NOTE, "loss %.4g", (double)run->last.loss);
    return EAD_OK;
}

static EadStatus distill_steps(Run *run) {
    double seconds;
    EadStepLoop loop = {.what = "distilling",
                        .output = run->config->output,
                        .done = &run->done,
                        .steps = run->config->distill_steps,
                        .checkpoint_every = run->config->train_checkpoint_every,
                        .quiet = run->spec->quiet,
                        .step = do_step,
                        .save = save_on_the_way,
                        .context = run};
    EadLoaderSpec spec = {.slot_bytes = ead_distill_slot_bytes(&run->images),
                          .slots = SLOTS,
                          .threads = LOADER_THREADS,
                          .first_step = (uint64_t)run->optimizer->step + 1,
                          .fill = ead_distill_fill,
                          .context = &run->images};
    if (*loop.done >= loop.steps) return EAD_OK;
    EAD_TRY(ead_loader_open(&spec, &run->loader));
    EadStatus status = ead_step_loop(&loop, &seconds);
    ead_loader_close(run->loader);
    run->loader = NULL;
    return status;
}

/* ---- the end ---- */

/* What the file will hold is what is judged. */
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

static EadStatus save_teacher(Run *run, const EadTeacherQuality *quality) {
    char steps[32], images[32], loss[32], explained[32];
    snprintf(steps, sizeof steps, "%lld", (long long)run->optimizer->step);
    snprintf(images, sizeof images, "%d", run->images.files.count - run->images.held_out);
    snprintf(loss, sizeof loss, "%.4f on %d images", quality->loss, quality->images);
    snprintf(explained, sizeof explained, "%.4f", ead_teacher_quality_summary(quality).mean);
    const EadFileMetadata metadata[] = {{"config", run->config_text},
                                        {"backbone", run->backbone.backbone.kind->name},
                                        {"steps", steps},
                                        {"images", images},
                                        {"held_out_loss", loss},
                                        {"explained_variance", explained},
                                        {"version", ead_version()}};
    EadTeacherFile teacher = {run->teacher, run->images.height, run->images.width, EAD_FILE_F16};
    EadFileExtras extras = {metadata, (int)(sizeof metadata / sizeof *metadata), NULL, 0};
    return ead_teacher_save(&teacher, run->folder.model, &extras);
}

static EadStatus finish(Run *run) {
    EadTeacherQuality quality;
    round_weights(&run->params);
    EAD_TRY(judge(run, &quality));
    EAD_TRY(save_teacher(run, &quality));
    char *metrics = ead_path_join(run->config->output, "metrics.json");
    if (!metrics) return EAD_NO_MEMORY;
    EadStatus status = ead_teacher_quality_write(metrics, &quality);
    free(metrics);
    if (status == EAD_OK) ead_teacher_quality_print(stderr, &quality);
    return status;
}

static void close_run(Run *run) {
    ead_loss_log_close(&run->log);
    ead_feature_source_close(&run->source);
    ead_skipped_images_print(run->images.skipped, "distill.images", stderr);
    ead_skipped_images_free(run->images.skipped);
    ead_image_list_free(&run->images.files);
    ead_distill_step_free(run->step);
    ead_params_free(&run->params);
    ead_patch_features_free(&run->backbone);
    ead_run_folder_free(&run->folder);
    free(run->config_text);
    free(run);
}

EadStatus ead_distill(const EadRunSpec *spec) {
    Run *run = calloc(1, sizeof *run);
    if (!run) return ead_fail(EAD_NO_MEMORY, "no memory for a distillation");
    run->spec = spec;
    run->config = spec->config;
    ead_interrupt_catch();
    EadStatus status = prepare(run);
    if (status == EAD_OK) status = distill_steps(run);
    if (status == EAD_OK) status = finish(run);
    close_run(run);
    return status;
}
