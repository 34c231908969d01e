/* AST against PyTorch (test/golden/methods/ast_golden.py), what a plan may not change, and what its files give back and
 * refuse. */
#include "core/ops/mean/mean.h"
#include "test/methods/ast_golden.h"
#include "test/methods/model_files.h"
#include "test/support/sample_models.h"
#include "train/ast/ast_step.h"

#define SCRATCH "build/scratch/test_ast/"

static EadSafetensors *golden;

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/ast.safetensors", &golden));
    make_folders(SCRATCH);
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

static EadAst *new_model(int height, int width) {
    EadBackbone backbone;
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    return ast_model(&backbone, height, width);
}

START_TEST(orders_are_those_of_numpy) {
    enum { COUNT_ = 304 };
    double *expected = golden_numbers(golden, "order", (int64_t)4 * COUNT_);
    int64_t order[COUNT_];
    for (uint32_t seed = 0; seed < 4; seed++) {
        ead_ast_permutation(seed, COUNT_, order);
        for (int c = 0; c < COUNT_; c++)
            ck_assert_int_eq(order[c], (int64_t)expected[(int)seed * COUNT_ + c]);
    }
    free(expected);
}
END_TEST

START_TEST(positions_have_their_code) {
    enum { NUMBERS = AST_MAP * AST_MAP * EAD_AST_POSITION };
    double *expected = golden_numbers(golden, "position", NUMBERS);
    real code[NUMBERS];
    ead_ast_position(AST_MAP, AST_MAP, code);
    ck_assert_double_le(relative_difference(code, expected, NUMBERS, 1), 1e-7);
    free(expected);
}
END_TEST

START_TEST(steps_are_those_of_pytorch) {
    /* a gradient where a ReLU falls on the other side, and Adam's quotient of small ones, keep fewer digits */
    const Bounds bounds = {1e-5, 1e-5, 1e-4, 1e-4};
    EadAst *model = new_model(AST_SIDE, AST_SIDE);
    check_ast_teacher(golden, model, bounds);
    check_ast_student(golden, model, bounds);
    ead_model_free(&model->base);
}
END_TEST

/* An untrained teacher is a change of order: z has the numbers of the features, whose determinant is 1. */
START_TEST(a_fresh_teacher_changes_nothing) {
    EadAst *model = new_model(AST_SIDE, AST_SIDE);
    AstGraph g = new_ast_graph();
    double features = 0, numbers = 0;
    ead_ast_initialize(model, 3);
    EadAstLoss loss = ead_ast_teacher_loss(g.graph, model, g.features);
    EadNode *z = ead_keep(ead_ast_teacher(g.graph, model, g.features, false, NULL));
    ead_keep(loss.logdet), ead_keep(loss.squares);
    plan_ast_graph(&g);
    ead_plan_run(g.plan);
    ck_assert(*(real *)loss.logdet->y.data == 0);
    for (int64_t i = 0; i < ead_count(&z->y); i++) {
        features += (double)((real *)g.features->y.data)[i] * (double)(i / AST_CHANNELS + 1);
        numbers += (double)((real *)z->y.data)[i] * (double)(i / AST_CHANNELS + 1); /* position by position */
    }
    ck_assert_double_eq_tol(numbers, features, 1e-9 * fabs(features));
    free_ast_graph(&g);
    ead_model_free(&model->base);
}
END_TEST

/* ---- plans ---- */

/* So many steps of the trainer's own, planned so; what was trained is in the model. */
static void train_steps(EadAst *model, bool student, bool no_reuse, int steps, float rows[][5]) {
    EadAstOptions options = {.batch = AST_IMAGES, .rate = 1e-3, .weight_decay = 1e-5, .student = student};
    EadPlanOptions plan = {.no_reuse = no_reuse};
    EadTrainFeatures features = {.inputs = 0};
    EadStep *step = calloc(1, sizeof *step);
    static uint16_t slot[AST_IMAGES * AST_MAP * AST_MAP * AST_CHANNELS];
    int read;
    ASSERT_OK(ead_ast_step_new(model, &options, &features, &plan, step));
    ck_assert_uint_eq(ead_step_slot_bytes(step), sizeof slot);
    for (int i = 0; i < steps; i++) {
        for (int64_t k = 0; k < (int64_t)(sizeof slot / sizeof *slot); k++)
            slot[k] = ead_half_from_float((float)drawn("slots", k + i));
        ead_step_run(step, (const uint8_t *)slot);
    }
    ASSERT_OK(ead_step_losses(step, &rows[0][0], &read));
    ck_assert_int_eq(read, steps);
    ead_step_free(step);
    ead_train_features_close(&features);
    free(step);
}

/* A phase leaves what the other trains alone, and its losses stand in their columns. */
START_TEST(a_plan_changes_no_bit) {
    EadAst *models[2];
    float rows[2][AST_STEPS][5];
    bool student = _i;
    for (int k = 0; k < 2; k++) {
        models[k] = new_model(AST_SIDE, AST_SIDE);
        train_steps(models[k], student, k, AST_STEPS, rows[k]);
    }
    EadAst *fresh = new_model(AST_SIDE, AST_SIDE);
    size_t bytes = (size_t)fresh->teacher.total * sizeof(real);
    size_t student_bytes = (size_t)fresh->student.total * sizeof(real);
    size_t running_bytes = (size_t)4 * 2 * AST_HIDDEN * sizeof(real);
    ck_assert_mem_eq(rows[0], rows[1], sizeof rows[0]);
    ck_assert_mem_eq(models[0]->teacher.values, models[1]->teacher.values, bytes);
    ck_assert_mem_eq(models[0]->student.values, models[1]->student.values, student_bytes);
    ck_assert_mem_eq(models[0]->running, models[1]->running, running_bytes);
    ck_assert((memcmp(models[0]->teacher.values, fresh->teacher.values, bytes) == 0) == student);
    ck_assert((memcmp(models[0]->student.values, fresh->student.values, student_bytes) == 0) == !student);
    ck_assert((memcmp(models[0]->running, fresh->running, running_bytes) == 0) == !student);
    for (int s = 0; s < AST_STEPS; s++) {
        const float *row = rows[0][s];
        ck_assert((row[0] != 0) == !student && (row[1] != 0) == !student && (row[2] != 0) == student);
        ck_assert_double_eq_tol(row[3], student ? (double)row[2] : (double)row[0] - (double)row[1], 1e-4);
    }
    for (int k = 0; k < 2; k++) ead_model_free(&models[k]->base);
    ead_model_free(&fresh->base);
}
END_TEST

/* ---- the detector ---- */

enum { JUDGED = 30, HEIGHT = 64, WIDTH = 48 };

/* The score of the judged image, and the cells [16][12] that its map is resized from. */
static float cells_of(const EadAst *model, float cells[16 * 12]) {
    EadGraph *graph = ead_graph_new();
    EadNode *features[EAD_TAPS_CHOSEN],
        *images = ead_leaf(graph, "images", EAD_U8, 1, HEIGHT, WIDTH, 3, NULL);
    EadPlan *plan;
    EadDetection detection = ead_ast_build(graph, &model->base, images);
    ead_backbone_build(graph, &model->backbone, images, &model->spec.taps, features);
    EadNode *z = ead_ast_teacher(graph, model, features[0], false, NULL);
    EadNode *d = ead_squared_difference(graph, z, ead_ast_student(graph, model, features[0], false));
    EadNode *map = ead_keep(ead_channel_mean(graph, d));
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image(JUDGED, HEIGHT, WIDTH, images->y.data);
    ead_plan_run(plan);
    ck_assert_int_eq(ead_count(&map->y), 16 * 12);
    memcpy(cells, map->y.data, sizeof(float) * 16 * 12);
    float score = *(const float *)detection.score->y.data;
    ead_plan_free(plan);
    ead_graph_free(graph);
    return score;
}

/* The mean of the cells, of those that a mask leaves. */
START_TEST(the_score_is_a_mean) {
    static uint8_t mask[HEIGHT * WIDTH];
    EadImage image = {.pixels = mask, .width = WIDTH, .height = HEIGHT, .channels = 1};
    static float cells[16 * 12];
    static real inside[16 * 12];
    EadAst *model = new_model(HEIGHT, WIDTH);
    float score, *map = golden_map(&model->base, JUDGED, &score);
    double sum = 0;
    ck_assert_float_eq(score, cells_of(model, cells));
    for (int i = 0; i < 16 * 12; i++) sum += (double)cells[i];
    ck_assert_double_eq_tol(score, sum / (16 * 12), 1e-6 * score);
    ck_assert(largest(map, HEIGHT * WIDTH) > score && map[0] == cells[0]); /* a corner is not mixed */
    for (int p = 0; p < HEIGHT * WIDTH; p++) mask[p] = p / WIDTH < 21 && p % WIDTH > 17;
    ASSERT_OK(ead_region_set_mask(&model->base.region, &image, WIDTH, HEIGHT));
    int count = ead_region_cells(&model->base.region, 16, 12, 0, inside);
    ck_assert(count > 10 && count < 100);
    score = cells_of(model, cells), sum = 0;
    for (int i = 0; i < 16 * 12; i++) sum += (double)inside[i] * (double)cells[i];
    ck_assert_double_eq_tol(score, sum / count, 3e-6 * score);
    free(map);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(files_give_the_same_model_back) {
    EadAst *model = new_model(HEIGHT, WIDTH);
    float before_score, after_score;
    for (int i = 0; i < 4 * 2 * AST_HIDDEN; i++) model->running[i] += (real)0.01 * (real)(i % 7);
    ead_ast_merge(model);
    float *before = golden_map(&model->base, JUDGED, &before_score);
    EadModel *read =
        reopened(&model->base, SCRATCH "model.safetensors",
                 "AST at 64x48 on resnet18's layer1, a flow of 4 blocks (16 hidden), a student of 2 (16)");
    float *after = golden_map(read, JUDGED, &after_score);
    ck_assert(memcmp(before, after, sizeof *before * HEIGHT * WIDTH) == 0 && before_score == after_score);
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

static const struct Spoiled {
    const char *key, *value, *words;
} spoiled[] = {
    {"blocks", "5", "tensor 'teacher.3.first.conv1.weight' has shape [16,64,5,5]"},
    {"blocks", "3", "tensor 'teacher.2.first.conv1.weight' has shape [16,64,3,3]"},
    {"blocks", "17", "metadata 'blocks' is '17', expected a number from 1 to 16"},
    {"blocks", "", "metadata 'blocks' is ''"},
    {"teacher_hidden", "17", "tensor 'teacher.0.first.conv1.weight' has shape [16,64,3,3]"},
    {"teacher_hidden", "1e300", "metadata 'teacher_hidden' is '1e300'"},
    {"student_hidden", "0", "metadata 'student_hidden' is '0'"},
    {"student_hidden", "8", "tensor 'student.conv1.weight' has shape [16,96,3,3]"},
    {"student_blocks", "3", "tensor 'student.2.conv1.weight' is missing"},
    {"student_blocks", "1", "more have no place in AST at 64x48"},
    {"clamp", "0", "metadata 'clamp' is '0'"},
    {"clamp", "nan", "metadata 'clamp' is 'nan'"},
    {"slope", "1", "metadata 'slope' is '1'"},
    {"layer", "layer9", "metadata 'layer' is 'layer9'"},
    {"layer", "layer1,layer2", "metadata 'layer' is 'layer1,layer2'"},
    {"layer", "layer2", "tensor 'teacher.0.first.conv1.weight' has shape [16,64,3,3]"},
    {"backbone", "resnet19", "metadata 'backbone' is 'resnet19'"},
    {"image_size", "99999999", "bad.safetensors"},
    {NULL, NULL, "tensor 'student.1.norm2.running_var' holds a variance of -1"},
};

START_TEST(bad_files_are_refused) {
    const struct Spoiled *bad = &spoiled[_i];
    EadAst *model = new_model(HEIGHT, WIDTH);
    if (!bad->key) model->running[4 * 2 * AST_HIDDEN - 1] = -1;
    check_bad_file(&model->base, SCRATCH "bad.safetensors", bad->key, bad->value, bad->words);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(the_last_feature_where_none_is_named) {
    static const char *const last[][2] = {
        {"resnet18", "layer3"}, {"efficientnet_b5", "stride32"}, {"pdn_small", "stride16"}};
    EadBackbone backbone;
    EadTaps taps;
    char text[64];
    for (int i = 0; i < 3; i++) {
        ASSERT_OK(ead_backbone_new(last[i][0], &backbone));
        ASSERT_OK(ead_ast_find_tap(&backbone, "", &taps));
        ead_backbone_taps_text(&backbone, &taps, text, sizeof text);
        ck_assert_str_eq(text, last[i][1]);
        if (i == 2) {
            ASSERT_FAILS(ead_ast_find_tap(&backbone, "stride4,stride8", &taps), EAD_BAD_ARGUMENT,
                         "'stride4,stride8' names 2 features; name one");
            ASSERT_FAILS(ead_ast_find_tap(&backbone, "layer1", &taps), EAD_BAD_ARGUMENT,
                         "it has stride4|stride8|stride16");
        }
        ead_backbone_free(&backbone);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ast");
    TCase *tests = tcase_create("ast");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, orders_are_those_of_numpy);
    tcase_add_test(tests, positions_have_their_code);
    tcase_add_test(tests, steps_are_those_of_pytorch);
    tcase_add_test(tests, a_fresh_teacher_changes_nothing);
    tcase_add_loop_test(tests, a_plan_changes_no_bit, 0, 2);
    tcase_add_test(tests, the_score_is_a_mean);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)(sizeof spoiled / sizeof *spoiled));
    tcase_add_test(tests, the_last_feature_where_none_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
