/* Every call of every op case, and of larger ones: the CUDA kernel on the host runner against the CPU kernel,
 * in every storage type that it takes, with threads in both orders, aligned and not, in place where the op
 * may be. */
#include "test/cuda_host/host_runner_c.h"
#include "test/cuda_host/lone_call.h"
#include "test/support/suite.h"
#define OP_CASE_WORDS
#include "test/support/op_cases.h"

#include "core/backend/backend.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/quantile/quantile.h"
#include "core/ops/relu/relu.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Shapes that fill more than one block, or take the vector paths, which the cases of the table are too small
 * for: a case of the table with other inputs and numbers. */
static const struct Larger {
    const char *like;
    OpCaseInput inputs[OP_CASE_INPUTS];
    double numbers[OP_CASE_NUMBERS];
} larger[] = {
#include "test/cuda_host/larger_cases.def"
};

enum { LARGER = sizeof larger / sizeof *larger };

static const OpCase *find_case(const char *name) {
    for (int i = 0; i < op_case_count(); i++)
        if (strcmp(op_case_at(i)->name, name) == 0) return op_case_at(i);
    ck_abort_msg("there is no case %s", name);
    return NULL;
}

/* Case i of the table, or beyond it a larger one. */
static OpCase case_at(int i) {
    if (i < op_case_count()) return *op_case_at(i);
    const struct Larger *l = &larger[i - op_case_count()];
    OpCase op_case = *find_case(l->like);
    memcpy(op_case.inputs, l->inputs, sizeof op_case.inputs);
    memcpy(op_case.numbers, l->numbers, sizeof op_case.numbers);
    return op_case;
}

/* How far results may lie apart, as a part of the largest: 0 is bit for bit, which is what all ops can keep
 * that add up nothing, or the same numbers in the same order. */
static double allowed_part(EadOpId op, EadPrecision precision) {
    switch (op) {
    case EAD_OP_batch_statistics:
    case EAD_OP_batch_norm_gradient_sums:
    case EAD_OP_channel_affine_gradient_sums:
    case EAD_OP_channel_sum:
    case EAD_OP_instance_statistics:
    case EAD_OP_instance_norm_gradient_sums:
    case EAD_OP_codebook_update:
    case EAD_OP_layer_statistics:
    case EAD_OP_layer_norm_gradient_sums:
    case EAD_OP_mean:
    case EAD_OP_channel_mean:
    case EAD_OP_global_avg_pool:
    case EAD_OP_masked_mean:
    case EAD_OP_nearest_rows:
    case EAD_OP_reweighted_score:
        return 2e-7; /* summed in double on both sides */
    case EAD_OP_coupling:
    case EAD_OP_coupling_gradient:
    case EAD_OP_coupling_network_gradient:
    case EAD_OP_focal_loss:
    case EAD_OP_focal_loss_gradient:
    case EAD_OP_coupling_logdet:
    case EAD_OP_coupling_logdet_gradient:
    case EAD_OP_noise_normal:
    case EAD_OP_pointwise:
    case EAD_OP_pointwise_gradient:
    case EAD_OP_swish:
        return 1e-6; /* exp, logarithm, sine and their like are rounded in their own way */
    case EAD_OP_grouped_conv2d:
        return 2e-6; /* summed in another order */
    case EAD_OP_conv2d:
    case EAD_OP_conv2d_input_gradient:
    case EAD_OP_conv2d_weight_gradient:
    case EAD_OP_conv2d_pool:
        return precision == EAD_PRECISION_FP32 ? 2e-6 : 1e-2;
    default:
        return 0;
    }
}

/* One unit in the last place of a 16-bit value. */
static double unit(float value, EadType type) {
    return type == EAD_F16    ? fabs((double)value) * 0x1p-10 + 0x1p-24
           : type == EAD_BF16 ? fabs((double)value) * 0x1p-7
                              : 0;
}

/* Check's own assertions leave a mark each time, which is too slow for every element. */
static void compare(const char *what, const float *got, const float *expected, int64_t count, double part,
                    EadType type) {
    double largest = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)expected[i]));
    for (int64_t i = 0; i < count; i++) {
        double allowed = part > 0 ? part * largest + unit(expected[i], type) : 0;
        bool same = got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i]));
        if (!same && !(fabs((double)got[i] - (double)expected[i]) <= allowed))
            ck_abort_msg("%s: element %lld is %.9g, not %.9g +- %.3g", what, (long long)i, (double)got[i],
                         (double)expected[i], allowed);
    }
}

typedef struct Pair {
    const EadNode *node;
    const EadKernel *cpu, *cuda;
    const EadCall *call;
    const char *name; /* of the case */
    void *state;
} Pair;

static void compare_calls(const Pair *p, LoneSetup setup, const LoneCall *got, const LoneCall *expected) {
    char what[256];
    for (int k = 0; k <= EAD_MAX_INPUTS; k++) {
        if (!expected->values[k] || (k == 0 && setup.in_place)) continue;
        bool output = k == EAD_MAX_INPUTS;
        EadType type = output ? got->y.type : got->x[k].type;
        snprintf(what, sizeof what, "%s: %s: %s (stored %d -> %d%s%s%s)", p->name, ead_op(p->node->op)->name,
                 output ? "output" : "an input afterwards", setup.in, setup.out,
                 setup.shifted ? ", shifted" : "", setup.in_place ? ", in place" : "",
                 setup.packed ? ", packed" : "");
        compare(what, got->values[k], expected->values[k], expected->counts[k],
                output ? allowed_part(p->node->op, setup.precision) : 0, type);
    }
}

static LoneCall run_checked(Pair *p, LoneSetup setup, const LoneCall *expected) {
    LoneCall got;
    lone_call_run(p->cuda, p->cuda, p->call, setup, &p->state, &got);
    compare_calls(p, setup, &got, expected);
    return got;
}

/* Bit for bit the same with threads in the other order. Returns whether `packed` makes a difference. */
static bool check_orders(Pair *p, LoneSetup setup, const LoneCall *expected) {
    LoneCall ascending = run_checked(p, setup, expected);
    ead_host_descend(true);
    LoneCall descending = run_checked(p, setup, expected);
    ead_host_descend(false);
    for (int k = 0; k <= EAD_MAX_INPUTS; k++)
        if (ascending.values[k] && memcmp(ascending.values[k], descending.values[k],
                                          (size_t)ascending.counts[k] * sizeof(float)) != 0)
            ck_abort_msg("%s: %s: another order of threads gives other bits", p->name,
                         ead_op(p->node->op)->name);
    bool can_pack = ascending.can_pack;
    lone_call_free(&ascending);
    lone_call_free(&descending);
    return can_pack;
}

static void check_once(Pair *p, LoneSetup setup, const LoneCall *expected) {
    LoneCall got = run_checked(p, setup, expected);
    lone_call_free(&got);
}

static bool may_be_in_place(const Pair *p, LoneSetup setup) {
    const EadCall *call = p->call;
    bool same_storage =
        (p->cuda->half_in & 1 ? setup.in : EAD_REAL) == (p->cuda->half_out ? setup.out : EAD_REAL);
    return ead_op(p->node->op)->in_place && same_storage && call->x[0]->type == call->y->type &&
           ead_count(call->x[0]) == ead_count(call->y) && call->x[1] != call->x[0];
}

static void check_storage(Pair *p, EadType in, EadType out) {
    EadType half = in == EAD_REAL ? out : in;
    LoneSetup setup = {.in = in, .out = out};
    setup.precision = half == EAD_F16    ? EAD_PRECISION_FP16
                      : half == EAD_BF16 ? EAD_PRECISION_BF16
                                         : EAD_PRECISION_FP32;
    LoneSetup rounded = setup;
    rounded.rounded_only = true;
    LoneCall expected;
    void *no_state = NULL;
    p->state = NULL;
    lone_call_run(p->cpu, p->cuda, p->call, rounded, &no_state, &expected);
    if (in == out) { /* barriers stand where they do whatever is stored on either side */
        setup.packed = check_orders(p, setup, &expected);
        if (setup.packed) check_once(p, setup, &expected);
    } else {
        check_once(p, setup, &expected);
    }
    setup.packed = false;
    setup.in_place = may_be_in_place(p, setup);
    if (setup.in_place) check_once(p, setup, &expected);
    setup.in_place = false;
    setup.shifted = true;
    check_once(p, setup, &expected);
    lone_call_free(&expected);
    free(p->state), free(no_state);
}

static void check_call(Pair *p) {
    static const EadType halves[] = {EAD_F16, EAD_BF16};
    check_storage(p, EAD_REAL, EAD_REAL);
    for (int i = 0; i < 2; i++) {
        if (p->cuda->half_in) check_storage(p, halves[i], EAD_REAL);
        if (p->cuda->half_out) check_storage(p, EAD_REAL, halves[i]);
        if (p->cuda->half_in && p->cuda->half_out) check_storage(p, halves[i], halves[i]);
    }
}

/* Every call of a plan of the CPU's, whose values are those of before the call. */
static void check_plan(const char *name, const EadPlan *plan) {
    const EadBackend *cuda;
    ck_assert_int_eq(ead_backend_cuda(0, &cuda), EAD_OK);
    for (int i = 0; i < ead_plan_call_count(plan); i++) {
        Pair p = {.name = name};
        p.call = ead_plan_call(plan, i, &p.node);
        p.cpu = ead_backend_cpu.kernels[p.node->op];
        p.cuda = cuda->kernels[p.node->op];
        check_call(&p);
        p.call->run(p.call);
    }
}

START_TEST(calls_agree_with_the_cpu) {
    OpCase op_case = case_at(_i);
    OpCaseGraph built;
    EadPlanOptions options = {.no_reuse = true};
    ck_assert_msg(op_case_build(&op_case, &built) == EAD_OK, "%s: %s", op_case.name, ead_error_message());
    ck_assert_msg(op_case_plan(&built, &options) == EAD_OK, "%s: %s", op_case.name, ead_error_message());
    check_plan(op_case.name, built.plan);
    op_case_free(&built);
}
END_TEST

/* Values that random numbers are not: infinities, zeros of both signs, subnormal numbers, nothing but one
 * value, and NaNs, at every quantile from the least to the largest element; nothing above a threshold. */
START_TEST(special_values_agree_with_the_cpu) {
    enum { COUNT = 5000 };
    static const float values[] = {-INFINITY, INFINITY, 0, -0.0f, 1e-42f, -1e-42f, 3e38f, 1, -1, 1.0000001f};
    static const double quantiles[] = {0, 1e-4, 0.1, 0.25, 0.4, 0.5, 0.55, 0.7, 0.9, 0.999, 1};
    float *x = malloc(COUNT * sizeof *x), threshold = INFINITY;
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadPlanOptions options = {.no_reuse = true};
    for (int i = 0; i < COUNT; i++) x[i] = _i == 1 ? 0.25f : values[i * 7 % 10];
    if (_i == 2) x[COUNT / 3] = NAN;
    if (_i == 3) x[0] = -NAN;
    EadNode *leaf = ead_leaf(graph, "x", EAD_REAL, 1, 1, COUNT / 5, 5, x);
    for (size_t k = 0; k < sizeof quantiles / sizeof *quantiles; k++)
        ead_keep(ead_quantile(graph, leaf, quantiles[k]));
    if (_i == 1)
        ead_keep(ead_masked_mean(graph, leaf, ead_leaf(graph, "t", EAD_REAL, 1, 1, 1, 1, &threshold)));
    ead_keep(ead_relu(graph, leaf));
    ck_assert_int_eq(ead_plan_new(graph, &options, &plan), EAD_OK);
    check_plan("special values", plan);
    ead_plan_free(plan);
    ead_graph_free(graph);
    free(x);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* thousands of tiny runs */
    Suite *suite = suite_create("cuda kernels on the host");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, calls_agree_with_the_cpu, 0, op_case_count() + LARGER);
    tcase_add_loop_test(tests, special_values_agree_with_the_cpu, 0, 4);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
