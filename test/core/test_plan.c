/* The graph and its planner: lifetimes, values in place, views, kept values, dead nodes, errors that stick.
 * Random graphs are the hardest judge: planned tightly they must give the bits they give with all memory
 * apart. */
#include "autograd/backward.h"
#include "core/ops/add/add.h"
#include "core/ops/increment/increment.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/mean/mean.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"

#include <omp.h>
#include <stdint.h>
#include <string.h>

enum { SIDE = 32, CHANNELS = 16, IMAGE = SIDE * SIDE * CHANNELS, IMAGE_BYTES = IMAGE * (int)sizeof(real) };

static EadPlan *must_plan(EadGraph *graph, const EadPlanOptions *options) {
    EadPlan *plan = NULL;
    ck_assert_msg(ead_plan_new(graph, options, &plan) == EAD_OK, "%s", ead_error_message());
    return plan;
}

/* A leaf of n images in the plan's memory. */
static EadNode *images(EadGraph *graph, int n) {
    return ead_leaf(graph, "images", EAD_REAL, n, SIDE, SIDE, CHANNELS, NULL);
}

static void fill(EadNode *leaf, real first) {
    real *data = leaf->y.data;
    for (int64_t i = 0; i < ead_count(&leaf->y); i++) data[i] = first + (real)(i % 13);
}

static real value_at(const EadNode *node, int64_t i) {
    return ((const real *)node->y.data)[i];
}

static EadNode *copy(EadGraph *graph, EadNode *x) { /* an op that cannot work in place */
    return ead_resize_bilinear(graph, x, x->y.h, x->y.w);
}

/* ---- memory ---- */

START_TEST(long_chain_needs_two_buffers) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *y = x;
    for (int i = 0; i < 40; i++) y = copy(graph, y);
    ead_keep(y);
    size_t measured = 0;
    ck_assert_int_eq(ead_plan_measure(graph, NULL, &measured), EAD_OK);
    ck_assert(!y->y.data);
    EadPlan *plan = must_plan(graph, NULL);
    ck_assert_uint_eq(measured, ead_plan_bytes(plan));
    ck_assert_uint_le(ead_plan_bytes(plan), 3 * IMAGE_BYTES + 4096); /* leaf, two in turn, a table */
    fill(x, 1);
    ead_plan_run(plan);
    ck_assert(value_at(y, 5) == 6);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(elementwise_chain_needs_one_buffer) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *y = x;
    for (int i = 0; i < 40; i++) y = i % 2 ? ead_scale(graph, y, 2) : ead_relu(graph, y);
    ead_keep(y);
    EadPlan *plan = must_plan(graph, NULL);
    ck_assert_uint_le(ead_plan_bytes(plan), 2 * IMAGE_BYTES);
    fill(x, 0);
    ead_plan_run(plan);
    ck_assert(value_at(y, 3) == 3 * 1048576 && value_at(x, 3) == 3);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(without_reuse_everything_has_its_own) {
    EadGraph *graph = ead_graph_new();
    EadNode *y = images(graph, 1);
    for (int i = 0; i < 10; i++) y = ead_relu(graph, y);
    ead_keep(y);
    EadPlan *plan = must_plan(graph, &(EadPlanOptions){.no_reuse = true});
    ck_assert_uint_ge(ead_plan_bytes(plan), 11 * IMAGE_BYTES);
    for (int i = 0; i < ead_graph_count(graph); i++)
        for (int k = 0; k < i; k++)
            ck_assert_ptr_ne(ead_graph_at(graph, i)->y.data, ead_graph_at(graph, k)->y.data);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(memory_is_aligned) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "odd", EAD_REAL, 1, 1, 1, 3, NULL);
    EadNode *y = ead_keep(ead_concat_batch(graph, 2, (EadNode *[]){x, ead_scale(graph, x, 2)}));
    EadPlan *plan = must_plan(graph, NULL);
    ck_assert_uint_eq((uintptr_t)x->y.data % 64, 0);
    ck_assert_uint_eq((uintptr_t)y->y.data % 64, 0);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

/* ---- in place, views, kept values ---- */

START_TEST(value_read_later_is_not_overwritten) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *a = ead_scale(graph, x, 1);
    EadNode *b = ead_scale(graph, a, -1), *c = ead_relu(graph, b);
    EadNode *sum = ead_keep(ead_add(graph, c, a)); /* a lives on after b */
    EadPlan *plan = must_plan(graph, NULL);
    fill(x, 1);
    ead_plan_run(plan);
    ck_assert(value_at(sum, 4) == 5);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(kept_values_survive) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *nodes[8];
    for (int i = 0; i < 8; i++) nodes[i] = ead_scale(graph, i ? nodes[i - 1] : x, 2);
    ead_keep(nodes[2]), ead_keep(nodes[5]), ead_keep(nodes[7]);
    EadPlan *plan = must_plan(graph, NULL);
    fill(x, 1);
    ead_plan_run(plan);
    ck_assert(value_at(nodes[2], 0) == 8 && value_at(nodes[5], 0) == 64 && value_at(nodes[7], 0) == 256);
    ck_assert(value_at(x, 0) == 1);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(slice_is_a_view) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 4), *y = ead_scale(graph, x, 3);
    EadNode *slice = ead_slice_batch(graph, y, 1, 3), *inner = ead_keep(ead_slice_batch(graph, slice, 1, 1));
    EadNode *other = ead_keep(ead_relu(graph, ead_slice_batch(graph, y, 0, 1)));
    EadPlan *plan = must_plan(graph, NULL);
    ck_assert_ptr_eq(inner->y.data, (real *)y->y.data + 2 * IMAGE);
    fill(x, 2);
    ead_plan_run(plan);
    ck_assert(value_at(inner, 0) == 3 * value_at(x, 2 * IMAGE) && value_at(other, 1) == 9);
    ck_assert_int_eq(ead_plan_call_count(plan), 2); /* views run nothing */
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(slice_of_own_memory_is_not_overwritten) {
    real data[2 * IMAGE] = {0};
    data[IMAGE] = -5;
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "mine", EAD_REAL, 2, SIDE, SIDE, CHANNELS, data);
    EadNode *y = ead_keep(ead_relu(graph, ead_slice_batch(graph, x, 1, 1)));
    EadPlan *plan = must_plan(graph, NULL);
    ead_plan_run(plan);
    ck_assert(data[IMAGE] == -5 && value_at(y, 0) == 0);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(write_to_reaches_the_callers_memory) {
    static real out[IMAGE];
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *y = ead_write_to(ead_scale(graph, x, 2), out);
    EadNode *z = ead_keep(ead_scale(graph, y, -1)); /* must not be done in place: out is the caller's */
    EadPlan *plan = must_plan(graph, NULL);
    fill(x, 1);
    ead_plan_run(plan);
    ck_assert(out[1] == 4 && value_at(z, 1) == -4);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(leaf_memory_is_zeroed_and_lasts) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    EadNode *y = x;
    for (int i = 0; i < 5; i++) y = copy(graph, y);
    ead_keep(y);
    ead_increment(graph, step); /* read by nobody, but it has an effect */
    EadPlan *plan = must_plan(graph, NULL);
    for (int64_t i = 0; i < IMAGE; i++) ck_assert(value_at(x, i) == 0);
    fill(x, 7);
    for (int i = 0; i < 3; i++) ead_plan_run(plan);
    ck_assert_int_eq(*(const int64_t *)step->y.data, 3);
    ck_assert(value_at(x, 0) == 7 && value_at(y, 0) == 7);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(dead_nodes_are_not_run) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 1), *y = ead_keep(ead_relu(graph, x));
    EadNode *dead = copy(graph, copy(graph, y));
    EadPlan *plan = must_plan(graph, NULL);
    ck_assert_int_eq(ead_plan_call_count(plan), 1);
    const EadNode *node = NULL;
    ck_assert_ptr_nonnull(ead_plan_call(plan, 0, &node));
    ck_assert_ptr_eq(node, y);
    ck_assert_ptr_null(dead->y.data);
    ck_assert_uint_le(ead_plan_bytes(plan), 2 * IMAGE_BYTES);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(same_parameter_is_one_leaf) {
    real data[4] = {1, 2, 3, 4};
    EadGraph *graph = ead_graph_new();
    EadNode *a = ead_trainable_leaf(graph, "w", 1, 1, 1, 4, data);
    ck_assert_ptr_eq(a, ead_trainable_leaf(graph, "w", 1, 1, 1, 4, data));
    ck_assert_ptr_ne(a, ead_trainable_leaf(graph, "w", 1, 1, 1, 2, data));
    ead_graph_free(graph);
}
END_TEST

/* ---- backward ---- */

/* loss = mean(2a + b), both used, c not: gradients land at their places, c's stays as it was. */
START_TEST(flat_gradients_land_in_place) {
    real values[12] = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12}, gradients[12] = {0};
    EadGraph *graph = ead_graph_new();
    EadNode *a = ead_trainable_leaf(graph, "a", 1, 1, 1, 4, values);
    EadNode *b = ead_trainable_leaf(graph, "b", 1, 1, 1, 4, values + 4);
    ead_trainable_leaf(graph, "c", 1, 1, 1, 4, values + 8);
    EadNode *loss = ead_mean(graph, ead_add(graph, ead_add(graph, a, b), a));
    ead_backward_to_flat(graph, loss, 1, &(EadFlatGradients){values, 12, gradients});
    EadPlan *plan = must_plan(graph, NULL);
    ead_plan_run(plan);
    for (int i = 0; i < 12; i++) ck_assert(gradients[i] == (real)(i < 4 ? 0.5 : i < 8 ? 0.25 : 0));
    ead_plan_free(plan);
    ead_graph_free(graph);
}
END_TEST

START_TEST(unreached_gradient_is_null) {
    real values[2] = {1, 2};
    EadGraph *graph = ead_graph_new();
    EadNode *a = ead_trainable_leaf(graph, "a", 1, 1, 1, 1, values);
    EadNode *b = ead_trainable_leaf(graph, "b", 1, 1, 1, 1, values + 1), *gradients[2];
    ead_backward(graph, ead_scale(graph, a, 3), 2, (EadNode *[]){a, b}, gradients);
    ck_assert_ptr_nonnull(gradients[0]);
    ck_assert_ptr_null(gradients[1]);
    ead_graph_free(graph);
}
END_TEST

/* ---- errors ---- */

static void assert_failed(const EadGraph *graph, EadStatus status, const char *words) {
    ead_fail(EAD_IO, "something else in between");
    ck_assert_int_eq(ead_graph_status(graph), status);
    ck_assert_msg(strstr(ead_error_message(), words), "\"%s\" lacks \"%s\"", ead_error_message(), words);
}

START_TEST(first_error_sticks) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = images(graph, 2), *y = images(graph, 3);
    EadNode *sum = ead_add(graph, x, y);
    ck_assert_ptr_nonnull(sum);
    EadNode *later = ead_relu(graph, ead_slice_batch(graph, sum, 7, 9)); /* would be another error */
    ead_keep(later);
    ead_write_to(later, &later);
    EadNode *gradient;
    ead_backward(graph, ead_mean(graph, later), 1, (EadNode *[]){x}, &gradient);
    ck_assert_ptr_null(gradient);
    assert_failed(graph, EAD_BAD_SHAPE, "add: [2,32,32,16] and [3,32,32,16] differ");
    EadPlan *plan = NULL;
    ck_assert_int_eq(ead_plan_new(graph, NULL, &plan), EAD_BAD_SHAPE);
    ck_assert_ptr_null(plan);
    ck_assert_int_eq(ead_graph_count(graph), 2);
    ead_graph_free(graph);
}
END_TEST

START_TEST(loss_must_be_a_scalar) {
    real values[2] = {1, 2};
    EadGraph *graph = ead_graph_new();
    EadNode *a = ead_trainable_leaf(graph, "a", 1, 1, 1, 2, values), *gradient;
    ead_backward(graph, ead_relu(graph, a), 1, (EadNode *[]){a}, &gradient);
    assert_failed(graph, EAD_BAD_SHAPE, "scalar");
    ead_graph_free(graph);
}
END_TEST

START_TEST(impossible_sizes_are_refused) {
    const int sizes[][4] = {{0, 1, 1, 1}, {1, -3, 1, 1}, {1, 1, 1, 0}, {1 << 30, 1 << 30, 2, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        EadGraph *graph = ead_graph_new();
        ead_leaf(graph, "huge", EAD_REAL, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], NULL);
        assert_failed(graph, EAD_BAD_SHAPE, "huge");
        ead_graph_free(graph);
    }
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, long_chain_needs_two_buffers);
    tcase_add_test(tests, elementwise_chain_needs_one_buffer);
    tcase_add_test(tests, without_reuse_everything_has_its_own);
    tcase_add_test(tests, memory_is_aligned);
    tcase_add_test(tests, value_read_later_is_not_overwritten);
    tcase_add_test(tests, kept_values_survive);
    tcase_add_test(tests, slice_is_a_view);
    tcase_add_test(tests, slice_of_own_memory_is_not_overwritten);
    tcase_add_test(tests, write_to_reaches_the_callers_memory);
    tcase_add_test(tests, leaf_memory_is_zeroed_and_lasts);
    tcase_add_test(tests, dead_nodes_are_not_run);
    tcase_add_test(tests, same_parameter_is_one_leaf);
    tcase_add_test(tests, flat_gradients_land_in_place);
    tcase_add_test(tests, unreached_gradient_is_null);
    tcase_add_test(tests, first_error_sticks);
    tcase_add_test(tests, loss_must_be_a_scalar);
    tcase_add_test(tests, impossible_sizes_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
