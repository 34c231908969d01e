/* Models, images, counts of work; warm-up and clock. */
#include "bench/bench_setup.h"

#include "bench/bench_load.h"
#include "bench/bench_machine.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/base/memory.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "train/synth/synth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ead_bench_warm_up(const EadBenchOptions *options) {
    return options->plan.backend->device ? 50 : 2;
}

EadStatus ead_bench_check_step(const EadFit *fit, const EadPlanOptions *plan) {
    if (!fit->plan)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s is fitted without steps: there is none to measure; leave out step", fit->name);
    return ead_precision_check(plan->backend, plan->precision, true, "--precision");
}

EadStatus ead_bench_config(const EadBenchOptions *options, EadConfig *out) {
    EadStatus status = ead_config_defaults(out);
    for (int i = 0; i < options->setting_count && status == EAD_OK; i++)
        status = ead_config_set(out, options->settings[i], "--set");
    return status;
}

EadStatus ead_bench_fit_open(const EadBenchOptions *options, const char *method, bool with_step,
                             EadBenchFit *run) {
    *run = (EadBenchFit){.fit = method ? ead_fit_find(method) : NULL};
    EAD_TRY(ead_bench_config(options, &run->config));
    if (!run->fit) EAD_TRY(ead_fit_of_config(&run->config, &run->fit));
    if (run->config.tiles_size > 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "tiles.size: bench measures networks on images of their size; leave it out, and take "
                        "--image-size for that of a tile");
    EAD_TRY(ead_config_set_key(&run->config, EAD_KEY_model_size, options->size));
    run->config.model_image_size = (EadSize){.height = options->height, .width = options->width};
    run->config.distill_batch = options->batch;
    run->config.train_precision = (int)options->plan.precision;
    run->spec = (EadRunSpec){.config = &run->config,
                             .backend = options->plan.backend,
                             .no_capture = options->plan.no_capture,
                             .streams = options->plan.streams,
                             .quiet = true};
    EAD_TRY(ead_fit_sample(run->fit, &run->spec, 0, &run->state));
    if (run->fit->model) run->model = run->fit->model(run->state);
    if (!with_step) return EAD_OK;
    EAD_TRY(ead_bench_check_step(run->fit, &options->plan));
    return ead_fit_sample_step(run->fit, run->state, 0, &run->step, &run->slot);
}

void ead_bench_fit_close(EadBenchFit *run) {
    ead_step_free(&run->step);
    if (run->state) run->fit->free(run->state);
    ead_config_free(&run->config);
    free(run->slot);
}

EadStatus ead_bench_images(const EadBenchOptions *options, uint8_t **out) {
    enum { FIRST = 1000 }; /* beyond those of sample banks */
    size_t bytes = 3 * (size_t)options->height * (size_t)options->width;
    uint8_t *images = *out = ead_new(options->batch, bytes, "images");
    if (!images) return EAD_NO_MEMORY;
    for (int n = 0; n < options->batch; n++) {
        EadImage image;
        EAD_TRY(ead_synth_draw_good(FIRST + (uint32_t)n, options->height, options->width, &image));
        memcpy(images + (size_t)n * bytes, image.pixels, bytes);
        ead_image_free(&image);
    }
    return EAD_OK;
}

double ead_bench_call_flop(const EadCall *call, const EadNode *node) {
    EadConvGeometry geometry;
    switch (node->op) {
    case EAD_OP_conv2d:
        geometry = ead_conv_geometry(call);
        break;
    case EAD_OP_conv2d_pool:
        geometry = ead_conv2d_pool_geometry(call);
        break;
    case EAD_OP_conv2d_input_gradient:
        geometry = ead_conv_input_gradient_geometry(call);
        break;
    case EAD_OP_conv2d_weight_gradient:
        geometry = ead_conv_weight_gradient_geometry(call);
        break;
    case EAD_OP_nearest_rows:
        return 2 * (double)ead_count(call->x[0]) * call->x[1]->n;
    default:
        return 0;
    }
    return 2 * (double)ead_conv_multiply_adds(&geometry);
}

double ead_bench_plan_flop(const EadPlan *plan) {
    double flop = 0;
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(plan, i, &node);
        flop += ead_bench_call_flop(call, node);
    }
    return flop;
}

/* EfficientAD and its teachers go by model.size alone; other methods have none. */
static bool is_sized(const EadBenchFit *run) {
    return strcmp(run->fit->name, "efficientad") == 0 || strcmp(run->fit->name, "distill") == 0;
}

/* Images that a step trains on. */
static int step_batch(const EadStep *step) {
    return step->parts.share.total ? step->parts.share.total : 1;
}

EadBenchResult ead_bench_result_for(const EadBenchOptions *options, const EadBenchFit *run, const char *bench,
                                    const char *plan) {
    EadBenchResult result = ead_bench_result();
    bool inference = strcmp(*plan ? plan : bench, "infer") == 0 || strcmp(bench, "network") == 0;
    EadPrecision precision =
        ead_precision_resolve(options->plan.backend, options->plan.precision, !inference);
    snprintf(result.bench, sizeof result.bench, "%s", bench);
    snprintf(result.plan, sizeof result.plan, "%s", plan);
    if (run) {
        snprintf(result.model, sizeof result.model, "%s", is_sized(run) ? options->size : run->fit->name);
        snprintf(result.backbone, sizeof result.backbone, "%s", ead_config_backbone_name(&run->config));
    }
    snprintf(result.precision, sizeof result.precision, "%s", ead_precision_name(precision));
    snprintf(result.image, sizeof result.image, "%dx%d", options->height, options->width);
    result.batch = inference || !run ? options->batch : step_batch(&run->step);
    return result;
}

void ead_bench_note(const EadBenchOptions *options, const EadBenchResult *result, int repeat) {
    if (options->quiet) return;
    ead_print(stderr, "%s%s%s %s %s, batch %d: %d passes after %d to warm up\n", result->bench,
              *result->plan ? " of " : "", result->plan, result->model, result->image, (int)result->batch,
              repeat, ead_bench_warm_up(options));
}

static EadStatus time_passes(const EadBenchWork *work, int warm_up, int repeat, double *times) {
    for (int pass = -warm_up; pass < repeat; pass++) {
        double started = ead_clock_seconds();
        for (int i = 0; i < work->per_pass; i++) EAD_TRY(work->start(work->context));
        if (work->wait) EAD_TRY(work->wait(work->context));
        if (pass >= 0) times[pass] = 1e3 * (ead_clock_seconds() - started) / work->per_pass;
    }
    return EAD_OK;
}

static EadStatus time_once(const EadBenchOptions *options, const EadBenchWork *work, int repeat,
                           EadBenchResult *result, EadBenchResults *results) {
    double *times = ead_new(repeat, sizeof *times, "times");
    if (!times) return EAD_NO_MEMORY;
    ead_bench_note(options, result, repeat);
    EadStatus status = time_passes(work, ead_bench_warm_up(options), repeat, times);
    if (status == EAD_OK) ead_bench_summarize(times, repeat, result);
    free(times);
    EAD_TRY(status);
    result->images_per_s = 1e3 * (double)result->batch / result->median_ms;
    result->gflop = 1e-9 * ead_bench_plan_flop(work->plan);
    result->gflop_per_s = 1e3 * result->gflop / result->median_ms;
    result->share_of_peak = result->gflop_per_s / options->peak_gflop_per_s;
    result->peak_rss_mb = 1e-6 * (double)ead_machine_peak();
    result->arena_mb = 1e-6 * (double)work->arena_bytes;
    return ead_bench_results_add(results, result);
}

EadStatus ead_bench_time_whole(const EadBenchOptions *options, const EadBenchWork *work, int default_repeat,
                               EadBenchResult *result, EadBenchResults *results) {
    int repeat = options->repeat ? options->repeat : default_repeat;
    EadBenchResult loaded = *result;
    EadBenchLoad load;
    EAD_TRY(time_once(options, work, repeat, result, results));
    if (options->load == 0) return EAD_OK;
    loaded.load = options->load;
    EadStatus status = ead_bench_load_start(options->load, &load);
    if (status == EAD_OK) status = time_once(options, work, repeat, &loaded, results);
    ead_bench_load_stop(&load);
    return status;
}
