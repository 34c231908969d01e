/* The interface of methods (models/method.h, train/fit.h): a program with one more row in each of the two
 * tables trains the toy method of test/toy with and without steps, resumes, evaluates, predicts and sweeps
 * it. */
#define S "build/scratch/test_toy_method/"
#include "test/support/runs.h"

#include <stdio.h>
#include <stdlib.h>

#define TRAIN "train -q -c " S "base.yaml --output " S

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    program_runs_in(S);
    write_text(S "base.yaml", "dataset: {path: " S "data, category: gasket, cache: " S "cache}\n"
                              "model: {method: toy, image_size: 128}\n"
                              "train: {steps: 6, lr: 1e-2, lr_drop_at: 1}\n");
    run_well("synth --output " S "data --category gasket --size 128 --train 6 --test-good 2 --test-defect 1");
    run_well(TRAIN "steps");
    run_well(TRAIN "fit --set train.steps=1");
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static void check_method(const char *path) {
    EadSafetensors *file;
    ASSERT_OK(ead_safetensors_open(path, &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "format"), "efficientad/1");
    ck_assert_str_eq(ead_safetensors_metadata(file, "method"), "toy");
    ck_assert_ptr_nonnull(ead_safetensors_metadata(file, "threshold"));
    ck_assert_ptr_nonnull(ead_safetensors_find(file, "validation_scores"));
    ead_safetensors_close(file);
}

START_TEST(trains_with_and_without_steps) {
    double rows[6][2];
    NEED_PROGRAM();
    check_method(S "steps/model.safetensors");
    check_method(S "fit/model.safetensors");
    read_loss_rows(S "steps/", "step,toy_error,lr\n", 6, 2, &rows[0][0]);
    ck_assert(rows[0][0] > 0.1 && rows[0][0] < 10 && rows[5][1] > 0.009);
    ck_assert(!exists(S "fit/losses.csv") && exists(S "fit/checkpoint.safetensors"));
    ck_assert(exists(S "fit/metrics.json") && exists(S "steps/metrics.json"));
    ck_assert(!same_tensors(S "steps/model.safetensors", S "fit/model.safetensors"));
    assert_file_holds(S "steps/report.html", "a toy at 128x128");
    assert_file_holds(S "steps/report.html", "toy_error");
    shell_ok("ls " S "steps/events.out.tfevents.* >" S "stdout");
}
END_TEST

START_TEST(resumes_to_the_same_bits) {
    NEED_PROGRAM();
    run_well(TRAIN "parts --set train.steps=4");
    run_well(TRAIN "parts --resume");
    ck_assert(same_runs(S "steps/", S "parts/"));
    ck_assert(same_tensors(S "steps/checkpoint.safetensors", S "parts/checkpoint.safetensors"));
    run_well(TRAIN "phase --set train.steps=2"); /* the first phase alone */
    run_well(TRAIN "phase --resume");
    ck_assert(same_runs(S "steps/", S "phase/"));
    ck_assert(same_tensors(S "steps/checkpoint.safetensors", S "phase/checkpoint.safetensors"));
    shell_ok("cp -r " S "fit " S "fit_again");
    run_well(TRAIN "fit_again --set train.steps=1 --resume");
    ck_assert(same_tensors(S "fit/model.safetensors", S "fit_again/model.safetensors"));
}
END_TEST

START_TEST(evaluates_and_predicts) {
    Outcome outcome;
    NEED_PROGRAM();
    run_well("eval -q --maps --model " S "steps/model.safetensors --output " S "eval");
    ck_assert(same_files(S "eval/metrics.json", S "steps/metrics.json"));
    ck_assert(same_files(S "eval/scores.csv", S "steps/scores.csv"));
    ck_assert(exists(S "eval/maps/good/000.tiff"));
    run("predict -q --model " S "fit/model.safetensors " S "data/gasket/test/good", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert(strstr(outcome.out, "\"score\":") && strstr(outcome.out, "\"anomalous\":"));
    run("predict -q --select st --model " S "fit/model.safetensors " S "data/gasket/test/good", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "toy has no maps 'st'; it has one map and no choice");
}
END_TEST

START_TEST(is_swept) {
    NEED_PROGRAM();
    write_text(S "toys.yaml",
               "title: toys\noutput: " S "sweep\nbase: base.yaml\nseeds: [1, 2]\n"
               "collections:\n  synth: {config: {dataset.path: " S "data}, categories: [gasket]}\n"
               "variants:\n  fit: {train.steps: 1}\n  steps: {train.steps: 3}\n");
    run_well("sweep " S "toys.yaml");
    ck_assert(exists(S "sweep/fit/synth/gasket/seed-2/metrics.json"));
    ck_assert(exists(S "sweep/steps/synth/gasket/seed-1/metrics.json"));
}
END_TEST

START_TEST(keys_and_names_are_checked) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "wrong --set train.steps=1001", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "a toy needs no more than 1000");
    run(TRAIN "wrong --set model.method=toys", 0, &outcome);
    assert_contains(outcome.err, "model.method: there is no method 'toys'; there are: efficientad, "
                                 "patchcore, patchcore_ensemble, simplenet, fastflow, toy");
    ck_assert(!exists(S "wrong"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("toy_method");
    TCase *tests = tcase_create("toy_method");
    static char program[256];
    const char *build = getenv("BUILD");
    if (build && getenv("PROGRAM")) {
        snprintf(program, sizeof program, "%s/toy/efficientad", build);
        setenv("PROGRAM", program, 1);
    } else {
        unsetenv("PROGRAM");
    }
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, trains_with_and_without_steps);
    tcase_add_test(tests, resumes_to_the_same_bits);
    tcase_add_test(tests, evaluates_and_predicts);
    tcase_add_test(tests, is_swept);
    tcase_add_test(tests, keys_and_names_are_checked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
