/* EAD_DEBUG: the plan as a table, and the first node whose output holds a NaN, on the host and on a
 * device. */
#include "core/ops/add/add.h"
#include "core/ops/mean/mean.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/plan/plan.h"
#include "models/detector.h"
#include "test/support/fake_device.h"
#include "test/support/suite.h"
#include "test/support/sample_models.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { SIDE = 4, CHANNELS = 3, COUNT = 2 * SIDE * SIDE * CHANNELS };

/* images -> resized (whole numbers: the same values) -> + offsets -> relu -> mean. */
typedef struct Chain {
    real offsets[COUNT];
    EadGraph *graph;
    EadNode *images, *sum, *mean;
    EadPlan *plan;
} Chain;

static void plan_chain(Chain *c, const EadPlanOptions *options) {
    memset(c->offsets, 0, sizeof c->offsets);
    c->graph = ead_graph_new();
    c->images = ead_leaf(c->graph, "images", EAD_REAL, 2, SIDE, SIDE, CHANNELS, NULL);
    EadNode *offsets = ead_leaf(c->graph, "offsets", EAD_REAL, 2, SIDE, SIDE, CHANNELS, c->offsets);
    c->sum = ead_add(c->graph, ead_resize_bilinear(c->graph, c->images, SIDE, SIDE), offsets);
    c->mean = ead_keep(ead_mean(c->graph, ead_relu(c->graph, c->sum)));
    ASSERT_OK(ead_plan_new(c->graph, options, &c->plan));
}

static void free_chain(Chain *c) {
    ead_plan_free(c->plan);
    ead_graph_free(c->graph);
    unsetenv("EAD_DEBUG");
}

static EadStatus run_chain(Chain *c, real *mean) {
    real images[COUNT];
    for (int i = 0; i < COUNT; i++) images[i] = 1;
    ead_plan_write(c->plan, c->images, images);
    ead_plan_run(c->plan);
    return ead_plan_read(c->plan, c->mean, mean);
}

/* The 8th value of the second image is pixel (0,2), channel 1. */
static void check_nan_is_named(const EadPlanOptions *options) {
    Chain c;
    real mean;
    setenv("EAD_DEBUG", "graph,nan", 1);
    plan_chain(&c, options);
    ASSERT_OK(run_chain(&c, &mean));
    ck_assert(mean == 1);
    c.offsets[COUNT / 2 + 7] = (real)NAN;
    c.offsets[COUNT / 2 + 11] = (real)INFINITY;
    ead_plan_update_weights(c.plan);
    ck_assert_int_eq(run_chain(&c, &mean), EAD_NOT_FINITE);
    ck_assert_str_eq(ead_error_message(),
                     "node 3 'add' (add) [2,4,4,3]: 2 of 96 values are not finite, the first at [1,0,2,1] is "
                     "nan; its inputs are 2 'resize_bilinear', 1 'offsets'");
    ck_assert_int_eq(ead_plan_synchronize(c.plan), EAD_NOT_FINITE);
    free_chain(&c);
}

START_TEST(nan_is_named_by_node_on_the_host) {
    check_nan_is_named(NULL);
}
END_TEST

START_TEST(nan_is_named_by_node_on_a_device) {
    fake_device_start(1, SIZE_MAX);
    check_nan_is_named(&(EadPlanOptions){.backend = &fake_backend});
    ck_assert_int_eq(fake_device_leaks(), 0);
    ck_assert_int_eq(fake_device_graphs(), 0); /* call by call, or nothing could be looked at */
}
END_TEST

START_TEST(without_the_variable_a_nan_passes) {
    static const char *const values[] = {"", "graph", "nano", "na"};
    for (int i = 0; i < 4; i++) {
        Chain c;
        real mean;
        setenv("EAD_DEBUG", values[i], 1);
        plan_chain(&c, NULL);
        c.offsets[3] = (real)NAN;
        ASSERT_OK(run_chain(&c, &mean));
        ck_assert(isnan(mean));
        free_chain(&c);
    }
}
END_TEST

/* What a user sees: an error where the map is fetched, with the layer's parameters by name. */
START_TEST(inference_returns_it) {
    static uint8_t images[TINY_SIDE * TINY_SIDE * 3];
    EadEfficientad *model = tiny_model();
    EadDetector *detector;
    const float *map;
    setenv("EAD_DEBUG", "nan", 1);
    ASSERT_OK(ead_detector_new(&model->base, &(EadPlanOptions){.backend = &ead_backend_cpu}, 1, &detector));
    ASSERT_OK(ead_detector_run_batch(detector, images, &map));
    for (int64_t i = 0; i < model->teacher.total; i++) model->teacher.values[i] = (real)NAN;
    ead_plan_update_weights(ead_detector_plan(detector));
    ck_assert_int_eq(ead_detector_run_batch(detector, images, &map), EAD_NOT_FINITE);
    ck_assert_msg(strstr(ead_error_message(), "'teacher.conv1.weight'") != NULL, "%s", ead_error_message());
    ead_detector_close(detector);
    ead_efficientad_free(model);
    unsetenv("EAD_DEBUG");
}
END_TEST

START_TEST(plan_is_printed) {
    Chain c;
    char text[4096], *lines[8], *rest = NULL;
    FILE *stream = fmemopen(text, sizeof text, "w");
    plan_chain(&c, &(EadPlanOptions){.print = stream});
    fclose(stream);
    int count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line && count < 8; line = strtok_r(NULL, "\n", &rest))
        lines[count++] = line;
    ck_assert_int_eq(count, 2 + 6);
    ck_assert_ptr_nonnull(strstr(lines[0], "plan of 4 calls on cpu"));
    ck_assert_ptr_nonnull(strstr(lines[2], "leaf"));
    ck_assert_ptr_nonnull(strstr(lines[2], "images"));
    ck_assert_ptr_nonnull(strstr(lines[2], "[2,4,4,3]"));
    ck_assert_ptr_nonnull(strstr(lines[2], " 384 "));
    ck_assert_ptr_nonnull(strstr(lines[3], "caller's")); /* offsets */
    ck_assert_ptr_nonnull(strstr(lines[4], "resize_bilinear"));
    ck_assert_ptr_nonnull(strstr(lines[7], "[1,1,1,1]"));
    free_chain(&c);
}
END_TEST

int main(void) {
    omp_set_num_threads(1);
    Suite *suite = suite_create("plan_debug");
    TCase *tests = tcase_create("plan_debug");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, nan_is_named_by_node_on_the_host);
    tcase_add_test(tests, nan_is_named_by_node_on_a_device);
    tcase_add_test(tests, without_the_variable_a_nan_passes);
    tcase_add_test(tests, inference_returns_it);
    tcase_add_test(tests, plan_is_printed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
