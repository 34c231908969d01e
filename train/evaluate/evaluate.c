/* The loop over the test images. */
#include "train/evaluate/evaluate.h"

#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/scorer.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

/* What one evaluation holds on to. */
typedef struct TestRun {
    const EadEvaluateSpec *spec;
    EadScorer *scorer;
    EadMapOutput output;
    EadPath maps, overlays; /* folders */
    EadImageRules rules;
    EadResults *results;
    int threads; /* that score images side by side */
} TestRun;

/* Before the work: what stands where pictures go must be of an earlier run. */
static EadStatus try_output(const TestRun *run) {
    const EadDataset *dataset = run->spec->dataset;
    EadProblems problems = {0};
    EadMapTrial trial;
    EadStatus status = ead_map_trial_start(&trial, run->output.folders);
    for (int i = 0; i < dataset->test_count && status == EAD_OK; i++)
        status = ead_map_trial_add(&trial, dataset->test[i].defect, dataset->test[i].path);
    ead_map_trial_refuse(&trial, &problems);
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    if (status == EAD_OK) ead_map_trial_tell(&trial, stderr);
    ead_problems_free(&problems);
    ead_map_trial_free(&trial);
    return status;
}

/* Reads an image; whether it can be, and is one that the region of interest is for. */
static bool can_be_scored(const TestRun *run, int index, EadScored *scored) {
    const EadTestSample *sample = &run->spec->dataset->test[index];
    EadStatus status = ead_score_decode(sample->path, &run->spec->rules, scored);
    if (status == EAD_OK)
        status = ead_region_check(&run->spec->model->region, scored->image.width, scored->image.height);
    if (status != EAD_OK) ead_scored_free(scored);
    return status == EAD_OK;
}

/* What an image takes by itself, with all threads: where several are scored side by side, it is measured on the first one
 * that can be. */
static EadStatus measure_latency(TestRun *run) {
    enum { PASSES = 3 }; /* besides one to warm up */
    const EadDataset *dataset = run->spec->dataset;
    EadDetector *detector;
    EadScored scored = {.map = NULL};
    double seconds = 0;
    int i = 0;
    if (run->threads == 1) return EAD_OK;
    while (i < dataset->test_count && !can_be_scored(run, i, &scored)) i++;
    if (i == dataset->test_count) return EAD_OK;
    EadStatus status = ead_detector_new(run->spec->model, &run->spec->plan, 1, &detector);
    for (int pass = 0; pass <= PASSES && status == EAD_OK; pass++) {
        free(scored.map);
        scored.map = NULL;
        status = ead_score_decoded(detector, dataset->test[i].path, &scored);
        seconds += pass > 0 ? scored.inference_seconds : 0;
    }
    run->results->latency_seconds = seconds / PASSES;
    ead_detector_close(detector);
    ead_scored_free(&scored);
    return status;
}

static EadStatus start_run(TestRun *run) {
    const EadEvaluateSpec *spec = run->spec;
    const EadModel *model = spec->model;
    EAD_TRY(ead_make_directories(spec->output));
    EAD_TRY(ead_path_in(run->maps, spec->output, "maps"));
    EAD_TRY(ead_path_in(run->overlays, spec->output, "overlays"));
    const char *const folders[EAD_OUTPUT_KINDS] = {[EAD_OUTPUT_OVERLAYS] =
                                                       spec->overlays ? run->overlays : NULL,
                                                   [EAD_OUTPUT_MAPS] = spec->maps ? run->maps : NULL};
    EAD_TRY(ead_map_output_start(&run->output, model, folders));
    EAD_TRY(try_output(run));
    EAD_TRY(ead_evaluation_new(&run->results->evaluation));
    EadThresholds thresholds;
    if (spec->thresholds)
        thresholds = *spec->thresholds;
    else
        thresholds = (EadThresholds){ead_threshold_assess(model->threshold, NULL, 0),
                                     ead_threshold_assess(model->pixel_threshold, NULL, 0)};
    if (!isnan(thresholds.image.value))
        ead_evaluation_set_threshold(run->results->evaluation, &thresholds.image);
    if (!isnan(thresholds.pixel.value))
        ead_evaluation_set_pixel_threshold(run->results->evaluation, &thresholds.pixel);
    ead_evaluation_set_pro_limit(run->results->evaluation, spec->pro_limit);
    ead_evaluation_spill(run->results->evaluation, spec->output,
                         spec->pixel_memory ? spec->pixel_memory : ead_machine_memory() / 4);
    run->threads =
        omp_get_max_threads() < spec->dataset->test_count ? omp_get_max_threads() : spec->dataset->test_count;
    double threshold = (double)thresholds.image.value;
    run->results->gallery = ead_gallery_for(spec->dataset->test_count, threshold, 0);
    if (spec->given) return EAD_OK; /* one thread reads and resizes a map */
    EAD_TRY(ead_scorer_new(model, &spec->plan, spec->dataset->test_count, true, &run->scorer));
    run->results->threads = run->threads = ead_scorer_threads(run->scorer);
    run->results->gallery =
        ead_gallery_for(spec->dataset->test_count, threshold, ead_scorer_parts(run->scorer));
    run->results->seconds = ead_new(spec->dataset->test_count, sizeof(float), "the times of the images");
    if (!run->results->seconds) return EAD_NO_MEMORY;
    if (!spec->quiet) ead_print_memory("inference", spec->plan.backend, ead_scorer_bytes(run->scorer), 0);
    return EAD_OK;
}

/* When the images are scored, and what scored them is freed: so its memory is not needed besides. */
static EadStatus end_scoring(TestRun *run) {
    if (!run->scorer) return EAD_OK;
    ead_scorer_free(run->scorer);
    run->scorer = NULL;
    return measure_latency(run);
}

/* Adds the present message. */
static EadStatus note(EadStringList *failures, EadStatus status) {
    return status == EAD_NO_MEMORY ? status : ead_strings_add(failures, ead_error_message());
}

/* One test image on its way. */
typedef struct TestPiece {
    EadScored scored;
    EadGroundTruth truth;
    EadMapFiles files;
    EadGivenResult given;
    bool unread;
    char *unwritten; /* why a map or overlay is not there, or NULL */
} TestPiece;

static void release_sample(void *memory) {
    TestPiece *piece = memory;
    ead_scored_free(&piece->scored);
    ead_ground_truth_free(&piece->truth);
    ead_map_files_free(&piece->files);
    ead_map_file_free(&piece->given.map);
    free(piece->unwritten);
}

static EadStatus name_sample(void *context, int index, void *memory) {
    TestRun *run = context;
    TestPiece *piece = memory;
    const EadTestSample *sample = &run->spec->dataset->test[index];
    return ead_map_files_name(&run->output, sample->defect, sample->path, &piece->files);
}

/* Defects outside of the region of interest are none of the pixel metrics'. */
static void cut_truth(EadGroundTruth *truth, const uint8_t *inside) {
    int64_t pixels = (int64_t)truth->mask.width * truth->mask.height;
    int kept = 0;
    if (!inside || !truth->mask.pixels) return;
    for (int64_t i = 0; i < pixels; i++) truth->mask.pixels[i] &= (uint8_t)-inside[i];
    for (int c = 0; c < truth->channel_count; c++) {
        EadDefectChannel channel = truth->channels[c];
        int64_t area = 0;
        for (int64_t i = 0; i < pixels; i++) area += (channel.mask[i] &= (uint8_t)-inside[i]) != 0;
        channel.saturation = ead_min64(channel.saturation, area);
        if (area > 0)
            truth->channels[kept++] = channel;
        else
            free(channel.mask);
    }
    truth->channel_count = kept;
}

static EadStatus score_sample(void *context, int index, void *memory) {
    TestRun *run = context;
    TestPiece *piece = memory;
    const EadTestSample *sample = &run->spec->dataset->test[index];
    const EadImage *image = &piece->scored.image;
    bool masked = sample->anomalous && sample->mask_path;
    const EadGivenResults *given = run->spec->given;
    if (given && run->threads > 1) omp_set_num_threads(1);
    EadStatus status = given ? ead_given_read(given, index, &run->rules, &piece->scored, &piece->given)
                             : ead_scorer_score_file(run->scorer, sample->path, &run->rules, &piece->scored);
    bool misfit = status == EAD_BAD_SHAPE; /* of another size than the region of interest is for */
    piece->unread = status != EAD_OK && (given || !image->pixels || misfit);
    EAD_TRY(status);
    if (masked) EAD_TRY(ead_test_sample_truth(sample, image->width, image->height, NULL, &piece->truth));
    cut_truth(&piece->truth, piece->scored.inside);
    status = ead_map_files_write(&run->output, &piece->files,
                                 &(EadMapFacts){sample->path, image, piece->scored.map, piece->scored.score,
                                                masked ? &piece->truth.mask : NULL});
    if (status == EAD_OK) return EAD_OK;
    piece->unwritten = status == EAD_NO_MEMORY ? NULL : ead_strdup(ead_error_message());
    return piece->unwritten ? EAD_OK : EAD_NO_MEMORY;
}

/* Counts a map of another size than its image, and keeps the first one's name. */
static EadStatus note_resized(TestRun *run, int index, const TestPiece *piece) {
    const EadGivenResults *given = run->spec->given;
    const EadImage *image = &piece->scored.image;
    EadPath text;
    const EadMapFile *map = &piece->given.map;
    if (!given || (map->width == image->width && map->height == image->height)) return EAD_OK;
    if (run->results->resized++ > 0) return EAD_OK;
    snprintf(text, sizeof text, "%s from %d x %d to %d x %d",
             given->maps.items[given->of_maps.of_sample[index]], map->width, map->height, image->width,
             image->height);
    run->results->first_resized = ead_strdup(text);
    return run->results->first_resized ? EAD_OK : EAD_NO_MEMORY;
}

/* For ead_rounding_check(). */
static EadStatus note_rounding(TestRun *run, const EadTestSample *sample, const TestPiece *piece,
                               const EadGroundTruth *truth) {
    const EadMapFile *map = &piece->given.map;
    if (!run->spec->given) return EAD_OK;
    EAD_TRY(ead_rounding_add(&run->results->score_rounding, piece->given.score, sample->anomalous));
    if (sample->anomalous && !truth) return EAD_OK;
    return ead_rounding_add_map(&run->results->pixel_rounding, map->values, map->width, map->height,
                                truth ? &truth->mask : NULL);
}

static EadStatus add_sample(void *context, int index, void *memory, EadStatus status) {
    TestRun *run = context;
    TestPiece *piece = memory;
    EadResults *results = run->results;
    const EadTestSample *sample = &run->spec->dataset->test[index];
    const EadScored *scored = &piece->scored;
    const EadImage *image = &scored->image;
    const EadGroundTruth *truth = piece->truth.mask.pixels ? &piece->truth : NULL;
    results->decoding_seconds += scored->decoding_seconds;
    results->inference_seconds += scored->inference_seconds;
    results->lacking += piece->given.told;
    if (piece->unread) return piece->given.told ? EAD_OK : note(&results->unscored, status);
    EAD_TRY(status);
    if (run->spec->check_only) return EAD_OK;
    if (results->seconds) results->seconds[results->timed++] = (float)scored->inference_seconds;
    EAD_TRY(note_resized(run, index, piece));
    EAD_TRY(note_rounding(run, sample, piece, truth));
    bool measured = run->spec->dataset->has_masks && !results->unmeasured;
    status = ead_evaluation_add(results->evaluation, sample->path, sample->defect, sample->anomalous,
                                scored->score, measured ? scored->map : NULL, image->width, image->height,
                                truth, scored->inside);
    if (status == EAD_IO && measured) { /* no room for pixels: the scores stay */
        results->unmeasured = ead_strdup(ead_error_message());
        status = results->unmeasured ? ead_evaluation_add(results->evaluation, sample->path, sample->defect,
                                                          sample->anomalous, scored->score, NULL,
                                                          image->width, image->height, truth, NULL)
                                     : EAD_NO_MEMORY;
    }
    EAD_TRY(status);
    EAD_TRY(ead_gallery_add(&results->gallery, &(EadGalleryImage){.path = sample->path,
                                                                  .defect = sample->defect,
                                                                  .anomalous = sample->anomalous,
                                                                  .score = scored->score,
                                                                  .seconds = scored->inference_seconds,
                                                                  .rgb = image,
                                                                  .map = scored->map,
                                                                  .mask = truth ? &truth->mask : NULL,
                                                                  .parts = scored->parts}));
    return piece->unwritten ? ead_strings_add(&results->unwritten, piece->unwritten) : EAD_OK;
}

static EadStatus finish(const EadEvaluateSpec *spec, EadResults *results) {
    const EadGivenResults *given = spec->given;
    bool none = results->unscored.count + results->lacking == spec->dataset->test_count;
    if (given) EAD_TRY(ead_rounding_check(&results->pixel_rounding, given->folder, "pixels"));
    if (given)
        EAD_TRY(ead_rounding_check(&results->score_rounding,
                                   given->score_path ? given->score_path : given->folder, "images"));
    if (!none) return ead_evaluation_finish(results->evaluation, &results->metrics);
    return spec->given ? EAD_OK : ead_fail(EAD_BAD_FILE, "%s", results->unscored.items[0]);
}

EadStatus ead_evaluate(const EadEvaluateSpec *spec, EadResults *results) {
    int count = spec->dataset->test_count;
    *results = (EadResults){0};
    if (count == 0)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "%s: no test images, so nothing to evaluate; a data set of type mvtec_ad keeps them in "
            "test/, one of type folder in dataset.test_good and dataset.defects",
            spec->title);
    TestRun run = {.spec = spec, .rules = spec->rules, .results = results};
    EadWalk walk = {.what = "evaluating",
                    .count = count,
                    .quiet = spec->quiet,
                    .stop = spec->stop,
                    .hint = spec->stopped};
    EadWalkWork work = {sizeof(TestPiece), name_sample, score_sample, add_sample, release_sample};
    EAD_TRY(ead_image_notes_new(&run.rules.notes));
    EadStatus status = start_run(&run);
    double start = ead_clock_seconds();
    if (status == EAD_OK) status = ead_walk_side_by_side(&walk, &work, run.threads, &run);
    results->total_seconds = ead_clock_seconds() - start;
    if (status == EAD_OK) status = end_scoring(&run);
    if (results->latency_seconds == 0) results->latency_seconds = results->inference_seconds / count;
    if (status == EAD_OK && !spec->check_only) status = finish(spec, results);
    results->metrics.ended = spec->ended;
    ead_image_notes_print(run.rules.notes, stderr);
    ead_image_notes_free(run.rules.notes);
    ead_scorer_free(run.scorer);
    ead_map_output_free(&run.output);
    return status;
}

EadStatus ead_results_complete(const EadResults *results) {
    const EadStringList *unscored = &results->unscored, *unwritten = &results->unwritten;
    bool several = unscored->count + unwritten->count > 1; /* one is named by the error */
    for (int i = 0; several && i < unscored->count; i++)
        ead_print(stderr, "not scored: %s\n", unscored->items[i]);
    for (int i = 0; several && i < unwritten->count; i++)
        ead_print(stderr, "not written: %s\n", unwritten->items[i]);
    if (unscored->count > 0)
        return ead_fail(EAD_BAD_FILE, "%d test images could not be scored and are in no figure: %s%s",
                        unscored->count, unscored->items[0], unscored->count > 1 ? ", ..." : "");
    if (results->unmeasured)
        return ead_fail(
            EAD_IO,
            "%s; the pixel metrics are missing, all else is written; make room, or raise eval.memory_mb",
            results->unmeasured);
    if (unwritten->count == 0) return EAD_OK;
    return ead_fail(EAD_IO, "maps or overlays of %d test images could not be written: %s%s", unwritten->count,
                    unwritten->items[0], unwritten->count > 1 ? ", ..." : "");
}

void ead_results_free(EadResults *results) {
    ead_strings_free(&results->unscored);
    ead_strings_free(&results->unwritten);
    free(results->unmeasured);
    free(results->first_resized);
    free(results->seconds);
    ead_evaluation_free(results->evaluation);
    ead_metrics_free(&results->metrics);
    ead_gallery_free(&results->gallery);
    ead_rounding_free(&results->score_rounding);
    ead_rounding_free(&results->pixel_rounding);
    *results = (EadResults){0};
}
