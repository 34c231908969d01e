/* What a run tells before its steps: too few images, how long it will take, and how much memory. */
#include "train/fit_run.h"

#include "core/base/printing.h"
#include "models/detector.h"
#include "train/evaluate/scorer.h"
#include "train/image_counts.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <stdio.h>

/* Bytes that threads, files and pictures take while the steps go on: 20 to 30 MB were measured with two threads,
 * without steps 8. */
enum { AT_WORK = 24 << 20 };

static void warn_of_few_images(const EadFitRun *run) {
    char text[EAD_COUNT_WARNING];
    if (!run->model || !ead_fit_leads(run)) return;
    ead_warn_of_training_images(run->data.dataset.train.count, text);
    if (text[0]) ead_print(stderr, "warning: %s\n", text);
    ead_warn_of_validation_images(run->config, run->data.dataset.validation.count, text);
    if (text[0]) ead_print(stderr, "warning: %s\n", text);
}

/* What looking at large images takes. */
static EadStatus tell_tiles(EadFitRun *run) {
    const EadStringList *images = &run->data.dataset.train;
    char one[EAD_DURATION_SIZE], end[EAD_DURATION_SIZE];
    int width, height;
    if (!run->model || !run->model->tiles.size || run->spec->quiet || !run->fit->sample) return EAD_OK;
    if (!ead_fit_leads(run) || ead_image_size(images->items[0], NULL, &width, &height) != EAD_OK)
        return EAD_OK; /* told with all that cannot be read */
    const EadDataset *dataset = &run->data.dataset;
    if (run->pace.images.score <= 0)
        EAD_TRY(ead_pace_images(run->fit, run->spec, dataset, &run->pace.images));
    ead_pace_count(run->fit, run->config, dataset->train.count, dataset->validation.count,
                   dataset->test_count, &run->pace);
    int validation = run->data.dataset.validation.count;
    ead_print(stderr,
              "in tiles, an image of %d x %d takes about %s here, and the %d validation images at the end, "
              "each looked at twice, about %s\n",
              width, height, ead_duration_text(run->pace.images.score, one), validation,
              ead_duration_text(ead_pace_validation(&run->pace), end));
    return EAD_OK;
}

static EadStatus forecast_steps(EadFitRun *run) {
    char trained[64], text[EAD_PACE_SIZE];
    bool told = run->model && ead_pace_is_worth_telling(run->fit, run->spec, run->steps);
    if (run->spec->minutes <= 0 && !told) return EAD_OK;
    EAD_TRY(ead_pace_measure(run->fit, run->spec, &run->data.dataset, run->phases, run->phase_count,
                             run->begun, &run->pace));
    if (run->spec->minutes > 0) return EAD_OK;
    ead_fit_trained(run->config, trained);
    ead_pace_describe(&run->pace, trained, text);
    ead_print(stderr, "%s\n", text);
    return EAD_OK;
}

EadStatus ead_fit_forecast(EadFitRun *run) {
    warn_of_few_images(run);
    EAD_TRY(forecast_steps(run));
    return tell_tiles(run);
}

/* What the evaluation takes, when the step is no more, beyond what the step took. */
static EadStatus evaluation_bytes(const EadFitRun *run, const EadPlanOptions *plan, size_t *bytes) {
    size_t step = ead_step_planned_bytes(&run->step), detectors;
    *bytes = 0;
    if (run->spec->backend->device) return EAD_OK;
    EAD_TRY(ead_scorer_measure(run->model, plan, run->data.dataset.test_count,
                               ead_available_memory(&ead_backend_cpu) + step, &detectors));
    if (detectors > step) *bytes = detectors - step + AT_WORK;
    return EAD_OK;
}

/* What is read ahead for the present step. */
static size_t slot_bytes(const EadFitRun *run) {
    return (size_t)run->fit->slots * ead_step_slot_bytes(&run->step);
}

EadStatus ead_fit_try_later_phases(EadFitRun *run) {
    int64_t done = run->step.device_done;
    for (int p = run->phase + 1; p < run->phase_count; p++) {
        EAD_TRY(run->fit->plan(run->state, p, &run->step));
        size_t bytes = ead_step_bytes(&run->step) + slot_bytes(run);
        if (bytes > run->later_step_bytes) run->later_step_bytes = bytes;
        ead_step_free(&run->step);
    }
    run->step.device_done = done;
    return EAD_OK;
}

/* What the largest step of a later phase takes beyond the present one. */
static size_t growth_of_steps(const EadFitRun *run) {
    if (!run->later_step_bytes) return 0;
    size_t present = ead_step_bytes(&run->step) + slot_bytes(run);
    return run->later_step_bytes > present ? run->later_step_bytes - present : 0;
}

/* What is taken beside the step: a detector that draws the maps for TensorBoard, or a part of it that measures the
 * teacher, and slots for the batches to come. */
static EadStatus bytes_beside(EadFitRun *run, size_t *bytes) {
    EadPlanOptions plan = {.backend = run->spec->backend};
    size_t detector = 0;
    *bytes = 0;
    if (run->fit->later) EAD_TRY(run->fit->later(run->state, bytes));
    if (!run->step.plan) {
        *bytes += AT_WORK / 3;
        return EAD_OK;
    }
    if (run->model) EAD_TRY(ead_detector_measure(run->model, &plan, 1, &detector));
    if (detector > *bytes) *bytes = detector;
    *bytes += slot_bytes(run) + AT_WORK;
    return EAD_OK;
}

/* Says it, and fails before the work what would fail when the first maps are drawn. */
EadStatus ead_fit_check_memory(EadFitRun *run) {
    EadPlanOptions options = {.backend = run->spec->backend};
    const EadPlan *plan = run->step.plan;
    size_t beside, evaluation = 0, growth = growth_of_steps(run);
    size_t there = ead_available_memory(&ead_backend_cpu);
    bool draws = run->config->train_tensorboard && run->data.dataset.test_count > 0;
    EAD_TRY(bytes_beside(run, &beside));
    if (plan && draws && !run->spec->backend->device && beside > there)
        return ead_fail(
            EAD_NO_MEMORY,
            "beside the training step, %.0f MB are needed for the maps in TensorBoard, where %.0f MB are "
            "free; set train.tensorboard=false, or lower model.image_size or the batch",
            1e-6 * (double)beside, 1e-6 * (double)there);
    if (plan && run->model) EAD_TRY(evaluation_bytes(run, &options, &evaluation));
    size_t later = growth + beside > evaluation ? growth + beside : evaluation;
    if (ead_fit_leads(run))
        ead_print_memory(plan ? "the training step" : "the fit", run->spec->backend,
                         plan ? ead_step_planned_bytes(&run->step) + growth : later, later);
    return EAD_OK;
}
