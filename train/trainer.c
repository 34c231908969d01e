/* The run of any fit: prepare, the phases' steps, the end. */
#include "train/fit_run.h"

#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/base/memory.h"
#include "core/file/output_check.h"
#include "core/file/file_role.h"
#include "models/detector.h"
#include "train/evaluate/result_files.h"
#include "train/loop/checkpoint.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef EadFitRun Run;

#define TRAINING_IMAGES "training images"

static const EadStep *step_of(const Run *run) {
    return run->step.plan ? &run->step : NULL;
}

/* Whether a detector is trained by drawing from its images. A fit in one pass goes on with others by its own rules. */
static bool in_steps(const Run *run) {
    return run->model && run->phase_count > 0;
}

static EadStatus check_loss(const Run *run, int64_t step, float loss) {
    static const double MOST = 1e6;
    const EadPhase *phase = &run->phases[run->phase];
    char text[96] = "not a number";
    if (isinf(loss)) snprintf(text, sizeof text, "infinite");
    if (isfinite(loss)) {
        if (!((double)loss > MOST * phase->begins)) return EAD_OK;
        snprintf(text, sizeof text, "%.3g, where about %.3g is usual at first", (double)loss, phase->begins);
    }
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: the loss of step %lld is %s; lower %s (now %g) and start again with another --output",
        run->config->output, (long long)step, text, phase->rate_key, phase->rate);
}

/* Brings the rows of the steps since the last call into the log. */
static EadStatus log_losses(Run *run) {
    float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    int count, columns = run->step.columns;
    int64_t step = run->before + run->step.read;
    EAD_TRY(ead_step_losses(&run->step, rows, &count));
    for (int i = 0; i < count; i++) {
        const float *row = rows + i * columns;
        step++;
        EAD_TRY(check_loss(run, step, row[columns - 2]));
        if (ead_fit_leads(run)) EAD_TRY(ead_loss_log_append(&run->log, step, row, columns));
        EAD_TRY(ead_training_board_step(&run->board, step, run->fit->losses, row));
        memcpy(run->losses, row, (size_t)columns * sizeof *row);
    }
    return EAD_OK;
}

/* Bytes that the disk must hold beside a new checkpoint that replaces none: the one before it, which stays until the
 * new one is whole, or at the end the model. */
static uint64_t bytes_beside(const Run *run, uint64_t checkpoint, uint64_t growth) {
    int64_t every = run->config->train_checkpoint_every, left = run->steps - ead_fit_steps_done(run);
    bool several = every > 0 && left > every;
    uint64_t model = run->model ? run->model->method->functions->bytes(run->model) + growth : 0;
    if (access(run->folder.checkpoint, F_OK) == 0) return 0;
    return several && checkpoint > model ? checkpoint : model;
}

/* Writes the checkpoint, or only asks whether there is room for it. */
static EadStatus write_checkpoint(Run *run, bool only_ask) {
    EadSafetensorsWriter *writer;
    const char *path = run->folder.checkpoint;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    EadStatus status = run->fit->write(run->state, writer);
    if (status == EAD_OK && in_steps(run))
        status = ead_checkpoint_write_list(writer, TRAINING_IMAGES, &run->data.train_list);
    if (status == EAD_OK) status = ead_convergence_write(&run->convergence, writer);
    if (status == EAD_OK)
        status = ead_checkpoint_write(writer, run->config_text, ead_fit_steps_done(run), step_of(run));
    uint64_t growth = only_ask && run->fit->growth ? run->fit->growth(run->state) : 0;
    uint64_t bytes = ead_safetensors_writer_bytes(writer) + growth;
    if (status == EAD_OK)
        status = only_ask ? ead_check_room(path, bytes, bytes_beside(run, bytes, growth))
                          : ead_safetensors_writer_write(writer, path);
    ead_safetensors_writer_free(writer);
    return status;
}

/* Brings parameters, and what follows from them, into the host's memory. */
static EadStatus download(Run *run) {
    EAD_TRY(ead_step_download(&run->step));
    if (run->fit->ready) run->fit->ready(run->state);
    return EAD_OK;
}

static EadStatus save_checkpoint(Run *run) {
    if (run->step.plan) {
        EAD_TRY(log_losses(run));
        if (ead_fit_leads(run))
            EAD_TRY(ead_loss_log_flush(&run->log)); /* the checkpoint must never be ahead of the log */
        EAD_TRY(download(run));
    }
    return ead_fit_leads(run) ? write_checkpoint(run, false) : EAD_OK;
}

/* ---- preparation ---- */

static void list_phases(Run *run) {
    if (run->fit->phases) run->phase_count = run->fit->phases(run->state, run->phases);
    run->steps = 0;
    for (int p = 0; p < run->phase_count; p++) run->steps += run->phases[p].steps;
}

/* From what was measured: a run that has converged ends after fewer steps. */
static void shorten(Run *run) {
    EadConfig *config = run->config;
    int number = ead_convergence_reached(&run->convergence, config->train_converged_window,
                                         config->train_converged_fall);
    run->converged_at = (int64_t)number * config->train_validate_every;
    if (number == 0) return;
    config->train_steps = (int)ead_convergence_steps(run->converged_at, config->train_lr_drop_at, run->limit);
    list_phases(run);
}

/* The config has only the mask's name: what the file holds may have changed. */
static EadStatus check_region(const Run *run) {
    EadStatus status = run->model ? ead_model_check_region(run->model, run->checkpoint) : EAD_OK;
    if (status != EAD_BAD_ARGUMENT) return status;
    return ead_fail(status,
                    "%s; roi.mask, %s, has changed; change it back, or start again with another --output",
                    ead_error_message(), run->config->roi_mask);
}

/* Opens the checkpoint, if there is one to resume from, and finds the phase that it belongs to. The model of a finished
 * run serves, too, where no steps are left: what follows them is done again, and a bank may grow. */
static EadStatus find_start(Run *run) {
    int64_t done = 0;
    int key = run->fit->length_key;
    const char *steps_key = key >= 0 ? ead_config_key(key)->rule.name : "";
    const char *start = ead_run_folder_start(&run->folder, run->spec->resume);
    if (start) {
        EAD_TRY(ead_fit_check_resumed(run->fit, run->folder.path, NULL));
        EAD_TRY(ead_safetensors_open(start, &run->checkpoint));
        EAD_TRY(ead_convergence_read(&run->convergence, run->checkpoint));
        shorten(run);
        EAD_TRY(ead_checkpoint_check(run->checkpoint, run->config, run->fit->scope, run->steps, steps_key,
                                     &done));
        EAD_TRY(check_region(run));
    }
    for (; run->phase + 1 < run->phase_count && done >= run->before + run->phases[run->phase].steps;
         run->phase++)
        run->before += run->phases[run->phase].steps;
    run->step.device_done = done - run->before;
    if (run->phase_count == 0 || !ead_fit_leads(run)) return EAD_OK;
    EAD_TRY(ead_fit_watch_prepare(run, done));
    return ead_loss_log_prepare(&run->log, run->folder.losses, run->fit->losses, done);
}

/* Readies the present phase: its step is planned, the state is fitted or read. */
static EadStatus begin_phase(Run *run) {
    if (run->phase_count == 0) return EAD_OK;
    EadLoaderSpec loader = {.slots = run->fit->slots,
                            .slot_bytes = ead_step_slot_bytes(&run->step),
                            .first_step = (uint64_t)run->step.device_done + 1};
    bool finished = run->step.device_done >= run->phases[run->phase].steps;
    if (!finished) EAD_TRY(run->fit->begin(run->state, run->phase, &run->step, &loader));
    ead_step_upload(&run->step);
    return finished || loader.slot_bytes == 0 ? EAD_OK : ead_loader_open(&loader, &run->loader);
}

/* Reads the checkpoint, or does what a run from the start does without gradient. A checkpoint from the end of a
 * phase knows nothing of the next one. */
static EadStatus fit_or_resume(Run *run) {
    bool resumed = run->checkpoint != NULL, begun = run->step.device_done > 0;
    if (resumed && in_steps(run))
        ead_checkpoint_compare_list(run->checkpoint, TRAINING_IMAGES, &run->data.train_list);
    if (resumed) EAD_TRY(run->fit->read(run->state, run->checkpoint));
    if (run->fit->fit && (!resumed || (run->phase > 0 && !begun)))
        EAD_TRY(run->fit->fit(run->state, run->phase));
    if (!resumed) return EAD_OK;
    if (begun && !ead_checkpoint_is_model(run->checkpoint))
        EAD_TRY(ead_checkpoint_read(run->checkpoint, run->step.device_done, &run->step));
    if (run->phase_count == 0)
        ead_print(stderr, "going on from the finished fit in %s\n", ead_safetensors_path(run->checkpoint));
    else if (!run->converges)
        ead_print(stderr, "resuming after step %lld\n", (long long)(run->before + run->step.device_done));
    ead_safetensors_close(run->checkpoint);
    run->checkpoint = NULL;
    return EAD_OK;
}

static EadStatus plan_step(Run *run) {
    int64_t done = run->step.device_done;
    if (run->phase_count == 0) return EAD_OK;
    EAD_TRY(run->fit->plan(run->state, run->phase, &run->step));
    run->step.device_done = done;
    return EAD_OK;
}

/* All but the steps and what follows them is done. */
static EadStatus pick_steps(Run *run) {
    EAD_TRY(ead_pace_pick(&run->pace, run->fit, run->spec, run->config));
    list_phases(run);
    run->limit = run->steps;
    free(run->config_text);
    EAD_TRY(ead_config_to_yaml(run->config, &run->config_text));
    ead_step_free(&run->step); /* its learning rate depends on them */
    return plan_step(run);
}

static EadStatus check_run(const Run *run) {
    EadProblems problems = {0};
    ead_fit_check_run(run->fit, run->spec, &problems);
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

/* Ranks need a batch that has an image for each. */
static EadStatus check_ranks(const Run *run) {
    int ranks = ead_ranks_count(run->spec->ranks);
    int batch = run->fit->batch ? run->fit->batch(run->state) : 0;
    if (ranks == 1 || ranks <= batch) return EAD_OK;
    if (batch == 0)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: its steps cannot be shared out among %d ranks; start it in one process",
                        run->fit->name, ranks);
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%d ranks cannot share out a batch of %d images; start at most %d, or raise the batch",
                    ranks, batch, batch);
}

/* Caches are filled by the rank that leads and read by the others. */
static EadStatus open_data(Run *run) {
    if (!run->fit->model) return EAD_OK;
    EAD_TRY(ead_ranks_wait_for_first(run->spec->ranks));
    return ead_ranks_first_is_done(run->spec->ranks,
                                   ead_train_data_open(run->config, run->spec->quiet, &run->data));
}

/* The files that are written while the steps go on. */
static EadStatus open_logs(Run *run) {
    EadImageRules rules = ead_config_image_rules(run->config);
    if (!ead_fit_leads(run)) return EAD_OK;
    if (run->phase_count > 0) EAD_TRY(ead_loss_log_open(&run->log));
    if (run->phase_count > 0) EAD_TRY(ead_fit_watch_open(run));
    if (run->model && run->config->train_tensorboard && ead_fit_steps_done(run) < run->steps)
        EAD_TRY(ead_training_board_open(&run->board, run->config->output, run->steps, ead_fit_steps_done(run),
                                        &run->data.dataset, &rules, run->model));
    EAD_TRY(ead_run_folder_write_config(&run->folder, run->config_text));
    return ead_fit_page_open(run);
}

EAD_SAME_VALUE(EAD_SCORE_CHOICE_MAX, EAD_SCORE_MAX);
EAD_SAME_VALUE(EAD_SCORE_CHOICE_TOP_MEAN, EAD_SCORE_TOP_MEAN);
EAD_SAME_VALUE(EAD_SCORE_CHOICE_AREA, EAD_SCORE_AREA);

static EadScoreRule score_rule(const EadConfig *config) {
    return (EadScoreRule){(EadScoreMethod)config->score_method, config->score_cells};
}

static EadStatus prepare(Run *run) {
    const EadFit *fit = run->fit;
    bool detector = fit->model != NULL;
    EAD_TRY(ead_config_to_yaml(run->config, &run->config_text));
    EAD_TRY(ead_run_folder_name(&run->folder, run->config->output, fit->model_name));
    if (ead_fit_leads(run)) EAD_TRY(ead_run_folder_check(&run->folder, run->spec->resume));
    EAD_TRY(check_run(run));
    if (detector) EAD_TRY(ead_train_data_list(run->config, &run->data));
    EAD_TRY(fit->create(run->spec, detector ? &run->data : NULL, &run->state));
    if (detector) run->model = fit->model(run->state);
    if (detector) EAD_TRY(ead_region_copy(&run->data.region, &run->model->region));
    if (detector) run->model->score = score_rule(run->config);
    list_phases(run);
    EAD_TRY(check_ranks(run));
    EAD_TRY(ead_fit_forecast(run));
    run->limit = run->steps;
    EAD_TRY(find_start(run));
    EAD_TRY(ead_fit_try_later_phases(run));
    EAD_TRY(plan_step(run));
    if (ead_fit_leads(run) && (fit->growth || ead_fit_steps_done(run) < run->steps))
        EAD_TRY(write_checkpoint(run, true));
    if (run->spec->dry_run) return fit->forecast(run->state, &run->step);
    if (ead_fit_leads(run))
        EAD_TRY(ead_run_begin(&run->made, &run->folder, fit->model ? run->config->dataset_cache : ""));
    EAD_TRY(open_data(run));
    if (fit->open) EAD_TRY(fit->open(run->state));
    EAD_TRY(ead_fit_check_memory(run));
    if (ead_fit_leads(run)) EAD_TRY(ead_run_folder_make(&run->folder));
    EAD_TRY(fit->start(run->state, step_of(run)));
    EAD_TRY(fit_or_resume(run));
    if (run->spec->minutes > 0) EAD_TRY(pick_steps(run));
    EAD_TRY(begin_phase(run));
    EAD_TRY(open_logs(run));
    return run->phase_count == 0 ? save_checkpoint(run) : EAD_OK; /* reading may have added to it */
}

/* A run that was refused leaves no folder; one that was stopped its caches. */
static EadStatus take_back(Run *run, EadStatus status) {
    EadFailure failure;
    ead_failure_keep(&failure, status);
    ead_run_take_back(&run->made, &run->folder);
    return ead_failure_tell(&failure);
}

/* ---- the steps ---- */

/* What is looked at when a checkpoint has been written. */
static EadStatus after_save(Run *run) {
    if (run->model && ead_fit_leads(run))
        EAD_TRY(
            ead_training_board_maps(&run->board, ead_fit_steps_done(run), run->model, run->spec->backend));
    bool goes_on = !run->stop && ead_fit_steps_done(run) < run->steps;
    return goes_on && run->fit->after_save ? run->fit->after_save(run->state, ead_fit_steps_done(run))
                                           : EAD_OK;
}

/* Where the steps before the last ones are due for it: a loss on the validation images. */
static EadStatus validate(Run *run, EadProgress *progress) {
    const EadConfig *config = run->config;
    double loss;
    bool due = config->train_until_converged && run->converged_at == 0;
    if (!due || ead_fit_steps_done(run) % config->train_validate_every != 0) return EAD_OK;
    EAD_TRY(log_losses(run));
    EAD_TRY(ead_step_download(&run->step));
    EAD_TRY(run->fit->validate(run->state, &loss));
    EAD_TRY(ead_convergence_add(&run->convergence, loss));
    ead_progress_clear(progress);
    ead_print(stderr, "after step %lld: loss on validation images %.5g\n", (long long)ead_fit_steps_done(run),
              loss);
    run->converges = ead_convergence_reached(&run->convergence, config->train_converged_window,
                                             config->train_converged_fall) > 0;
    return EAD_OK;
}

/* What is to be told of how it goes. */
static EadStatus watch(Run *run, EadProgress *progress) {
    if (!ead_fit_watch_is_due(run)) return EAD_OK;
    EAD_TRY(log_losses(run));
    EAD_TRY(download(run));
    ead_progress_clear(progress);
    ead_fit_watch(run);
    return EAD_OK;
}

/* What comes with the next step. Where it cannot be had, the run ends as on Ctrl-C: with a checkpoint, unless that fails,
 * too. */
static EadStatus next_slot(Run *run, const uint8_t **slot) {
    const EadRanks *ranks = run->spec->ranks;
    EadStatus status = ead_ranks_agree(ranks, ead_loader_next(run->loader, slot));
    if (status == EAD_OK) return EAD_OK;
    EadFailure failure;
    ead_failure_keep(&failure, status);
    EadStatus saved = ead_ranks_agree(ranks, save_checkpoint(run));
    (void)ead_failure_tell(&failure);
    if (saved != EAD_OK) return status;
    return ead_fail(
        status,
        "%s; stopped after step %lld of %lld; when that is mended, continue with --resume --output %s",
        ead_error_message(), (long long)ead_fit_steps_done(run), (long long)run->steps, run->config->output);
}

static EadStatus do_step(Run *run, EadProgress *progress) {
    int64_t every = run->config->train_checkpoint_every;
    const uint8_t *slot = NULL;
    char note[64];
    if (run->loader) EAD_TRY(next_slot(run, &slot));
    ead_step_run(&run->step, slot);
    if (run->loader) ead_loader_release(run->loader);
    /* Reading waits for the step: on a device it happens seldom, so that it never runs out of work. */
    if (!run->spec->backend->device || run->step.done % EAD_LOSS_ROWS == 0) EAD_TRY(log_losses(run));
    snprintf(note, sizeof note, "loss %.4g", (double)run->losses[run->step.columns - 2]);
    ead_progress_update(progress, run->step.done, note);
    run->stop = ead_ranks_any(run->spec->ranks, ead_interrupted());
    EAD_TRY(validate(run, progress));
    EAD_TRY(watch(run, progress));
    ead_fit_page_step(run);
    bool last = run->step.done >= run->phases[run->phase].steps || run->converges; /* the end saves */
    if (last || every == 0 || ead_fit_steps_done(run) % every != 0) return EAD_OK;
    EAD_TRY(save_checkpoint(run));
    ead_progress_clear(progress); /* there may be something to say */
    return after_save(run);
}

/* The steps of the present phase, until all are done or Ctrl-C, then a checkpoint. */
static EadStatus do_steps(Run *run) {
    const EadPhase *phase = &run->phases[run->phase];
    EadProgress progress;
    EadStatus status = EAD_OK;
    int64_t first = run->step.done;
    double start = ead_clock_seconds();
    if (first >= phase->steps) return EAD_OK;
    ead_progress_start(&progress, phase->doing, first, phase->steps, run->spec->quiet);
    run->stop = ead_ranks_any(run->spec->ranks, ead_interrupted());
    while (status == EAD_OK && run->step.done < phase->steps && !run->stop && !run->converges)
        status = do_step(run, &progress);
    ead_progress_finish(&progress);
    run->seconds += ead_clock_seconds() - start;
    run->steps_here += run->step.done - first;
    if (status == EAD_OK) status = save_checkpoint(run);
    if (status == EAD_OK) status = after_save(run);
    if (status == EAD_OK && run->step.done < phase->steps && !run->converges)
        return ead_fail(EAD_INTERRUPTED,
                        "stopped after step %lld of %lld; continue with --resume --output %s",
                        (long long)ead_fit_steps_done(run), (long long)run->steps, run->config->output);
    return status;
}

static void end_phase(Run *run) {
    ead_loader_close(run->loader);
    run->loader = NULL;
    ead_step_free(&run->step);
}

/* Goes on from the checkpoint just written, as a resumed run would, with fewer steps to come and the dropped rate. */
static EadStatus do_last_steps(Run *run) {
    int64_t done = run->step.done;
    shorten(run);
    ead_print(stderr, "converged after step %lld; %lld steps with the dropped rate follow\n", (long long)done,
              (long long)(run->steps - done));
    run->board.steps = run->steps;
    if (run->steps > done) {
        end_phase(run);
        EAD_TRY(ead_safetensors_open(run->folder.checkpoint, &run->checkpoint));
        run->step.device_done = done;
        EAD_TRY(plan_step(run));
        EAD_TRY(fit_or_resume(run));
        EAD_TRY(begin_phase(run));
    }
    run->converges = false;
    return do_steps(run);
}

static EadStatus do_phases(Run *run) {
    if (run->phase_count == 0) return EAD_OK;
    for (;;) {
        EAD_TRY(do_steps(run));
        if (run->converges) EAD_TRY(do_last_steps(run));
        if (run->phase + 1 == run->phase_count) return EAD_OK;
        run->before += run->phases[run->phase++].steps;
        end_phase(run);
        if (run->fit->fit) EAD_TRY(run->fit->fit(run->state, run->phase));
        EAD_TRY(plan_step(run));
        EAD_TRY(begin_phase(run));
    }
}

EadStatus ead_fit_run(const EadFit *fit, const EadRunSpec *spec) {
    Run *run = ead_new(1, sizeof *run, "a run");
    if (!run) return EAD_NO_MEMORY;
    *run = (Run){.fit = fit, .own_spec = *spec, .begun = ead_clock_seconds()};
    run->spec = &run->own_spec;
    run->own_spec.config = run->config = &run->own_config;
    ead_interrupt_catch();
    EadStatus status = ead_config_copy(spec->config, run->config);
    if (status == EAD_OK) status = prepare(run);
    if (status != EAD_OK && status != EAD_INTERRUPTED) status = take_back(run, status);
    if (status == EAD_OK && !spec->dry_run) status = do_phases(run);
    int64_t done = run->step.done;
    end_phase(run); /* what follows plans for itself, and needs the memory */
    run->step.done = done;
    if (status == EAD_OK) ead_fit_page_evaluates(run);
    if (status == EAD_OK && !spec->dry_run) status = ead_fit_end(run);
    ead_fit_page_close(run, status);
    ead_safetensors_close(run->checkpoint);
    ead_loss_log_close(&run->log);
    ead_fit_watch_close(run);
    ead_training_board_close(&run->board);
    if (run->state) fit->free(run->state);
    ead_run_folder_release(&run->folder);
    ead_train_data_close(&run->data);
    ead_convergence_free(&run->convergence);
    ead_image_scores_free(&run->validation);
    free(run->config_text);
    ead_config_free(run->config);
    free(run);
    return status;
}

EadStatus ead_train(const EadRunSpec *spec) {
    const EadFit *fit;
    EAD_TRY(ead_fit_of_config(spec->config, &fit));
    return ead_fit_run(fit, spec);
}
