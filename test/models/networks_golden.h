/* Features of backbones against PyTorch in float64 (test/golden/networks/networks_golden.py), in float and, with
 * a tighter bound, in double. Differences are parts of the largest number of what is compared. */
#pragma once

#include "core/plan/plan.h"
#include "test/support/sample_models.h"

#define SCRATCH "build/scratch/test_backbone/"

enum { IMAGE_SEED = 5, NETWORKS = 5, NETWORK_STEP = 23 };

/* All taps of networks by name, with weights from a file as its publisher's. */
static const struct {
    const char *name;
    int height, width;
    const char *taps[3], *default_taps;
} networks[NETWORKS] = {
    {"efficientnet_lite0", 75, 100, {"stride8", "stride16", "stride32"}, "stride8,stride16"},
    {"efficientnet_lite2", 64, 96, {"stride8", "stride16", "stride32"}, "stride8,stride16"},
    {"resnext101_32x8d", 64, 96, {"layer1", "layer2", "layer3"}, "layer2,layer3"},
    {"densenet201", 70, 96, {"denseblock1", "denseblock2", "denseblock3"}, "denseblock2,denseblock3"},
    {"efficientnet_b5", 96, 96, {"stride8", "stride16", "stride32"}, "stride8,stride16"},
};

static inline void check_difference(const char *prefix, const char *name, double difference, double allowed) {
    printf("  %s.%s: %.1e\n", prefix, name, difference);
    ck_assert_msg(difference <= allowed, "%s.%s differs by %g", prefix, name, difference);
}

/* Every step-th channel of all positions. */
static inline void check_map(const EadSafetensors *file, const char *prefix, const char *name,
                             const EadTensor *map, int step, double allowed) {
    int64_t sampled = (map->c + step - 1) / step, positions = ead_count(map) / map->c;
    double *expected = malloc((size_t)(positions * sampled) * sizeof *expected);
    real *got = malloc((size_t)(positions * sampled) * sizeof *got);
    ck_assert(expected && got);
    for (int64_t i = 0; i < positions * sampled; i++)
        got[i] = ((const real *)map->data)[i / sampled * map->c + i % sampled * step];
    golden_vector(file, prefix, name, positions * sampled, expected);
    check_difference(prefix, name, relative_difference(got, expected, positions * sampled, 1), allowed);
    free(expected);
    free(got);
}

/* The difference may be `least`, or so many times what PyTorch's own float is away where that is more. */
static inline double network_bound(const EadSafetensors *file, int network, int tap, double least,
                                   double times) {
    char name[96];
    double distance;
    snprintf(name, sizeof name, "%s.float", networks[network].taps[tap]);
    golden_vector(file, networks[network].name, name, 1, &distance);
    return fmax(least, times * distance);
}

static inline void check_network(int network, double least, double times) {
    EadSafetensors *file;
    EadBackbone backbone;
    EadNode *features[EAD_TAPS_CHOSEN];
    EadPlan *plan;
    EadTaps taps;
    char text[96];
    const char *const *names = networks[network].taps, *path = sizeof(real) == 4
                                                                   ? SCRATCH "golden_float.safetensors"
                                                                   : SCRATCH "golden_double.safetensors";
    int height = networks[network].height, width = networks[network].width;
    ASSERT_OK(ead_safetensors_open("test/golden/networks/networks.safetensors", &file));
    write_backbone(networks[network].name, path, &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(path, &backbone));
    ck_assert_int_eq(remove(path), 0);
    ck_assert_str_eq(backbone.name, networks[network].name);
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, height, width, 3, NULL);
    ASSERT_OK(ead_backbone_find_taps(&backbone, "", &taps));
    ead_backbone_taps_text(&backbone, &taps, text, sizeof text);
    ck_assert_str_eq(text, networks[network].default_taps);
    snprintf(text, sizeof text, "%s,%s,%s", names[0], names[1], names[2]);
    ASSERT_OK(ead_backbone_find_taps(&backbone, text, &taps));
    ead_backbone_build(graph, &backbone, images, &taps, features);
    for (int i = 0; i < 3; i++) ead_keep(features[i]);
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image(IMAGE_SEED, height, width, images->y.data);
    ead_plan_run(plan);
    for (int i = 0; i < 3; i++)
        check_map(file, networks[network].name, names[i], &features[i]->y, NETWORK_STEP,
                  network_bound(file, network, i, least, times));
    ead_safetensors_close(file);
    ead_plan_free(plan);
    ead_graph_free(graph);
    ead_backbone_free(&backbone);
}
