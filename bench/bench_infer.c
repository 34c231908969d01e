/* Inference as a user of the library sees it: 8-bit images in, maps and scores out. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "core/base/memory.h"
#include "models/detector.h"

#include <stdlib.h>

enum { DEFAULT_REPEAT = 20 };

typedef struct Inference {
    EadDetector *detector;
    uint8_t *images;
    float *maps, *scores;
    int batch, height, width;
} Inference;

static EadStatus infer(void *context) {
    Inference *run = context;
    const float *maps;
    EAD_TRY(ead_detector_run_batch(run->detector, run->images, &maps));
    int64_t pixels = (int64_t)run->height * run->width;
    for (int n = 0; n < run->batch; n++)
        run->scores[n] = ead_map_resize(maps + n * pixels, run->height, run->width, run->maps + n * pixels,
                                        run->height, run->width);
    return EAD_OK;
}

EadStatus ead_bench_infer(const EadBenchOptions *options, EadBenchResults *results) {
    Inference run = {.batch = options->batch, .height = options->height, .width = options->width};
    size_t pixels = (size_t)options->batch * (size_t)options->height * (size_t)options->width;
    EadBenchFit fit;
    ead_bench_memory_reset();
    EadStatus status = ead_bench_fit_open(options, NULL, false, &fit);
    if (status == EAD_OK) status = ead_bench_images(3 * pixels, &run.images);
    if (status == EAD_OK && !(run.maps = ead_new((int64_t)pixels, sizeof *run.maps, "maps")))
        status = EAD_NO_MEMORY;
    if (status == EAD_OK && !(run.scores = ead_new(options->batch, sizeof *run.scores, "scores")))
        status = EAD_NO_MEMORY;
    if (status == EAD_OK) status = ead_detector_new(fit.model, &options->plan, options->batch, &run.detector);
    if (status == EAD_OK) {
        EadBenchResult result = ead_bench_result_for(options, &fit, "infer", "");
        EadBenchWork work = {.plan = ead_detector_plan(run.detector),
                             .arena_bytes = ead_detector_bytes(run.detector),
                             .per_pass = 1,
                             .start = infer,
                             .context = &run};
        status = ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results);
    }
    ead_detector_close(run.detector);
    ead_bench_fit_close(&fit);
    free(run.images);
    free(run.maps);
    free(run.scores);
    return status;
}
