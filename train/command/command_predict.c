/* efficientad predict: scores images and prints a JSON line for each. An input that cannot be scored gets a
 * line with "error", so that every input has its line, and a message on stderr; the others are scored all the
 * same, and the exit code is 1. */
#include "train/cli/arguments.h"

#include "train/command/model_options.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/scoring.h"
#include "train/support/memory_budget.h"
#include "core/base/paths.h"
#include "train/evaluate/predict_lines.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Predictor {
    EadModel *model;
    EadDetector *detector;
    EadMapOutput output;
    double threshold; /* NAN: none */
    EadProgress progress;
    int64_t done, failed;
} Predictor;

static EadStatus start(Predictor *predictor, const EadArguments *arguments) {
    const char *overlays = ead_arguments_text(arguments, EAD_OPTION_OVERLAYS);
    const char *maps = ead_arguments_text(arguments, EAD_OPTION_MAPS);
    EadPlanOptions plan;
    EAD_TRY(ead_arguments_plan_options(arguments, &plan));
    EAD_TRY(ead_model_open(ead_arguments_text(arguments, EAD_OPTION_MODEL), &predictor->model));
    EadModel *model = predictor->model;
    EAD_TRY(ead_model_options_apply(arguments, model->map_choice, model));
    EAD_TRY(ead_detector_new(model, &plan, 1, &predictor->detector));
    size_t planned = ead_detector_bytes(predictor->detector);
    if (!ead_arguments_given(arguments, EAD_OPTION_QUIET))
        ead_print_memory("inference", plan.backend, planned, planned + model->method->functions->bytes(model),
                         "parameters");
    predictor->threshold = (double)model->threshold;
    /* Made first, since whether they lie among the images can only be told of folders that exist. */
    if (overlays) EAD_TRY(ead_make_directories(overlays));
    if (maps) EAD_TRY(ead_make_directories(maps));
    return ead_map_output_start(&predictor->output, model->color_high, predictor->threshold, maps, overlays);
}

static EadStatus score_input(Predictor *predictor, const EadPredictInput *input, float *score) {
    EadScored scored;
    if (input->status != EAD_OK) return input->status;
    EadStatus status = ead_score_file(predictor->detector, input->path, &scored);
    *score = scored.score;
    if (status == EAD_OK && !isfinite(*score))
        status =
            ead_fail(EAD_BAD_FILE, "%s: its score is %g: the model is broken", input->path, (double)*score);
    if (status == EAD_OK)
        status = ead_map_output_write(&predictor->output, input->folder, input->path, &scored.image,
                                      scored.map, *score, NULL);
    ead_scored_free(&scored);
    return status;
}

/* Only a line that cannot be printed ends the work. */
static EadStatus handle_all(Predictor *predictor, EadPredictInputs *inputs) {
    EadPredictInput input;
    for (bool found = true;;) {
        EAD_TRY(ead_predict_inputs_next(inputs, &input, &found));
        if (!found) break;
        EadPrediction prediction = {.path = input.path, .threshold = predictor->threshold};
        if (score_input(predictor, &input, &prediction.score) == EAD_OK) {
            prediction.map_path = predictor->output.map_path;
            prediction.overlay_path = predictor->output.overlay_path;
        } else {
            prediction.error = ead_error_message();
            ead_progress_clear(&predictor->progress);
            fprintf(stderr, "efficientad: %s\n", prediction.error);
            predictor->failed++;
        }
        EAD_TRY(ead_prediction_print(stdout, &prediction));
        ead_progress_update(&predictor->progress, ++predictor->done, NULL);
    }
    if (predictor->failed == 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%lld of %lld inputs could not be scored; see the messages above",
                    (long long)predictor->failed, (long long)predictor->done);
}

EadStatus ead_command_predict(const EadArguments *arguments) {
    Predictor predictor = {0};
    EadPredictInputs inputs;
    ead_arguments_use_threads(arguments, 0);
    EadStatus status = start(&predictor, arguments);
    if (status == EAD_OK) {
        int64_t total = ead_predict_inputs_count(arguments->paths, arguments->path_count);
        /* On a terminal the JSON lines themselves show the progress. */
        bool quiet = total < 0 || isatty(STDOUT_FILENO) || ead_arguments_given(arguments, EAD_OPTION_QUIET);
        ead_predict_inputs_start(&inputs, arguments->paths, arguments->path_count, stdin,
                                 predictor.output.overlays, predictor.output.maps);
        ead_progress_start(&predictor.progress, "predicting", 0, total, quiet);
        status = handle_all(&predictor, &inputs);
        ead_progress_finish(&predictor.progress);
        ead_predict_inputs_free(&inputs);
    }
    ead_map_output_free(&predictor.output);
    ead_detector_close(predictor.detector);
    ead_model_free(predictor.model);
    return status;
}
