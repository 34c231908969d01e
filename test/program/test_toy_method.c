/* The interface of methods (models/method.h, train/fit.h): a program with one more row in each of the two
 * tables trains the toy method of test/toy with and without steps, resumes, evaluates, predicts and sweeps
 * it. */
#define S "build/scratch/test_toy_method/"
#include "test/support/method_scene.h"

static void make_scene(void) {
    if (!make_method_scene(6, "model: {method: toy, image_size: 128}\n"
                              "train: {steps: 6, lr: 1e-2, lr_drop_at: 1}\n"))
        return;
    run_well(TRAIN "steps");
    run_well(TRAIN "fit --set train.steps=1");
}

static void check_method(const char *path) {
    EadSafetensors *file;
    ASSERT_OK(ead_safetensors_open(path, &file));
    ck_assert_str_eq(ead_safetensors_metadata(file, "format"), "efficientad/1");
    ck_assert_str_eq(ead_safetensors_metadata(file, "method"), "toy");
    ck_assert_ptr_nonnull(ead_safetensors_metadata(file, "threshold"));
    ck_assert_ptr_nonnull(ead_safetensors_metadata(file, "pixel_threshold"));
    ck_assert_ptr_nonnull(ead_safetensors_find(file, "validation_scores"));
    ck_assert_ptr_nonnull(ead_safetensors_find(file, "validation_peaks"));
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
    check_use("steps", &outcome);
    ck_assert(same_files(S "eval/scores.csv", S "steps/scores.csv"));
    check_fails("predict -q --select st --model " S "fit/model.safetensors " S "data/gasket/test/good",
                "toy has no maps 'st'; it has one map and no choice");
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
    static const RefusedRun refused[] = {
        {"--set train.steps=1001", "a toy needs no more than 1000"},
        {"--set model.method=toys",
         "model.method: there is no method 'toys'; there are: efficientad, patchcore, "
         "patchcore_ensemble, simplenet, fastflow, student_teacher, ast, dsr, gcad, toy"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_with_and_without_steps);
    tcase_add_test(tests, resumes_to_the_same_bits);
    tcase_add_test(tests, evaluates_and_predicts);
    tcase_add_test(tests, is_swept);
    tcase_add_test(tests, keys_and_names_are_checked);
}

int main(void) {
    static char program[256];
    const char *build = getenv("BUILD");
    if (build && getenv("PROGRAM")) {
        snprintf(program, sizeof program, "%s/toy/efficientad", build);
        setenv("PROGRAM", program, 1);
    } else {
        unsetenv("PROGRAM");
    }
    return run_program_suite("toy_method", S, make_scene, remove_scene, add_tests);
}
