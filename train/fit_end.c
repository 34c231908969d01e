/* What follows the steps of a detector: threshold, model file, evaluation. */
#include "train/fit_run.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/evaluate/result_files.h"
#include "train/loop/run_files.h"
#include "train/metrics/metrics_output.h"
#include "train/support/progress.h"
#include "train/support/shell_word.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What two different images never have; of a training that went astray. */
static bool all_equal(const float *scores, int count) {
    for (int i = 1; i < count; i++)
        if (scores[i] != scores[0]) return false;
    return count > 1;
}

/* From the normal images held back, in the way that test images will be scored. */
static EadStatus choose_threshold(EadFitRun *run) {
    const EadStringList *images = &run->data.dataset.validation;
    EadPlanOptions plan = {.backend = run->spec->backend};
    EadImageRules rules = ead_config_image_rules(run->config);
    const EadImageScores *scores = &run->validation;
    run->model->image_gray = ead_image_cache_is_gray(run->data.train);
    EAD_TRY(ead_score_images(run->model, &plan, images, &rules, run->spec->quiet, &run->validation));
    EAD_TRY(ead_thresholds_choose(scores, ead_threshold_rule(run->config), run->model, &run->thresholds));
    run->model->image_bits = rules.bits;
    run->model->image_white = rules.white;
    ead_thresholds_print(stderr, &run->thresholds);
    if (all_equal(scores->scores, scores->count))
        ead_print(stderr,
                  "all %d validation images have the score %g: this model tells nothing apart; if its loss "
                  "grew, lower the "
                  "learning rate\n",
                  scores->count, (double)scores->scores[0]);
    return EAD_OK;
}

/* Texts of numbers that are told more than once. */
typedef struct Facts {
    char seed[32], steps[32], images[32], rate[64], memory[64];
    char resume[EAD_PATH_SIZE + 64];
} Facts;

static Facts collect_facts(const EadFitRun *run) {
    Facts f;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    char step[EAD_DURATION_SIZE];
    double seconds = run->steps_here ? run->seconds / (double)run->steps_here : 0;
    snprintf(f.seed, sizeof f.seed, "%llu", (unsigned long long)run->config->train_seed);
    snprintf(f.steps, sizeof f.steps, "%lld", (long long)ead_fit_steps_done(run));
    snprintf(f.images, sizeof f.images, "%d", ead_image_cache_count(run->data.train));
    snprintf(f.rate, sizeof f.rate, "%s (mean of %lld)", ead_duration_text(seconds, step),
             (long long)run->steps_here);
    snprintf(f.memory, sizeof f.memory, "%.0f MB resident", (double)usage.ru_maxrss * 1.024e-3);
    snprintf(f.resume, sizeof f.resume, "the model is trained; continue with --resume --output %s",
             run->config->output);
    return f;
}

static EadStatus save_model(const EadFitRun *run, const Facts *facts) {
    const EadConfig *config = run->config;
    const EadImageScores *validation = &run->validation;
    char rule[160], pixel_rule[160];
    ead_threshold_describe(&run->thresholds.image, rule, sizeof rule);
    ead_threshold_describe(&run->thresholds.pixel, pixel_rule, sizeof pixel_rule);
    const EadFileMetadata metadata[] = {{"config", run->config_text},
                                        {"data", config->dataset_path},
                                        {"category", config->dataset_category},
                                        {"train_images", facts->images},
                                        {"seed", facts->seed},
                                        {"steps", facts->steps},
                                        {"backend", run->spec->backend->name},
                                        {"version", ead_version()},
                                        {EAD_THRESHOLD_TEXT, rule},
                                        {EAD_PIXEL_THRESHOLD_TEXT, pixel_rule}};
    int count = (int)(sizeof metadata / sizeof *metadata);
    const EadFileArray arrays[] = {
        {EAD_VALIDATION_SCORES, EAD_FILE_F32, validation->count, validation->scores},
        {EAD_VALIDATION_PEAKS, EAD_FILE_F32, validation->count, validation->peaks},
        {EAD_CONVERGENCE, EAD_FILE_F64, run->convergence.count, run->convergence.losses}};
    int array_count = run->convergence.count > 0 ? 3 : 2;
    return ead_model_save(run->model, run->folder.model,
                          &(EadFileExtras){metadata, count, arrays, array_count});
}

/* Of a run whose model is saved and whose images are scored: --resume goes on from the model. Before the results, since
 * the last of those, the report, says that nothing is left to do. A cache with a name (dataset.cache) may be that of other
 * runs, too. */
static EadStatus drop_files(const EadFitRun *run) {
    bool caches = !run->config->dataset_cache[0];
    uint64_t bytes;
    if (run->config->train_keep != EAD_KEEP_CHOICE_MODEL) return EAD_OK;
    EAD_TRY(ead_run_folder_drop(&run->folder, caches, &bytes));
    if (bytes > 0)
        ead_print(stderr, "train.keep=model: %s removed, %.0f MB; train.keep=all would keep %s%s\n",
                  caches ? "checkpoint and caches of the run are" : "the checkpoint of the run is",
                  1e-6 * (double)bytes, caches ? "them" : "it",
                  run->phase_count > 0 ? " for a training with more steps" : "");
    return EAD_OK;
}

/* dataset: whose test images are looked at, to be measured, or to be shown alone: those of the validation. */
static EadStatus evaluate(const EadFitRun *run, const EadDataset *dataset, const Facts *facts) {
    const EadConfig *config = run->config;
    bool shown = dataset != &run->data.dataset;
    const EadKeyValue timings[] = {{"training step", facts->rate}, {"peak memory", facts->memory}};
    const EadKeyValue provenance[] = {{"data", config->dataset_path},
                                      {"steps", facts->steps},
                                      {"seed", facts->seed},
                                      {"backend", run->spec->backend->name},
                                      {"version", ead_version()}};
    EadEvaluateSpec spec = {.model = run->model,
                            .plan = {.backend = run->spec->backend},
                            .dataset = dataset,
                            .rules = ead_config_image_rules(config),
                            .thresholds = &run->thresholds,
                            .validation_scores = run->validation.scores,
                            .validation_count = run->validation.count,
                            .ended = run->ended[0] ? run->ended : NULL,
                            .output = config->output,
                            .validation = shown,
                            .maps = config->eval_maps && !shown,
                            .overlays = config->eval_overlays && !shown,
                            .pro_limit = config->eval_pro_max_fpr,
                            .pixel_memory = (size_t)config->eval_memory_mb * 1000000,
                            .quiet = run->spec->quiet,
                            .stopped = facts->resume,
                            .title =
                                config->dataset_category[0] ? config->dataset_category : config->dataset_path,
                            .config = run->config_text,
                            .provenance = provenance,
                            .provenance_count = (int)(sizeof provenance / sizeof *provenance),
                            .timings = timings,
                            .timing_count = (int)(sizeof timings / sizeof *timings)};
    EadResults results;
    EadStatus status = ead_evaluate(&spec, &results);
    if (status == EAD_OK && !shown)
        ead_print_metrics(stderr, &results.metrics); /* whatever files cannot be written */
    if (status == EAD_OK) status = drop_files(run);
    if (status == EAD_OK)
        status = shown ? ead_evaluate_write_report(&spec, &results) : ead_evaluate_write(&spec, &results);
    if (status == EAD_OK) status = ead_results_complete(&results);
    ead_results_free(&results);
    return status;
}

/* Without test images the validation images, all normal, show what the model's maps are like. */
static EadStatus show_validation(const EadFitRun *run, const Facts *facts) {
    const EadStringList *files = &run->data.dataset.validation;
    static char good[] = "good";
    EadDataset dataset = {.test_count = files->count,
                          .test = ead_new(files->count, sizeof *dataset.test, "images")};
    if (!dataset.test) return EAD_NO_MEMORY;
    for (int i = 0; i < files->count; i++)
        dataset.test[i] = (EadTestSample){.path = files->items[i], .defect = good};
    EadStatus status = evaluate(run, &dataset, facts);
    free(dataset.test);
    if (status == EAD_OK)
        ead_print(
            stderr,
            "no test images in the data set: nothing is measured; the report shows the validation images\n");
    return status;
}

/* Thresholds and decisions look the same however little was learned. One that goes on from a model has what that learned. */
static void warn_of_few_steps(const EadFitRun *run) {
    int64_t least = run->fit->least_steps, done = ead_fit_steps_done(run);
    if (done >= least || run->config->model_init[0]) return;
    ead_print(
        stderr,
        "warning: %lld steps are far too few: this model is of no use, whatever its threshold says; train "
        "%lld at least, better some thousands (train.steps, --minutes)\n",
        (long long)done, (long long)least);
}

/* What there is now, and how it is used. */
static EadStatus print_next(const EadFitRun *run) {
    EadPath report;
    EAD_TRY(ead_path_in(report, run->config->output, "report.html"));
    warn_of_few_steps(run);
    char *program = ead_program_word(), *model = ead_shell_word(run->folder.model);
    if (program && model) {
        ead_print(stderr, "model:  %s\n", run->folder.model);
        ead_print(stderr, "report: %s\n", report);
        ead_print(stderr, "next:   %s predict --model %s --overlays heat/ PHOTOS\n", program, model);
    }
    EadStatus status = program && model ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for the last line");
    free(program);
    free(model);
    return status;
}

/* A fit without steps has no losses to show, but maps. */
static EadStatus show_maps(EadFitRun *run) {
    EadImageRules rules = ead_config_image_rules(run->config);
    if (run->phase_count > 0 || !run->config->train_tensorboard || run->data.dataset.test_count == 0)
        return EAD_OK;
    EAD_TRY(ead_training_board_open(&run->board, run->config->output, 1, 0, &run->data.dataset, &rules,
                                    run->model));
    return ead_training_board_maps(&run->board, 1, run->model, run->spec->backend);
}

EadStatus ead_fit_end(EadFitRun *run) {
    if (run->fit->calibrate)
        EAD_TRY(run->fit->calibrate(run->state, &run->folder, run->config_text, ead_fit_steps_done(run)));
    if (!run->model || !ead_fit_leads(run)) return EAD_OK;
    if (run->converged_at > 0)
        snprintf(run->ended, sizeof run->ended, "converged after step %lld", (long long)run->converged_at);
    else if (run->config->train_until_converged)
        snprintf(run->ended, sizeof run->ended, "train.steps reached, not converged");
    if (run->ended[0]) ead_print(stderr, "training ended: %s\n", run->ended);
    EAD_TRY(choose_threshold(run));
    Facts facts = collect_facts(run);
    EAD_TRY(save_model(run, &facts));
    EAD_TRY(show_maps(run));
    bool measured = run->data.dataset.test_count > 0;
    EAD_TRY(measured ? evaluate(run, &run->data.dataset, &facts) : show_validation(run, &facts));
    return print_next(run);
}
