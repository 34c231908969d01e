/* The loop over the test images. */
#include "train/evaluate/evaluate.h"

#include "data/codec/codec.h"
#include "models/detector.h"
#include "core/base/clock.h"
#include "train/evaluate/evaluate_files.h"
#include "train/evaluate/map_output.h"
#include "core/base/paths.h"
#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What one evaluation holds on to. */
typedef struct Run {
    const EadEvaluateSpec *spec;
    EadDetector *detector;
    EadMapOutput output;
    EadResults results;
    char *maps, *overlays; /* folders */
} Run;

void ead_describe_model(const EadModelSpec *model, char *text, size_t size) {
    snprintf(text, size, "EfficientAD-%s at %dx%d, with%s padding%s",
             model->size == EAD_PDN_SMALL ? "S" : "M", model->height, model->width,
             model->padding ? "" : "out", model->autoencoder ? "" : ", without autoencoder");
}

static EadStatus start_run(Run *run) {
    const EadEvaluateSpec *spec = run->spec;
    EAD_TRY(ead_make_directories(spec->output));
    run->maps = ead_path_join(spec->output, "maps");
    run->overlays = ead_path_join(spec->output, "overlays");
    if (!run->maps || !run->overlays) return EAD_NO_MEMORY;
    EAD_TRY(ead_map_output_start(&run->output, spec->model, (double)spec->model->threshold,
                                 spec->maps ? run->maps : NULL, spec->overlays ? run->overlays : NULL));
    EAD_TRY(ead_evaluation_new(&run->results.evaluation));
    EadThreshold threshold =
        spec->threshold ? *spec->threshold : ead_threshold_assess(spec->model->threshold, NULL, 0);
    if (!isnan(threshold.value)) ead_evaluation_set_threshold(run->results.evaluation, &threshold);
    ead_evaluation_set_pro_limit(run->results.evaluation, spec->pro_limit);
    EAD_TRY(ead_detector_new(spec->model, &spec->plan, 1, &run->detector));
    if (!spec->quiet)
        ead_print_inference_memory(spec->model, spec->plan.backend, ead_detector_bytes(run->detector));
    return EAD_OK;
}

static void end_run(Run *run) {
    ead_detector_close(run->detector);
    ead_map_output_free(&run->output);
    ead_evaluation_free(run->results.evaluation);
    ead_gallery_free(&run->results.gallery);
    free(run->maps);
    free(run->overlays);
}

static EadStatus record(Run *run, const EadTestSample *sample, const EadImage *image, const float *map,
                        float score, const EadGroundTruth *truth) {
    const EadImage *mask = truth ? &truth->mask : NULL;
    EadResults *results = &run->results;
    EAD_TRY(ead_evaluation_add(results->evaluation, sample->path, sample->defect, sample->anomalous, score,
                               map, image->width, image->height, truth));
    EAD_TRY(ead_gallery_add(&results->gallery, sample->path, sample->defect, sample->anomalous, score, image,
                            map, mask));
    return ead_map_output_write(&run->output, sample->defect, sample->path, image, map, score, mask);
}

static EadStatus score_image(Run *run, const EadTestSample *sample, const EadImage *image, float *map) {
    EadGroundTruth truth = {0};
    float score;
    bool masked = sample->anomalous && sample->mask_path;
    if (masked) EAD_TRY(ead_test_sample_truth(sample, image->width, image->height, &truth));
    double start = ead_clock_seconds();
    EadStatus status = (EadStatus)ead_detector_run(run->detector, image->pixels, image->width, image->height,
                                                   (ptrdiff_t)3 * image->width, map, &score);
    run->results.inference_seconds += ead_clock_seconds() - start;
    if (status == EAD_OK) status = record(run, sample, image, map, score, masked ? &truth : NULL);
    ead_ground_truth_free(&truth);
    return status;
}

static EadStatus evaluate_sample(Run *run, const EadTestSample *sample) {
    EadImage image;
    double start = ead_clock_seconds();
    EAD_TRY(ead_image_load(sample->path, &image));
    run->results.decoding_seconds += ead_clock_seconds() - start;
    float *map = malloc((size_t)image.width * (size_t)image.height * sizeof *map);
    EadStatus status = map ? score_image(run, sample, &image, map)
                           : ead_fail(EAD_NO_MEMORY, "%s: no memory for its map", sample->path);
    free(map);
    ead_image_free(&image);
    return status;
}

static EadStatus evaluate_all(Run *run) {
    const EadEvaluateSpec *spec = run->spec;
    const EadDataset *dataset = spec->dataset;
    EadProgress progress;
    EadStatus status = EAD_OK;
    ead_progress_start(&progress, "evaluating", 0, dataset->test_count, spec->quiet);
    for (int i = 0; i < dataset->test_count && status == EAD_OK; i++) {
        status = evaluate_sample(run, &dataset->test[i]);
        if (status == EAD_OK) ead_progress_update(&progress, i + 1, NULL);
        if (status == EAD_OK && spec->stop && spec->stop())
            status = ead_fail(EAD_INTERRUPTED, "stopped after %d of %d test images; nothing was evaluated",
                              i + 1, dataset->test_count);
    }
    ead_progress_finish(&progress);
    return status;
}

EadStatus ead_evaluate(const EadEvaluateSpec *spec, EadMetrics *metrics) {
    *metrics = (EadMetrics){0};
    if (spec->dataset->test_count == 0)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "%s: no test images, so nothing to evaluate; a data set of type mvtec_ad keeps them in "
            "test/, one of type folder in dataset.test_good and dataset.defects",
            spec->title);
    Run run = {.spec = spec, .results.gallery.side = ead_gallery_side(spec->dataset->test_count)};
    double start = ead_clock_seconds();
    EadStatus status = start_run(&run);
    if (status == EAD_OK) status = evaluate_all(&run);
    run.results.total_seconds = ead_clock_seconds() - start;
    if (status == EAD_OK) status = ead_evaluation_finish(run.results.evaluation, metrics);
    if (status == EAD_OK) status = ead_evaluate_write(spec, &run.results, metrics);
    if (status != EAD_OK) ead_metrics_free(metrics);
    end_run(&run);
    return status;
}
