/* FastFlow against FrEIA (test/golden/methods/fastflow_golden.py), and what its files give back and refuse. */
#include "test/methods/flow_inverse.h"
#include "test/methods/model_files.h"
#include "test/support/sample_models.h"

#define SCRATCH "build/scratch/test_fastflow/"

static EadSafetensors *golden;

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/fastflow.safetensors", &golden));
    make_folders(SCRATCH);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

static EadBackbone drawn_backbone(void) {
    EadBackbone backbone;
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    return backbone;
}

static EadFastflow *new_model(void) {
    EadBackbone backbone = drawn_backbone();
    return flow_model(&backbone);
}

START_TEST(steps_are_those_of_freia) {
    EadFastflow *model = new_model();
    /* a gradient where a ReLU falls on the other side, and Adam's quotient of small ones, keep fewer digits */
    check_flows(golden, model, (Bounds){1e-5, 1e-5, 1e-4, 1e-4});
    ead_model_free(&model->base);
}
END_TEST

START_TEST(the_flow_is_invertible) {
    EadFastflow *model = new_model();
    check_inverse(model, 1e-4);
    ead_model_free(&model->base);
}
END_TEST

enum { FLOW_JUDGED = 30 };

START_TEST(the_map_is_that_of_the_original) {
    EadFastflow *model = new_model();
    float score, *map = golden_map(&model->base, FLOW_JUDGED, &score);
    double *expected = golden_numbers(golden, "map", FLOW_SIDE * FLOW_SIDE);
    ck_assert_double_le(relative_difference(map, expected, FLOW_SIDE * FLOW_SIDE, 1), 1e-5);
    ck_assert(score == largest(map, FLOW_SIDE * FLOW_SIDE) && score < 0);
    free(map), free(expected);
    ead_model_free(&model->base);
}
END_TEST

/* The score is the map's maximum at the size of the model's input, whatever the image's own. */
START_TEST(the_score_is_taken_at_the_size_of_the_input) {
    enum { WIDE = 90, LOW = 41 };
    static uint8_t image[WIDE * LOW * 3], resized[FLOW_SIDE * FLOW_SIDE * 3];
    static float map[WIDE * LOW], input_map[FLOW_SIDE * FLOW_SIDE];
    EadFastflow *model = new_model();
    EadDetector *detector;
    float score, input_score;
    golden_image(31, LOW, WIDE, image);
    ASSERT_OK(ead_resize_u8(image, WIDE, LOW, 3, 3 * WIDE, resized, FLOW_SIDE, FLOW_SIDE));
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDE, LOW, 3 * WIDE, map, &score));
    ASSERT_OK((EadStatus)ead_detector_run(detector, resized, FLOW_SIDE, FLOW_SIDE, 3 * FLOW_SIDE, input_map,
                                          &input_score));
    ck_assert(score == input_score && score == largest(input_map, FLOW_SIDE * FLOW_SIDE));
    ck_assert(score > largest(map, WIDE * LOW));
    ead_detector_close(detector);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(files_give_the_same_model_back) {
    EadFastflow *model = new_model();
    float before_score, after_score, *before = golden_map(&model->base, FLOW_JUDGED, &before_score);
    EadModel *read = reopened(&model->base, SCRATCH "model.safetensors",
                              "FastFlow at 64x64, 4 couplings on resnet18's layer1,layer2");
    const EadFastflow *again = (const EadFastflow *)read;
    float *after = golden_map(read, FLOW_JUDGED, &after_score);
    ck_assert(memcmp(before, after, sizeof *before * FLOW_SIDE * FLOW_SIDE) == 0 &&
              before_score == after_score);
    ck_assert(
        memcmp(again->params.values, model->params.values, (size_t)model->params.total * sizeof(real)) == 0);
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

/* Orders of channels index memory. */
static void spoil_order(EadFastflow *model, int64_t value) {
    model->orders[1][128 + 5] = value;
}

static const struct Spoiled {
    int64_t order; /* of the sixth channel; -2: as it is */
    const char *key, *value, *words;
} spoiled[] = {
    {128, NULL, NULL, "tensor 'flow.layer2.1.order' is missing or is not an order of 128 channels"},
    {-1, NULL, NULL, "tensor 'flow.layer2.1.order'"},
    {INT64_MAX, NULL, NULL, "tensor 'flow.layer2.1.order'"},
    {-3, NULL, NULL, "tensor 'flow.layer2.1.order'"}, /* another channel twice */
    {-2, "couplings", "5", "tensor 'flow.layer1.4.conv1.weight' is missing"},
    {-2, "couplings", "3",
     "bad.safetensors: tensor 'flow.layer1.3.order' and 13 more have no place in "
     "FastFlow at 64x64, 3 couplings on resnet18's layer1,layer2"},
    {-2, "couplings", "3.5", "metadata 'couplings' is '3.5', expected a whole number"},
    {-2, "layers", "layer2", "more have no place in FastFlow at 64x64, 4 couplings on resnet18's layer2"},
    {-2, "couplings", "33", "metadata 'couplings' is '33', expected a number from 1 to 32"},
    {-2, "hidden_ratio", "2", "tensor 'flow.layer1.0.conv1.weight' has shape [32,32,3,3]"},
    {-2, "kernels", "5x5", "metadata 'kernels' is '5x5', expected mixed or 3x3"},
    {-2, "kernels", "3x3", "tensor 'flow.layer1.1.conv1.weight' has shape [32,32,1,1]"},
    {-2, "layers", "layer1,layer9", "metadata 'layers' is 'layer1,layer9'"},
    {-2, "layers", "layer1,layer1", "metadata 'layers' is 'layer1,layer1'"},
    {-2, "layers", "", "metadata 'layers' is ''"},
    {-2, "image_size", "128", "tensor 'flow.layer1.norm.weight' has shape [1,64,16,16]"},
    {-2, "backbone", "resnet19", "metadata 'backbone' is 'resnet19'"},
};

START_TEST(bad_files_are_refused) {
    const struct Spoiled *bad = &spoiled[_i];
    EadFastflow *model = new_model();
    if (bad->order != -2) spoil_order(model, bad->order == -3 ? model->orders[1][128 + 6] : bad->order);
    check_bad_file(&model->base, SCRATCH "bad.safetensors", bad->key, bad->value, bad->words);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(usual_features_where_none_are_named) {
    EadBackbone resnet = drawn_backbone(), pdn;
    EadTaps taps;
    char text[64];
    ASSERT_OK(ead_fastflow_find_taps(&resnet, "", &taps));
    ead_backbone_taps_text(&resnet, &taps, text, sizeof text);
    ck_assert_str_eq(text, "layer1,layer2,layer3");
    ASSERT_OK(ead_backbone_new("pdn_small", &pdn));
    ASSERT_OK(ead_fastflow_find_taps(&pdn, "", &taps));
    ead_backbone_taps_text(&pdn, &taps, text, sizeof text);
    ck_assert_str_eq(text, "stride8,stride16");
    ASSERT_OK(ead_fastflow_find_taps(&pdn, "stride4", &taps));
    ck_assert(taps.count == 1 && taps.at[0] == 0);
    ck_assert_int_eq(ead_fastflow_find_taps(&pdn, "layer1", &taps), EAD_BAD_ARGUMENT);
    assert_contains(ead_error_message(), "it has stride4|stride8|stride16");
    ead_backbone_free(&resnet);
    ead_backbone_free(&pdn);
}
END_TEST

/* An untrained flow keeps lengths up to what its small networks change; its log-determinant is small beside them. */
START_TEST(a_fresh_flow_changes_little) {
    EadFastflowSpec spec = {FLOW_SIDE, FLOW_SIDE, {1, {1}}, 8, EAD_FASTFLOW_3X3, 0.5, EAD_FILE_F32};
    EadBackbone backbone = drawn_backbone();
    EadFastflow *model;
    EadPlan *plan;
    EadGraph *graph = ead_graph_new();
    EadNode *features[EAD_TAPS_CHOSEN];
    ASSERT_OK(ead_fastflow_new(&spec, &backbone, &model));
    ead_fastflow_initialize(model, 3);
    ck_assert_int_eq(ead_params_find(&model->params, "flow.layer2.7.conv1.weight")->h, 3);
    ck_assert_int_eq(ead_params_find(&model->params, "flow.layer2.7.conv1.weight")->n, 32);
    features[0] = ead_leaf(graph, "features", EAD_REAL, 2, 8, 8, 128, NULL);
    EadFastflowLoss loss = ead_fastflow_loss(graph, model, features);
    ead_keep(loss.squares), ead_keep(loss.logdet);
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    draw_features(features[0], "layer2");
    ead_plan_run(plan);
    double squares = (double)*(real *)loss.squares->y.data, logdet = (double)*(real *)loss.logdet->y.data;
    ck_assert_double_eq_tol(squares, 0.5 * 8 * 8 * 128, 0.02 * 0.5 * 8 * 8 * 128);
    ck_assert_double_le(fabs(logdet), 0.02 * squares);
    ead_plan_free(plan);
    ead_graph_free(graph);
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fastflow");
    TCase *tests = tcase_create("fastflow");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, steps_are_those_of_freia);
    tcase_add_test(tests, the_flow_is_invertible);
    tcase_add_test(tests, the_map_is_that_of_the_original);
    tcase_add_test(tests, the_score_is_taken_at_the_size_of_the_input);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)(sizeof spoiled / sizeof *spoiled));
    tcase_add_test(tests, usual_features_where_none_are_named);
    tcase_add_test(tests, a_fresh_flow_changes_little);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
