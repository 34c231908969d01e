/* Every convolution algorithm on every instruction level, forward and both gradients, against a convolution
 * in double at a sample of positions and against im2col and OpenBLAS everywhere: on the layers of both models
 * and the autoencoder, on odd sizes, with every padding and several images. And: the same bits in every run,
 * with any number of threads. */
#include "bench/bench_conv_error.h"
#include "test/support/conv_runs.h"

#include <math.h>
#include <omp.h>

#if SANITIZED /* many times slower */
enum { SAMPLES = 30, WEIGHT_SAMPLES = 10, ROWS = 12, WIDEST_ROWS = 16, COLUMNS = 24 };
/* LLVM's OpenMP keeps what its threads had when there are fewer of them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libomp";
}
#else
enum { SAMPLES = 300, WEIGHT_SAMPLES = 60, ROWS = 24, WIDEST_ROWS = 256, COLUMNS = 256 };
#endif
static const double tolerance = 5e-5; /* of the largest value */

static const char *const algorithms[] = {"direct", "winograd8", "gemm"};
enum { GEMM = 2, ALGORITHMS }; /* gemm is the reference, no algorithm of the product */

/* The layers for images of 256x256, unpadded: images, height, width, in, out, kernel, stride, padding. M's
 * are cut to a part of the image that fills a few tiles. */
static const ConvCase layers[] = {
    {"S conv1", 1, 256, 256, 3, 128, 4, 1, 0},     {"S conv2", 1, 126, 126, 128, 256, 4, 1, 0},
    {"S conv3", 1, 61, 61, 256, 256, 3, 1, 0},     {"S conv4", 1, 59, 59, 256, 384, 4, 1, 0},
    {"M conv1", 1, 40, 256, 3, 256, 4, 1, 0},      {"M conv2", 1, 22, 23, 256, 512, 4, 1, 0},
    {"M conv3", 1, 22, 23, 512, 512, 1, 1, 0},     {"M conv4", 1, 22, 23, 512, 512, 3, 1, 0},
    {"M conv5", 1, 20, 21, 512, 768, 4, 1, 0},     {"M conv6", 1, 22, 23, 768, 384, 1, 1, 0},
    {"enc_conv1", 1, 256, 256, 3, 32, 4, 2, 1},    {"enc_conv2", 1, 128, 128, 32, 32, 4, 2, 1},
    {"enc_conv3", 1, 64, 64, 32, 64, 4, 2, 1},     {"enc_conv4", 1, 32, 32, 64, 64, 4, 2, 1},
    {"enc_conv5", 1, 16, 16, 64, 64, 4, 2, 1},     {"enc_conv6", 1, 8, 8, 64, 64, 8, 1, 0},
    {"dec_conv1", 1, 3, 3, 64, 64, 4, 1, 2},       {"dec_conv2", 1, 8, 8, 64, 64, 4, 1, 2},
    {"dec_conv3", 1, 15, 15, 64, 64, 4, 1, 2},     {"dec_conv4", 1, 32, 32, 64, 64, 4, 1, 2},
    {"dec_conv5", 1, 63, 63, 64, 64, 4, 1, 2},     {"dec_conv6", 1, 127, 127, 64, 64, 4, 1, 2},
    {"dec_conv7", 1, 56, 56, 64, 64, 3, 1, 1},     {"dec_conv8", 1, 56, 56, 64, 384, 3, 1, 1},
    {"S conv2 x 3", 3, 36, 36, 128, 256, 4, 1, 3},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* Largest errors found: [algorithm][y, dx, dw]. */
typedef double Worst[ALGORITHMS][CONV_RESULTS];

static int runs_on(const ConvRun *run, const char *algorithm) {
    const EadNode *node;
    int count = 0;
    for (int k = 0; k < ead_plan_call_count(run->plan); k++) {
        const EadCall *call = ead_plan_call(run->plan, k, &node);
        count += call->algorithm && strcmp(call->algorithm, algorithm) == 0;
    }
    return count;
}

/* The largest distance from the reference, relative to its largest value. */
static double distance(const EadTensor *y, const real *reference) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < ead_count(y); i++) {
        double off = fabs((double)((const real *)y->data)[i] - (double)reference[i]);
        if (!(off <= worst)) worst = off; /* a NaN is an error, too */
        largest = fmax(largest, fabs((double)reference[i]));
    }
    return largest > 0 ? worst / largest : worst;
}

static int result_of(const ConvRun *run, const EadNode *node) {
    int r = 0;
    while (run->results[r] != node) r++;
    return r;
}

static void check(const ConvRun *run, int r, int algorithm, const char *level, double error) {
    ck_assert_msg(error <= tolerance, "%s (%dx%dx%dx%d, padding %d), %s, %s %s: error %g", run->c.name,
                  run->c.n, run->c.h, run->c.w, run->c.i, run->c.padding, ead_op(run->results[r]->op)->name,
                  algorithms[algorithm], level, error);
}

/* Against double, at a sample of positions. A weight's sum is over all pixels. */
static void check_samples(const ConvRun *run, const EadCall *call, int r, int algorithm, const char *level,
                          double worst[CONV_RESULTS]) {
    int samples = r == 2 ? WEIGHT_SAMPLES : SAMPLES;
    double error = ead_bench_conv_error(call, run->results[r], samples, (uint64_t)r + 7);
    check(run, r, algorithm, level, error);
    worst[r] = fmax(worst[r], error);
}

/* Plans, makes sure that the algorithm is what was asked for, runs, and holds the results against double and,
 * where there are references, against all of their numbers. */
static void measure(ConvRun *run, int algorithm, const char *level, bool constant_weights,
                    real *const references[CONV_RESULTS], double worst[CONV_RESULTS]) {
    conv_plan(run, algorithms[algorithm], level, constant_weights);
    ck_assert_msg(runs_on(run, algorithms[algorithm]) == CONV_RESULTS, "%s: %s was not taken", run->c.name,
                  algorithms[algorithm]);
    ead_plan_run(run->plan);
    for (int k = 0; k < ead_plan_call_count(run->plan); k++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(run->plan, k, &node);
        int r = result_of(run, node);
        check_samples(run, call, r, algorithm, level, worst);
        if (references[r]) check(run, r, algorithm, level, distance(call->y, references[r]));
    }
    conv_unplan(run);
}

/* The reference itself is held against double, too. */
static void make_references(ConvRun *run, const char *level, real *references[CONV_RESULTS],
                            double worst[CONV_RESULTS]) {
    conv_plan(run, "direct", level, true);
    for (int k = 0; k < ead_plan_call_count(run->plan); k++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(run->plan, k, &node);
        int r = result_of(run, node);
        EadTensor y = *call->y;
        EadCall by_gemm = *call;
        y.data = references[r] = conv_by_gemm(call, node->op);
        by_gemm.y = &y;
        check_samples(run, &by_gemm, r, GEMM, level, worst);
    }
    conv_unplan(run);
}

/* All algorithms that can do the case; gemm knows nothing of our levels. */
static void measure_all(const ConvCase *c, const char *level, bool with_gemm, bool constant_weights,
                        Worst worst) {
    real *references[CONV_RESULTS] = {NULL};
    ConvRun run;
    conv_open(&run, c);
    if (with_gemm) make_references(&run, level, references, worst[GEMM]);
    for (int a = 0; a < GEMM; a++)
        if (strncmp(algorithms[a], "winograd", 8) != 0 || conv_fits_winograd(c))
            measure(&run, a, level, constant_weights, references, worst[a]);
    for (int r = 0; r < CONV_RESULTS; r++) free(references[r]);
    conv_close(&run);
}

static void print_worst(const char *what, const char *level, Worst worst) {
    printf("%s, %s: largest error of y, dx, dw:", what, level);
    for (int a = 0; a < ALGORITHMS; a++)
        if (worst[a][0] > 0)
            printf("  %s %.1e %.1e %.1e", algorithms[a], worst[a][0], worst[a][1], worst[a][2]);
    printf("\n");
}

static bool is_widest(int level) {
    for (int wider = level + 1; wider < CONV_LEVELS; wider++)
        if (conv_has_level(conv_levels[wider])) return false;
    return true;
}

/* Whole layers on the widest level, the first rows of them on the others. */
START_TEST(layers_are_accurate) {
    const char *level = conv_levels[_i];
    SKIP_UNLESS(conv_has_level(level), level);
    Worst worst = {{0}};
    for (int k = 0; k < LAYERS; k++) {
        ConvCase c = layers[k];
        int rows = is_widest(_i) ? WIDEST_ROWS : ROWS;
        if (c.h > rows) c.h = rows;
        if (c.w > COLUMNS) c.w = COLUMNS;
        measure_all(&c, level, is_widest(_i), true, worst);
    }
    print_worst("layers", level, worst);
}
END_TEST

static const int odd_sizes[][2] = {{4, 4}, {5, 9}, {13, 7}, {17, 22}};
static const int odd_channels[][2] = {{16, 32}, {48, 16}, {32, 80}, {3, 5}, {20, 33}};
enum { ODD_SIZES = 4, ODD_CHANNELS = 5, KERNELS = 2, PADDINGS = 4, IMAGES = 3, STRIDES = 2 };

static ConvCase odd_case(int number) {
    int size = number % ODD_SIZES, padding = number / ODD_SIZES % PADDINGS;
    int kernel = number / ODD_SIZES / PADDINGS % KERNELS, n = number / ODD_SIZES / PADDINGS / KERNELS;
    const int *channels = odd_channels[number % ODD_CHANNELS];
    int stride = channels[0] % 16 ? 1 + number % STRIDES : 1;
    return (ConvCase){"odd",       n + 1,       odd_sizes[size][0], odd_sizes[size][1],
                      channels[0], channels[1], kernel + 3,         stride,
                      padding};
}
enum { ODD_CASES = ODD_SIZES * PADDINGS * KERNELS * IMAGES };

START_TEST(odd_sizes_are_accurate) {
    const char *level = conv_levels[_i];
    SKIP_UNLESS(conv_has_level(level), level);
    Worst worst = {{0}};
    for (int k = 0; k < ODD_CASES; k++) {
        ConvCase c = odd_case(k);
        measure_all(&c, level, is_widest(_i), k % 2 == 0, worst);
    }
    print_worst("odd sizes", level, worst);
}
END_TEST

/* ---- bits ---- */

static void run_with(const ConvRun *run, int threads, real *copies[CONV_RESULTS]) {
    omp_set_num_threads(threads);
    ead_plan_run(run->plan);
    for (int r = 0; r < CONV_RESULTS; r++) copies[r] = conv_copy(run->results[r]);
}

static void compare(const ConvRun *run, real *first[], real *second[], const char *algorithm,
                    const char *what) {
    for (int r = 0; r < CONV_RESULTS; r++) {
        bool same = memcmp(first[r], second[r], ead_bytes(&run->results[r]->y)) == 0;
        ck_assert_msg(same, "%s, %s, result %d: %s", run->c.name, algorithm, r, what);
        free(second[r]);
    }
}

enum { MANY = 13 };

static void check_bits(const ConvCase *c, const char *algorithm, const char *level) {
    real *two[CONV_RESULTS], *again[CONV_RESULTS], *one[CONV_RESULTS];
    ConvRun run;
    conv_open(&run, c);
    omp_set_num_threads(2);
    conv_plan(&run, algorithm, level, false);
    run_with(&run, 2, two);
    run_with(&run, 2, again);
    compare(&run, two, again, algorithm, "other bits in the second run");
    run_with(&run, 1, one);
    compare(&run, two, one, algorithm, "other bits with one thread");
    conv_unplan(&run);
    omp_set_num_threads(MANY);
    conv_plan(&run, algorithm, level, false);
    run_with(&run, MANY, one);
    compare(&run, two, one, algorithm, "other bits in a plan for many threads");
    conv_unplan(&run);
    omp_set_num_threads(2);
    for (int r = 0; r < CONV_RESULTS; r++) free(two[r]);
    conv_close(&run);
}

START_TEST(bits_are_the_same_with_any_threads) {
    int threads = omp_get_max_threads();
    for (int l = 0; l < CONV_LEVELS; l++)
        for (int a = 0; a < GEMM && conv_has_level(conv_levels[l]); a++) {
            ConvCase some[] = {layers[1], layers[2], layers[11], layers[23], odd_case(27), odd_case(74)};
            for (int k = 0; k < 6; k++) {
                if (some[k].h > ROWS) some[k].h = ROWS;
                check_bits(&some[k], algorithms[a], conv_levels[l]);
            }
        }
    omp_set_num_threads(threads);
}
END_TEST

/* Calls that save something or find it. */
static int saving(const ConvRun *run) {
    const EadNode *node;
    int count = 0;
    for (int k = 0; k < ead_plan_call_count(run->plan); k++)
        count += ead_plan_call(run->plan, k, &node)->saved_bytes > 0;
    return count;
}

START_TEST(saved_inputs_change_no_bit) {
    static const ConvCase cases[] = {{"conv2 x 3", 3, 66, 66, 128, 256, 4, 1, 3},
                                     {"conv3", 1, 61, 40, 256, 256, 3, 1, 0},
                                     {"dec_conv8", 2, 20, 20, 64, 384, 3, 1, 1}};
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        real *saved[CONV_RESULTS], *made_again[CONV_RESULTS];
        ConvRun run;
        conv_open(&run, &cases[i]);
        for (int apart = 0; apart < 2; apart++) {
            run.apart = apart;
            conv_plan(&run, "winograd8", "", false);
            ck_assert_int_eq(saving(&run), apart ? 0 : 2); /* the forward pass and the weight gradient */
            run_with(&run, omp_get_max_threads(), apart ? made_again : saved);
            if (apart) compare(&run, saved, made_again, "winograd8", "other bits without saved inputs");
            conv_unplan(&run);
        }
        for (int r = 0; r < CONV_RESULTS; r++) free(saved[r]);
        conv_close(&run);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("convolution algorithms");
    TCase *tests = tcase_create("algorithms");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, layers_are_accurate, 0, CONV_LEVELS);
    tcase_add_loop_test(tests, odd_sizes_are_accurate, 0, CONV_LEVELS);
    tcase_add_test(tests, bits_are_the_same_with_any_threads);
    tcase_add_test(tests, saved_inputs_change_no_bit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
