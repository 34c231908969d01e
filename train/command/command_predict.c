/* efficientad predict: scores images and prints a JSON line for each. An input that cannot be scored, or whose
 * map or overlay cannot be written, gets a line with "error", so that every input has its line, and a message on
 * stderr; the others are scored all the same, and the exit code is 1. It is 1 too where a folder holds pictures
 * that cannot be read, which get no line. */
#include "train/cli/arguments.h"

#include "train/command/model_options.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/scorer.h"
#include "train/support/memory_budget.h"
#include "core/file/output_check.h"
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/system/ordered_work.h"
#include "core/base/paths.h"
#include "train/evaluate/predict_lines.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Predictor {
    EadModel *model;
    EadScorer *scorer;
    EadPredictInputs inputs;
    EadMapOutput output;
    double threshold; /* NAN: none */
    EadImageRules rules;
    EadProgress progress;
    int64_t images; /* in all; -1: a list comes in */
    int64_t done, scored, failed;
    int64_t replaced; /* maps and overlays of an earlier run */
    bool quiet, stopped;
} Predictor;

/* Of the inputs that are known before the work, which are counted; those of a list come later, and are looked at then.
 * One that cannot be used costs itself, so that it goes to `unusable`. *count: -1 where a list comes. */
static EadStatus check_inputs(const EadArguments *arguments, EadMapTrial *trial, EadProblems *unusable,
                              int64_t *count) {
    EadPredictInputs inputs;
    EadPredictInput input;
    bool found = true, listed = false;
    EadStatus status = EAD_OK;
    *count = 0;
    ead_predict_inputs_start(&inputs, arguments->paths, arguments->path_count, NULL, trial->output.overlays,
                             trial->output.maps);
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
static EadStatus check_all(Predictor *predictor, const EadArguments *arguments, EadPlanOptions *plan) {
    const char *overlays = ead_arguments_text(arguments, EAD_OPTION_OVERLAYS);
    const char *maps = ead_arguments_text(arguments, EAD_OPTION_MAPS);
    EadProblems problems = {0}, unusable = {0};
    EadMapTrial trial;
    EadModel **model = &predictor->model;
    const char *path = arguments->values[EAD_OPTION_MODEL];
    ead_problems_add_all(&problems, &arguments->problems);
    ead_problems_add(&problems, ead_arguments_plan_options(arguments, plan));
    if (path) ead_problems_add(&problems, ead_model_open(path, model));
    if (*model) ead_problems_add(&problems, ead_model_options_apply(arguments, (*model)->map_choice, *model));
    EadStatus heat = overlays ? ead_check_output_folder(overlays, "--overlays") : EAD_OK;
    ead_problems_add(&problems, heat);
    EadStatus raw = maps ? ead_check_output_folder(maps, "--maps") : EAD_OK;
    ead_problems_add(&problems, raw);
    EadStatus status =
        ead_map_trial_start(&trial, raw == EAD_OK ? maps : NULL, heat == EAD_OK ? overlays : NULL);
    if (status == EAD_OK && (trial.output.names || problems.lines.count > 0))
        status = check_inputs(arguments, &trial, &unusable, &predictor->images);
    else
        predictor->images = ead_predict_inputs_count(arguments->paths, arguments->path_count);
    ead_map_trial_refuse(&trial, &problems);
    if (problems.lines.count > 0) ead_problems_add_all(&problems, &unusable);
    if (problems.lines.count > 0) ead_problems_add_all(&problems, &trial.unwritable.first);
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    if (status == EAD_OK) ead_map_trial_tell(&trial, stderr);
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

static EadStatus start(Predictor *predictor, const EadArguments *arguments) {
    const char *overlays = ead_arguments_text(arguments, EAD_OPTION_OVERLAYS);
    const char *maps = ead_arguments_text(arguments, EAD_OPTION_MAPS);
    EadPlanOptions plan;
    EAD_TRY(check_all(predictor, arguments, &plan));
    EadModel *model = predictor->model;
    if (!predictor->quiet) print_thresholds(model, arguments->values[EAD_OPTION_MODEL]);
    EAD_TRY(ead_scorer_new(model, &plan, predictor->images, &predictor->scorer));
    if (!predictor->quiet)
        ead_print_memory("inference", plan.backend, ead_scorer_bytes(predictor->scorer), 0);
    predictor->threshold = (double)model->threshold;
    predictor->rules.bits = ead_arguments_given(arguments, EAD_OPTION_BITS)
                                ? (int)ead_arguments_value(arguments, EAD_OPTION_BITS).i64
                                : model->image_bits;
    predictor->rules.max_pixels = ead_arguments_value(arguments, EAD_OPTION_MAX_PIXELS).i64;
    EAD_TRY(ead_image_notes_new(&predictor->rules.notes));
    /* Made first, since whether they lie among the images can only be told of folders that exist. */
    if (overlays) EAD_TRY(ead_make_directories(overlays));
    if (maps) EAD_TRY(ead_make_directories(maps));
    return ead_map_output_start(&predictor->output, model->color_high, predictor->threshold, maps, overlays);
}

/* One input on its way. */
typedef struct PredictPiece {
    char *path, *folder, *message; /* why the input cannot be used */
    EadStatus status;
    EadStringList notes; /* to be told before it */
    EadMapFiles files;
    EadMapRegions regions;
    float score; /* NAN: not known */
} PredictPiece;

static void release_piece(void *memory) {
    PredictPiece *piece = memory;
    free(piece->path);
    free(piece->folder);
    free(piece->message);
    ead_strings_free(&piece->notes);
    ead_map_files_free(&piece->files);
    ead_map_regions_free(&piece->regions);
}

static EadStatus take_piece(void *context, void *memory, bool *found) {
    Predictor *predictor = context;
    EadPredictInputs *inputs = &predictor->inputs;
    PredictPiece *piece = memory;
    EadPredictInput input;
    EadStatus status = ead_predict_inputs_next(inputs, &input, found);
    predictor->stopped = ead_interrupted() && (*found || status != EAD_OK);
    if (predictor->stopped) *found = false;
    if (predictor->stopped) return EAD_OK;
    EAD_TRY(status);
    if (!*found) return EAD_OK;
    piece->status = input.status;
    if (input.status != EAD_OK && !(piece->message = ead_strdup(ead_error_message()))) return EAD_NO_MEMORY;
    piece->path = ead_strdup(input.path);
    piece->folder = ead_strdup(input.folder);
    if (!piece->path || !piece->folder) return EAD_NO_MEMORY;
    piece->notes = inputs->notes;
    inputs->notes = (EadStringList){0};
    if (piece->status != EAD_OK) return EAD_OK;
    return ead_map_files_name(&predictor->output, piece->folder, piece->path, &piece->files);
}

static EadStatus score_piece(void *context, void *memory) {
    Predictor *predictor = context;
    PredictPiece *piece = memory;
    EadScored scored;
    piece->score = NAN;
    if (piece->status != EAD_OK) return ead_fail(piece->status, "%s", piece->message);
    EadStatus status = ead_scorer_score_file(predictor->scorer, piece->path, &predictor->rules, &scored);
    if (status == EAD_OK && !isfinite(scored.score))
        status = ead_fail(EAD_BAD_FILE, "%s: its score is %g: the model is damaged", piece->path,
                          (double)scored.score);
    if (status == EAD_OK) piece->score = scored.score;
    if (status == EAD_OK)
        status = ead_map_regions_find(&piece->regions, scored.map, scored.image.width, scored.image.height,
                                      predictor->model->pixel_threshold);
    if (status == EAD_OK)
        status = ead_map_files_write(&predictor->output, &piece->files, piece->path, &scored.image,
                                     scored.map, piece->score, NULL);
    ead_scored_free(&scored);
    return status;
}

static void print_notes(Predictor *predictor, const EadStringList *notes) {
    if (notes->count > 0) ead_progress_clear(&predictor->progress);
    for (int i = 0; i < notes->count; i++) ead_print(stderr, "%s\n", notes->items[i]);
}

/* Only a line that cannot be printed ends the work. */
static EadStatus deliver_piece(void *context, void *memory, EadStatus status) {
    Predictor *predictor = context;
    const PredictPiece *piece = memory;
    EadPrediction prediction = {.path = piece->path,
                                .threshold = predictor->threshold,
                                .score = piece->score,
                                .map_path = piece->files.map_path,
                                .overlay_path = piece->files.overlay_path,
                                .regions = &piece->regions};
    print_notes(predictor, &piece->notes);
    if (status != EAD_OK) {
        prediction.error = ead_error_message();
        ead_progress_clear(&predictor->progress);
        ead_print(stderr, "efficientad: %s\n", prediction.error);
    }
    predictor->scored += !isnan(piece->score);
    predictor->failed += status != EAD_OK;
    predictor->replaced += piece->files.replaced;
    EAD_TRY(ead_prediction_print(stdout, &prediction));
    ead_progress_update(&predictor->progress, ++predictor->done, NULL);
    return EAD_OK;
}

static void tell_replaced(long long count) {
    if (count > 0)
        ead_print(stderr, "%lld %s of an earlier run %s replaced\n", count,
                  count == 1 ? "map or overlay" : "maps or overlays", count == 1 ? "was" : "were");
}

static EadStatus stopped(const Predictor *predictor) {
    char total[40] = "";
    long long count = predictor->images, done = predictor->done;
    if (count >= 0) snprintf(total, sizeof total, " of %lld", count);
    return ead_fail(EAD_INTERRUPTED,
                    "stopped after %lld%s inputs, %lld of them scored; their lines%s are whole", done, total,
                    (long long)predictor->scored, predictor->output.names ? ", maps and overlays" : "");
}

static EadStatus handle_all(Predictor *predictor) {
    EadOrderedWork work = {sizeof(PredictPiece), take_piece,    score_piece,
                           deliver_piece,        release_piece, predictor};
    EadStatus status = ead_work_in_order(&work, ead_scorer_threads(predictor->scorer));
    print_notes(predictor, &predictor->inputs.notes); /* of what comes after the last one */
    return predictor->stopped && status == EAD_OK ? stopped(predictor) : status;
}

/* What all comes to, when it is done. */
static EadStatus conclude(const Predictor *predictor) {
    long long scored = predictor->scored, all = predictor->done + predictor->inputs.missed;
    long long unwritten = predictor->failed - (predictor->done - predictor->scored);
    if (scored < all)
        return ead_fail(EAD_BAD_FILE, "%lld of %lld inputs scored; the others are told above", scored, all);
    if (unwritten > 0)
        return ead_fail(EAD_IO, "%lld of %lld inputs scored, but %lld maps or overlays could not be written",
                        scored, all, unwritten);
    if (!predictor->quiet) ead_print(stderr, "%lld of %lld inputs scored\n", scored, all);
    return EAD_OK;
}

EadStatus ead_command_predict(const EadArguments *arguments) {
    Predictor predictor = {0};
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
        ead_predict_inputs_start(inputs, arguments->paths, arguments->path_count, list,
                                 predictor.output.overlays, predictor.output.maps);
        inputs->list.zeros = ead_arguments_given(arguments, EAD_OPTION_ZEROS);
        ead_progress_start(&predictor.progress, "predicting", 0, total, total < 0);
        status = handle_all(&predictor);
        ead_progress_finish(&predictor.progress);
        tell_replaced(predictor.replaced);
        if (status == EAD_OK) status = conclude(&predictor);
        ead_image_notes_print(predictor.rules.notes, stderr);
        ead_predict_inputs_free(inputs);
    }
    if (list) fclose(list);
    ead_image_notes_free(predictor.rules.notes);
    ead_map_output_free(&predictor.output);
    ead_scorer_free(predictor.scorer);
    ead_model_free(predictor.model);
    return status;
}
