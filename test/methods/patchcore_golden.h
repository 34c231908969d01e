/* PatchCore against its authors' own code (test/golden/methods/patchcore_golden.py): the golden model, its good images
 * and bank. A suite defines SCRATCH, its folder with a slash at the end, before it includes this. */
#pragma once

#include "models/patchcore/patchcore.h"
#include "test/support/sample_models.h"
#include "train/patchcore/coreset.h"

#include "core/plan/plan.h"

enum { HEIGHT = 96, WIDTH = 64, GOOD = 4, JUDGED = 30, LENGTH = 160, GRID = 12 * 8, PICKS = 38, SEED = 42 };

static EadSafetensors *golden;

static inline void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/patchcore.safetensors", &golden));
}

static inline void close_golden(void) {
    ead_safetensors_close(golden);
}

static inline EadPatchcore *new_patchcore(int neighbours, int reweight, EadFileType stored) {
    EadPatchcoreSpec spec = {HEIGHT, WIDTH, {0}, LENGTH, neighbours, reweight, 4, stored};
    EadBackbone backbone;
    EadPatchcore *model;
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    ASSERT_OK(ead_backbone_find_taps(&backbone, "", &spec.taps));
    ASSERT_OK(ead_patchcore_new(&spec, &backbone, &model));
    ck_assert_int_eq(model->grid_height * model->grid_width, GRID);
    return model;
}

/* The patches of the image of a seed, [GRID][spec.length]. */
static inline void patches_of(const EadPatchcore *model, uint64_t seed, float *rows) {
    EadPlan *plan;
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, HEIGHT, WIDTH, 3, NULL);
    EadNode *patches = ead_keep(ead_patchcore_patches(graph, model, images));
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image(seed, HEIGHT, WIDTH, images->y.data);
    ead_plan_run(plan);
    memcpy(rows, patches->y.data, ead_bytes(&patches->y));
    ead_plan_free(plan);
    ead_graph_free(graph);
}

/* Those of the good images, [GOOD * GRID][LENGTH]. */
static inline float *good_patches(const EadPatchcore *model) {
    float *rows = malloc(sizeof *rows * GOOD * GRID * LENGTH);
    for (int i = 0; i < GOOD; i++) patches_of(model, (uint64_t)(20 + i), rows + i * GRID * LENGTH);
    return rows;
}

/* Every stride-th number. */
static inline void check_floats(const char *name, const float *got, int64_t count, int64_t stride,
                                double allowed) {
    const EadFileTensor *tensor = ead_safetensors_find(golden, name);
    double *expected = malloc((size_t)count * sizeof *expected);
    ck_assert(tensor && tensor->count == count);
    ASSERT_OK(ead_file_tensor_to_double(golden, tensor, expected));
    double difference = relative_difference(got, expected, count, stride);
    printf("  %s: %.1e\n", name, difference);
    ck_assert_msg(difference <= allowed, "%s differs by %g", name, difference);
    free(expected);
}

static inline EadCoreset coreset_of(const float *rows, bool exact) {
    return (EadCoreset){.rows = rows,
                        .count = GOOD * GRID,
                        .length = LENGTH,
                        .choose = PICKS,
                        .seed = SEED,
                        .exact = exact,
                        .quiet = true};
}

/* A model whose bank is the golden one. */
static inline EadPatchcore *banked_by(int neighbours, int reweight, EadFileType stored, bool exact) {
    EadPatchcore *model = new_patchcore(neighbours, reweight, stored);
    float *rows = good_patches(model);
    int64_t chosen[PICKS];
    EadCoreset coreset = coreset_of(rows, exact);
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    ASSERT_OK(ead_patchcore_add(model, rows, chosen, PICKS));
    model->positions = GOOD * GRID;
    model->images = calloc(GOOD, sizeof *model->images);
    model->images[0] = 7;
    model->image_count = GOOD;
    free(rows);
    return model;
}

static inline EadPatchcore *banked(int neighbours, int reweight, EadFileType stored) {
    return banked_by(neighbours, reweight, stored, false);
}

/* What a detector says of the judged image, or that of another seed; free() the map. */
static inline float *detect_image(const EadModel *model, uint64_t seed, float *score) {
    uint8_t *image = malloc((size_t)HEIGHT * WIDTH * 3);
    float *map = malloc(sizeof *map * HEIGHT * WIDTH);
    EadDetector *detector;
    golden_image(seed, HEIGHT, WIDTH, image);
    ASSERT_OK(ead_detector_new(model, NULL, 1, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDTH, HEIGHT, 3 * WIDTH, map, score));
    ead_detector_close(detector);
    free(image);
    return map;
}

static inline float *detect(const EadPatchcore *model, float *score) {
    return detect_image(&model->base, JUDGED, score);
}
