/* FastFlow as its user runs it: trained on features from a file, resumed to the same bits, evaluated, measured, and
 * refused where it cannot be. */
#define S "build/scratch/test_fastflow_runs/"
#include "test/support/method_scene.h"

#include <math.h>

static void make_scene(void) {
    if (!make_method_scene(
            6, "model: {method: fastflow, image_size: 128, backbone: pdn_small}\n"
               "fastflow: {layers: 'stride8,stride16', couplings: 2, hidden_ratio: 0.1, batch: 2, "
               "epochs: 4}\n"))
        return;
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    Outcome outcome;
    NEED_PROGRAM();
    double rows[8][4]; /* four of five images, of six one is held back, four times, two a step */
    const char *score;
    read_loss_rows(S "first/", "step,loss_squares,log_determinant,loss_total,lr\n", 8, 4, &rows[0][0]);
    for (int i = 0; i < 8; i++) {
        ck_assert(fabs(rows[i][0] - rows[i][1] - rows[i][2]) < 1 && fabs(rows[i][3] - 1e-3) < 1e-9);
        ck_assert(rows[i][0] > 0 && (i == 0 || rows[i][2] < rows[i - 1][2]));
    }
    /* half a unit of variance for each number of 16x16 and 8x8 positions, 384 channels */
    ck_assert(fabs(rows[0][0] - 0.5 * 320 * 384) < 0.02 * 0.5 * 320 * 384);
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html",
                      "FastFlow at 128x128, 2 couplings on pdn_small's stride8,stride16");
    check_use("first", &outcome);
    ck_assert_ptr_nonnull(score = strstr(outcome.out, "\"score\":"));
    double value = strtod(score + strlen("\"score\":"), NULL);
    ck_assert(value < 0 && value >= -1); /* minus a likelihood */
#define SMALL " -q --repeat 2 --image-size 128 --set model.method=fastflow --set fastflow.layers=stride16"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set fastflow.batch=2");
}
END_TEST

START_TEST(the_same_bits_again_and_resumed) {
    NEED_PROGRAM();
    check_same_bits("fastflow", 2, "; 8 steps of 2 images; each epoch leaves 1 out\n");
    run_well(TRAIN "other --set train.seed=7 --set fastflow.epochs=1");
    ck_assert(!same_tensors(S "first/model.safetensors", S "other/model.safetensors"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set model.backbone=" S "first/model.safetensors", "model.backbone: "},
        {"--set fastflow.layers=layer2", "fastflow.layers: 'layer2' names features that pdn_small does not "
                                         "have; it has stride4|stride8|stride16"},
        {"--set fastflow.layers=stride8,stride8", "fastflow.layers: 'stride8,stride8' names stride8 twice"},
        {"--set fastflow.kernels=5x5", "fastflow.kernels"},
        {"--set fastflow.couplings=33", "fastflow.couplings"},
        {"--set fastflow.hidden_ratio=0", "fastflow.hidden_ratio"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set fastflow.couplings=3", "fastflow.couplings");
    check_fails("train -q --resume --output " S "first --set fastflow.epochs=2",
                "was made after step 8, but fastflow.epochs makes ");
}
END_TEST

START_TEST(a_network_beyond_memory_is_refused) {
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    check_too_large(
        500000, "--set fastflow.couplings=32 --set fastflow.hidden_ratio=16",
        "fastflow.batch=2, fastflow.couplings=32, fastflow.hidden_ratio=16 with "
        "model.image_size=128x128 is too much, lower one of them: its weights take 2267 MB, where ");
    check_too_large(500000, "--set fastflow.couplings=8 --set fastflow.hidden_ratio=4",
                    "lower one of them: gradients and Adam's state take ");
    check_too_large(500000, "--set fastflow.layers=stride4 --set model.image_size=1024",
                    "fastflow.batch=2, fastflow.couplings=2, fastflow.hidden_ratio=0.1 with "
                    "model.image_size=1024x1024 is too much, lower one of them: ");
}
END_TEST

/* Rates and couplings are allowed, and the first step's loss is finite. Of the second run all are: it ends before its
 * likelihoods are zero for good and evil. */
START_TEST(a_loss_that_is_not_finite_ends_the_run) {
    double row[4];
    NEED_PROGRAM();
    check_fails(TRAIN "steep --set fastflow.lr=1 --set fastflow.couplings=16",
                "; lower fastflow.lr (now 1) and start again with another --output");
    read_loss_rows(S "steep/", "step,loss_squares,log_determinant,loss_total,lr\n", 1, 4, row);
    ck_assert(!exists(S "steep/model.safetensors") && !exists(S "steep/checkpoint.safetensors"));
    check_fails(
        TRAIN "steeper --set fastflow.lr=0.2 --set fastflow.couplings=4",
        ", where about 6.14e+04 is usual at first; lower fastflow.lr (now 0.2) and start again with ");
    ck_assert(!exists(S "steeper/model.safetensors"));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, a_network_beyond_memory_is_refused);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
}

int main(void) {
    return run_program_suite("fastflow_runs", S, make_scene, remove_scene, add_tests);
}
