/* efficientad predict: scores images and prints a JSON line for each. An input that cannot be scored, or whose
 * map or picture cannot be written, gets a line with "error", so that every input has its line, and a message on
 * stderr; the others are scored all the same, and the exit code is 1. It is 1 too where a folder holds pictures
 * that cannot be read, which get no line. */
#include "train/cli/arguments.h"

#include "train/command/given_options.h"
#include "train/command/predict_work.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "train/support/memory_budget.h"
#include "train/support/version.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- before the work ---- */

/* Of the inputs that are known before the work, which are counted; those of a list come later, and are looked at then.
 * One that cannot be used costs itself, so that it goes to `unusable`. *count: -1 where a list comes. */
static EadStatus check_inputs(const EadArguments *arguments, EadMapTrial *trial, EadProblems *unusable,
                              int64_t *count) {
    EadPredictInputs inputs;
    EadPredictInput input;
    bool found = true, listed = false;
    EadStatus status = EAD_OK;
    *count = 0;
    ead_predict_inputs_start(&inputs, arguments->paths, arguments->path_count, NULL, &trial->output);
    while (status == EAD_OK && !ead_interrupted()) {
        status = ead_predict_inputs_next(&inputs, &input, &found);
        if (status != EAD_OK || !found) break;
        ++*count;
        listed = listed || strcmp(input.path, "-") == 0;
        if (strcmp(input.path, "-") == 0) continue; /* the list is read later */
        ead_problems_add(unusable, input.status);
        if (input.status == EAD_OK) status = ead_map_trial_add(trial, input.folder, input.path);
    }
    ead_predict_inputs_free(&inputs);
    if (listed) *count = -1;
    return status;
}

/* All that can be known to be wrong before the work. */
static EadStatus check_all(EadPredictor *predictor, const EadArguments *arguments, EadPlanOptions *plan) {
    EadPredictOutputs outputs = predictor->outputs;
    EadProblems problems = {0}, unusable = {0};
    EadMapTrial trial;
    EadModel **model = &predictor->model;
    EadSafetensors *file = NULL;
    const char *path = arguments->values[EAD_OPTION_MODEL];
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_arguments_plan_options(arguments, plan));
    if (ead_arguments_given(arguments, EAD_OPTION_BITS) && ead_arguments_given(arguments, EAD_OPTION_WHITE))
        ead_problems_add(&problems,
                         ead_fail(EAD_BAD_ARGUMENT, "--white and --bits both say what is white; give one"));
    if (path) ead_problems_add(&problems, ead_model_open_file(path, &file, model));
    int of_scores = *model ? (*model)->map_choice : 0;
    if (*model) ead_problems_add(&problems, ead_model_options_apply(arguments, of_scores, *model));
    ead_predict_outputs_check(arguments, *model, &outputs, &problems);
    EadStatus status = ead_map_trial_start(&trial, outputs.folders);
    if (status == EAD_OK && (trial.output.names || problems.lines.count > 0))
        status = check_inputs(arguments, &trial, &unusable, &predictor->images);
    else
        predictor->images = ead_predict_inputs_count(arguments->paths, arguments->path_count);
    ead_map_trial_refuse(&trial, &problems);
    if (problems.lines.count > 0) ead_problems_add_all(&problems, &unusable);
    if (problems.lines.count > 0) ead_problems_add_all(&problems, &trial.unwritable.first);
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    if (status == EAD_OK) ead_map_trial_tell(&trial, stderr);
    if (status == EAD_OK && outputs.report)
        status = ead_prediction_report_start(&predictor->report, *model,
                                             (*model)->map_choice == of_scores ? file : NULL);
    ead_safetensors_close(file);
    ead_map_trial_free(&trial);
    ead_problems_free(&problems);
    ead_problems_free(&unusable);
    return status;
}

/* By what the images are judged. */
static void print_thresholds(const EadModel *model, const char *path) {
    if (!isnan(model->threshold)) ead_print(stderr, "threshold %.4g", (double)model->threshold);
    if (!isnan(model->pixel_threshold))
        ead_print(stderr, "%spixel threshold %.4g\n", isnan(model->threshold) ? "" : ", ",
                  (double)model->pixel_threshold);
    else
        ead_print(stderr,
                  "%sno regions: %s holds no pixel threshold; train it again with this version, or give "
                  "--pixel-threshold\n",
                  isnan(model->threshold) ? "" : "\n", path);
}

static EadStatus make_folder_of(const EadPredictor *predictor, const char *path) {
    EadPath folder;
    if (!path) return EAD_OK;
    EAD_TRY(ead_path_folder(folder, path));
    return ead_made_folders_make(predictor->output.made, folder);
}

static EadStatus start_files(EadPredictor *predictor) {
    const EadPredictOutputs *outputs = &predictor->outputs;
    EAD_TRY(make_folder_of(predictor, outputs->report));
    if (outputs->rows) puts(EAD_PREDICTIONS_HEAD);
    if (!outputs->table) return EAD_OK;
    EAD_TRY(make_folder_of(predictor, outputs->table));
    EAD_TRY(ead_atomic_file_open(&predictor->table, outputs->table));
    fputs(EAD_PREDICTIONS_HEAD "\n", predictor->table.stream);
    return EAD_OK;
}

/* One of --bits and --white takes the place of what the model says. */
static EadImageRules choose_rules(const EadArguments *arguments, const EadModel *model) {
    EadImageRules rules =
        ead_model_image_rules(model, ead_arguments_value(arguments, EAD_OPTION_MAX_PIXELS).i64);
    bool bits = ead_arguments_given(arguments, EAD_OPTION_BITS);
    if (!bits && !ead_arguments_given(arguments, EAD_OPTION_WHITE)) return rules;
    int value = (int)ead_arguments_value(arguments, bits ? EAD_OPTION_BITS : EAD_OPTION_WHITE).i64;
    rules.bits = bits ? value : 0;
    rules.white = bits ? 0 : value;
    return rules;
}

static EadStatus start(EadPredictor *predictor, const EadArguments *arguments) {
    EadPlanOptions plan;
    predictor->outputs = ead_predict_outputs(arguments);
    EAD_TRY(check_all(predictor, arguments, &plan));
    EadModel *model = predictor->model;
    if (!predictor->quiet) print_thresholds(model, arguments->values[EAD_OPTION_MODEL]);
    EAD_TRY(ead_scorer_new(model, &plan, predictor->images, predictor->outputs.report != NULL,
                           &predictor->scorer));
    ead_prediction_report_expect(&predictor->report, predictor->images, predictor->scorer);
    if (!predictor->quiet)
        ead_print_memory("inference", plan.backend, ead_scorer_bytes(predictor->scorer), 0);
    predictor->rules = choose_rules(arguments, model);
    EAD_TRY(ead_image_notes_new(&predictor->rules.notes));
    EAD_TRY(ead_map_output_start(&predictor->output, model, predictor->outputs.folders));
    return start_files(predictor);
}

/* ---- afterwards ---- */

static void tell_replaced(const EadPredictor *predictor) {
    char kinds[EAD_OUTPUT_NAMES];
    ead_map_output_name(predictor->outputs.folders, "or", kinds);
    if (predictor->replaced > 0)
        ead_print(stderr, "%lld %s (%s) of an earlier run %s replaced\n", (long long)predictor->replaced,
                  predictor->replaced == 1 ? "file" : "files", kinds,
                  predictor->replaced == 1 ? "was" : "were");
}

/* What all comes to, when it is done. */
static EadStatus conclude(const EadPredictor *predictor) {
    long long scored = predictor->scored, all = predictor->done + predictor->inputs.missed;
    long long unwritten = predictor->failed - (predictor->done - predictor->scored);
    if (scored < all)
        return ead_fail(EAD_BAD_FILE, "%lld of %lld inputs scored; see the messages above", scored, all);
    if (unwritten > 0) {
        char kinds[EAD_OUTPUT_NAMES];
        ead_map_output_name(predictor->outputs.folders, "or", kinds);
        return ead_fail(EAD_IO, "%lld of %lld inputs scored, but %s of %lld could not be written", scored,
                        all, kinds, unwritten);
    }
    if (!predictor->quiet) ead_print(stderr, "%lld of %lld inputs scored\n", scored, all);
    return EAD_OK;
}

/* The page is called "Decisions: photos/new and 2 more". */
static EadStatus write_report(const EadPredictor *predictor, const EadArguments *arguments) {
    const char *first = arguments->paths[0];
    char title[sizeof(EadPath) + 64], others[32] = "";
    if (arguments->path_count > 1) snprintf(others, sizeof others, " and %d more", arguments->path_count - 1);
    snprintf(title, sizeof title, "Decisions: %s%s", strcmp(first, "-") == 0 ? "list on stdin" : first,
             others);
    const EadKeyValue provenance[] = {{"model file", arguments->values[EAD_OPTION_MODEL]},
                                      {"first input", first},
                                      {"version", ead_version()}};
    return ead_prediction_report_write(&predictor->report, predictor->outputs.report, title, provenance,
                                       (int)(sizeof provenance / sizeof *provenance));
}

/* Table and report of what was done, all of it or until Ctrl-C. */
static EadStatus finish_files(EadPredictor *predictor, const EadArguments *arguments, EadStatus status) {
    EadFailure failure;
    if (status != EAD_OK && status != EAD_INTERRUPTED) return status;
    ead_failure_keep(&failure, status);
    EadStatus table = predictor->table.stream ? ead_atomic_file_commit(&predictor->table) : EAD_OK;
    if (table != EAD_OK) return table;
    if (predictor->outputs.report) EAD_TRY(write_report(predictor, arguments));
    return ead_failure_tell(&failure);
}

EadStatus ead_command_predict(const EadArguments *arguments) {
    EadPredictor predictor = {0};
    EadPredictInputs *inputs = &predictor.inputs;
    ead_arguments_use_threads(arguments, 0);
    predictor.quiet = ead_arguments_given(arguments, EAD_OPTION_QUIET);
    ead_interrupt_catch();
    FILE *list = ead_interrupt_stdin();
    EadStatus status = list ? start(&predictor, arguments) : EAD_NO_MEMORY;
    if (status == EAD_OK) {
        /* On a terminal the JSON lines themselves show the progress. */
        bool silent = predictor.quiet || isatty(STDOUT_FILENO);
        int64_t total = silent ? -1 : predictor.images;
        ead_predict_inputs_start(inputs, arguments->paths, arguments->path_count, list, &predictor.output);
        inputs->list.zeros = ead_arguments_given(arguments, EAD_OPTION_ZEROS);
        ead_progress_start(&predictor.progress, "predicting", 0, total, total < 0);
        status = ead_predict_all(&predictor);
        if (predictor.scored > 0)
            ead_progress_finish(&predictor.progress);
        else
            ead_progress_clear(&predictor.progress); /* the speed of errors is none */
        tell_replaced(&predictor);
        status = finish_files(&predictor, arguments, status);
        if (status == EAD_OK) status = conclude(&predictor);
        ead_image_notes_print(predictor.rules.notes, stderr);
        ead_predict_inputs_free(inputs);
    }
    if (list) fclose(list);
    ead_atomic_file_discard(&predictor.table);
    ead_prediction_report_free(&predictor.report);
    ead_image_notes_free(predictor.rules.notes);
    ead_map_output_free(&predictor.output);
    ead_scorer_free(predictor.scorer);
    ead_model_free(predictor.model);
    return status;
}
