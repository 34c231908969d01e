/* Where the time goes inside a pass: every kernel call of the two plans. */
#include "bench/bench_conv_error.h"
#include "bench/bench_setup.h"

#include "core/system/clock.h"
#include "core/base/memory.h"
#include "models/detector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_REPEAT = 10, ERROR_SAMPLES = 500 };

/* times[call][repeat] in milliseconds. Whole passes: called again and again alone, kernels that work in place
 * would drive their values to infinity, and small ones would live in cache. On a device each time holds a
 * launch and a wait, some 10 us. */
static EadStatus time_calls(const EadPlan *plan, int warm_up, int repeat, double *times) {
    int count = ead_plan_call_count(plan);
    const EadNode *node;
    for (int pass = -warm_up; pass < repeat; pass++) {
        for (int i = 0; i < count; i++) {
            const EadCall *call = ead_plan_call(plan, i, &node);
            double started = ead_clock_seconds();
            call->run(call);
            EAD_TRY(ead_plan_synchronize(plan));
            if (pass >= 0) times[(int64_t)i * repeat + pass] = 1e3 * (ead_clock_seconds() - started);
        }
    }
    return EAD_OK;
}

/* The weights that a convolution call is about. A weight gradient does not read them: its forward call, which
 * reads the same input and has weights of that shape, knows them. */
static const EadNode *weights_of(const EadPlan *plan, const EadNode *node) {
    if (node->op != EAD_OP_conv2d_weight_gradient) return node->x[1];
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        const EadNode *forward;
        ead_plan_call(plan, i, &forward);
        bool fits = forward->op == EAD_OP_conv2d && forward->x[0] == node->x[1];
        if (fits && ead_same_shape(&forward->x[1]->y, &node->y)) return forward->x[1];
    }
    return NULL;
}

/* The layer, "student.conv1", or "" for calls that are no convolution; and the shape, "1x256x256x3 ->
 * 1x253x253x128 by 4x4", inputs and output of the same shape once. */
static void set_layer_and_shape(const EadPlan *plan, const EadCall *call, const EadNode *node,
                                EadBenchResult *result) {
    const EadTensor *x = call->x[0], *y = call->y;
    bool convolution = ead_bench_call_flop(call, node) > 0;
    const EadNode *weights = convolution ? weights_of(plan, node) : NULL;
    const char *name = weights ? weights->name : "";
    size_t length = strlen(name), suffix = strlen(".weight");
    char from[48] = "", kernel[32] = "";
    if (length > suffix && strcmp(name + length - suffix, ".weight") == 0) length -= suffix;
    snprintf(result->layer, sizeof result->layer, "%.*s", (int)length, name);
    if (x && !ead_same_shape(x, y)) snprintf(from, sizeof from, "%dx%dx%dx%d -> ", x->n, x->h, x->w, x->c);
    if (convolution) {
        const EadTensor *w = node->op == EAD_OP_conv2d_weight_gradient ? y : call->x[1];
        snprintf(kernel, sizeof kernel, " by %dx%d", w->h, w->w);
    }
    snprintf(result->shape, sizeof result->shape, "%s%dx%dx%dx%d%s", from, y->n, y->h, y->w, y->c, kernel);
}

void ead_bench_describe_call(const EadPlan *plan, int index, EadBenchResult *result) {
    const EadNode *node;
    const EadCall *call = ead_plan_call(plan, index, &node);
    result->call = index;
    snprintf(result->op, sizeof result->op, "%s", ead_op(node->op)->name);
    snprintf(result->algorithm, sizeof result->algorithm, "%s", call->algorithm ? call->algorithm : "");
    set_layer_and_shape(plan, call, node, result);
}

static EadStatus add_call(const EadBenchOptions *options, const EadPlan *plan, int index, double *times,
                          EadBenchResult *result, EadBenchResults *results) {
    const EadNode *node;
    const EadCall *call = ead_plan_call(plan, index, &node);
    ead_bench_describe_call(plan, index, result);
    ead_bench_summarize(times, (int)result->repeats, result);
    double flop = ead_bench_call_flop(call, node), seconds = 1e-3 * result->median_ms;
    result->gflop = flop > 0 ? 1e-9 * flop : NAN;
    result->real_gflop = call->multiply_adds > 0 ? 2e-9 * call->multiply_adds : NAN;
    result->gflop_per_s = result->gflop / seconds;
    result->share_of_peak = result->gflop_per_s / options->peak_gflop_per_s;
    result->real_gflop_per_s = result->real_gflop / seconds;
    result->real_share_of_peak = result->real_gflop_per_s / options->peak_gflop_per_s;
    double bytes = (double)ead_bytes(call->y);
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (call->x[k]) bytes += (double)ead_bytes(call->x[k]);
    result->mb = 1e-6 * bytes;
    result->gb_per_s = flop > 0 ? NAN : 1e-3 * result->mb / seconds;
    return ead_bench_results_add(results, result);
}

static EadStatus bench_plan(const EadBenchOptions *options, const EadBenchFit *run, const char *name,
                            const EadPlan *plan, EadBenchResults *results) {
    EadBenchResult result = ead_bench_result_for(options, run, "ops", name);
    int count = ead_plan_call_count(plan), first = results->count;
    int repeat = options->repeat ? options->repeat : DEFAULT_REPEAT;
    double *times = ead_new((int64_t)count * repeat, sizeof *times, "the times of all calls"), total = 0;
    if (!times) return EAD_NO_MEMORY;
    ead_bench_note(options, &result, repeat);
    EadStatus status = time_calls(plan, ead_bench_warm_up(options), repeat, times);
    result.repeats = repeat;
    for (int i = 0; i < count && status == EAD_OK; i++)
        status = add_call(options, plan, i, times + (int64_t)i * repeat, &result, results);
    free(times);
    EAD_TRY(status);
    EadBenchResult *calls = results->items + first;
    for (int i = 0; i < count; i++) total += calls[i].median_ms;
    for (int i = 0; i < count; i++) calls[i].share = calls[i].median_ms / total;
    /* Errors must be taken behind each call, because later ones write over its inputs. */
    for (int i = 0; i < count && options->errors; i++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(plan, i, &node);
        call->run(call);
        calls[i].error = ead_bench_conv_error(call, node, ERROR_SAMPLES, (uint64_t)i);
    }
    return EAD_OK;
}

EadStatus ead_bench_ops(const EadBenchOptions *options, EadBenchResults *results) {
    EadBenchFit run;
    EadDetector *detector = NULL;
    uint8_t *images = NULL;
    const float *maps;
    EadStatus status = ead_bench_fit_open(options, NULL, false, &run);
    if (status == EAD_OK) status = ead_bench_images(options, &images);
    if (status == EAD_OK) status = ead_detector_new(run.model, &options->plan, options->batch, &detector);
    /* One pass with images fills the plan's image leaf, which later passes read again. */
    if (status == EAD_OK) status = ead_detector_run_batch(detector, images, &maps);
    if (status == EAD_OK) status = bench_plan(options, &run, "infer", ead_detector_plan(detector), results);
    ead_detector_close(detector);
    free(images);
    bool steps = status == EAD_OK && run.fit->plan;
    ead_bench_fit_close(&run);
    if (!steps) return status;
    status = ead_bench_fit_open(options, NULL, true, &run);
    if (status == EAD_OK) {
        ead_step_run(&run.step, run.slot);
        status = bench_plan(options, &run, "step", run.step.plan, results);
    }
    ead_bench_fit_close(&run);
    return status;
}
