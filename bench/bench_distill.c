/* What distillation consists of: its step on cached features, and the backbone's pass that makes them. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "core/ops/normalize_image/normalize_image.h"
#include "train/distill/distill_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_REPEAT = 5 };

/* ---- the step ---- */

typedef struct Distillation {
    EadParams params;
    EadDistillStep *step;
    uint8_t *slot;
} Distillation;

static EadStatus distill(void *context) {
    Distillation *run = context;
    ead_distill_step_run(run->step, run->slot);
    return EAD_OK;
}

static EadStatus read_losses(void *context) {
    Distillation *run = context;
    EadDistillLoss losses[EAD_LOSS_ROWS];
    int count;
    return ead_distill_step_losses(run->step, losses, &count);
}

/* Features of any bits would include infinite ones, so they are left zero. */
static EadStatus make_slot(const EadBenchOptions *options, int batch, uint8_t **slot) {
    size_t pixels = (size_t)batch * (size_t)options->height * (size_t)options->width * 3;
    size_t positions = (size_t)ead_pdn_output_size(true, options->height) *
                       (size_t)ead_pdn_output_size(true, options->width);
    EAD_TRY(ead_bench_images(pixels + (size_t)batch * positions * EAD_FEATURES * sizeof(uint16_t), slot));
    memset(*slot + pixels, 0, (size_t)batch * positions * EAD_FEATURES * sizeof(uint16_t));
    return EAD_OK;
}

static EadStatus prepare(const EadBenchOptions *options, int batch, Distillation *run) {
    EadPdn teacher = {options->size, true, "teacher", EAD_FEATURES, &run->params, true};
    EadDistillOptions step = {
        .batch = batch,
        .height = options->height,
        .width = options->width,
        .adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-5},
        .schedule = {.base = 1e-4, .factor = 0.1, .drop_step = -1},
    };
    EAD_TRY(ead_precision_check(options->plan.backend, options->plan.precision, true, "--precision"));
    EAD_TRY(ead_pdn_declare(&teacher, &run->params));
    EAD_TRY(ead_params_allocate(&run->params));
    ead_params_initialize(&run->params, 1);
    EAD_TRY(make_slot(options, batch, &run->slot));
    return ead_distill_step_new(&teacher, &step, &options->plan, &run->step);
}

EadStatus ead_bench_distill(const EadBenchOptions *options, EadBenchResults *results) {
    Distillation run = {.step = NULL};
    ead_bench_memory_reset();
    EadStatus status = prepare(options, options->batch, &run);
    if (status == EAD_OK) {
        EadBenchResult result = ead_bench_result_for(options, "distill", "");
        const EadPlan *plan = ead_distill_step_plan(run.step);
        EadBenchWork work = {.plan = plan,
                             .arena_bytes = ead_plan_bytes(plan),
                             .per_pass = ead_bench_steps_of_a_pass(options),
                             .start = distill,
                             .wait = read_losses,
                             .context = &run};
        result.batch = options->batch;
        status = ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results);
    }
    ead_distill_step_free(run.step);
    ead_params_free(&run.params);
    free(run.slot);
    return status;
}

/* ---- the backbones ---- */

static const char *const backbones[] = {"resnet18", "resnet50", "wide_resnet101_2"};

static EadStatus extract(void *context) {
    const EadPlan *plan = context;
    ead_plan_run(plan);
    return ead_plan_synchronize(plan);
}

static EadStatus time_backbone(const EadBenchOptions *options, const EadPatchFeatures *features,
                               EadGraph *graph, EadBenchResults *results) {
    EadNode *images =
        ead_leaf(graph, "images", EAD_U8, options->batch, 2 * options->height, 2 * options->width, 3, NULL);
    ead_keep(ead_patch_features_build(graph, features, ead_normalize_image(graph, images)));
    EadPlan *plan;
    EAD_TRY(ead_plan_new(graph, &options->plan, &plan));
    EadBenchResult result = ead_bench_result_for(options, "features", "");
    EadBenchWork work = {
        .plan = plan, .arena_bytes = ead_plan_bytes(plan), .per_pass = 1, .start = extract, .context = plan};
    result.batch = options->batch;
    snprintf(result.model, sizeof result.model, "%s", features->backbone.kind->name);
    snprintf(result.image, sizeof result.image, "%dx%d", 2 * options->height, 2 * options->width);
    EadStatus status = ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results);
    ead_plan_free(plan);
    return status;
}

static EadStatus bench_backbone(const EadBenchOptions *options, const char *name, EadBenchResults *results) {
    EadPatchFeatures features;
    int kind = 0;
    while (strcmp(ead_resnet_kind(kind)->name, name) != 0) kind++;
    ead_bench_memory_reset();
    EAD_TRY(ead_patch_features_new(ead_resnet_kind(kind), EAD_RESNET_TORCHVISION, &features));
    ead_params_initialize(&features.backbone.params, 1);
    EadGraph *graph = ead_graph_new();
    EadStatus status = graph ? time_backbone(options, &features, graph, results)
                             : ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    ead_graph_free(graph);
    ead_patch_features_free(&features);
    return status;
}

EadStatus ead_bench_features(const EadBenchOptions *options, EadBenchResults *results) {
    for (size_t i = 0; i < sizeof backbones / sizeof *backbones; i++)
        EAD_TRY(bench_backbone(options, backbones[i], results));
    return EAD_OK;
}
