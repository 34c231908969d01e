/* Inference as a user of the library sees it: 8-bit images in, maps and scores out. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
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

/* ---- the same without search and filter ---- */

static bool searches(const EadNode *node) {
    return node->op == EAD_OP_nearest_rows || node->op == EAD_OP_reweighted_score ||
           node->op == EAD_OP_gaussian_filter;
}

/* The other calls, on what the last whole pass left. */
static EadStatus run_network(void *context) {
    const EadPlan *plan = ead_detector_plan(((Inference *)context)->detector);
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(plan, i, &node);
        if (!searches(node)) call->run(call);
    }
    return ead_plan_synchronize(plan);
}

/* GFLOP that search and filter do; tells the size of the banks. */
static double search_gflop(const EadBenchOptions *options, const EadPlan *plan, bool *any) {
    double gflop = 0;
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(plan, i, &node);
        if (!searches(node)) continue;
        *any = true;
        gflop += 1e-9 * ead_bench_call_flop(call, node);
        if (node->op == EAD_OP_nearest_rows && !options->quiet)
            ead_print(stderr, "bank: %d rows of %d numbers, features of drawn parts\n", call->x[1]->n,
                      call->x[1]->c);
    }
    return gflop;
}

static EadStatus time_network(const EadBenchOptions *options, const EadBenchFit *fit, EadBenchWork work,
                              EadBenchResults *results) {
    bool any = false;
    double gflop = search_gflop(options, work.plan, &any);
    if (!any) return EAD_OK;
    EadBenchResult result = ead_bench_result_for(options, fit, "network", "");
    work.start = run_network;
    EAD_TRY(ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results));
    EadBenchResult *added = &results->items[results->count - 1];
    added->gflop -= gflop;
    added->gflop_per_s = 1e3 * added->gflop / added->median_ms;
    added->share_of_peak = added->gflop_per_s / options->peak_gflop_per_s;
    return EAD_OK;
}

EadStatus ead_bench_infer(const EadBenchOptions *options, EadBenchResults *results) {
    Inference run = {.batch = options->batch, .height = options->height, .width = options->width};
    size_t pixels = (size_t)options->batch * (size_t)options->height * (size_t)options->width;
    EadBenchFit fit;
    ead_bench_memory_reset();
    EadStatus status = ead_bench_fit_open(options, NULL, false, &fit);
    if (status == EAD_OK) status = ead_bench_images(options, &run.images);
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
        if (status == EAD_OK) status = time_network(options, &fit, work, results);
    }
    ead_detector_close(run.detector);
    ead_bench_fit_close(&fit);
    free(run.images);
    free(run.maps);
    free(run.scores);
    return status;
}
