/* DSR as its user runs it: codebooks trained on photographs, or taken of a model, then both other phases, resumed to the same bits in
 * each, evaluated, measured, and refused where it cannot be. */
#define S "build/scratch/test_dsr_runs/"
#include "test/support/method_scene.h"

#include <math.h>

#define COLUMNS "step,loss_commitment,loss_codes,loss_image,loss_detection,loss_total,lr\n"

enum { CODEBOOK = 4, RESTORING = 6, REFINING = 3, STEPS = CODEBOOK + RESTORING + REFINING };

static void make_scene(void) {
    if (!make_method_scene(4, "model: {method: dsr, image_size: 64}\n"
                              "dsr: {channels: 8, codes: 16, unet: 4, batch: 2, codebook_batch: 2, "
                              "codebook_steps: 4, steps: 6, "
                              "images: '" PHOTOGRAPHS "'}\n"))
        return;
    make_photographs();
    remove_defects(S "data/gasket", "chip doubled missing scratch swapped");
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    Outcome outcome;
    double rows[STEPS][6];
    NEED_PROGRAM();
    read_loss_rows(S "first/", COLUMNS, STEPS, 6, &rows[0][0]);
    for (int i = 0; i < STEPS; i++) {
        const double *r = rows[i];
        bool codebook = i < CODEBOOK, refining = i >= CODEBOOK + RESTORING;
        double sum = codebook ? 0.25 * r[0] + r[2] : refining ? r[3] : r[1] + 10 * r[2] + r[3];
        ck_assert(fabs(r[4] - sum) < 1e-5 * sum && r[4] > 0);
        ck_assert((r[0] > 0) == codebook && (r[3] > 0) == !codebook &&
                  (r[1] > 0) == (!codebook && !refining));
        bool dropped = i == CODEBOOK + RESTORING - 2 || i == CODEBOOK + RESTORING - 1;
        ck_assert(fabs(r[5] - (dropped ? 2e-5 : 2e-4)) < 1e-9);
    }
    ck_assert(rows[CODEBOOK + RESTORING - 1][1] < rows[CODEBOOK][1]);
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html",
                      "DSR at 64x64, two books of 16 codes of 8 numbers, U-Nets of width 4");
    check_use("first", &outcome);
#define SMALL                                                                                                \
    " -q --repeat 2 --image-size 64 --set model.method=dsr --set dsr.channels=8 --set dsr.codes=16 --set "   \
    "dsr.unet=4"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set dsr.batch=2 --set dsr.codebook_batch=2");
}
END_TEST

/* Stopped wherever the signal comes, several times, in all three phases. */
START_TEST(the_same_bits_again_and_resumed) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "again --threads 3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "; 6 steps of 2, then 3 to refine\n"
                                 "the codebooks are trained first, in 4 steps of 2 of 5 photographs\n");
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
    shell_ok(
        "for after in 2 6 11; do if [ -e " S "cut ]; then words='train -q --resume --output " S
        "cut'; else words='" TRAIN "cut --set train.checkpoint_every=1'; fi; $PROGRAM $words 2>>" S
        "err & child=$!; "
        "until [ $(cat " S
        "cut/losses.csv 2>/dev/null | wc -l) -gt $after ] || ! kill -0 $child 2>/dev/null; do sleep 0.01; "
        "done; kill -9 $child; wait $child; true; done");
    run_well("train -q --resume --output " S "cut");
    ck_assert(same_tensors(S "first/model.safetensors", S "cut/model.safetensors"));
    ck_assert(same_files(S "first/losses.csv", S "cut/losses.csv"));
    run_well(TRAIN "other --set train.seed=7");
    ck_assert(!same_tensors(S "first/model.safetensors", S "other/model.safetensors"));
}
END_TEST

/* With the same books all else is the same. */
START_TEST(codebooks_of_a_model_are_taken) {
    double rows[RESTORING + REFINING][6];
    NEED_PROGRAM();
    run_well(TRAIN "taken --set dsr.images= --set dsr.codebook=" S "first/model.safetensors");
    read_loss_rows(S "taken/", COLUMNS, RESTORING + REFINING, 6, &rows[0][0]);
    ck_assert(rows[0][0] == 0 && rows[0][1] > 0);
    ck_assert(same_tensors(S "first/model.safetensors", S "taken/model.safetensors"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set model.image_size=80",
         "model.image_size: images of 80x80: height and width must be multiples of 32 from 64 on"},
        {"--set dsr.channels=7", "dsr.channels: 7 is odd; set it to an even number"},
        {"--set dsr.images=", "dsr.images is not set; set it to a folder"},
        {"--set dsr.images=" S "none", "dsr.images"},
        {"--set dsr.codes=8193", "dsr.codes"},
        {"--set dsr.least_reach=0.01", "dsr.least_reach"},
        {"--set dsr.codebook=" S "no.safetensors", "dsr.codebook"},
        {"--set dsr.codebook=models/weights/teacher_small.safetensors", "metadata 'channels' is '(missing)'"},
        {"--set dsr.codes=17 --set dsr.codebook=" S "first/model.safetensors",
         "has books of 16 codes of 8 numbers; set dsr.codes and dsr.channels to that"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set dsr.unet=8", "dsr.unet");
}
END_TEST

/* Before the first: nothing is trained that could not go on. */
START_TEST(a_later_phase_beyond_memory_is_refused) {
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    check_too_large(400000, "--set dsr.batch=128",
                    "dsr.batch=128, dsr.channels=8, dsr.unet=4, dsr.codes=16, dsr.codebook_batch=2 with "
                    "model.image_size=64x64 is too much, lower one of them: ");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, codebooks_of_a_model_are_taken);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, a_later_phase_beyond_memory_is_refused);
}

int main(void) {
    return run_program_suite("dsr_runs", S, make_scene, remove_scene, add_tests);
}
