/* FastFlow as its user runs it: trained on features from a file, resumed to the same bits, evaluated, measured, and
 * refused where it cannot be. */
#define S "build/scratch/test_fastflow_runs/"
#include "test/support/runs.h"

#include <math.h>
#include <stdlib.h>

#define TRAIN "train -q -c " S "base.yaml --output " S

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    program_runs_in(S);
    write_text(S "base.yaml",
               "dataset: {path: " S "data, category: gasket, cache: " S "cache}\n"
               "model: {method: fastflow, image_size: 128, backbone: pdn_small}\n"
               "fastflow: {layers: 'stride8,stride16', couplings: 2, hidden_ratio: 0.1, batch: 2, "
               "epochs: 4}\n");
    run_well("synth --output " S "data --category gasket --size 128 --train 6 --test-good 2 --test-defect 1");
    run_well(TRAIN "first");
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

START_TEST(trains_evaluates_and_predicts) {
    Outcome outcome;
    NEED_PROGRAM();
    double rows[10][4]; /* five images, of six one is held back, four times, two a step */
    const char *score;
    read_loss_rows(S "first/", "step,loss_squares,log_determinant,loss_total,lr\n", 10, 4, &rows[0][0]);
    for (int i = 0; i < 10; i++) {
        ck_assert(fabs(rows[i][0] - rows[i][1] - rows[i][2]) < 1 && fabs(rows[i][3] - 1e-3) < 1e-9);
        ck_assert(rows[i][0] > 0 && (i == 0 || rows[i][2] < rows[i - 1][2]));
    }
    /* half a unit of variance for each number of 16x16 and 8x8 positions, 384 channels */
    ck_assert(fabs(rows[0][0] - 0.5 * 320 * 384) < 0.02 * 0.5 * 320 * 384);
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html",
                      "FastFlow at 128x128, 2 couplings on pdn_small's stride8,stride16");
    run_well("eval -q --model " S "first/model.safetensors --output " S "eval --overlays --maps");
    ck_assert(same_files(S "eval/metrics.json", S "first/metrics.json"));
    run("predict -q --model " S "first/model.safetensors " S "data/gasket/test/good", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert((score = strstr(outcome.out, "\"score\":")) && strstr(outcome.out, "\"anomalous\":"));
    double value = strtod(score + strlen("\"score\":"), NULL);
    ck_assert(value < 0 && value >= -1); /* minus a likelihood */
#define SMALL " -q --repeat 2 --image-size 128 --set model.method=fastflow --set fastflow.layers=stride16"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set fastflow.batch=2");
}
END_TEST

START_TEST(the_same_bits_again_and_resumed) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "again --threads 3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert(!strstr(outcome.err, "are computed into")); /* the features are there */
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
    run_well(TRAIN "parts --set fastflow.epochs=1");
    run("train -q --resume --output " S "parts --set fastflow.epochs=4", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "resuming after step 3");
    ck_assert(same_tensors(S "first/model.safetensors", S "parts/model.safetensors"));
    ck_assert(same_tensors(S "first/checkpoint.safetensors", S "parts/checkpoint.safetensors"));
    ck_assert(same_files(S "first/losses.csv", S "parts/losses.csv"));
    run_well("train -q --resume --output " S "parts"); /* nothing is left to do: evaluated again */
    ck_assert(same_tensors(S "first/model.safetensors", S "parts/model.safetensors"));
    run_well(TRAIN "other --set train.seed=7 --set fastflow.epochs=1");
    ck_assert(!same_tensors(S "first/model.safetensors", S "other/model.safetensors"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const struct {
        const char *settings, *words;
    } refused[] = {
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set model.backbone=" S "first/model.safetensors", "model.backbone: "},
        {"--set fastflow.layers=layer2", "fastflow.layers: 'layer2' names features that pdn_small does not "
                                         "have; it has stride4|stride8|stride16"},
        {"--set fastflow.layers=stride8,stride8", "the same features are named twice"},
        {"--set fastflow.kernels=5x5", "fastflow.kernels"},
        {"--set fastflow.couplings=33", "fastflow.couplings"},
        {"--set fastflow.hidden_ratio=0", "fastflow.hidden_ratio"},
        {"--set train.precision=fp16", "train.precision"},
    };
    Outcome outcome;
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char words[512];
        snprintf(words, sizeof words, TRAIN "wrong %s", refused[i].settings);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code != 0, "%s", words);
        assert_contains(outcome.err, refused[i].words);
        ck_assert(!exists(S "wrong"));
    }
    run("train -q --resume --output " S "first --set fastflow.couplings=3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "fastflow.couplings");
    run("train -q --resume --output " S "first --set fastflow.epochs=2", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "was made after step 10, but fastflow.epochs is ");
    run(TRAIN "steep --set fastflow.lr=1", 0, &outcome); /* the flow overflows */
    ck_assert(outcome.code == 0 || strstr(outcome.err, "lower fastflow.lr (now 1)"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fastflow_runs");
    TCase *tests = tcase_create("fastflow_runs");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, make_scene, remove_scene);
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, what_cannot_be_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
