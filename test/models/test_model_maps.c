/* Whole maps of EfficientAD-S and -M against PyTorch in float64 (test/golden/maps.safetensors): at most 1e-4.
 */
#include "test/support/sample_models.h"

#include "models/efficientad/model.h"
#include "core/plan/plan.h"

static void check_map(const char *what, const float *got, const double *expected, int64_t count) {
    double difference = relative_difference(got, expected, count, 1);
    printf("  %-50s %.1e\n", what, difference);
    ck_assert_msg(difference <= 1e-4, "%s differs by %g", what, difference);
}

static void check_raw(const EadSafetensors *file, const char *prefix, const char *name, const EadNode *node) {
    double expected[64 * 64];
    char what[96];
    snprintf(what, sizeof what, "%s.%s", prefix, name);
    golden_vector(file, prefix, name, ead_count(&node->y), expected);
    check_map(what, node->y.data, expected, ead_count(&node->y));
}

static void check_combined(const EadSafetensors *file, const char *prefix, const EadEfficientadSpec *spec,
                           const float *map) {
    double expected[64 * 64], score;
    float sampled[64 * 64], largest = -INFINITY;
    int count = 0;
    for (int y = 0; y < spec->height; y += 4)
        for (int x = 0; x < spec->width; x += 4) sampled[count++] = map[y * spec->width + x];
    for (int i = 0; i < spec->height * spec->width; i++) largest = map[i] > largest ? map[i] : largest;
    golden_vector(file, prefix, "combined", count, expected);
    golden_vector(file, prefix, "score", 1, &score);
    check_map(prefix, sampled, expected, count);
    ck_assert_double_eq_tol((double)largest, score, 1e-4 * fabs(score));
}

static void check_case(const char *prefix, EadEfficientadSpec spec) {
    EadSafetensors *file;
    ck_assert_msg(ead_safetensors_open("test/golden/maps.safetensors", &file) == EAD_OK, "%s",
                  ead_error_message());
    EadEfficientad *model = golden_model(file, prefix, spec);
    double quantiles[EAD_MAP_COUNT][2];
    golden_vector(file, prefix, "quantiles", 4, &quantiles[0][0]);
    ck_assert_int_eq(ead_efficientad_set_map_statistics(model, EAD_MAPS_QUANTILE, quantiles), EAD_OK);
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, spec.height, spec.width, 3, NULL);
    EadMaps maps = ead_build_maps(graph, model, images);
    ead_keep(maps.raw[EAD_MAP_ST]);
    ead_keep(maps.raw[EAD_MAP_AE]);
    EadPlan *plan;
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    golden_image(3, spec.height, spec.width, images->y.data);
    ead_plan_run(plan);
    check_raw(file, prefix, "map_st", maps.raw[EAD_MAP_ST]);
    check_raw(file, prefix, "map_ae", maps.raw[EAD_MAP_AE]);
    check_combined(file, prefix, &spec, maps.combined->y.data);
    ead_plan_free(plan);
    ead_graph_free(graph);
    ead_efficientad_free(model);
    ead_safetensors_close(file);
}

START_TEST(small_unpadded) {
    check_case("small_unpadded_256x256", (EadEfficientadSpec){EAD_PDN_SMALL, false, 256, 256, true});
}
END_TEST

START_TEST(small_padded) {
    check_case("small_padded_256x256", (EadEfficientadSpec){EAD_PDN_SMALL, true, 256, 256, true});
}
END_TEST

START_TEST(medium_unpadded) {
    check_case("medium_unpadded_256x256", (EadEfficientadSpec){EAD_PDN_MEDIUM, false, 256, 256, true});
}
END_TEST

START_TEST(medium_padded) {
    check_case("medium_padded_256x256", (EadEfficientadSpec){EAD_PDN_MEDIUM, true, 256, 256, true});
}
END_TEST

START_TEST(not_square) {
    check_case("small_unpadded_128x192", (EadEfficientadSpec){EAD_PDN_SMALL, false, 128, 192, true});
    check_case("small_padded_192x128", (EadEfficientadSpec){EAD_PDN_SMALL, true, 192, 128, true});
}
END_TEST

/* Number of weights and biases, without the gaps between them. */
static int64_t params_size(const EadParams *params) {
    int64_t size = 0;
    for (int i = 0; i < params->count; i++) {
        const EadParam *param = &params->items[i];
        size += (int64_t)param->n * param->h * param->w * param->c;
    }
    return size;
}

/* 256^2: 8.058 M parameters in S, 20.738 M in M (the paper's Table 16), 1,096,320 of them in the autoencoder.
 */
START_TEST(parameter_counts) {
    EadEfficientad *small, *medium;
    ck_assert_int_eq(ead_efficientad_new(&(EadEfficientadSpec){EAD_PDN_SMALL, false, 256, 256, true}, &small),
                     EAD_OK);
    ck_assert_int_eq(
        ead_efficientad_new(&(EadEfficientadSpec){EAD_PDN_MEDIUM, false, 256, 256, true}, &medium), EAD_OK);
    ck_assert_int_eq(params_size(&small->teacher), 2694144);
    ck_assert_int_eq(params_size(&small->teacher) + params_size(&small->trained), 8057856);
    ck_assert_int_eq(params_size(&medium->teacher) + params_size(&medium->trained), 20738432);
    ead_efficientad_free(small);
    ead_efficientad_free(medium);
}
END_TEST

START_TEST(impossible_sizes) {
    EadEfficientad *model;
    const int sizes[][2] = {{60, 64}, {102, 128}, {256, 250}, {2052, 256}, {0, 0}, {-128, 128}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        EadEfficientadSpec spec = {EAD_PDN_SMALL, false, sizes[i][0], sizes[i][1], true};
        ck_assert_int_eq(ead_efficientad_new(&spec, &model), EAD_BAD_SHAPE);
        ck_assert_ptr_nonnull(strstr(ead_error_message(), "multiples of 4 from 64"));
    }
}
END_TEST

/* Every multiple of 4 must build, and the autoencoder's output must fit the PDN's; cells, with the border that is not seen,
 * must have 4 pixels. */
START_TEST(possible_sizes_build) {
    for (int height = 64; height <= 1024; height += 4)
        for (int width = height; width <= 2048; width += 444) {
            EadEfficientad *model;
            EadEfficientadSpec spec = {EAD_PDN_SMALL, height % 8 == 0, height, width, true};
            ck_assert_int_eq(ead_efficientad_map_height(&spec) + 2 * ead_efficientad_unseen_cells(&spec),
                             height / 4);
            ck_assert_msg(ead_efficientad_new(&spec, &model) == EAD_OK, "%s", ead_error_message());
            EadGraph *graph = ead_graph_new();
            EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, height, width, 3, NULL);
            EadMaps maps = ead_build_maps(graph, model, images);
            ck_assert_msg(ead_graph_status(graph) == EAD_OK, "%dx%d: %s", height, width, ead_error_message());
            ck_assert_int_eq(maps.combined->y.h, height);
            ck_assert_int_eq(maps.combined->y.w, width);
            ead_graph_free(graph);
            ead_efficientad_free(model);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("model_maps");
    TCase *tests = tcase_create("model_maps");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, small_unpadded);
    tcase_add_test(tests, small_padded);
    tcase_add_test(tests, medium_unpadded);
    tcase_add_test(tests, medium_padded);
    tcase_add_test(tests, not_square);
    tcase_add_test(tests, parameter_counts);
    tcase_add_test(tests, impossible_sizes);
    tcase_add_test(tests, possible_sizes_build);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
