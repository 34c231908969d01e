/* The loop over the test images. */
#include "train/evaluate/evaluate.h"

#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "train/evaluate/map_output.h"
#include "train/evaluate/scoring.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <math.h>

/* What one evaluation holds on to. */
typedef struct TestRun {
    const EadEvaluateSpec *spec;
    EadDetector *detector;
    EadMapOutput output;
    EadPath maps, overlays; /* folders */
    EadImageRules rules;
    EadResults *results;
} TestRun;

/* Before the work: what stands where pictures go must be of an earlier run. */
static EadStatus try_output(const TestRun *run) {
    const EadDataset *dataset = run->spec->dataset;
    EadProblems problems = {0};
    EadMapTrial trial;
    EadStatus status = ead_map_trial_start(&trial, run->output.maps, run->output.overlays);
    for (int i = 0; i < dataset->test_count && status == EAD_OK; i++)
        status = ead_map_trial_add(&trial, dataset->test[i].defect, dataset->test[i].path);
    ead_map_trial_refuse(&trial, &problems);
    if (status == EAD_OK) status = ead_problems_tell(&problems, stderr);
    if (status == EAD_OK) ead_map_trial_tell(&trial, stderr);
    ead_problems_free(&problems);
    ead_map_trial_free(&trial);
    return status;
}

static EadStatus start_run(TestRun *run) {
    const EadEvaluateSpec *spec = run->spec;
    const EadModel *model = spec->model;
    EAD_TRY(ead_make_directories(spec->output));
    EAD_TRY(ead_path_in(run->maps, spec->output, "maps"));
    EAD_TRY(ead_path_in(run->overlays, spec->output, "overlays"));
    EAD_TRY(ead_map_output_start(&run->output, model->color_high, (double)model->threshold,
                                 spec->maps ? run->maps : NULL, spec->overlays ? run->overlays : NULL));
    EAD_TRY(try_output(run));
    EAD_TRY(ead_evaluation_new(&run->results->evaluation));
    EadThreshold threshold =
        spec->threshold ? *spec->threshold : ead_threshold_assess(model->threshold, NULL, 0);
    run->results->gallery = ead_gallery_for(spec->dataset->test_count, threshold.value);
    if (!isnan(threshold.value)) ead_evaluation_set_threshold(run->results->evaluation, &threshold);
    ead_evaluation_set_pro_limit(run->results->evaluation, spec->pro_limit);
    ead_evaluation_spill(run->results->evaluation, spec->output,
                         spec->pixel_memory ? spec->pixel_memory : ead_machine_memory() / 4);
    EAD_TRY(ead_detector_new(model, &spec->plan, 1, &run->detector));
    if (!spec->quiet) ead_print_memory("inference", spec->plan.backend, ead_detector_bytes(run->detector), 0);
    return EAD_OK;
}

/* Adds the present message. */
static EadStatus note(EadStringList *failures, EadStatus status) {
    return status == EAD_NO_MEMORY ? status : ead_strings_add(failures, ead_error_message());
}

static EadStatus add_scored(TestRun *run, const EadTestSample *sample, const EadScored *scored,
                            EadGroundTruth *truth) {
    EadResults *results = run->results;
    const EadImage *image = &scored->image;
    EadGroundTruth *known = sample->anomalous && sample->mask_path ? truth : NULL;
    const EadImage *mask = known ? &truth->mask : NULL;
    if (known) EAD_TRY(ead_test_sample_truth(sample, image->width, image->height, NULL, known));
    const float *map =
        run->spec->dataset->has_masks ? scored->map : NULL; /* else there are no pixel metrics */
    EAD_TRY(ead_evaluation_add(results->evaluation, sample->path, sample->defect, sample->anomalous,
                               scored->score, map, image->width, image->height, known));
    EAD_TRY(ead_gallery_add(&results->gallery, sample->path, sample->defect, sample->anomalous, scored->score,
                            image, scored->map, mask));
    EadStatus status = ead_map_output_write(&run->output, sample->defect, sample->path, image, scored->map,
                                            scored->score, mask);
    return status == EAD_OK ? EAD_OK : note(&results->unwritten, status);
}

static EadStatus evaluate_sample(void *context, int index) {
    TestRun *run = context;
    const EadTestSample *sample = &run->spec->dataset->test[index];
    EadResults *results = run->results;
    EadGroundTruth truth = {0};
    EadScored scored;
    EadStatus status = ead_score_file(run->detector, sample->path, &run->rules, &scored);
    results->decoding_seconds += scored.decoding_seconds;
    results->inference_seconds += scored.inference_seconds;
    bool unread = status != EAD_OK && !scored.image.pixels;
    status = unread             ? note(&results->unscored, status)
             : status == EAD_OK ? add_scored(run, sample, &scored, &truth)
                                : status;
    ead_ground_truth_free(&truth);
    ead_scored_free(&scored);
    return status;
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
    double start = ead_clock_seconds();
    EAD_TRY(ead_image_notes_new(&run.rules.notes));
    EadStatus status = start_run(&run);
    if (status == EAD_OK) status = ead_walk(&walk, evaluate_sample, &run);
    results->total_seconds = ead_clock_seconds() - start;
    if (status == EAD_OK && results->unscored.count == count)
        status = ead_fail(EAD_BAD_FILE, "%s", results->unscored.items[0]);
    if (status == EAD_OK) status = ead_evaluation_finish(results->evaluation, &results->metrics);
    results->metrics.ended = spec->ended;
    ead_image_notes_print(run.rules.notes, stderr);
    ead_image_notes_free(run.rules.notes);
    ead_detector_close(run.detector);
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
    if (unwritten->count == 0) return EAD_OK;
    return ead_fail(EAD_IO, "maps or overlays of %d test images could not be written: %s%s", unwritten->count,
                    unwritten->items[0], unwritten->count > 1 ? ", ..." : "");
}

void ead_results_free(EadResults *results) {
    ead_strings_free(&results->unscored);
    ead_strings_free(&results->unwritten);
    ead_evaluation_free(results->evaluation);
    ead_metrics_free(&results->metrics);
    ead_gallery_free(&results->gallery);
    *results = (EadResults){0};
}
