/* The distillation step against PyTorch in float64 (test/golden/distill_golden.py), with features that come
 * with the batch and, to the same loss, from a backbone in the step's graph. */
#include "test/support/sample_models.h"

#include "core/ops/normalize_image/normalize_image.h"
#include "core/plan/plan.h"
#include "test/support/training_step.h"

enum { BATCH = 2, HEIGHT = 64, WIDTH = 96, POSITIONS = HEIGHT / 4 * WIDTH / 4, STEPS = 4 };

typedef struct Teacher {
    EadParams params;
    EadPdn pdn;
} Teacher;

static void make_teacher(Teacher *t, EadPdnSize size) {
    *t = (Teacher){.pdn = {size, true, "teacher", EAD_FEATURES, &t->params, true}};
    ASSERT_OK(ead_pdn_declare(&t->pdn, &t->params));
    ASSERT_OK(ead_params_allocate(&t->params));
    ead_params_initialize(&t->params, GOLDEN_WEIGHT_SEED);
}

static EadDistillOptions options_for(const EadPatchFeatures *backbone) {
    return (EadDistillOptions){.batch = ead_ranks_share(NULL, BATCH),
                               .height = HEIGHT,
                               .width = WIDTH,
                               .backbone = backbone,
                               .adam = ead_adam_usual(1e-5),
                               .schedule = {.base = 1e-4, .factor = 0.1, .drop_step = -1}};
}

static uint8_t drawn_byte(uint64_t seed, int64_t i) {
    return (uint8_t)(ead_philox_word(seed, EAD_STREAM_TEST, (uint64_t)i / 4) >> 8 * (i % 4));
}

static void drawn_statistics(float mean[EAD_FEATURES], float std[EAD_FEATURES]) {
    for (int c = 0; c < EAD_FEATURES; c++) {
        mean[c] = (float)(drawn_byte(12, c) - 128) / 512;
        std[c] = 0.5f + (float)drawn_byte(13, c) / 256;
    }
}

static void fill_images(uint8_t *slot) {
    golden_image(3, HEIGHT, WIDTH, slot);
    golden_image(4, HEIGHT, WIDTH, slot + HEIGHT * WIDTH * 3);
}

static uint8_t *golden_slot(void) {
    size_t pixels = (size_t)BATCH * HEIGHT * WIDTH * 3, features = (size_t)BATCH * POSITIONS * EAD_FEATURES;
    uint8_t *slot = malloc(pixels + 2 * features);
    ck_assert_ptr_nonnull(slot);
    fill_images(slot);
    for (size_t i = 0; i < features; i++) {
        uint16_t half = ead_half_from_float((float)(drawn_byte(11, (int64_t)i) - 128) / 64);
        memcpy(slot + pixels + 2 * i, &half, sizeof half);
    }
    return slot;
}

static void check_losses(EadPdnSize size, const char *prefix) {
    EadSafetensors *file;
    Teacher teacher;
    DistillStep *step;
    DistillLoss rows[EAD_LOSS_ROWS];
    float mean[EAD_FEATURES], std[EAD_FEATURES];
    int count;
    double expected[STEPS];
    EadDistillOptions options = options_for(NULL);
    ASSERT_OK(ead_safetensors_open("test/golden/distill.safetensors", &file));
    golden_vector(file, prefix, "losses", STEPS, expected);
    make_teacher(&teacher, size);
    ASSERT_OK(distill_step_new(&teacher.pdn, &options, NULL, &step));
    drawn_statistics(mean, std);
    ead_distill_step_normalize(&step->distill, mean, std);
    ead_step_upload(&step->step);
    uint8_t *slot = golden_slot();
    for (int s = 0; s < STEPS; s++) ead_step_run(&step->step, slot);
    ASSERT_OK(distill_step_losses(step, rows, &count));
    ck_assert_int_eq(count, STEPS);
    for (int s = 0; s < STEPS; s++) {
        double loss = (double)rows[s].loss;
        printf("  %s step %d: %.7f, PyTorch %.7f\n", prefix, s + 1, loss, expected[s]);
        ck_assert_double_eq_tol(loss, expected[s], 1e-4 * expected[s]);
        ck_assert(rows[s].rate == 1e-4f);
    }
    ck_assert_int_eq((int)step->step.device_done, STEPS);
    free(slot);
    distill_step_free(step);
    ead_params_free(&teacher.params);
    ead_safetensors_close(file);
}

START_TEST(losses_of_small) {
    check_losses(EAD_PDN_SMALL, "small");
}
END_TEST

START_TEST(losses_of_medium) {
    check_losses(EAD_PDN_MEDIUM, "medium");
}
END_TEST

/* ---- the backbone in the step ---- */

/* The features of one image of 2 HEIGHT x 2 WIDTH by a graph of their own, as halves. */
static void features_of(const EadPatchFeatures *backbone, const uint8_t *image, uint16_t *halves) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, 2 * HEIGHT, 2 * WIDTH, 3, NULL);
    EadNode *y = ead_keep(ead_patch_features_build(graph, backbone, ead_normalize_image(graph, images)));
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    memcpy(images->y.data, image, ead_bytes(&images->y));
    ead_plan_run(plan);
    ck_assert_int_eq((int)ead_count(&y->y), POSITIONS * EAD_FEATURES);
    for (int i = 0; i < POSITIONS * EAD_FEATURES; i++)
        halves[i] = ead_half_from_float(((const float *)y->y.data)[i]);
    ead_plan_free(plan);
    ead_graph_free(graph);
}

static float first_loss(const EadPatchFeatures *backbone, const uint8_t *slot) {
    Teacher teacher;
    DistillStep *step;
    DistillLoss rows[EAD_LOSS_ROWS];
    float mean[EAD_FEATURES], std[EAD_FEATURES];
    int count;
    EadDistillOptions options = options_for(backbone);
    make_teacher(&teacher, EAD_PDN_SMALL);
    ASSERT_OK(distill_step_new(&teacher.pdn, &options, NULL, &step));
    drawn_statistics(mean, std);
    ead_distill_step_normalize(&step->distill, mean, std);
    ead_step_upload(&step->step);
    ead_step_run(&step->step, slot);
    ASSERT_OK(distill_step_losses(step, rows, &count));
    distill_step_free(step);
    ead_params_free(&teacher.params);
    return rows[0].loss;
}

START_TEST(backbone_in_the_step_as_features_with_the_batch) {
    enum { SMALL = BATCH * HEIGHT * WIDTH * 3 };
    const char *path = "build/scratch/test_distill_step/resnet18.safetensors";
    EadPatchFeatures backbone;
    uint8_t *with_images = malloc(5 * SMALL),
            *with_features = malloc(SMALL + 2 * BATCH * POSITIONS * EAD_FEATURES);
    ck_assert(with_images && with_features);
    write_backbone("resnet18", path, &(Drawn){.count = 0});
    ASSERT_OK(ead_patch_features_open(path, NULL, &backbone));
    fill_images(with_images);
    memcpy(with_features, with_images, SMALL);
    for (int b = 0; b < BATCH; b++) {
        uint8_t *large = with_images + SMALL + b * 2 * SMALL;
        uint8_t *halves = with_features + SMALL + (size_t)b * POSITIONS * EAD_FEATURES * 2;
        golden_image(5 + (uint64_t)b, 2 * HEIGHT, 2 * WIDTH, large);
        features_of(&backbone, large, (uint16_t *)(void *)halves);
    }
    float whole = first_loss(&backbone, with_images), split = first_loss(NULL, with_features);
    printf("  backbone in the step: loss %.6f, features with the batch: %.6f\n", (double)whole,
           (double)split);
    ck_assert_float_eq_tol(whole, split, 1e-3f * whole); /* halves have 11 bits */
    ead_patch_features_free(&backbone);
    free(with_images);
    free(with_features);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("distill_step");
    TCase *tests = tcase_create("distill_step");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, losses_of_small);
    tcase_add_test(tests, losses_of_medium);
    tcase_add_test(tests, backbone_in_the_step_as_features_with_the_batch);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
