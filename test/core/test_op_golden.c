/* Every op case in float: values and gradients against PyTorch's (test/golden/ops_golden.py), and the same
 * bits whatever the planner does and however many threads run. */
#include "core/file/safetensors.h"
#include "core/graph/op.h"
#include "test/support/suite.h"
#include "test/support/op_cases.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static const double TOLERANCE = 1e-5; /* of the largest value */
enum { NAME_SIZE = 96 };

static EadSafetensors *values, *gradients;

static void open_golden(void) {
    EadStatus status = ead_safetensors_open("test/golden/ops/values.safetensors", &values);
    if (status == EAD_OK) status = ead_safetensors_open("test/golden/ops/gradients.safetensors", &gradients);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
}

static void close_golden(void) {
    ead_safetensors_close(values);
    ead_safetensors_close(gradients);
    values = gradients = NULL;
}

static void build(const OpCase *op_case, const EadPlanOptions *options, OpCaseGraph *built) {
    EadStatus status = op_case_build(op_case, built);
    if (status == EAD_OK) status = op_case_plan(built, options);
    ck_assert_msg(status == EAD_OK, "%s: %s", op_case->name, ead_error_message());
}

static void build_and_run(const OpCase *op_case, const EadPlanOptions *options, OpCaseGraph *built) {
    build(op_case, options, built);
    ead_plan_run(built->plan);
}

/* The largest difference, relative to the largest expected value (or to 1 if all are zero). */
static void compare(const EadTensor *got, const EadSafetensors *golden, const char *case_name,
                    const char *part) {
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", case_name, part);
    const EadFileTensor *expected = ead_safetensors_find(golden, name);
    ck_assert_msg(expected, "there is no golden %s: run ops_golden.py", name);
    bool same = expected->dims == 4 && expected->shape[0] == got->n && expected->shape[1] == got->h &&
                expected->shape[2] == got->w && expected->shape[3] == got->c;
    ck_assert_msg(same, "%s: our shape is [%d,%d,%d,%d]", name, got->n, got->h, got->w, got->c);
    float *wanted = malloc((size_t)expected->count * sizeof *wanted);
    ck_assert_ptr_nonnull(wanted);
    ck_assert_int_eq(ead_file_tensor_to_float(golden, expected, wanted), EAD_OK);
    const real *data = got->data;
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < expected->count; i++) {
        double off = fabs((double)data[i] - (double)wanted[i]);
        if (!(off <= worst)) worst = off;
        largest = fmax(largest, fabs((double)wanted[i]));
    }
    free(wanted);
    double relative = largest > 0 ? worst / largest : worst;
    ck_assert_msg(relative <= TOLERANCE, "%s: off by %g of the largest value", name, relative);
}

START_TEST(agrees_with_pytorch) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph built;
    build_and_run(op_case, NULL, &built);
    compare(&built.y->y, values, op_case->name, "y");
    for (int k = 0; k < OP_CASE_INPUTS; k++) {
        char part[16];
        snprintf(part, sizeof part, "dx%d", k);
        if (built.dx[k]) compare(&built.dx[k]->y, gradients, op_case->name, part);
    }
    op_case_free(&built);
}
END_TEST

static void assert_same_bits(const OpCase *op_case, const OpCaseGraph *a, const OpCaseGraph *b,
                             const char *what) {
    ck_assert_msg(memcmp(a->y->y.data, b->y->y.data, ead_bytes(&a->y->y)) == 0, "%s: y: %s differ",
                  op_case->name, what);
    for (int k = 0; k < OP_CASE_INPUTS; k++) {
        if (!a->dx[k]) continue;
        int difference = memcmp(a->dx[k]->y.data, b->dx[k]->y.data, ead_bytes(&a->dx[k]->y));
        ck_assert_msg(difference == 0, "%s: dx%d: %s differ", op_case->name, k, what);
    }
}

START_TEST(planned_equals_unplanned) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph planned, unplanned;
    build_and_run(op_case, NULL, &planned);
    build_and_run(op_case, &(EadPlanOptions){.no_reuse = true}, &unplanned);
    assert_same_bits(op_case, &planned, &unplanned, "planned and unplanned");
    ck_assert_uint_le(ead_plan_bytes(planned.plan), ead_plan_bytes(unplanned.plan));
    op_case_free(&planned);
    op_case_free(&unplanned);
}
END_TEST

START_TEST(threads_do_not_show) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph one, two;
    build_and_run(op_case, NULL, &one);
    omp_set_num_threads(2);
    build_and_run(op_case, NULL, &two);
    omp_set_num_threads(1);
    assert_same_bits(op_case, &one, &two, "one thread and two");
    op_case_free(&one);
    op_case_free(&two);
}
END_TEST

/* A plan made for one thread, run where two are allowed: its workspaces have room for one only. */
START_TEST(more_threads_than_planned) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph one, two;
    build_and_run(op_case, NULL, &one);
    build(op_case, NULL, &two);
    omp_set_num_threads(2);
    ead_plan_run(two.plan);
    ck_assert_int_eq(omp_get_max_threads(), 2);
    omp_set_num_threads(1);
    assert_same_bits(op_case, &one, &two, "one thread and one planned, two allowed");
    op_case_free(&one);
    op_case_free(&two);
}
END_TEST

/* The same plan run twice from the same inputs: nothing of the first run may show in the second. */
START_TEST(second_run_equals_first) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph once, twice;
    build_and_run(op_case, NULL, &once);
    build_and_run(op_case, NULL, &twice);
    if (!ead_op(once.y->op)->has_effects) { /* which changes its inputs */
        ead_plan_run(twice.plan);
        assert_same_bits(op_case, &once, &twice, "first and second run");
    }
    op_case_free(&once);
    op_case_free(&twice);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("op_golden");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_loop_test(tests, agrees_with_pytorch, 0, op_case_count());
    tcase_add_loop_test(tests, planned_equals_unplanned, 0, op_case_count());
    tcase_add_loop_test(tests, threads_do_not_show, 0, op_case_count());
    tcase_add_loop_test(tests, more_threads_than_planned, 0, op_case_count());
    tcase_add_loop_test(tests, second_run_equals_first, 0, op_case_count());
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
