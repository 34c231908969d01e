/* Every op's gradient against central differences, in double. */
#include "autograd/backward.h"
#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"
#include "test/support/op_cases.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

enum { SAMPLES = 300 }; /* elements tested of each input */

/* Rounding costs 1e-16 / STEP, the third derivative STEP²: far below 1e-6 both. */
static const double STEP = 1e-5;

/* The inputs are the caller's memory: on the CPU a run sees every change of it. */
static double loss_with(const EadPlan *plan, const EadNode *loss, real *element, double value) {
    real result = NAN;
    *element = (real)value;
    ead_plan_run(plan);
    ead_plan_read(plan, loss, &result);
    return (double)result;
}

static double difference(const EadPlan *plan, const EadNode *loss, real *element) {
    double before = (double)*element;
    double above = loss_with(plan, loss, element, before + STEP);
    double below = loss_with(plan, loss, element, before - STEP);
    *element = (real)before;
    return (above - below) / (2 * STEP);
}

/* The first run's gradient is copied, because every further run writes it anew. */
static EadStatus check_input(const EadPlan *plan, const EadNode *loss, EadNode *input,
                             const EadNode *gradient, int64_t samples, uint64_t seed, double *error) {
    int64_t count = ead_count(&input->y), tested = samples > 0 && samples < count ? samples : count;
    real *analytic = ead_new(count, sizeof *analytic, "the gradient check"), *x = input->y.data;
    if (!analytic) return EAD_NO_MEMORY;
    ead_plan_run(plan);
    EadStatus status = ead_plan_read(plan, gradient, analytic);
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)analytic[i]));
    for (int64_t k = 0; k < tested && status == EAD_OK; k++) {
        int64_t i =
            tested < count ? ead_shuffled_index(seed, EAD_STREAM_TEST, (uint64_t)k, (uint32_t)count) : k;
        double off = fabs((double)analytic[i] - difference(plan, loss, &x[i]));
        if (!(off <= worst)) worst = off; /* NaN counts as an error */
    }
    free(analytic);
    double relative = largest > 0 ? worst / largest : worst;
    if (!(relative <= *error)) *error = relative;
    return status;
}

static EadStatus plan_check(EadGraph *graph, EadNode *loss, int count, EadNode *const inputs[],
                            EadNode **gradients, EadPlan **plan) {
    ead_backward(graph, loss, count, inputs, gradients);
    EAD_TRY(ead_graph_status(graph));
    for (int i = 0; i < count; i++) {
        if (!gradients[i])
            return ead_fail(EAD_BAD_ARGUMENT, "the loss does not depend on '%s'", inputs[i]->name);
        ead_keep(gradients[i]);
    }
    ead_keep(loss);
    return ead_plan_new(graph, NULL, plan);
}

/* Compares the gradients of a graph with central differences, one element at a time: appends the backward
 * pass of `loss` (a scalar), plans the graph, runs it, and once more with each tested element of each input
 * moved up and down by STEP.
 * inputs[0..count-1]  trainable leaves with data, which are as before afterwards
 * samples             elements tested of each input, drawn with `seed`; 0 = all
 * *error              largest |gradient - difference| over the input's largest gradient (over 1 if all of
 *                     those are 0); the project asks for 1e-6
 * The graph cannot be planned again afterwards. Errors: those of building and planning; EAD_BAD_ARGUMENT if
 * the loss does not depend on an input. */
static EadStatus gradient_check(EadGraph *graph, EadNode *loss, int count, EadNode *const inputs[],
                                int64_t samples, uint64_t seed, double *error) {
    EadPlan *plan = NULL;
    EadNode **gradients = ead_new(count, sizeof *gradients, "the gradient check");
    if (!gradients) return EAD_NO_MEMORY;
    EadStatus status = plan_check(graph, loss, count, inputs, gradients, &plan);
    *error = 0;
    for (int i = 0; i < count && status == EAD_OK; i++)
        status = check_input(plan, loss, inputs[i], gradients[i], samples, seed, error);
    ead_plan_free(plan);
    free(gradients);
    return status;
}

START_TEST(gradients_match_differences) {
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph built;
    ck_assert_msg(op_case_build(op_case, &built) == EAD_OK, "%s: %s", op_case->name, ead_error_message());
    EadNode *inputs[OP_CASE_INPUTS];
    int count = op_case_trainable(&built, inputs);
    if (built.loss && op_case_is_smooth(op_case)) {
        double error = -1;
        EadStatus status = gradient_check(built.graph, built.loss, count, inputs, SAMPLES, 1, &error);
        ck_assert_msg(status == EAD_OK, "%s: %s", op_case->name, ead_error_message());
        ck_assert_msg(error <= 1e-6, "%s: gradient off by %g", op_case->name, error);
    }
    op_case_free(&built);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* thousands of tiny runs */
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, gradients_match_differences, 0, op_case_count());
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
