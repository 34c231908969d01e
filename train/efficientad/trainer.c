/* The training run: prepare, loop, finish. */
#include "train/efficientad/trainer.h"

#include "models/efficientad/model.h"
#include "train/loop/checkpoint.h"
#include "train/evaluate/result_files.h"
#include "train/evaluate/scoring.h"
#include "train/metrics/metrics_output.h"
#include "train/support/progress.h"
#include "train/loop/loss_log.h"
#include "train/support/memory_budget.h"
#include "train/loop/run_folder.h"
#include "train/efficientad/shipped_teacher.h"
#include "train/efficientad/statistics.h"
#include "train/loop/step_loop.h"
#include "train/efficientad/resident_data.h"
#include "train/evaluate/threshold_file.h"
#include "train/efficientad/trainer_data.h"
#include "train/efficientad/training_board.h"
#include "train/efficientad/training_step.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

typedef struct Run {
    const EadRunSpec *spec;
    const EadConfig *config;
    char *config_text;
    EadRunFolder folder;
    EadTrainerData data;
    EadEfficientad *model;
    EadThreshold threshold;
    float *validation_scores; /* [images of validation] once measured */
    EadTrainingStep *step;
    EadOptimizer *optimizer; /* the step's */
    EadResidentData tables;  /* the step's */
    EadLossLog log;
    EadTrainingBoard board; /* TensorBoard; empty where that is off */
    EadStepLosses losses;   /* the last ones read */
    int64_t done;           /* steps started */
    double seconds;         /* of the training loop in this process */
    int64_t steps_here;
} Run;

/* ---- preparation ---- */

static EadStatus read_teacher(Run *run) {
    if (run->config->model_teacher[0])
        return ead_efficientad_read_teacher(run->model, run->config->model_teacher);
    char *path = NULL;
    EAD_TRY(ead_shipped_teacher(run->model->spec.size, &path));
    EadStatus status = ead_efficientad_read_teacher(run->model, path);
    free(path);
    return status;
}

EAD_SAME_VALUE(EAD_SELECT_CHOICE_BOTH, EAD_USE_BOTH);
EAD_SAME_VALUE(EAD_SELECT_CHOICE_ST, EAD_USE_ST);
EAD_SAME_VALUE(EAD_SELECT_CHOICE_AE, EAD_USE_AE);

static EadStatus make_model(Run *run) {
    const EadConfig *config = run->config;
    EadEfficientadSpec spec = {.size = config->model_size == EAD_SIZE_CHOICE_MEDIUM ? EAD_PDN_MEDIUM
                                                                                    : EAD_PDN_SMALL,
                               .padding = config->model_padding,
                               .height = config->model_image_size.height,
                               .width = config->model_image_size.width,
                               .autoencoder = config->autoencoder_enabled};
    EAD_TRY(ead_efficientad_new(&spec, &run->model));
    EAD_TRY(ead_model_choose_maps(&run->model->base, config->maps_select));
    EAD_TRY(read_teacher(run));
    ead_params_initialize(&run->model->trained, config->train_seed);
    return config->model_init[0] ? ead_efficientad_read_trained(run->model, config->model_init) : EAD_OK;
}

static EadStatus make_step(Run *run) {
    const EadConfig *config = run->config;
    EadTrainingOptions options = ead_training_options_default(config->train_steps, config->train_seed);
    options.loss.hard_quantile = config->loss_hard_quantile;
    options.loss.penalty = config->loss_penalty;
    options.loss.dropout = config->autoencoder_dropout;
    options.adam.weight_decay = config->train_weight_decay;
    options.schedule.base = config->train_lr;
    options.schedule.factor = config->train_lr_drop_factor;
    options.schedule.drop_step = ead_run_drop_step(config->train_lr_drop_at, config->train_steps);
    EAD_TRY(ead_step_tables_choose(config, run->spec->backend, &run->model->spec, &run->data, &run->tables));
    options.tables = run->tables;
    EadPlanOptions plan = ead_run_plan_options(run->spec);
    EadStatus status = ead_training_step_new(run->model, &options, &plan, &run->step);
    if (status == EAD_NO_MEMORY && ead_step_tables_drop_images(&run->tables)) {
        options.tables = run->tables;
        status = ead_training_step_new(run->model, &options, &plan, &run->step);
    }
    if (status == EAD_NO_MEMORY && run->tables.rows[EAD_TABLE_TEACHER])
        return ead_fail_prefix(status, "with train.teacher_cache, which false switches off: ");
    EAD_TRY(status);
    run->optimizer = ead_training_step_optimizer(run->step);
    return EAD_OK;
}

/* The step's memory is taken when this is printed: what is free on a device is free beside it. */
static void print_memory(const Run *run) {
    ead_print_memory("the training step", run->spec->backend,
                     ead_plan_bytes(ead_training_step_plan(run->step)), ead_training_step_bytes(run->step),
                     "parameters and optimizer");
    ead_step_tables_print(&run->tables, &run->model->spec);
}

static void print_start(const Run *run) {
    const EadTrainerData *data = &run->data;
    EadPrecision precision =
        ead_precision_resolve(run->spec->backend, (EadPrecision)run->config->train_precision, true);
    fprintf(stderr,
            "EfficientAD-%s at %dx%d on %s, %s: %d training, %d validation, %d penalty, %d test images\n",
            run->model->spec.size == EAD_PDN_SMALL ? "S" : "M", run->model->spec.height,
            run->model->spec.width, run->spec->backend->name, ead_precision_name(precision),
            ead_image_cache_count(data->train), ead_image_cache_count(data->validation),
            data->penalty ? ead_image_cache_count(data->penalty) : 0, data->dataset.test_count);
    print_memory(run);
}

static EadStatus fill_tables(Run *run) {
    EadPlanOptions options = ead_run_plan_options(run->spec);
    if (run->optimizer->step >= run->config->train_steps) return EAD_OK;
    EAD_TRY(ead_step_tables_fill(&run->tables, &run->data, run->spec->quiet, run->step));
    if (!run->tables.rows[EAD_TABLE_TEACHER]) return EAD_OK;
    return ead_cache_teacher_outputs(run->model, &options, run->data.train, run->spec->quiet, run->step);
}

/* Restores the checkpoint, or measures the teacher for a run that starts at step 1. */
static EadStatus start_or_resume(Run *run) {
    if (ead_run_folder_resumes(&run->folder, run->spec->resume)) {
        EAD_TRY(ead_checkpoint_load(run->folder.checkpoint, run->model, run->optimizer, run->config));
        fprintf(stderr, "resuming after step %lld\n", (long long)run->optimizer->step);
    } else {
        EAD_TRY(ead_measure_teacher(run->model, run->spec->backend, run->data.train, run->spec->quiet));
    }
    EAD_TRY(fill_tables(run));
    ead_training_step_upload(run->step);
    run->done = run->optimizer->step;
    EAD_TRY(ead_loss_log_open(&run->log, run->folder.losses, EAD_TRAINING_LOSSES, run->done));
    bool wanted = run->config->train_tensorboard && run->optimizer->step < run->config->train_steps;
    if (!wanted) return EAD_OK;
    return ead_training_board_open(&run->board, run->config->output, run->config->train_steps,
                                   run->optimizer->step, &run->data.dataset);
}

static EadStatus prepare(Run *run) {
    EAD_TRY(ead_config_to_yaml(run->config, &run->config_text));
    EAD_TRY(ead_run_folder_name(&run->folder, run->config->output, "model.safetensors"));
    EAD_TRY(ead_run_folder_check(&run->folder, run->spec->resume));
    EAD_TRY(make_model(run));
    EAD_TRY(ead_trainer_data_list(run->config, &run->data));
    EAD_TRY(make_step(run));
    EAD_TRY(ead_trainer_data_open(run->config, run->spec->quiet, &run->data));
    EAD_TRY(ead_run_folder_make(&run->folder)); /* what is wrong till here leaves no folder */
    print_start(run);
    EAD_TRY(start_or_resume(run));
    return ead_run_folder_write_config(&run->folder, run->config_text);
}

/* ---- the loop ---- */

static EadStatus log_step(Run *run, int64_t step, const EadStepLosses *losses) {
    const float row[] = {losses->hard, losses->penalty, losses->ae, losses->stae, losses->total, losses->lr};
    const EadConfig *config = run->config;
    EAD_TRY(ead_check_loss(config->output, step, (double)losses->total, "train.lr", config->train_lr));
    EAD_TRY(ead_loss_log_append(&run->log, step, row, sizeof row / sizeof *row));
    return ead_training_board_step(&run->board, step, losses);
}

/* Brings the rows of the steps since the last call into the log. */
static EadStatus log_losses(Run *run) {
    EadStepLosses rows[EAD_LOSS_ROWS];
    int count;
    EAD_TRY(ead_training_step_losses(run->step, rows, &count));
    int64_t first = run->done - count + 1;
    for (int i = 0; i < count; i++) {
        EAD_TRY(log_step(run, first + i, &rows[i]));
        run->losses = rows[i];
    }
    return EAD_OK;
}

static EadStatus save_checkpoint(void *context) {
    Run *run = context;
    EAD_TRY(log_losses(run));
    EAD_TRY(ead_loss_log_flush(&run->log)); /* the checkpoint must never be ahead of the log */
    EAD_TRY(ead_training_step_download(run->step));
    EAD_TRY(ead_checkpoint_save(run->folder.checkpoint, run->model, run->optimizer, run->config_text));
    return ead_training_board_maps(&run->board, run->optimizer->step, run->model, run->spec->backend);
}

static EadStatus do_step(void *context, char note[EAD_STEP_NOTE]) {
    Run *run = context;
    const uint8_t *images = NULL;
    if (run->data.loader) EAD_TRY(ead_loader_next(run->data.loader, &images));
    ead_training_step_run(run->step, images);
    if (run->data.loader) ead_loader_release(run->data.loader);
    run->done = ead_training_step_count(run->step);
    if (ead_loss_ring_is_due(run->spec->backend, run->done)) EAD_TRY(log_losses(run));
    snprintf(note, EAD_STEP_NOTE, "loss %.4g", (double)run->losses.total);
    return EAD_OK;
}

static EadStatus train_steps(Run *run) {
    int64_t first = run->done;
    EadStepLoop loop = {.what = "training",
                        .output = run->config->output,
                        .done = &run->done,
                        .steps = run->config->train_steps,
                        .checkpoint_every = run->config->train_checkpoint_every,
                        .quiet = run->spec->quiet,
                        .step = do_step,
                        .save = save_checkpoint,
                        .context = run};
    if (first >= loop.steps) return EAD_OK;
    EAD_TRY(ead_trainer_data_start(&run->data, &run->tables, first + 1));
    EadStatus status = ead_step_loop(&loop, &run->seconds);
    run->steps_here = run->done - first;
    return status;
}

/* ---- the end ---- */

static EadStatus save_model(Run *run) {
    const EadConfig *config = run->config;
    char seed[32], steps[32], images[32], rule[160];
    ead_threshold_describe(&run->threshold, rule, sizeof rule);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)config->train_seed);
    snprintf(steps, sizeof steps, "%lld", (long long)run->optimizer->step);
    snprintf(images, sizeof images, "%d", ead_image_cache_count(run->data.train));
    const EadFileMetadata metadata[] = {{"config", run->config_text},
                                        {"data", config->dataset_path},
                                        {"category", config->dataset_category},
                                        {"train_images", images},
                                        {"seed", seed},
                                        {"steps", steps},
                                        {"backend", run->spec->backend->name},
                                        {"version", ead_version()},
                                        {EAD_THRESHOLD_TEXT, rule}};
    int count = (int)(sizeof metadata / sizeof *metadata);
    EadFileArray scores = {EAD_VALIDATION_SCORES, EAD_FILE_F32, run->threshold.images,
                           run->validation_scores};
    return ead_model_save(&run->model->base, run->folder.model,
                          &(EadFileExtras){metadata, count, &scores, 1});
}

static EadStatus measure_maps(Run *run) {
    const EadConfig *config = run->config;
    static const EadMapNormalization by_choice[] = {
        [EAD_NORMALIZATION_CHOICE_QUANTILE] = EAD_MAPS_QUANTILE,
        [EAD_NORMALIZATION_CHOICE_GAUSSIAN] = EAD_MAPS_GAUSSIAN,
        [EAD_NORMALIZATION_CHOICE_NONE] = EAD_MAPS_NONE,
    };
    EadMapMeasure measure = {by_choice[config->maps_normalization], config->maps_q_start, config->maps_q_end};
    return ead_measure_maps(run->model, run->spec->backend, run->data.validation, &measure, run->spec->quiet);
}

/* From the normal images held back, in the way that test images will be scored. */
static EadStatus choose_threshold(Run *run) {
    const EadStringList *images = &run->data.dataset.validation;
    EadPlanOptions plan = {.backend = run->spec->backend};
    char text[160];
    run->validation_scores = calloc((size_t)images->count, sizeof *run->validation_scores);
    if (!run->validation_scores) return ead_fail(EAD_NO_MEMORY, "no memory for %d scores", images->count);
    EAD_TRY(ead_score_images(&run->model->base, &plan, images, run->spec->quiet, run->validation_scores));
    EAD_TRY(ead_threshold_choose(run->validation_scores, images->count, ead_threshold_rule(run->config),
                                 &run->threshold));
    run->model->base.threshold = run->threshold.value;
    ead_threshold_describe(&run->threshold, text, sizeof text);
    fprintf(stderr, "threshold %s\n", text);
    return EAD_OK;
}

static void describe_work(const Run *run, char *rate, size_t rate_size, char *memory, size_t memory_size) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double milliseconds = run->steps_here ? 1e3 * run->seconds / (double)run->steps_here : 0;
    snprintf(rate, rate_size, "%.4g ms (mean of %lld)", milliseconds, (long long)run->steps_here);
    snprintf(memory, memory_size, "%.0f MB resident", (double)usage.ru_maxrss * 1.024e-3);
}

static EadStatus evaluate(Run *run) {
    if (run->data.dataset.test_count == 0) {
        fprintf(stderr, "no test images in the data set: nothing to evaluate; the model is %s\n",
                run->folder.model);
        return EAD_OK;
    }
    char rate[64], memory[64], steps[32], seed[32];
    describe_work(run, rate, sizeof rate, memory, sizeof memory);
    snprintf(steps, sizeof steps, "%lld", (long long)run->optimizer->step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->config->train_seed);
    const EadKeyValue timings[] = {{"training step", rate}, {"peak memory", memory}};
    const EadKeyValue provenance[] = {{"data", run->config->dataset_path},
                                      {"steps", steps},
                                      {"seed", seed},
                                      {"backend", run->spec->backend->name},
                                      {"version", ead_version()}};
    const EadConfig *config = run->config;
    EadEvaluateSpec spec = {.model = &run->model->base,
                            .plan = {.backend = run->spec->backend},
                            .dataset = &run->data.dataset,
                            .threshold = &run->threshold,
                            .output = config->output,
                            .maps = config->eval_maps,
                            .overlays = config->eval_overlays,
                            .pro_limit = config->eval_pro_max_fpr,
                            .quiet = run->spec->quiet,
                            .stop = ead_interrupted,
                            .title =
                                config->dataset_category[0] ? config->dataset_category : config->dataset_path,
                            .config = run->config_text,
                            .provenance = provenance,
                            .provenance_count = (int)(sizeof provenance / sizeof *provenance),
                            .timings = timings,
                            .timing_count = (int)(sizeof timings / sizeof *timings)};
    EadResults results;
    EadStatus status = ead_evaluate(&spec, &results);
    if (status == EAD_OK) status = ead_evaluate_write(&spec, &results);
    if (status == EAD_OK) ead_print_metrics(stderr, &results.metrics);
    ead_results_free(&results);
    return status;
}

static EadStatus finish(Run *run) {
    EAD_TRY(measure_maps(run));
    EAD_TRY(choose_threshold(run));
    EAD_TRY(save_model(run));
    return evaluate(run);
}

static void close_run(Run *run) {
    ead_loss_log_close(&run->log);
    ead_training_board_close(&run->board);
    ead_trainer_data_close(&run->data);
    ead_training_step_free(run->step);
    ead_efficientad_free(run->model);
    free(run->validation_scores);
    free(run->config_text);
    ead_run_folder_free(&run->folder);
}

EadStatus ead_train(const EadRunSpec *spec) {
    Run run = {.spec = spec, .config = spec->config};
    ead_interrupt_catch();
    EadStatus status = prepare(&run);
    if (status == EAD_OK) status = train_steps(&run);
    if (status == EAD_OK) status = finish(&run);
    close_run(&run);
    return status;
}
