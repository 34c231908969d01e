/* The bench: its statistics, its counts of work, its files, and the command line. No timing is judged. */
#include "test/support/suite.h"

#include "bench/bench_machine.h"
#include "bench/bench_setup.h"
#include "models/detector.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FOLDER "build/scratch/bench"

static void make_folder(void) {
    mkdir("build", 0777);
    mkdir("build/scratch", 0777);
    mkdir(FOLDER, 0777);
}

START_TEST(percentiles_are_numpys) {
    double times[] = {5.5, 1, 4, 2, 30, 10, 7}, one[] = {3};
    EadBenchResult result = ead_bench_result();
    ead_bench_summarize(times, 7, &result);
    ck_assert_int_eq(result.repeats, 7);
    ck_assert_double_eq_tol(result.median_ms, 5.5, 1e-12);
    ck_assert_double_eq_tol(result.p99_ms, 28.8, 1e-12);
    ck_assert(result.max_ms == 30);
    ck_assert_double_eq_tol(result.p10_ms, 1.6, 1e-12);
    ck_assert_double_eq_tol(result.p90_ms, 18, 1e-12);
    ck_assert_double_eq(result.min_ms, 1);
    ead_bench_summarize(one, 1, &result);
    ck_assert(result.median_ms == 3 && result.p10_ms == 3 && result.p90_ms == 3);
}
END_TEST

/* The work of an image is the paper's (Table 16), and twice as much for two. */
static void check_work(const char *size, double gflop) {
    EadBenchOptions options = {.size = size, .height = 256, .width = 256};
    EadBenchFit run;
    ck_assert_int_eq(ead_bench_fit_open(&options, NULL, false, &run), EAD_OK);
    for (int batch = 1; batch <= 2; batch++) {
        EadDetector *detector;
        ck_assert_int_eq(ead_detector_new(run.model, NULL, batch, &detector), EAD_OK);
        double flop = ead_bench_plan_flop(ead_detector_plan(detector));
        ck_assert_double_eq_tol(1e-9 * flop, batch * gflop, 0.01 * batch);
        ead_detector_close(detector);
    }
    ead_bench_fit_close(&run);
}

START_TEST(work_is_that_of_the_paper) {
    check_work("small", 75.89);
    check_work("medium", 235.41);
}
END_TEST

static void check_plan_rows(const EadBenchResults *results, const char *plan) {
    double share = 0;
    int convolutions = 0;
    for (int i = 0; i < results->count; i++) {
        const EadBenchResult *r = &results->items[i];
        if (strcmp(r->plan, plan) != 0) continue;
        share += r->share;
        ck_assert_msg(r->op[0] && r->shape[0] && r->median_ms >= 0, "%s call %d", plan, (int)r->call);
        bool convolution = strncmp(r->op, "conv2d", 6) == 0;
        convolutions += convolution;
        ck_assert_msg(convolution == (r->layer[0] != '\0'), "%s call %d: %s", plan, (int)r->call, r->op);
        ck_assert(convolution ? r->gflop > 0 && isnan(r->gb_per_s) : isnan(r->gflop));
        ck_assert_msg(convolution == (r->algorithm[0] != '\0'), "%s call %d", plan, (int)r->call);
        ck_assert(r->mb > 0 && convolution == (r->real_gflop > 0) && convolution == (r->error >= 0));
        ck_assert_msg(!convolution || r->error <= 5e-5, "%s %s: error %g", r->op, r->layer, r->error);
    }
    ck_assert_int_ge(convolutions, 22); /* teacher 4, student 4 with two heads, autoencoder 14 */
    ck_assert_double_eq_tol(share, 1, 1e-6);
}

START_TEST(ops_of_both_plans) {
    EadBenchResults results = {0};
    EadBenchOptions options = {.size = "small",
                               .height = 128,
                               .width = 128,
                               .batch = 1,
                               .repeat = 1,
                               .quiet = true,
                               .errors = true,
                               .plan = {.backend = &ead_backend_cpu},
                               .peak_gflop_per_s = NAN};
    ck_assert_int_eq(ead_bench_ops(&options, &results), EAD_OK);
    check_plan_rows(&results, "infer");
    check_plan_rows(&results, "step");
    ead_bench_results_free(&results);
}
END_TEST

/* A method without steps: its inference, with the search among its calls. */
/* The same without search and filter is a row of its own, whose work is less by the products with the bank. */
START_TEST(network_of_patchcore) {
    static const char *const settings[] = {"model.method=patchcore", "patchcore.coreset_ratio=0.001"};
    enum { PATCHES = (128 / 8) * (128 / 8), NUMBERS = 384 };
    EadBenchOptions options = {
        .size = "small", .height = 128, .width = 128, .batch = 2, .repeat = 1, .quiet = true};
    options.settings = settings, options.setting_count = 2, options.plan.backend = &ead_backend_cpu;
    EadBenchResults results = {0};
    ck_assert_int_eq(ead_bench_infer(&options, &results), EAD_OK);
    ck_assert_int_eq(results.count, 2);
    ck_assert_str_eq(results.items[1].bench, "network");
    ck_assert(results.items[1].batch == results.items[0].batch && results.items[1].batch == options.batch);
    double gflop =
        results.items[0].gflop - results.items[1].gflop; /* a thousandth of the patches of 209 images */
    ck_assert_double_eq_tol(gflop, 2e-9 * 2 * PATCHES * (209 * PATCHES / 1000) * NUMBERS, 1e-12);
    ead_bench_results_free(&results);
}
END_TEST

START_TEST(ops_of_patchcore) {
    static const char *const settings[] = {"model.method=patchcore", "model.backbone=pdn_small",
                                           "patchcore.coreset_ratio=0.001"};
    EadBenchResults results = {0};
    EadBenchOptions options = {.settings = settings,
                               .setting_count = 3,
                               .size = "small",
                               .height = 128,
                               .width = 160,
                               .batch = 1,
                               .repeat = 1,
                               .quiet = true,
                               .plan = {.backend = &ead_backend_cpu},
                               .peak_gflop_per_s = NAN};
    int searches = 0;
    ck_assert_int_eq(ead_bench_ops(&options, &results), EAD_OK);
    for (int i = 0; i < results.count; i++) {
        const EadBenchResult *r = &results.items[i];
        ck_assert_str_eq(r->plan, "infer");
        ck_assert_str_eq(r->model, "patchcore");
        if (strcmp(r->op, "nearest_rows") != 0) continue;
        searches++; /* 16 x 20 queries, a thousandth of those of 209 images, 384 numbers */
        ck_assert_double_eq_tol(r->gflop, 2e-9 * 320 * 66 * 384, 1e-12);
    }
    ck_assert_int_eq(searches, 1);
    ck_assert_int_eq(ead_bench_step(&options, &results), EAD_BAD_ARGUMENT);
    ck_assert(strstr(ead_error_message(), "patchcore is fitted without steps"));
    ead_bench_results_free(&results);
}
END_TEST

/* One row a set; the row says how large the set was and its rate follows from its time. */
START_TEST(metrics_of_a_set_of_ones_own) {
    make_folder();
    EadBenchResults results = {0};
    EadBenchMachine machine = ead_bench_machine(&ead_backend_cpu);
    EadBenchOptions options = {
        .height = 128, .width = 192, .batch = 9, .own_set = true, .repeat = 2, .quiet = true};
    ck_assert_int_eq(ead_bench_metrics(&options, &results), EAD_OK);
    options.batch = 1; /* a good image alone: metrics that are undefined are no error */
    ck_assert_int_eq(ead_bench_metrics(&options, &results), EAD_OK);
    ck_assert_int_eq(ead_bench_write_json(FOLDER "/m.json", &machine, &results), EAD_OK);
    json_t *root = json_load_file(FOLDER "/m.json", 0, NULL), *rows = json_object_get(root, "results"), *row;
    size_t index;
    ck_assert_uint_eq(json_array_size(rows), 2);
    json_array_foreach(rows, index, row) {
        double median = json_real_value(json_object_get(row, "median_ms"));
        int images = index == 0 ? 9 : 1;
        ck_assert_str_eq(json_string_value(json_object_get(row, "bench")), "metrics");
        ck_assert_str_eq(json_string_value(json_object_get(row, "image")), "128x192");
        ck_assert_int_eq(json_integer_value(json_object_get(row, "batch")), images);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "repeats")), 2);
        ck_assert(median > 0 && json_real_value(json_object_get(row, "cpu_ms")) > 0);
        ck_assert_double_eq_tol(json_real_value(json_object_get(row, "images_per_s")) * median, 1e3 * images,
                                0.1 * images); /* the file keeps six digits */
        ck_assert_double_gt(json_real_value(json_object_get(row, "peak_rss_mb")), 1);
        ck_assert_ptr_null(json_object_get(row, "model"));
    }
    json_decref(root);
    ead_bench_results_free(&results);
}
END_TEST

static EadBenchResult sample_result(void) {
    EadBenchResult result = ead_bench_result();
    strcpy(result.bench, "infer");
    strcpy(result.model, "small");
    result.batch = 2;
    result.median_ms = 12.5;
    result.peak_rss_mb = 85.25;
    return result;
}

START_TEST(json_holds_machine_and_results) {
    make_folder();
    EadBenchResults results = {0};
    EadBenchResult sample = sample_result();
    EadBenchMachine machine = ead_bench_machine(&ead_backend_cpu);
    for (int i = 0; i < 100; i++) ck_assert_int_eq(ead_bench_results_add(&results, &sample), EAD_OK);
    ck_assert_int_eq(ead_bench_write_json(FOLDER "/b.json", &machine, &results), EAD_OK);
    json_t *root = json_load_file(FOLDER "/b.json", 0, NULL);
    const char *cpu = json_string_value(json_object_get(json_object_get(root, "machine"), "cpu"));
    json_t *rows = json_object_get(root, "results"), *row = json_array_get(rows, 99);
    ck_assert_str_eq(cpu, machine.cpu.model);
    ck_assert_uint_eq(json_array_size(rows), 100);
    ck_assert_uint_eq(json_object_size(row), 5);
    ck_assert_str_eq(json_string_value(json_object_get(row, "model")), "small");
    ck_assert_double_eq(json_real_value(json_object_get(row, "median_ms")), 12.5);
    json_decref(root);
    ead_bench_results_free(&results);
}
END_TEST

static int count_commas(const char *line) {
    int commas = 0;
    for (; *line; line++) commas += *line == ',';
    return commas;
}

START_TEST(csv_has_the_same_columns_in_every_row) {
    make_folder();
    EadBenchResults results = {0};
    EadBenchResult sample = sample_result();
    char head[1024], row[1024], more[8];
    ck_assert_int_eq(ead_bench_results_add(&results, &sample), EAD_OK);
    ck_assert_int_eq(ead_bench_write_csv(FOLDER "/b.csv", &results), EAD_OK);
    FILE *stream = fopen(FOLDER "/b.csv", "r");
    ck_assert(stream && fgets(head, sizeof head, stream) && fgets(row, sizeof row, stream));
    ck_assert_ptr_null(fgets(more, sizeof more, stream));
    fclose(stream);
    ck_assert(strncmp(head, "bench,plan,model,batch,", 23) == 0);
    ck_assert_int_eq(count_commas(head), count_commas(row));
    ck_assert(strncmp(row, "infer,,small,2,,", 16) == 0);
    ead_bench_results_free(&results);
}
END_TEST

START_TEST(files_that_cannot_be_written_are_an_error) {
    EadBenchResults results = {0};
    EadBenchMachine machine = {.peak_gflop_per_s = NAN};
    ck_assert_int_eq(ead_bench_write_json("build/no/such/folder/b.json", &machine, &results), EAD_IO);
    ck_assert_int_eq(ead_bench_write_csv("build/no/such/folder/b.csv", &results), EAD_IO);
}
END_TEST

/* Runs the program's bench and returns its exit code. */
static int run_program(const char *arguments, char *output, size_t size) {
    char command[512];
    snprintf(command, sizeof command, "%s bench %s 2>&1", getenv("PROGRAM"), arguments);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    output[fread(output, 1, size - 1, pipe)] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(unknown_measurement_is_wrong_usage) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    char output[4096];
    ck_assert_int_eq(run_program("infer speed", output, sizeof output), 2);
    ck_assert_ptr_nonnull(
        strstr(output, "'speed' is not one of infer|step|ops|metrics|distill|features|loader"));
    ck_assert_int_eq(run_program("", output, sizeof output), 2);
    ck_assert_int_eq(run_program("infer --batch 0", output, sizeof output), 2);
}
END_TEST

/* Of the key, unless the option says another. */
START_TEST(images_have_the_size_of_the_key) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    char output[4096];
    static const char infer[] = "infer -q -n 1 --set model.method=patchcore --set model.image_size=160";
    char both[128];
    ck_assert_int_eq(run_program(infer, output, sizeof output), 0);
    ck_assert_ptr_nonnull(strstr(output, " 160x160 "));
    snprintf(both, sizeof both, "%s --image-size 64", infer);
    ck_assert_int_eq(run_program(both, output, sizeof output), 0);
    ck_assert_ptr_nonnull(strstr(output, " 64x64 "));
}
END_TEST

START_TEST(program_measures_metrics_once_for_both_sizes) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    char output[8192];
    make_folder();
    int code = run_program("metrics -q --size both --batch 6 --image-size 64 -n 1 --json " FOLDER "/q.json",
                           output, sizeof output);
    ck_assert_msg(code == 0, "%s", output);
    json_t *root = json_load_file(FOLDER "/q.json", 0, NULL), *rows = json_object_get(root, "results");
    ck_assert_uint_eq(json_array_size(rows), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 0), "batch")), 6);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "image")), "64x64");
    json_decref(root);
}
END_TEST

/* What bench/rivals/compare.sh needs. */
START_TEST(program_measures_and_writes) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    char output[8192];
    make_folder();
    int code = run_program("infer step --size both --image-size 64 --threads 1 --repeat 1 --json " FOLDER
                           "/p.json --csv " FOLDER "/p.csv",
                           output, sizeof output);
    ck_assert_msg(code == 0 && strstr(output, " threads"), "%s", output);
    json_t *root = json_load_file(FOLDER "/p.json", 0, NULL), *row;
    size_t index;
    ck_assert_uint_eq(json_array_size(json_object_get(root, "results")), 4);
    json_array_foreach(json_object_get(root, "results"), index, row) {
        const char *bench = json_string_value(json_object_get(row, "bench"));
        ck_assert_str_eq(bench, index % 2 == 0 ? "infer" : "step");
        ck_assert_str_eq(json_string_value(json_object_get(row, "model")), index < 2 ? "small" : "medium");
        ck_assert_str_eq(json_string_value(json_object_get(row, "image")), "64x64");
        ck_assert_int_eq(json_integer_value(json_object_get(row, "batch")), 1);
        ck_assert_double_gt(json_real_value(json_object_get(row, "median_ms")), 0);
        ck_assert_double_gt(json_real_value(json_object_get(row, "peak_rss_mb")), 10);
    }
    json_decref(root);
}
END_TEST

/* The second row is that beside busy processes, which end with it. */
START_TEST(program_measures_under_load) {
    char output[8192];
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    make_folder();
    ck_assert_int_eq(run_program("step --size small --image-size 64 -n 1 --load 2 --json " FOLDER "/l.json",
                                 output, sizeof output),
                     0);
    json_t *root = json_load_file(FOLDER "/l.json", 0, NULL), *rows = json_object_get(root, "results");
    ck_assert_uint_eq(json_array_size(rows), 2);
    ck_assert_ptr_null(json_object_get(json_array_get(rows, 0), "load"));
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 1), "load")), 2);
    json_decref(root);
}
END_TEST

/* A row says what was measured, and how many images a step trains on. Where model.size plays no part, once is
 * enough. */
START_TEST(program_names_methods) {
    static const struct {
        const char *words, *bench, *model;
        int rows, batch;
    } cases[] = {
        {"step --set model.method=gcad --set gcad.fields=33 --set gcad.unet=2 --set gcad.width=4 --set "
         "gcad.batch=2 --set student_teacher.teacher_batch=2",
         "step", "gcad", 1, 2},
        {"step --set model.method=fastflow --set fastflow.batch=2 --set fastflow.couplings=1", "step",
         "fastflow", 1, 2},
        {"step --set model.method=ast --set ast.batch=2 --set ast.teacher_hidden=8 --set "
         "ast.student_hidden=8",
         "step", "ast", 1, 2},
        {"step --set model.method=simplenet --set simplenet.batch=3 --set simplenet.width=64", "step",
         "simplenet", 1, 3},
        {"infer --set model.method=patchcore --set patchcore.coreset_ratio=0.001", "infer", "patchcore", 2,
         1},
        {"step --set model.method=dsr --set dsr.channels=8 --set dsr.codes=16 --set "
         "dsr.unet=4 --set "
         "dsr.batch=2 --set dsr.codebook_batch=2",
         "step", "dsr", 1, 2},
        {"distill --batch 2", "distill", "small", 2, 2},
        {"features", "features", "resnet18", 3, 1},
        {"loader", "loader", NULL, 1, 128},
    };
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    make_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[512], output[8192];
        snprintf(words, sizeof words, "%s --size both --image-size 64 -n 1 --json " FOLDER "/m.json",
                 cases[i].words);
        ck_assert_msg(run_program(words, output, sizeof output) == 0, "%s", output);
        json_t *root = json_load_file(FOLDER "/m.json", 0, NULL), *rows = json_object_get(root, "results"),
               *row = json_array_get(rows, 0);
        ck_assert_uint_eq(json_array_size(rows), (size_t)cases[i].rows);
        ck_assert_str_eq(json_string_value(json_object_get(row, "bench")), cases[i].bench);
        const char *model = json_string_value(json_object_get(row, "model"));
        ck_assert_pstr_eq(model, cases[i].model);
        ck_assert_int_eq(json_integer_value(json_object_get(row, "batch")), cases[i].batch);
        const char *backbone = json_string_value(json_object_get(row, "backbone"));
        ck_assert(i < 5 ? backbone && strcmp(backbone, "pdn_small") == 0 : !backbone);
        json_decref(root);
    }
}
END_TEST

/* A row for each number of threads behind the measurement's own; rates and efficiency follow from the predicted times. */
START_TEST(program_simulates_threads) {
    char output[16384];
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    make_folder();
    static const char words[] =
        "infer --image-size 64 -n 1 --simulate-threads 1,3,40 --json " FOLDER "/s.json";
    int code = run_program(words, output, sizeof output);
    SKIP_UNLESS(code == 0 || !strstr(output, "another OpenMP"), "built with another OpenMP");
    ck_assert_msg(code == 0 && strstr(output, "infer at 40 threads"), "%s", output);
    json_t *root = json_load_file(FOLDER "/s.json", 0, NULL), *rows = json_object_get(root, "results");
    static const int threads[] = {1, 3, 40};
    double sum = 0, last = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *row = json_array_get(rows, 1 + i);
        last = json_real_value(json_object_get(row, "predicted_ms"));
        double speed_up = json_real_value(json_object_get(row, "speed_up"));
        ck_assert_str_eq(json_string_value(json_object_get(row, "bench")), "infer");
        ck_assert_int_eq(json_integer_value(json_object_get(row, "threads")), threads[i]);
        ck_assert(last > 0 && speed_up > 0);
        ck_assert_double_eq_tol(json_real_value(json_object_get(row, "images_per_s")) * last, 1e3, 0.1);
        ck_assert_double_eq_tol(json_real_value(json_object_get(row, "efficiency")) * threads[i], speed_up,
                                1e-4 * speed_up);
    }
    for (size_t i = 4; i < json_array_size(rows); i++) { /* of 40 threads, call by call */
        const json_t *row = json_array_get(rows, i);
        ck_assert_str_eq(json_string_value(json_object_get(row, "bench")), "simulated");
        sum += json_real_value(json_object_get(row, "median_ms"));
    }
    ck_assert_double_eq_tol(sum, last, 1e-3 * last);
    json_decref(root);
}
END_TEST

START_TEST(threads_that_cannot_be_simulated_are_wrong_usage) {
    static const char *const wrong[] = {"infer --simulate-threads 4,", "infer --simulate-threads 0",
                                        "infer --simulate-threads four", "step --simulate-threads 1025",
                                        "metrics --simulate-threads 4"};
    char output[4096];
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM does not name the program");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_ne(run_program(wrong[i], output, sizeof output), 0);
        ck_assert_msg(strstr(output, "--simulate-threads") != NULL, "%s: %s", wrong[i], output);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("bench");
    TCase *tests = tcase_create("bench");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, percentiles_are_numpys);
    tcase_add_test(tests, work_is_that_of_the_paper);
    tcase_add_test(tests, ops_of_both_plans);
    tcase_add_test(tests, network_of_patchcore);
    tcase_add_test(tests, ops_of_patchcore);
    tcase_add_test(tests, json_holds_machine_and_results);
    tcase_add_test(tests, csv_has_the_same_columns_in_every_row);
    tcase_add_test(tests, files_that_cannot_be_written_are_an_error);
    tcase_add_test(tests, unknown_measurement_is_wrong_usage);
    tcase_add_test(tests, metrics_of_a_set_of_ones_own);
    tcase_add_test(tests, images_have_the_size_of_the_key);
    tcase_add_test(tests, program_measures_metrics_once_for_both_sizes);
    tcase_add_test(tests, program_measures_and_writes);
    tcase_add_test(tests, program_measures_under_load);
    tcase_add_test(tests, program_names_methods);
    tcase_add_test(tests, program_simulates_threads);
    tcase_add_test(tests, threads_that_cannot_be_simulated_are_wrong_usage);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
