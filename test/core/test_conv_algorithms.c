/* Every convolution algorithm on every instruction level, forward and both gradients, against a convolution
 * in double: on the layers of both models and the autoencoder, on odd sizes, with every padding and several
 * images. And: the same bits in every run, with any number of threads. */
#include "bench/bench_conv_error.h"
#include "test/support/conv_support.h"

#include <math.h>
#include <omp.h>

#ifdef __SANITIZE_ADDRESS__ /* many times slower */
enum { SAMPLES = 30, WEIGHT_SAMPLES = 10, ROWS = 12, WIDEST_ROWS = 16, COLUMNS = 24 };
#else
enum { SAMPLES = 300, WEIGHT_SAMPLES = 60, ROWS = 24, WIDEST_ROWS = 256, COLUMNS = 256 };
#endif
static const double tolerance = 5e-5; /* of the largest value */

static const char *const algorithms[] = {"direct", "gemm", "winograd6", "winograd8"};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

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

/* Plans, makes sure that the algorithm is what was asked for, runs, and holds the results against double. */
static void measure(ConvRun *run, int algorithm, const char *level, bool constant_weights,
                    double worst[CONV_RESULTS]) {
    conv_plan(run, algorithms[algorithm], level, constant_weights);
    ck_assert_msg(runs_on(run, algorithms[algorithm]) == CONV_RESULTS, "%s: %s was not taken", run->c.name,
                  algorithms[algorithm]);
    ead_plan_run(run->plan);
    for (int k = 0; k < ead_plan_call_count(run->plan); k++) {
        const EadNode *node;
        const EadCall *call = ead_plan_call(run->plan, k, &node);
        int samples =
            node == run->results[2] ? WEIGHT_SAMPLES : SAMPLES; /* a weight's sum is over all pixels */
        double error = ead_bench_conv_error(call, node, samples, (uint64_t)k + 7);
        ck_assert_msg(error <= tolerance, "%s (%dx%dx%dx%d, padding %d), %s, %s %s: error %g", run->c.name,
                      run->c.n, run->c.h, run->c.w, run->c.i, run->c.padding, ead_op(node->op)->name,
                      algorithms[algorithm], level, error);
        for (int r = 0; r < CONV_RESULTS; r++)
            if (node == run->results[r]) worst[r] = fmax(worst[r], error);
    }
    conv_unplan(run);
}

/* All algorithms that can do the case; gemm is OpenBLAS's and knows nothing of our levels. */
static void measure_all(const ConvCase *c, const char *level, bool with_gemm, bool constant_weights,
                        Worst worst) {
    ConvRun run;
    conv_open(&run, c);
    for (int a = 0; a < ALGORITHMS; a++) {
        bool winograd = strncmp(algorithms[a], "winograd", 8) == 0;
        if (winograd ? conv_fits_winograd(c) : strcmp(algorithms[a], "gemm") != 0 || with_gemm)
            measure(&run, a, level, constant_weights, worst[a]);
    }
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
    omp_set_num_threads(2);
    for (int r = 0; r < CONV_RESULTS; r++) free(two[r]);
    conv_close(&run);
}

START_TEST(bits_are_the_same_with_any_threads) {
    int threads = omp_get_max_threads();
    for (int l = 0; l < CONV_LEVELS; l++)
        for (int a = 0; a < ALGORITHMS && conv_has_level(conv_levels[l]); a++) {
            ConvCase some[] = {layers[1], layers[2], layers[11], odd_case(27), odd_case(74)};
            for (int k = 0; k < 5; k++) {
                if (some[k].h > ROWS) some[k].h = ROWS;
                check_bits(&some[k], algorithms[a], conv_levels[l]);
            }
        }
    omp_set_num_threads(threads);
}
END_TEST

/* Calls that keep something or find it. */
static int keeping(const ConvRun *run) {
    const EadNode *node;
    int count = 0;
    for (int k = 0; k < ead_plan_call_count(run->plan); k++)
        count += ead_plan_call(run->plan, k, &node)->saved_bytes > 0;
    return count;
}

START_TEST(kept_inputs_change_no_bit) {
    static const ConvCase cases[] = {{"conv2 x 3", 3, 66, 66, 128, 256, 4, 1, 3},
                                     {"conv3", 1, 61, 40, 256, 256, 3, 1, 0},
                                     {"dec_conv8", 2, 20, 20, 64, 384, 3, 1, 1}};
    for (int i = 0; i < 2 * (int)(sizeof cases / sizeof *cases); i++) {
        real *kept[CONV_RESULTS], *made_again[CONV_RESULTS];
        const char *algorithm = i % 2 ? "winograd6" : "winograd8";
        ConvRun run;
        conv_open(&run, &cases[i / 2]);
        for (int apart = 0; apart < 2; apart++) {
            run.apart = apart;
            conv_plan(&run, algorithm, "", false);
            ck_assert_int_eq(keeping(&run), apart ? 0 : 2); /* the forward pass and the weight gradient */
            run_with(&run, omp_get_max_threads(), apart ? made_again : kept);
            if (apart) compare(&run, kept, made_again, algorithm, "other bits without kept inputs");
            conv_unplan(&run);
        }
        for (int r = 0; r < CONV_RESULTS; r++) free(kept[r]);
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
    tcase_add_test(tests, kept_inputs_change_no_bit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
