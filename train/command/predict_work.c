/* Each image is a piece of work. */
#include "train/command/predict_work.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/system/ordered_work.h"

#include <math.h>
#include <stdlib.h>

/* One input on its way. */
typedef struct PredictPiece {
    char *path, *folder;
    EadFailure unusable; /* why the input cannot be used */
    EadStringList notes; /* to be told before it */
    EadMapFiles files;
    EadMapRegions regions;
    EadScored scored; /* the report's; empty without one */
    float score;      /* NAN: not known */
} PredictPiece;

static void release_piece(void *memory) {
    PredictPiece *piece = memory;
    free(piece->path);
    free(piece->folder);
    ead_strings_free(&piece->notes);
    ead_map_files_free(&piece->files);
    ead_map_regions_free(&piece->regions);
    ead_scored_free(&piece->scored);
}

static EadStatus take_piece(void *context, void *memory, bool *found) {
    EadPredictor *predictor = context;
    EadPredictInputs *inputs = &predictor->inputs;
    PredictPiece *piece = memory;
    EadPredictInput input;
    EadStatus status = ead_predict_inputs_next(inputs, &input, found);
    predictor->stopped = ead_interrupted() && (*found || status != EAD_OK);
    if (predictor->stopped) *found = false;
    if (predictor->stopped) return EAD_OK;
    EAD_TRY(status);
    if (!*found) return EAD_OK;
    ead_failure_keep(&piece->unusable, input.status);
    piece->path = ead_strdup(input.path);
    piece->folder = ead_strdup(input.folder);
    if (!piece->path || !piece->folder) return EAD_NO_MEMORY;
    piece->notes = inputs->notes;
    inputs->notes = (EadStringList){0};
    if (input.status != EAD_OK) return EAD_OK;
    return ead_map_files_name(&predictor->output, piece->folder, piece->path, &piece->files);
}

/* An image that could not be scored is copied, too; its failure stays what it was. */
static EadStatus copy_unscored(const EadPredictor *predictor, PredictPiece *piece, EadStatus status) {
    EadFailure failure;
    if (!predictor->output.folders[EAD_OUTPUT_COPIES]) return status;
    ead_failure_keep(&failure, status);
    EadStatus copied = ead_map_files_write(&predictor->output, &piece->files,
                                           &(EadMapFacts){.path = piece->path, .score = (float)NAN});
    return copied == EAD_OK ? ead_failure_tell(&failure) : ead_fail_prefix(status, "%s; ", failure.message);
}

static EadStatus score_piece(void *context, void *memory) {
    EadPredictor *predictor = context;
    PredictPiece *piece = memory;
    EadScored scored;
    piece->score = NAN;
    EAD_TRY(ead_failure_tell(&piece->unusable));
    EadStatus status = ead_scorer_score_file(predictor->scorer, piece->path, &predictor->rules, &scored);
    if (status == EAD_OK && !isfinite(scored.score))
        status = ead_fail(EAD_BAD_FILE, "%s: its score is %g: the model is damaged", piece->path,
                          (double)scored.score);
    if (status == EAD_OK) piece->score = scored.score;
    if (status == EAD_OK)
        status = ead_map_regions_find(&piece->regions, scored.map, scored.image.width, scored.image.height,
                                      predictor->model->pixel_threshold);
    EadMapFacts facts = {piece->path, &scored.image, scored.map, piece->score, NULL};
    if (status == EAD_OK)
        status = ead_map_files_write(&predictor->output, &piece->files, &facts);
    else if (isnan(piece->score))
        status = copy_unscored(predictor, piece, status);
    if (predictor->outputs.report)
        piece->scored = scored;
    else
        ead_scored_free(&scored);
    return status;
}

static void print_notes(EadPredictor *predictor, const EadStringList *notes) {
    if (notes->count > 0) ead_progress_clear(&predictor->progress);
    for (int i = 0; i < notes->count; i++) ead_print(stderr, "%s\n", notes->items[i]);
}

static EadStatus add_to_report(EadPredictor *predictor, const PredictPiece *piece) {
    if (!predictor->outputs.report) return EAD_OK;
    predictor->report.failed += isnan(piece->score);
    return isnan(piece->score) ? EAD_OK
                               : ead_prediction_report_add(&predictor->report, piece->path, &piece->scored);
}

/* Only a line that cannot be printed, or no memory for the report, ends the work. */
static EadStatus deliver_piece(void *context, void *memory, EadStatus status) {
    EadPredictor *predictor = context;
    const PredictPiece *piece = memory;
    char *const *paths = piece->files.paths;
    EadPrediction prediction = {.path = piece->path,
                                .threshold = predictor->model->threshold,
                                .score = piece->score,
                                .map_path = paths[EAD_OUTPUT_MAPS],
                                .overlay_path = paths[EAD_OUTPUT_OVERLAYS],
                                .mask_path = paths[EAD_OUTPUT_MASKS],
                                .copy_path = paths[EAD_OUTPUT_COPIES],
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
    if (predictor->table.stream) ead_prediction_write_row(predictor->table.stream, &prediction);
    EAD_TRY(predictor->outputs.rows ? ead_prediction_print_row(stdout, &prediction)
                                    : ead_prediction_print(stdout, &prediction));
    EAD_TRY(add_to_report(predictor, piece));
    ead_progress_update(&predictor->progress, ++predictor->done, NULL);
    return EAD_OK;
}

static EadStatus stopped(const EadPredictor *predictor) {
    char total[40] = "", kinds[EAD_OUTPUT_NAMES];
    bool table = predictor->table.stream != NULL;
    long long count = predictor->images, done = predictor->done;
    ead_map_output_name(predictor->outputs.folders, "and", kinds);
    if (count >= 0) snprintf(total, sizeof total, " of %lld", count);
    return ead_fail(EAD_INTERRUPTED,
                    "stopped after %lld%s inputs, %lld of them scored; their %s%s%s%s are whole", done, total,
                    (long long)predictor->scored, predictor->outputs.rows ? "rows" : "lines",
                    table ? ", rows" : "", *kinds ? ", " : "", kinds);
}

EadStatus ead_predict_all(EadPredictor *predictor) {
    EadOrderedWork work = {sizeof(PredictPiece), take_piece,    score_piece,
                           deliver_piece,        release_piece, predictor};
    EadStatus status = ead_work_in_order(&work, ead_scorer_threads(predictor->scorer));
    print_notes(predictor, &predictor->inputs.notes); /* of what comes after the last one */
    return predictor->stopped && status == EAD_OK ? stopped(predictor) : status;
}
