/* The fused layer against the same layer as two ops: equal up to the order of sums. */
#include "test/support/suite.h"

#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/conv2d_pool/conv2d_pool.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

typedef struct PoolCase {
    int n, h, w, i, o, kernel, stride, padding, pool_padding;
    bool relu, bias;
} PoolCase;

static const PoolCase cases[] = {
    {1, 64, 64, 3, 128, 4, 1, 0, 0, true, true},   {2, 61, 53, 3, 128, 4, 1, 3, 1, true, true},
    {1, 256, 9, 3, 16, 4, 1, 0, 0, true, true},    {3, 7, 100, 3, 70, 3, 1, 1, 1, false, true},
    {1, 5, 5, 1, 1, 4, 1, 0, 0, true, false},      {2, 33, 34, 5, 65, 3, 2, 1, 1, true, true},
    {1, 17, 130, 3, 64, 1, 1, 0, 1, false, true},  {1, 2, 2, 8, 3, 1, 1, 0, 0, true, true},
    {1, 33, 47, 32, 64, 4, 1, 0, 0, true, true},   {2, 30, 29, 16, 80, 4, 1, 3, 1, true, true},
    {3, 21, 18, 64, 16, 3, 1, 1, 1, false, true},  {1, 126, 61, 16, 32, 3, 1, 0, 0, true, false},
    {1, 24, 26, 16, 144, 4, 1, 2, 1, true, true},  {1, 60, 60, 128, 256, 4, 1, 0, 0, true, true},
    {1, 40, 40, 256, 288, 4, 1, 0, 0, true, true},
};

static void fill(EadNode *node, uint64_t stream) {
    real *values = node->y.data;
    for (int64_t i = 0; i < ead_count(&node->y); i++)
        values[i] = 2 * (real)ead_uniform(ead_philox_word(3, stream, (uint64_t)i)) - 1;
}

/* Runs the layer fused and not, returns both outputs' largest difference over the largest value. */
static double difference(const PoolCase *c, bool check_threads) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, c->n, c->h, c->w, c->i, NULL);
    EadNode *w = ead_leaf(graph, "w", EAD_REAL, c->o, c->kernel, c->kernel, c->i, NULL);
    EadNode *b = c->bias ? ead_leaf(graph, "b", EAD_REAL, 1, 1, 1, c->o, NULL) : NULL;
    EadConv2d conv = {c->stride, c->padding, c->relu};
    EadNode *fused = ead_keep(ead_conv2d_pool(graph, x, w, b, (EadConv2dPool){conv, c->pool_padding}));
    EadNode *split = ead_keep(ead_avg_pool2d(graph, ead_conv2d(graph, x, w, b, conv), 2, 2, c->pool_padding));
    EadPlan *plan;
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    ck_assert_int_eq(fused->op, EAD_OP_conv2d_pool);
    ck_assert(ead_same_shape(&fused->y, &split->y));
    fill(x, 1), fill(w, 2);
    if (b) fill(b, 3);
    ead_plan_run(plan);
    double largest = 0, worst = 0;
    const real *f = fused->y.data, *s = split->y.data;
    for (int64_t i = 0; i < ead_count(&fused->y); i++) {
        largest = fmax(largest, fabs((double)s[i]));
        worst = fmax(worst, fabs((double)f[i] - (double)s[i]));
    }
    if (check_threads) {
        real *two = malloc(ead_bytes(&fused->y));
        ck_assert_ptr_nonnull(two);
        memcpy(two, f, ead_bytes(&fused->y));
        int threads = omp_get_max_threads();
        omp_set_num_threads(1);
        ead_plan_run(plan);
        omp_set_num_threads(threads);
        ck_assert_int_eq(memcmp(two, f, ead_bytes(&fused->y)), 0);
        free(two);
    }
    ead_plan_free(plan);
    ead_graph_free(graph);
    return worst / largest;
}

/* Of the shapes that Winograd takes, padded pooling begins its tiles elsewhere: each of the two results may
 * be off by 1e-5. All else differs in the order of sums at most. */
START_TEST(equals_the_two_ops) {
    const PoolCase *c = &cases[_i];
    double d = difference(c, true), most = c->pool_padding && c->i >= 16 ? 2e-5 : 1e-6;
    ck_assert_msg(d <= most, "case %d differs by %g", _i, d);
}
END_TEST

START_TEST(is_split_where_a_gradient_flows) {
    static real weights[8 * 3 * 3 * 4];
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 8, 8, 4, NULL);
    EadNode *w = ead_trainable_leaf(graph, "w", 8, 3, 3, 4, weights);
    EadNode *y = ead_conv2d_pool(graph, x, w, NULL, (EadConv2dPool){{1, 1, true}, 0});
    ck_assert_int_eq(y->op, EAD_OP_avg_pool2d);
    ck_assert(y->needs_gradient);
    ead_graph_free(graph);
}
END_TEST

START_TEST(impossible_shapes_are_refused) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 3, 3, 4, NULL);
    EadNode *w = ead_leaf(graph, "w", EAD_REAL, 8, 3, 3, 4, NULL);
    ead_conv2d_pool(graph, x, w, NULL, (EadConv2dPool){{1, 0, true}, 0});
    ck_assert_int_eq(ead_graph_status(graph), EAD_BAD_SHAPE);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "cannot pool 1x1"));
    ead_graph_free(graph);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("conv2d_pool");
    TCase *tests = tcase_create("conv2d_pool");
    tcase_add_loop_test(tests, equals_the_two_ops, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, is_split_where_a_gradient_flows);
    tcase_add_test(tests, impossible_shapes_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
