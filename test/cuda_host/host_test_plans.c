/* Whole graphs on the host runner against the CPU: every op case with its gradients, a training step, the
 * maps of a detector; in fp32 to rounding, in the other formats within what these allow. And bit for bit the
 * same however the plan is laid out and in whatever order threads run. */
#include "test/cuda_host/host_runner_c.h"
#include "test/cuda_host/tiny_networks.h"
#include "test/support/suite.h"
#include "test/support/op_cases.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static EadPlanOptions cuda(EadPrecision precision) {
    EadPlanOptions options = {.precision = precision};
    if (ead_backend_cuda(0, &options.backend) != EAD_OK) ck_abort_msg("%s", ead_error_message());
    return options;
}

/* The largest difference, as a part of the largest expected value. */
static double distance(const float *got, const float *expected, int64_t count) {
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(got[i]) && isnan(expected[i])) continue;
        largest = fmax(largest, fabs((double)expected[i]));
        double d = fabs((double)got[i] - (double)expected[i]);
        difference = d <= difference ? difference : d; /* a NaN is kept, too */
    }
    return difference == 0 ? 0 : difference / largest;
}

/* ---- op cases ---- */

enum { MAX_RESULTS = OP_CASE_INPUTS + 1 };

typedef struct Results {
    float *values[MAX_RESULTS]; /* of y, then of each dx */
    int64_t counts[MAX_RESULTS];
} Results;

static void read_value(const EadPlan *plan, const EadNode *node, float **values, int64_t *count) {
    if (!node || node->y.type != EAD_REAL) return;
    *count = ead_count(&node->y);
    *values = malloc((size_t)*count * sizeof **values);
    if (ead_plan_read(plan, node, *values) != EAD_OK) ck_abort_msg("%s", ead_error_message());
}

/* Of two runs: the second must find everything as the first did. */
static Results run_case(const OpCase *op_case, const EadPlanOptions *options) {
    OpCaseGraph built;
    Results results = {{NULL}, {0}};
    if (op_case_build(op_case, &built) != EAD_OK || op_case_plan(&built, options) != EAD_OK)
        ck_abort_msg("%s: %s", op_case->name, ead_error_message());
    ead_plan_run(built.plan);
    if (strncmp(op_case->name, "adam", 4) != 0) ead_plan_run(built.plan);
    read_value(built.plan, built.y, &results.values[0], &results.counts[0]);
    for (int k = 0; k < OP_CASE_INPUTS; k++)
        read_value(built.plan, built.dx[k], &results.values[k + 1], &results.counts[k + 1]);
    op_case_free(&built);
    return results;
}

static void free_results(Results *results) {
    for (int i = 0; i < MAX_RESULTS; i++) free(results->values[i]);
}

static void check_results(const char *name, const Results *got, const Results *expected, double allowed) {
    for (int i = 0; i < MAX_RESULTS; i++) {
        ck_assert_int_eq(got->counts[i], expected->counts[i]);
        double off = expected->values[i] ? distance(got->values[i], expected->values[i], got->counts[i]) : 0;
        ck_assert_msg(off <= allowed, "%s: result %d is off by %g of the largest", name, i, off);
    }
}

START_TEST(cases_agree_with_the_cpu) {
    const OpCase *op_case = op_case_at(_i);
    EadPlanOptions options = cuda(EAD_PRECISION_FP32);
    Results expected = run_case(op_case, NULL), got = run_case(op_case, &options), other;
    check_results(op_case->name, &got, &expected, 4e-6);
    options.no_reuse = true;
    options.streams = 1;
    ead_host_descend(true);
    other = run_case(op_case, &options);
    ead_host_descend(false);
    check_results(op_case->name, &other, &got, 0);
    free_results(&other);
    options = cuda(EAD_PRECISION_BF16);
    other = run_case(op_case, &options);
    /* Rounding moves a quantile past elements, which then count as a whole, and turns a ReLU on or off here
     * and there, which a gradient over few pixels shows. */
    if (!strstr(op_case->name, "hard") && !strstr(op_case->name, "chain"))
        check_results(op_case->name, &other, &expected, 0.05);
    free_results(&other), free_results(&got), free_results(&expected);
}
END_TEST

/* ---- a training step ---- */

enum { STEPS = 4 };

typedef struct HostTrained {
    float losses[STEPS][TINY_LOSSES];
    TinyNetworks tiny;
} HostTrained;

enum { ONE_IMAGE = TINY_IMAGE * TINY_IMAGE * 3 };

/* Puts the teacher's features on the training image of each step where that step will draw them. */
static void keep_teacher(const EadPlanOptions *options, TinyNetworks *tiny, const EadPlan *to,
                         const EadNode *table) {
    uint8_t batch[TINY_BATCH * ONE_IMAGE];
    EadGraph *graph = ead_graph_new();
    EadNode *image, *features = tiny_build_teacher(graph, tiny, &image);
    EadPlan *plan;
    const void *value;
    if (ead_plan_new(graph, options, &plan) != EAD_OK) ck_abort_msg("%s", ead_error_message());
    for (uint64_t s = 0; s < STEPS; s++) {
        tiny_fill_images(s, batch);
        ead_plan_write(plan, image, batch + ONE_IMAGE);
        ead_plan_run(plan);
        ck_assert_int_eq(ead_plan_fetch(plan, features, &value), EAD_OK);
        ead_plan_write_image(to, table, tiny_drawn(s, STEPS), value);
    }
    ead_plan_free(plan);
    ead_graph_free(graph);
}

static void train_with(const EadPlanOptions *options, bool keeps_teacher, HostTrained *out) {
    uint8_t batch[TINY_BATCH * ONE_IMAGE];
    int64_t rows = STEPS;
    EadNode *images, *losses[TINY_LOSSES], *table = NULL, *drawn = NULL;
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    tiny_networks_new(&out->tiny);
    if (keeps_teacher) table = tiny_build_table(graph, &out->tiny, &rows, &drawn);
    tiny_build_step(graph, &out->tiny, drawn, &images, losses);
    if (ead_plan_new(graph, options, &plan) != EAD_OK) ck_abort_msg("%s", ead_error_message());
    if (keeps_teacher) keep_teacher(options, &out->tiny, plan, table);
    for (int s = 0; s < STEPS; s++) {
        tiny_fill_images((uint64_t)s, batch);
        ead_plan_write(plan, images, batch);
        ead_plan_run(plan);
        for (int i = 0; i < TINY_LOSSES; i++)
            ck_assert_int_eq(ead_plan_read(plan, losses[i], &out->losses[s][i]), EAD_OK);
    }
    ck_assert_int_eq(ead_plan_download(plan), EAD_OK);
    ck_assert_int_eq(out->tiny.done, STEPS);
    ead_plan_free(plan);
    ead_graph_free(graph);
}

static void train(const EadPlanOptions *options, HostTrained *out) {
    train_with(options, false, out);
}

static void check_losses(const HostTrained *got, const HostTrained *expected, double allowed) {
    for (int s = 0; s < STEPS; s++)
        for (int i = 0; i < TINY_LOSSES; i++) {
            double off = fabs((double)got->losses[s][i] / (double)expected->losses[s][i] - 1);
            ck_assert_msg(off <= allowed, "step %d, loss %d: %g, on the CPU %g", s, i,
                          (double)got->losses[s][i], (double)expected->losses[s][i]);
        }
}

START_TEST(training_follows_the_cpu) {
    HostTrained expected, got;
    train(NULL, &expected);
    EadPlanOptions options = cuda(EAD_PRECISION_FP32);
    train(&options, &got);
    check_losses(&got, &expected, 1e-5);
    const EadParams *p = &got.tiny.trained, *q = &expected.tiny.trained;
    double off = distance(p->values, q->values, p->total);
    ck_assert_msg(off <= 1e-4, "parameters are off by %g of the largest", off);
    tiny_networks_free(&got.tiny);
    options = cuda(EAD_PRECISION_TF32);
    train(&options, &got);
    check_losses(&got, &expected, 2e-3);
    tiny_networks_free(&got.tiny);
    options = cuda(EAD_PRECISION_BF16);
    train(&options, &got);
    check_losses(&got, &expected, 2e-2);
    tiny_networks_free(&got.tiny);
    tiny_networks_free(&expected.tiny);
}
END_TEST

static void check_same_and_free(HostTrained *a, HostTrained *b) {
    const EadParams *p = &a->tiny.trained, *q = &b->tiny.trained;
    ck_assert_mem_eq(p->values, q->values, (size_t)p->total * sizeof *p->values);
    ck_assert_mem_eq(a->losses, b->losses, sizeof a->losses);
    tiny_networks_free(&a->tiny);
    tiny_networks_free(&b->tiny);
}

START_TEST(training_gives_the_same_bits_however_it_is_run) {
    const EadPrecision precisions[] = {EAD_PRECISION_FP32, EAD_PRECISION_BF16};
    for (int k = 0; k < 2; k++) {
        HostTrained first, other;
        EadPlanOptions options = cuda(precisions[k]);
        train(&options, &first);
        options.no_reuse = options.no_capture = true;
        options.streams = 1;
        ead_host_descend(true);
        train(&options, &other);
        ead_host_descend(false);
        check_same_and_free(&first, &other);
    }
}
END_TEST

/* In bf16, too, where the features that are computed are stored in 16 bits and those that are kept are not.
 */
START_TEST(a_kept_teacher_gives_the_same_bits) {
    const EadPrecision precisions[] = {EAD_PRECISION_FP32, EAD_PRECISION_TF32, EAD_PRECISION_BF16};
    for (int k = 0; k < 3; k++) {
        HostTrained computed, kept;
        EadPlanOptions options = cuda(precisions[k]);
        train_with(&options, false, &computed);
        train_with(&options, true, &kept);
        check_same_and_free(&computed, &kept);
    }
}
END_TEST

/* ---- maps ---- */

enum { MAP_VALUES = TINY_BATCH * TINY_IMAGE * TINY_IMAGE };

static void make_maps(const EadPlanOptions *options, float maps[MAP_VALUES]) {
    uint8_t batch[TINY_BATCH * TINY_IMAGE * TINY_IMAGE * 3];
    TinyNetworks tiny;
    EadGraph *graph = ead_graph_new();
    EadNode *images;
    EadPlan *plan;
    tiny_networks_new(&tiny);
    EadNode *combined = tiny_build_maps(graph, &tiny, &images);
    if (ead_plan_new(graph, options, &plan) != EAD_OK) ck_abort_msg("%s", ead_error_message());
    tiny_fill_images(9, batch);
    ead_plan_write(plan, images, batch);
    ead_plan_run(plan);
    ck_assert_int_eq(ead_plan_read(plan, combined, maps), EAD_OK);
    ead_plan_free(plan);
    ead_graph_free(graph);
    tiny_networks_free(&tiny);
}

START_TEST(maps_agree_with_the_cpu) {
    static const struct {
        EadPrecision precision;
        double allowed; /* of the range */
    } formats[] = {{EAD_PRECISION_FP32, 1e-5},
                   {EAD_PRECISION_TF32, 5e-3},
                   {EAD_PRECISION_FP16, 1e-2},
                   {EAD_PRECISION_BF16, 3e-2}};
    float expected[MAP_VALUES], got[MAP_VALUES];
    make_maps(NULL, expected);
    for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
        EadPlanOptions options = cuda(formats[k].precision);
        make_maps(&options, got);
        double off = distance(got, expected, MAP_VALUES);
        ck_assert_msg(off <= formats[k].allowed, "%s: off by %g", ead_precision_name(formats[k].precision),
                      off);
    }
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* thousands of tiny runs */
    Suite *suite = suite_create("cuda plans on the host");
    TCase *tests = tcase_create("plans");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, cases_agree_with_the_cpu, 0, op_case_count());
    tcase_add_test(tests, training_follows_the_cpu);
    tcase_add_test(tests, training_gives_the_same_bits_however_it_is_run);
    tcase_add_test(tests, a_kept_teacher_gives_the_same_bits);
    tcase_add_test(tests, maps_agree_with_the_cpu);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
