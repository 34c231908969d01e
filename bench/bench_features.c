/* The backbone's pass that makes the features of distillation. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "core/ops/normalize_image/normalize_image.h"
#include "models/networks/patch_features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_REPEAT = 5 };

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
    EadBenchResult result = ead_bench_result_for(options, NULL, "features", "");
    EadBenchWork work = {
        .plan = plan, .arena_bytes = ead_plan_bytes(plan), .per_pass = 1, .start = extract, .context = plan};
    snprintf(result.model, sizeof result.model, "%s", features->backbone.kind->name);
    snprintf(result.image, sizeof result.image, "%dx%d", 2 * options->height, 2 * options->width);
    EadStatus status = ead_bench_time_whole(options, &work, DEFAULT_REPEAT, &result, results);
    ead_plan_free(plan);
    return status;
}

EadStatus ead_bench_features(const EadBenchOptions *options, EadBenchResults *results) {
    EadStatus status = EAD_OK;
    for (size_t i = 0; i < sizeof backbones / sizeof *backbones && status == EAD_OK; i++) {
        EadPatchFeatures features;
        int kind = 0;
        while (strcmp(ead_resnet_kind(kind)->name, backbones[i]) != 0) kind++;
        ead_bench_memory_reset();
        EAD_TRY(ead_patch_features_new(ead_resnet_kind(kind), EAD_RESNET_TORCHVISION, &features));
        ead_params_initialize(&features.backbone.params, 1);
        EadGraph *graph = ead_graph_new();
        status = graph ? time_backbone(options, &features, graph, results)
                       : ead_fail(EAD_NO_MEMORY, "no memory for a graph");
        ead_graph_free(graph);
        ead_patch_features_free(&features);
    }
    return status;
}
