/* SimpleNet against its authors' code (test/golden/methods/simplenet_golden.py): draws, five steps, map and score; and
 * what its files refuse. */
#include "test/support/sample_models.h"
#include "test/methods/model_files.h"

#include "core/plan/plan.h"
#include "models/simplenet/simplenet.h"
#include "train/simplenet/simplenet_step.h"

#define SCRATCH "build/scratch/test_simplenet/"
#define GOLDEN  "test/golden/methods/simplenet.safetensors"

enum { HEIGHT = 96, WIDTH = 64, LENGTH = 48, HIDDEN = 32, STEPS = 5, BATCH = 2, GRID = 6 * 5, JUDGED = 30 };
enum { SEED = 42, FEATURE_SEED = 60 };

static EadSafetensors *golden;

static void set_up(void) {
    make_folders(SCRATCH);
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_safetensors_open(GOLDEN, &golden));
}

static void tear_down(void) {
    ead_safetensors_close(golden);
}

static EadSimplenet *new_simplenet(EadFileType stored) {
    EadSimplenetSpec spec = {HEIGHT, WIDTH, {0}, LENGTH, HIDDEN, 4, stored};
    EadBackbone backbone;
    EadSimplenet *model;
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    ASSERT_OK(ead_backbone_find_taps(&backbone, "", &spec.taps));
    ASSERT_OK(ead_simplenet_new(&spec, &backbone, &model));
    ead_simplenet_initialize(model, SEED);
    ck_assert(model->grid_height == HEIGHT / 8 && model->grid_width == WIDTH / 8);
    return model;
}

/* Numbers of a byte each, exact in half precision. */
static void draw_features(int step, uint16_t *out) {
    for (int i = 0; i < BATCH * GRID * LENGTH; i++) {
        uint32_t word = ead_philox_word((uint64_t)(FEATURE_SEED + step), EAD_STREAM_TEST, (uint64_t)i);
        out[i] = ead_half_from_float((float)(word >> 24) / 64 - 2);
    }
}

/* The adaptor's bias has no gradient (see simplenet_golden.py), and what Adam makes of a float's rounding is at most
 * 3.2 rates a step. Takes that out: what is left is the decay. */
static void check_bias(float *bias, float *decayed, const EadSimplenetOptions *o) {
    for (int i = 0; i < LENGTH; i++) {
        decayed[i] *= (float)(1 - o->adaptor_lr * o->adaptor_wd);
        ck_assert(fabs((double)bias[i] - (double)decayed[i]) <= 3.2 * o->adaptor_lr);
        bias[i] = decayed[i];
    }
}

/* epoch > 0: the last of so many steps by a graph of its own. Steps on patches of 6x5 positions, whatever the grid of
 * the model's images. */
static void train_steps(EadSimplenet *model, int count, int epoch, float rows[][4]) {
    EadSimplenetOptions options = {.batch = BATCH,
                                   .last = epoch > 0 ? BATCH : 0,
                                   .epoch = epoch,
                                   .noise = 0.015,
                                   .margin = 0.5,
                                   .seed = SEED,
                                   .adaptor_lr = 1e-3,
                                   .adaptor_wd = 0.01,
                                   .discriminator_lr = 2e-3,
                                   .discriminator_wd = 1e-2};
    EadTrainFeatures features = {.inputs = 0};
    uint16_t slot[BATCH * GRID * LENGTH];
    EadStep step;
    int read, height = model->grid_height, width = model->grid_width;
    float decayed[LENGTH],
        *bias = model->adaptor.values + ead_params_find(&model->adaptor, "adaptor.bias")->offset;
    memcpy(decayed, bias, sizeof decayed);
    model->grid_height = 6, model->grid_width = 5;
    ASSERT_OK(ead_simplenet_step_new(model, &options, &features, NULL, &step));
    model->grid_height = height, model->grid_width = width;
    ck_assert(ead_step_slot_bytes(&step) == sizeof slot);
    for (int i = 0; i < count; i++) {
        draw_features(i, slot);
        ead_step_run(&step, (const uint8_t *)slot);
        check_bias(bias, decayed, &options);
    }
    ASSERT_OK(ead_step_losses(&step, &rows[0][0], &read));
    ck_assert_int_eq(read, count);
    ead_step_free(&step);
    ead_train_features_close(&features);
}

static void check(const char *name, const float *got, int64_t count, double allowed) {
    const EadFileTensor *tensor = ead_safetensors_find(golden, name);
    double *expected = malloc((size_t)count * sizeof *expected);
    ck_assert_msg(tensor && tensor->count == count, "%s", name);
    ASSERT_OK(ead_file_tensor_to_double(golden, tensor, expected));
    double difference = relative_difference(got, expected, count, 1);
    printf("  %s: %.1e\n", name, difference);
    ck_assert_msg(difference <= allowed, "%s differs by %g", name, difference);
    free(expected);
}

static void check_params(const EadParams *params) {
    for (int i = 0; i < params->count; i++) {
        const EadParam *p = &params->items[i];
        check(p->name, params->values + p->offset, ead_param_size(p), 1e-5);
    }
}

START_TEST(five_steps_and_a_map_are_the_authors) {
    EadSimplenet *model = new_simplenet(EAD_FILE_F32);
    float rows[STEPS][4], losses[STEPS][2], score;
    train_steps(model, STEPS, 2 * _i, rows);
    for (int i = 0; i < STEPS; i++) {
        losses[i][0] = rows[i][0], losses[i][1] = rows[i][1];
        ck_assert(fabsf(rows[i][2] - rows[i][0] - rows[i][1]) <= 1e-6f);
    }
    check("losses", &losses[0][0], 2 * STEPS, 1e-5);
    check_params(&model->adaptor);
    check_params(&model->discriminator);
    check("discriminator.norm.running_mean", model->running, HIDDEN, 1e-5);
    check("discriminator.norm.running_var", model->running + HIDDEN, HIDDEN, 1e-5);
    ead_simplenet_merge(model);
    float *map = golden_map(&model->base, JUDGED, &score);
    check("map", map, (int64_t)HEIGHT * WIDTH, 1e-5);
    check("score", &score, 1, 1e-5);
    free(map);
    ead_model_free(&model->base);
}
END_TEST

/* An adaptor of half the weights on patches of twice the size is the same. */
START_TEST(patches_are_scaled) {
    EadSimplenet *model = new_simplenet(EAD_FILE_F32);
    const EadParam *weight = ead_params_find(&model->adaptor, "adaptor.weight");
    float first_score, second_score;
    ead_simplenet_merge(model);
    float *first = golden_map(&model->base, JUDGED, &first_score);
    model->scale = 2;
    for (int64_t i = 0; i < ead_param_size(weight); i++) model->adaptor.values[weight->offset + i] /= 2;
    ead_simplenet_merge(model);
    float *second = golden_map(&model->base, JUDGED, &second_score);
    ck_assert(memcmp(first, second, sizeof *first * HEIGHT * WIDTH) == 0 && first_score == second_score);
    free(first), free(second);
    ead_model_free(&model->base);
}
END_TEST

/* ---- the file ---- */

static EadSimplenet *trained(EadFileType stored) {
    EadSimplenet *model = new_simplenet(stored);
    float rows[1][4];
    train_steps(model, 1, 0, rows);
    model->scale = 1.7f;
    ead_simplenet_merge(model);
    return model;
}

START_TEST(files_give_the_same_model_back) {
    for (int half = 0; half < 2; half++) {
        EadSimplenet *model = trained(half ? EAD_FILE_F16 : EAD_FILE_F32);
        float before_score, after_score, *before = golden_map(&model->base, JUDGED, &before_score);
        EadModel *read =
            reopened(&model->base, SCRATCH "model.safetensors",
                     "SimpleNet at 96x64, 48 features of resnet18's layer2,layer3, 32 hidden units");
        float *after = golden_map(read, JUDGED, &after_score);
        ck_assert(memcmp(before, after, sizeof *before * HEIGHT * WIDTH) == 0 && before_score == after_score);
        ck_assert(((const EadSimplenet *)read)->spec.sigma == 4);
        ck_assert(read->method->functions->bytes(read) > 4u * (LENGTH * LENGTH + 2 * HIDDEN * LENGTH));
        free(before), free(after);
        ead_model_free(read);
        ead_model_free(&model->base);
    }
}
END_TEST

/* Writes a model with something wrong and opens it. */
static void refuses(float mean, float variance, const char *key, const char *metadata, const char *words) {
    EadSimplenet *model = trained(EAD_FILE_F32);
    model->running[3] = mean, model->running[HIDDEN + 3] = variance;
    check_bad_file(&model->base, SCRATCH "bad.safetensors", key, metadata, words);
    ead_model_free(&model->base);
}

/* Of a model file that lacks a part. */
static void refuses_without(EadParams *(*part)(EadSimplenet *), const char *words) {
    EadSimplenet *model = trained(EAD_FILE_F32);
    EadModel *read;
    int count = part(model)->count;
    part(model)->count = 0;
    ASSERT_OK(ead_model_save(&model->base, SCRATCH "part.safetensors", NULL));
    part(model)->count = count;
    ck_assert_int_eq(ead_model_open(SCRATCH "part.safetensors", &read), EAD_BAD_FILE);
    assert_contains(ead_error_message(), words);
    ead_model_free(&model->base);
}

static EadParams *adaptor_of(EadSimplenet *model) {
    return &model->adaptor;
}

static EadParams *discriminator_of(EadSimplenet *model) {
    return &model->discriminator;
}

START_TEST(bad_files_are_refused) {
    EadModel *read;
    refuses((float)NAN, 1, NULL, NULL, "tensor 'discriminator.norm.running_mean'");
    refuses(0, (float)INFINITY, NULL, NULL, "tensor 'discriminator.norm.running_var'");
    refuses(0, -1, NULL, NULL, "tensor 'discriminator.norm.running_var' holds a variance of -1");
    refuses(0, 1, "backbone", "resnet19", "metadata 'backbone' is 'resnet19'");
    refuses(0, 1, "layers", "layer5", "metadata 'layers' is 'layer5'");
    refuses(0, 1, "sigma", "17", "metadata 'sigma' is '17', expected a number from 0 to 16");
    refuses(0, 1, "scale", "0", "metadata 'scale' is '0'");
    refuses(0, 1, "image_size", "0", "images of 0x0");
    refuses_without(adaptor_of, "part.safetensors: tensor 'adaptor.weight' is missing");
    refuses_without(discriminator_of,
                    "part.safetensors: tensor 'discriminator.hidden.weight' is missing or is not "
                    "[outputs,inputs,1,1]");
    EadSimplenet *model = trained(EAD_FILE_F32);
    ASSERT_OK(ead_model_save(&model->base, SCRATCH "whole.safetensors", NULL));
    shell_ok("head -c -500 " SCRATCH "whole.safetensors >" SCRATCH "cut.safetensors");
    ck_assert_int_eq(ead_model_open(SCRATCH "cut.safetensors", &read), EAD_BAD_FILE);
    assert_contains(ead_error_message(), "cut.safetensors");
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("simplenet");
    TCase *tests = tcase_create("simplenet");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, five_steps_and_a_map_are_the_authors, 0, 2);
    tcase_add_test(tests, patches_are_scaled);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_test(tests, bad_files_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
