/* An ensemble of PatchCores as its user runs it: its members are those that would be fitted alone, its scores theirs,
 * scaled and averaged. */
#define S "build/scratch/test_patchcore_ensemble_runs/"
#include "core/file/safetensors.h"
#include "test/support/method_scene.h"

#include "train/fit.h"

#include <math.h>

enum { TESTS = 8, MEMBERS = 2, RANGE = 4 };

static const char *const alone[MEMBERS] = {"small", "medium"};

static void make_scene(void) {
    if (!make_method_scene(12, "model: {method: patchcore_ensemble, image_size: 64}\n"
                               "patchcore: {width: 64, coreset_ratio: 0.2}\n"
                               "patchcore_ensemble:\n"
                               "  members:\n"
                               "    - {model.backbone: pdn_small, patchcore.neighbours: 2}\n"
                               "    - {model.backbone: pdn_medium, patchcore.layers: stride16}\n"))
        return;
    run_well("synth --output " S
             "more --category gasket --size 128 --train 2 --test-good 2 --test-defect 1 --seed 9");
    run_well(TRAIN "validation");
    run_well(TRAIN "test --set patchcore_ensemble.fusion=test");
    run_well(
        TRAIN
        "small --set model.method=patchcore --set model.backbone=pdn_small --set patchcore.neighbours=2");
    run_well(TRAIN "medium --set model.method=patchcore --set model.backbone=pdn_medium --set "
                   "patchcore.layers=stride16");
}

/* The scores of a run's test images, in their order. */
static void read_scores(const char *run, double scores[TESTS]) {
    char path[256], *text, *line;
    snprintf(path, sizeof path, S "%s/scores.csv", run);
    text = read_text(path);
    line = strchr(text, '\n');
    for (int i = 0; i < TESTS; i++) {
        ck_assert_ptr_nonnull(line);
        char *end = strchr(line + 1, '\n'), *at = strstr(line + 1, ".png,");
        ck_assert(end && at && at < end);
        *end = '\0';
        scores[i] = strtod(strrchr(line + 1, ',') + 1, NULL);
        line = end;
    }
    free(text);
}

static void read_floats(const char *run, const char *tensor, int count, float *out) {
    char path[256];
    EadSafetensors *file;
    snprintf(path, sizeof path, S "%s/model.safetensors", run);
    ASSERT_OK(ead_safetensors_open(path, &file));
    const EadFileTensor *found = ead_safetensors_find(file, tensor);
    ck_assert_msg(found && found->count == count, "%s", tensor);
    ASSERT_OK(ead_file_tensor_to_float(file, found, out));
    ead_safetensors_close(file);
}

static float largest(const float *values, int count) {
    float most = values[0];
    for (int i = 1; i < count; i++) most = fmaxf(most, values[i]);
    return most;
}

START_TEST(members_are_those_fitted_alone) {
    NEED_PROGRAM();
    for (int m = 0; m < MEMBERS; m++) {
        enum { IMAGES = 11, PATCHES = IMAGES * 8 * 8 / 5 };
        static float bank[PATCHES * 64], own[PATCHES * 64];
        int rows = m == 0 ? PATCHES : IMAGES * 4 * 4 / 5; /* of stride 8 and of stride 16 */
        char name[32];
        snprintf(name, sizeof name, "member%d.bank", m + 1);
        read_floats("validation", name, rows * 64, bank);
        read_floats(alone[m], "bank", rows * 64, own);
        ck_assert(memcmp(bank, own, sizeof *own * (size_t)(rows * 64)) == 0);
    }
}
END_TEST

/* By the validation images: from zero to the largest score that a member alone gives them. */
START_TEST(held_out_images_fuse) {
    double ensemble[TESTS], members[MEMBERS][TESTS];
    float ranges[MEMBERS * RANGE], held[1];
    NEED_PROGRAM();
    read_scores("validation", ensemble);
    read_floats("validation", "ranges", MEMBERS * RANGE, ranges);
    for (int m = 0; m < MEMBERS; m++) {
        read_scores(alone[m], members[m]);
        read_floats(alone[m], "validation_scores", 1, held);
        ck_assert(ranges[RANGE * m] == 0 && ranges[RANGE * m + 1] == largest(held, 1));
        ck_assert(ranges[RANGE * m + 2] == 0 && ranges[RANGE * m + 3] > 0);
    }
    for (int i = 0; i < TESTS; i++) {
        double expected = (members[0][i] / (double)ranges[1] + members[1][i] / (double)ranges[RANGE + 1]) / 2;
        ck_assert_msg(fabs(ensemble[i] - expected) < 1e-6 * expected, "%g, not %g", ensemble[i], expected);
    }
    read_floats("validation", "validation_scores", 1, held);
    ck_assert_msg(fabsf(held[0] - 1) < 1e-6f, "%g", (double)held[0]); /* there is one such image */
    assert_file_holds(S "validation/report.html",
                      "PatchCore ensemble at 64x64, fused by held-out good images");
}
END_TEST

/* By the test images, as in the authors' program: from a member's smallest score of them to its largest. */
START_TEST(test_images_fuse) {
    double ensemble[TESTS], members[MEMBERS][TESTS];
    NEED_PROGRAM();
    read_scores("test", ensemble);
    for (int m = 0; m < MEMBERS; m++) read_scores(alone[m], members[m]);
    for (int i = 0; i < TESTS; i++) {
        double expected = 0;
        for (int m = 0; m < MEMBERS; m++) {
            double least = members[m][0], most = members[m][0];
            for (int k = 1; k < TESTS; k++)
                least = fmin(least, members[m][k]), most = fmax(most, members[m][k]);
            expected += (members[m][i] - least) / (most - least) / MEMBERS;
        }
        ck_assert_msg(fabs(ensemble[i] - expected) < 1e-5, "%g, not %g", ensemble[i], expected);
    }
    assert_file_holds(S "test/report.html",
                      "PatchCore ensemble at 64x64, fused by the statistics of the test set");
}
END_TEST

START_TEST(evaluates_predicts_resumes_and_grows) {
    Outcome outcome;
    NEED_PROGRAM();
    check_use("validation", &outcome);
    run_well(TRAIN "again --threads 3");
    ck_assert(same_tensors(S "validation/model.safetensors", S "again/model.safetensors"));
    run_well("train -q --resume --output " S "again");
    ck_assert(same_tensors(S "validation/model.safetensors", S "again/model.safetensors"));
    run("train -q --resume --output " S "again --set patchcore.add=" S "more/gasket/train/good", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "the bank has 166 patches, 26 of them new, of 832 in 13 images");
    assert_contains(outcome.err, "the bank has 41 patches, 6 of them new, of 208 in 13 images");
    run("train -q --resume --output " S "again --set patchcore_ensemble.fusion=test", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "fused by the statistics of the test set");
}
END_TEST

/* What all members set themselves, no key of the config changes; what one leaves open, it does. */
START_TEST(settings_without_effect_are_told) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "told --set model.backbone=pdn_medium --set train.seed=9 --set patchcore.sigma=2 --set "
              "train.lr=0.5 --set "
              "'patchcore_ensemble.members=[{model.backbone: pdn_small, train.seed: 3}, {train.seed: 40, "
              "patchcore.width: 32, model.backbone: pdn_small}]'",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err,
                    "--set model.backbone has no effect on the members: each of them sets it itself\n");
    assert_contains(outcome.err,
                    "--set train.seed has no effect on the members: each of them sets it itself\n");
    assert_contains(outcome.err, "--set train.lr has no effect: patchcore_ensemble does not use it\n");
    ck_assert(!strstr(outcome.err, "patchcore.sigma has"));
    run(TRAIN "told2 --set model.backbone=pdn_small --set train.seed=9 --set "
              "'patchcore_ensemble.members=[{train.seed: 3}, {train.seed: 40}]'",
        0, &outcome);
    ck_assert(outcome.code == 0 && !strstr(outcome.err, "model.backbone has"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set 'patchcore_ensemble.members=[{}]'",
         "patchcore_ensemble.members: 1 in the list; an ensemble has 2 to 8"},
        {"--set 'patchcore_ensemble.members=[{}, {}, {}, {}, {}, {}, {}, {}, {}]'",
         "patchcore_ensemble.members: 9 in the list; an ensemble has 2 to 8"},
        {"--set 'patchcore_ensemble.members=[{}, {model.backbone: " S "none.safetensors}]'",
         "member 2 of patchcore_ensemble.members: model.backbone: cannot read " S "none.safetensors"},
        {"--set 'patchcore_ensemble.members=[{patchcore.layers: layer2}, {}]'",
         "member 1 of patchcore_ensemble.members: patchcore.layers: 'layer2' names features that pdn_small "
         "does not have"},
        {"--set 'patchcore_ensemble.members=[{train.seed: 4}, {train.seed: 5}, {train.seed: 4}]'",
         "patchcore_ensemble.members: members 1 and 3 are the same; leave one of them out"},
        {"--set 'patchcore_ensemble.members=[{model.backbone: "
         "./build/../models/weights/teacher_small.safetensors}, "
         "{model.backbone: models/weights/teacher_small.safetensors}]'",
         "patchcore_ensemble.members: members 1 and 2 are the same"},
        {"--set model.backbone= --set 'patchcore_ensemble.members=[{}, {model.backbone: pdn_small}]'",
         "patchcore_ensemble.members: members 1 and 2 are the same"},
        {"--set 'patchcore_ensemble.members=[{model.backbone: pdn_small}, {model.backbone: "
         "models/weights/teacher_small.safetensors}]'",
         "patchcore_ensemble.members: members 1 and 2 are the same, with the same network in two places"},
        {"--set 'patchcore_ensemble.members=[{}, {model.backbone: pdn_medium}, {model.backbone: " S
         "copy.safetensors}]'",
         "patchcore_ensemble.members: members 1 and 3 are the same"},
        {"--set 'patchcore_ensemble.members=[{model.backbone: " S "link.safetensors}, {model.backbone: "
         "models/weights/teacher_small.safetensors}]'",
         "patchcore_ensemble.members: members 1 and 2 are the same"},
        {"--set 'patchcore_ensemble.members=[{}, {patchcore.layers: \"stride4,stride4\"}]'",
         "member 2 of patchcore_ensemble.members: patchcore.layers: 'stride4,stride4' names stride4 twice"},
        {"--set 'patchcore_ensemble.members=[{}, {patchcore.reweight: 1}]'",
         "member 2 of patchcore_ensemble.members: patchcore.reweight: one neighbour leaves nothing"},
        {"--set 'patchcore_ensemble.members=[{}, {patchcore.coreset_ratio: 0.0001, patchcore.neighbours: "
         "5}]'",
         "member 2: the bank has 0 patches, fewer than patchcore.neighbours (5)"},
        {"--set patchcore_ensemble.fusion=mean",
         "patchcore_ensemble.fusion: 'mean' is not one of validation|test"},
    };
    NEED_PROGRAM();
    shell_ok("cp models/weights/teacher_small.safetensors " S "copy.safetensors && ln -sf "
             "$PWD/models/weights/teacher_small.safetensors " S "link.safetensors");
    check_refused(refused, COUNT(refused));
    Outcome outcome; /* what is wrong with one member hides nothing of the others */
    run(TRAIN "wrong --set 'patchcore_ensemble.members=[{model.backbone: " S
              "none.safetensors}, {patchcore.coreset_ratio: 7}, {patchcore.reweight: 1}]'",
        0, &outcome);
    ck_assert_int_eq(outcome.complaints, 4);
    assert_contains(outcome.err, "patchcore.coreset_ratio: 7 is out of the range");
    assert_contains(outcome.err, "member 1 of patchcore_ensemble.members: model.backbone: cannot read ");
    assert_contains(outcome.err, "member 3 of patchcore_ensemble.members: patchcore.reweight: ");
    check_fails("train -q --resume --output " S "validation --set 'patchcore_ensemble.members=[{}, "
                "{patchcore.neighbours: 3}, {patchcore.width: 32}]'",
                "was made with patchcore_ensemble.members: [{model.backbone: \"pdn_small\"");
    shell_ok("mkdir -p " S "good && cp " S "data/gasket/train/good/*.png " S "good");
    check_fails(
        "train -q --set model.method=patchcore_ensemble --set dataset.type=folder --set dataset.path=" S
        "good --set patchcore_ensemble.fusion=test --output " S "wrong",
        "patchcore_ensemble.fusion is test, but the data set has no test images");
    ck_assert(!exists(S "wrong"));
}
END_TEST

/* No table shows what no detector in use can know as if it were like the others. */
START_TEST(tables_name_a_fusion_by_the_test_images) {
    EadConfig config;
    char text[64];
    ck_assert_int_eq(ead_config_defaults(&config), EAD_OK);
    ck_assert_int_eq(ead_config_set(&config, "model.method=patchcore_ensemble", "test"), EAD_OK);
    ead_fit_trained(&config, text);
    ck_assert_str_eq(text, "one pass");
    ck_assert_int_eq(ead_config_set(&config, "patchcore_ensemble.fusion=test", "test"), EAD_OK);
    ead_fit_trained(&config, text);
    ck_assert_str_eq(text, "one pass, fused by the test images");
    ead_config_free(&config);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, members_are_those_fitted_alone);
    tcase_add_test(tests, held_out_images_fuse);
    tcase_add_test(tests, tables_name_a_fusion_by_the_test_images);
    tcase_add_test(tests, test_images_fuse);
    tcase_add_test(tests, evaluates_predicts_resumes_and_grows);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, settings_without_effect_are_told);
}

int main(void) {
    return run_program_suite("patchcore_ensemble_runs", S, make_scene, remove_scene, add_tests);
}
