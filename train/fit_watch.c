/* How a training goes, told while it goes on: scores of the validation images, on request metrics of the test images.
 * Nothing is decided by them, and nothing of the training changes: what fails costs its row. */
#include "train/fit_run.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/scoring.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUARTILES = 5 };

static const EadLossColumn score_columns[] = {
    {"minimum", "validation/minimum"}, {"lower_quartile", "validation/lower_quartile"},
    {"median", "validation/median"},   {"upper_quartile", "validation/upper_quartile"},
    {"maximum", "validation/maximum"}, {NULL, NULL}};
static const EadLossColumn test_columns[] = {
    {"image_auroc", "test/image_auroc"}, {"au_pro_0.30", "test/au_pro_0.30"}, {NULL, NULL}};

static bool is_due(const EadFitRun *run, int every) {
    return run->model && every > 0 && ead_fit_steps_done(run) % every == 0;
}

static bool tests(const EadFitRun *run) {
    return run->config->train_test_every > 0 && run->data.dataset.test_count > 0;
}

bool ead_fit_watch_is_due(const EadFitRun *run) {
    return is_due(run, run->config->train_validate_every) ||
           (tests(run) && is_due(run, run->config->train_test_every));
}

/* ---- the tables ---- */

EadStatus ead_fit_watch_prepare(EadFitRun *run, int64_t done) {
    EAD_TRY(ead_loss_log_prepare_sparse(&run->scores_log, run->folder.validation, score_columns, done));
    return ead_loss_log_prepare_sparse(&run->tests_log, run->folder.test, test_columns, done);
}

/* A table that will have no row is not made, and one of an earlier run there begins anew. */
static EadStatus open_table(const EadFitRun *run, EadLossLog *log, int every) {
    bool fills = run->model && every > 0 && run->steps >= every;
    return fills || access(log->path, F_OK) == 0 ? ead_loss_log_open(log) : EAD_OK;
}

EadStatus ead_fit_watch_open(EadFitRun *run) {
    EAD_TRY(open_table(run, &run->scores_log, run->config->train_validate_every));
    return open_table(run, &run->tests_log, tests(run) ? run->config->train_test_every : 0);
}

void ead_fit_watch_close(EadFitRun *run) {
    ead_loss_log_close(&run->scores_log);
    ead_loss_log_close(&run->tests_log);
}

/* values [count + 1]: room for the learning rate. */
static EadStatus add_row(EadFitRun *run, EadLossLog *log, const EadLossColumn *columns, float *values) {
    int count = ead_loss_count(columns);
    int64_t step = ead_fit_steps_done(run);
    values[count] = run->losses[run->step.columns - 1];
    EAD_TRY(ead_loss_log_append(log, step, values, count + 1));
    EAD_TRY(ead_loss_log_flush(log));
    return ead_training_board_values(&run->board, step, columns, values);
}

/* ---- what goes into them ---- */

/* Evenly spread over the list. Without a look at Ctrl-C, so that a resumed run lacks no row. */
static EadStatus score_validation(EadFitRun *run, float *scores, int count) {
    const EadStringList *files = &run->data.dataset.validation;
    EadImageRules rules = ead_config_image_rules(run->config);
    EadPlanOptions plan = {.backend = run->spec->backend};
    EadDetector *detector = NULL;
    EadStatus status = ead_detector_new(run->model, &plan, 1, &detector);
    for (int i = 0; i < count && status == EAD_OK; i++) {
        EadScored scored = {.map = NULL};
        int index = (int)((int64_t)i * files->count / count);
        status = ead_score_file(detector, files->items[index], &rules, &scored);
        scores[i] = scored.score;
        ead_scored_free(&scored);
    }
    ead_detector_close(detector);
    return status;
}

/* What the last step is followed by changes maps and so scores. */
static const char *scale_of(const EadFitRun *run) {
    return run->fit->calibrate ? " (before calibration, which changes the scale after the last step)" : "";
}

static EadStatus watch_scores(EadFitRun *run) {
    float scores[EAD_WATCHED_IMAGES], values[QUARTILES + 1];
    int count = ead_watched_images(run->config, run->data.dataset.validation.count);
    EAD_TRY(score_validation(run, scores, count));
    EAD_TRY(ead_score_quartiles(scores, count, values));
    EAD_TRY(add_row(run, &run->scores_log, score_columns, values));
    ead_print(stderr, "after step %lld: validation images score %.4g to %.4g, median %.4g%s\n",
              (long long)ead_fit_steps_done(run), (double)values[0], (double)values[QUARTILES - 1],
              (double)values[QUARTILES / 2], scale_of(run));
    return EAD_OK;
}

static bool never(void) {
    return false;
}

static EadStatus watch_tests(EadFitRun *run) {
    const EadConfig *config = run->config;
    EadEvaluateSpec spec = {.model = run->model,
                            .plan = {.backend = run->spec->backend},
                            .dataset = &run->data.dataset,
                            .rules = ead_config_image_rules(config),
                            .output = config->output,
                            .pixel_memory = (size_t)config->eval_memory_mb * 1000000,
                            .quiet = true,
                            .stop = never,
                            .title = ead_config_dataset_name(config)};
    EadResults results;
    float values[3];
    EadStatus status = ead_evaluate(&spec, &results);
    values[0] = (float)results.metrics.total.image_auroc;
    values[1] = (float)results.metrics.total.au_pro_30;
    ead_results_free(&results);
    EAD_TRY(status);
    EAD_TRY(add_row(run, &run->tests_log, test_columns, values));
    ead_print(stderr, "after step %lld: test images: AU-ROC %.4g, AU-PRO %.4g%s\n",
              (long long)ead_fit_steps_done(run), (double)values[0], (double)values[1], scale_of(run));
    return EAD_OK;
}

static void warn_of(const EadFitRun *run, EadStatus status) {
    if (status != EAD_OK)
        ead_print(stderr, "warning: after step %lld: %s; the training goes on without that row\n",
                  (long long)ead_fit_steps_done(run), ead_error_message());
}

void ead_fit_watch(EadFitRun *run) {
    if (!ead_fit_leads(run)) return;
    if (is_due(run, run->config->train_validate_every)) warn_of(run, watch_scores(run));
    if (tests(run) && is_due(run, run->config->train_test_every)) warn_of(run, watch_tests(run));
}
