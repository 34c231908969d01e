/* The AMX convolutions on emulated tiles, and on the CPU's own where it has them. Their operands are rounded
 * to bf16 and their sums are fp32, so on operands that are bf16 already they must agree with double as
 * closely as fp32 does. */
#include "bench/bench_conv_error.h"
#include "core/base/half.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"
#include "test/support/amx_emulated.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static const double TOLERANCE = 1e-6; /* of the largest value */
enum { SAMPLES = 1500 };

typedef struct AmxLayer {
    const char *name;
    int n, h, w, i, o, kh, kw, stride, padding;
    bool bias, relu;
} AmxLayer;

static const AmxLayer layers[] = {
    /* the kinds of the models, on smaller images */
    {"pdn conv2", 1, 10, 9, 128, 256, 4, 4, 1, 0, true, true},
    {"pdn conv2 padded", 2, 5, 4, 128, 256, 4, 4, 1, 3, true, true},
    {"pdn conv3", 1, 9, 8, 256, 256, 3, 3, 1, 1, true, true},
    {"pdn conv4", 2, 5, 6, 256, 384, 4, 4, 1, 0, true, false},
    {"pdn-m 1x1", 2, 9, 5, 256, 512, 1, 1, 1, 0, true, true},
    {"encoder 1", 2, 32, 28, 3, 32, 4, 4, 2, 1, true, true},
    {"encoder 2", 3, 16, 20, 32, 32, 4, 4, 2, 1, true, true},
    {"encoder 3", 2, 17, 15, 32, 64, 4, 4, 2, 1, true, true},
    {"bottleneck", 2, 8, 8, 64, 64, 8, 8, 1, 0, true, false},
    {"bottleneck, wide image", 1, 8, 16, 64, 64, 8, 16, 1, 0, true, false},
    {"decoder 1", 2, 3, 3, 64, 64, 4, 4, 1, 2, true, true},
    {"decoder 2", 1, 17, 15, 64, 64, 4, 4, 1, 2, true, true},
    {"decoder 8", 2, 6, 7, 64, 384, 3, 3, 1, 1, true, false},
    /* everything else that a convolution may be */
    {"odd channels", 2, 9, 11, 17, 33, 3, 3, 1, 1, true, true},
    {"few channels", 1, 6, 5, 1, 2, 2, 2, 1, 0, false, false},
    {"half blocks", 3, 10, 9, 48, 80, 3, 3, 1, 0, false, true},
    {"stride 2, odd size", 1, 9, 7, 16, 48, 3, 3, 2, 1, true, false},
    {"stride 2, 1x1", 2, 7, 8, 32, 16, 1, 1, 2, 0, false, false},
    {"stride 3, kernel 2x5", 2, 13, 12, 33, 16, 2, 5, 3, 2, true, true},
    {"stride 2, kernel 7", 1, 23, 19, 16, 32, 7, 7, 2, 3, true, false},
    {"padding as wide as the kernel", 1, 4, 5, 32, 32, 3, 3, 1, 4, true, false},
    {"stride larger than the kernel", 2, 11, 10, 20, 24, 2, 2, 4, 1, true, true},
    {"one pixel", 1, 1, 1, 16, 16, 1, 1, 1, 0, true, false},
    {"one row", 5, 1, 40, 16, 32, 1, 3, 1, 0, true, true},
    {"many tiles", 1, 70, 67, 16, 16, 3, 3, 1, 1, true, true},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* A layer's three kernels, planned. */
typedef struct Built {
    EadGraph *graph;
    EadPlan *plan;
    EadNode *x, *w, *b, *dy, *results[3];
    real *weights; /* where they are a constant of the caller */
} Built;

static EadNode *weight_leaf(Built *built, const AmxLayer *l, bool constant) {
    if (constant) built->weights = calloc((size_t)(l->o * l->kh * l->kw * l->i), sizeof(real));
    return ead_leaf(built->graph, "w", EAD_REAL, l->o, l->kh, l->kw, l->i, built->weights);
}

static void build(const AmxLayer *l, const EadAmx *amx, bool constant, Built *built) {
    *built = (Built){.graph = ead_graph_new()};
    EadGraph *g = built->graph;
    built->x = ead_leaf(g, "x", EAD_REAL, l->n, l->h, l->w, l->i, NULL);
    built->w = weight_leaf(built, l, constant);
    built->b = l->bias ? ead_leaf(g, "b", EAD_REAL, 1, 1, 1, l->o, NULL) : NULL;
    EadNode *y =
        ead_keep(ead_conv2d(g, built->x, built->w, built->b, (EadConv2d){l->stride, l->padding, l->relu}));
    built->dy = ead_leaf(g, "dy", EAD_REAL, l->n, y->y.h, y->y.w, l->o, NULL);
    EadConv2dGradient of_x = {l->stride, l->padding, l->h, l->w},
                      of_w = {l->stride, l->padding, l->kh, l->kw};
    built->results[0] = y;
    built->results[1] = ead_keep(ead_conv2d_input_gradient(g, built->dy, built->w, of_x));
    built->results[2] = ead_keep(ead_conv2d_weight_gradient(g, built->dy, built->x, of_w));
    EadPlanOptions options = {.precision = EAD_PRECISION_BF16, .amx = amx};
    ck_assert_msg(ead_plan_new(g, &options, &built->plan) == EAD_OK, "%s", ead_error_message());
}

static void destroy(Built *built) {
    ead_plan_free(built->plan);
    ead_graph_free(built->graph);
    free(built->weights);
}

static void fill(EadNode *node, uint64_t stream, bool rounded) {
    real *values = node ? node->y.data : NULL;
    for (int64_t i = 0; node && i < ead_count(&node->y); i++) {
        float value = 2 * (float)ead_uniform(ead_philox_word(5, stream, (uint64_t)i)) - 1;
        values[i] = rounded ? ead_bfloat16_to_float(ead_bfloat16_from_float(value)) : value;
    }
}

static void run(Built *built, bool rounded) {
    fill(built->x, 1, rounded);
    fill(built->w, 2, rounded);
    fill(built->b, 3, false); /* added in fp32 */
    fill(built->dy, 4, rounded);
    ead_plan_update_weights(built->plan);
    ead_plan_run(built->plan);
}

static void assert_same_results(const AmxLayer *l, const Built *a, const Built *b, const char *what) {
    for (int k = 0; k < 3; k++) {
        const EadTensor *y = &a->results[k]->y;
        ck_assert_msg(memcmp(y->data, b->results[k]->y.data, ead_bytes(y)) == 0, "%s: kernel %d: %s", l->name,
                      k, what);
    }
}

static void check_against_double(const AmxLayer *l, const Built *built, const char *tiles) {
    for (int i = 0; i < ead_plan_call_count(built->plan); i++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(built->plan, i, &node);
        ck_assert_str_eq(call->algorithm, "amx");
        double error = ead_bench_conv_error(call, node, SAMPLES, 9);
        ck_assert_msg(error <= TOLERANCE, "%s on %s tiles, %s: off by %g of the largest value", l->name,
                      tiles, ead_op(node->op)->name, error);
    }
}

/* Operands that are bf16 already, weights that may change from run to run, one thread; then operands in fp32,
 * which the kernels must round to the same bf16 numbers, constant weights, which are packed once, two
 * threads, and a second run. */
START_TEST(layers_agree_with_double) {
    const AmxLayer *l = &layers[_i];
    Built one, other;
    build(l, &ead_amx_emulated, false, &one);
    run(&one, true);
    check_against_double(l, &one, "emulated");
    omp_set_num_threads(2);
    build(l, &ead_amx_emulated, true, &other);
    run(&other, false);
    assert_same_results(l, &one, &other, "rounding, constant weights or a second thread show");
    ead_plan_run(other.plan);
    omp_set_num_threads(1);
    assert_same_results(l, &one, &other, "the first run shows in the second");
    destroy(&one);
    destroy(&other);
}
END_TEST

START_TEST(the_cpu_agrees_with_double) {
    SKIP_UNLESS(ead_amx(), "this CPU has no AMX");
    for (int i = 0; i < LAYERS; i++) {
        Built built;
        build(&layers[i], ead_amx(), false, &built);
        run(&built, true);
        check_against_double(&layers[i], &built, "the CPU's");
        destroy(&built);
    }
}
END_TEST

/* ---- the small kernels ---- */

static const float awkward[] = {
    0,           -0.0f,    1,      -1,      1.00390625f,     1.01171875f,      1.00390637f, 3.38953139e38f,
    3.4e38f,     -3.4e38f, 1e-39f, -1e-45f, (float)INFINITY, -(float)INFINITY, (float)NAN,  0.1f,
    -0.3333333f, 65504};
enum { AWKWARD = sizeof awkward / sizeof *awkward, WIDTH = 32 };

static void awkward_row(int shift, real row[WIDTH]) {
    for (int c = 0; c < WIDTH; c++) row[c] = awkward[(c + shift) % AWKWARD];
}

START_TEST(rounding_agrees_with_half_h) {
    const EadAmx *amx = _i ? ead_amx() : &ead_amx_emulated;
    SKIP_UNLESS(amx, "this CPU has no AMX");
    real first[WIDTH], second[WIDTH];
    awkward_row(0, first), awkward_row(7, second);
    for (int count = 1; count <= WIDTH; count++) {
        uint16_t rows[WIDTH], pairs[2 * WIDTH];
        amx->narrow(first, 0, 1, count, rows);
        amx->pair(first, second, count, 2, pairs, WIDTH);
        for (int c = 0; c < WIDTH; c++) {
            uint16_t a = c < count ? ead_bfloat16_from_float((float)first[c]) : 0;
            uint16_t b = c < count ? ead_bfloat16_from_float((float)second[c]) : 0;
            ck_assert_uint_eq(rows[c], a);
            ck_assert_uint_eq(pairs[2 * c], a);
            ck_assert_uint_eq(pairs[2 * c + 1], b);
        }
    }
}
END_TEST

START_TEST(finishing) {
    const EadAmx *amx = _i ? ead_amx() : &ead_amx_emulated;
    SKIP_UNLESS(amx, "this CPU has no AMX");
    const float sums[4] = {1, -2, (float)NAN, 0.5f};
    const real bias[4] = {1, 1, 1, -1};
    real y[5] = {7, 7, 7, 7, 7};
    amx->finish(sums, 4, bias, true, y);
    ck_assert(y[0] == 2 && y[1] == 0 && isnan(y[2]) && y[3] == 0 && y[4] == 7);
    amx->finish(sums, 2, NULL, false, y);
    ck_assert(y[0] == 1 && y[1] == -2 && isnan(y[2]));
}
END_TEST

/* ---- the choice ---- */

static const char *chosen(int i, int o, const EadPlanOptions *options) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    const EadNode *node;
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 40, 40, i, NULL);
    EadNode *w = ead_leaf(graph, "w", EAD_REAL, o, 4, 4, i, NULL);
    ead_keep(ead_conv2d(graph, x, w, NULL, (EadConv2d){1, 0, false}));
    ck_assert_msg(ead_plan_new(graph, options, &plan) == EAD_OK, "%s", ead_error_message());
    const char *algorithm = ead_plan_call(plan, 0, &node)->algorithm;
    ead_plan_free(plan);
    ead_graph_free(graph);
    return algorithm;
}

START_TEST(precision_chooses) {
    const EadPlanOptions bf16 = {.precision = EAD_PRECISION_BF16, .amx = &ead_amx_emulated};
    const EadPlanOptions fp32 = {.precision = EAD_PRECISION_FP32, .amx = &ead_amx_emulated};
    const EadPlanOptions automatic = {.precision = EAD_PRECISION_AUTO};
    unsetenv("EFFICIENTAD_CONV");
    ck_assert_str_eq(chosen(32, 64, &bf16), "amx");
    ck_assert_str_eq(chosen(3, 64, &bf16), "direct");
    ck_assert_str_eq(chosen(32, 64, &fp32), "winograd8");
    ck_assert_str_eq(chosen(32, 64, NULL), "winograd8");
    ck_assert_str_eq(chosen(32, 64, &automatic), ead_amx() ? "amx" : "winograd8");
    setenv("EFFICIENTAD_CONV", "direct", 1);
    ck_assert_str_eq(chosen(32, 64, &bf16), "direct");
    setenv("EFFICIENTAD_CONV", "amx", 1);
    ck_assert_str_eq(chosen(32, 64, NULL), ead_amx() ? "amx" : "winograd8");
}
END_TEST

START_TEST(bf16_without_amx) {
    EadPlan *plan = NULL;
    ck_assert_int_eq(ead_precision_check(&ead_backend_cpu, EAD_PRECISION_FP32, true, "train.precision"),
                     EAD_OK);
    ck_assert_int_eq(ead_precision_check(&ead_backend_cpu, EAD_PRECISION_AUTO, true, "train.precision"),
                     EAD_OK);
    EadPrecision chosen_for_me = ead_precision_resolve(&ead_backend_cpu, EAD_PRECISION_AUTO, true);
    ck_assert_str_eq(ead_precision_name(chosen_for_me), ead_amx() ? "bf16" : "fp32");
    setenv("EFFICIENTAD_CPU", "v3", 1); /* below which there is none */
    ck_assert_ptr_null(ead_amx());
    ck_assert_int_eq(ead_precision_check(&ead_backend_cpu, EAD_PRECISION_BF16, true, "train.precision"),
                     EAD_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ead_error_message(), "train.precision: bf16 needs a CPU with AMX"));
    EadGraph *graph = ead_graph_new();
    EadStatus status = ead_plan_new(graph, &(EadPlanOptions){.precision = EAD_PRECISION_BF16}, &plan);
    ck_assert_int_eq(status, EAD_UNSUPPORTED);
    ead_graph_free(graph);
    unsetenv("EFFICIENTAD_CPU");
}
END_TEST

int main(void) {
    omp_set_num_threads(1);
    setenv("EFFICIENTAD_CONV", "amx", 1);
    Suite *suite = suite_create("amx");
    TCase *tests = tcase_create("amx");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, layers_agree_with_double, 0, LAYERS);
    tcase_add_test(tests, the_cpu_agrees_with_double);
    tcase_add_loop_test(tests, rounding_agrees_with_half_h, 0, 2);
    tcase_add_loop_test(tests, finishing, 0, 2);
    tcase_add_test(tests, precision_chooses);
    tcase_add_test(tests, bf16_without_amx);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
