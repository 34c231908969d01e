/* AST as its user runs it: both phases trained on features from a file, killed in each and resumed to the same bits,
 * evaluated, measured, and refused where it cannot be. */
#define S "build/scratch/test_ast_runs/"
#include "test/support/method_scene.h"

#include <math.h>

#define COLUMNS "step,loss_squares,log_determinant,loss_distance,loss_total,lr\n"

enum { EPOCHS = 24, STEPS = 2 * EPOCHS }; /* of a phase: four of five images, two a step */

static void make_scene(void) {
    if (!make_method_scene(
            6, "model: {method: ast, image_size: 128, backbone: pdn_small}\n"
               "ast: {blocks: 2, teacher_hidden: 32, student_blocks: 1, student_hidden: 32, batch: 2, "
               "epochs: 24}\n"))
        return;
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    static double rows[2 * STEPS][5];
    Outcome outcome;
    NEED_PROGRAM();
    read_loss_rows(S "first/", COLUMNS, 2 * STEPS, 5, &rows[0][0]);
    for (int i = 0; i < 2 * STEPS; i++) {
        const double *r = rows[i];
        bool teacher = i < STEPS;
        ck_assert(fabs(r[4] - 2e-4) < 1e-9 && (r[2] == 0) == teacher);
        ck_assert(fabs(r[3] - (teacher ? r[0] - r[1] : r[2])) < 1e-3 * fmax(1, fabs(r[0])));
    }
    ck_assert(rows[0][1] == 0 && rows[0][0] > 0); /* a teacher begins as a change of order */
    ck_assert(rows[STEPS - 1][3] < rows[0][3] && rows[2 * STEPS - 1][3] < rows[STEPS][3]);
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html", "AST at 128x128 on pdn_small's stride16");
    check_use("first", &outcome);
#define SMALL                                                                                                \
    " -q --repeat 2 --image-size 128 --set model.method=ast --set ast.teacher_hidden=32 --set "              \
    "ast.student_hidden=32"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set ast.batch=2");
}
END_TEST

/* Waits until so many steps of `parts` are logged, and kills it. */
static void kill_after(int steps, const char *how) {
    char words[512];
    snprintf(words, sizeof words,
             "$PROGRAM %s 2>" S "err & p=$!; i=0; "
             "while [ $(cat " S "parts/losses.csv 2>/dev/null | wc -l) -le %d ] && [ $i -lt 6000 ]; "
             "do sleep 0.01; i=$((i+1)); done; kill -9 $p; wait $p; true",
             how, steps);
    shell_ok(words);
}

static int resumed_after(void) {
    char text[TEXT_SIZE];
    read_into(S "err", text);
    const char *at = strstr(text, "resuming after step ");
    ck_assert_msg(at != NULL, "%s", text);
    return (int)strtol(at + strlen("resuming after step "), NULL, 10);
}

START_TEST(the_same_bits_again_and_resumed_in_both_phases) {
    Outcome outcome;
    NEED_PROGRAM();
    run(TRAIN "again --threads 3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, "; 48 steps of 2 images; each epoch leaves 1 out\n"
                                 "so many for the teacher, then as many for the student\n"
                                 "pdn_small stands in for EfficientNet-B5, the backbone of AST's paper\n");
    ck_assert(!strstr(outcome.err, "are computed into")); /* they are there */
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
    kill_after(STEPS / 4, TRAIN "parts --set train.checkpoint_every=1");
    kill_after(STEPS * 5 / 4, "train -q --resume --output " S "parts");
    int within_teacher = resumed_after();
    ck_assert(within_teacher > 0 && within_teacher < STEPS);
    run("train -q --resume --output " S "parts", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    write_text(S "err", outcome.err);
    int within_student = resumed_after();
    ck_assert(within_student > STEPS && within_student < 2 * STEPS);
    ck_assert(same_runs(S "first/", S "parts/"));
    ck_assert(same_tensors(S "first/checkpoint.safetensors", S "parts/checkpoint.safetensors"));
    run_well(TRAIN "other --set train.seed=7 --set ast.epochs=1");
    ck_assert(!same_tensors(S "first/model.safetensors", S "other/model.safetensors"));
}
END_TEST

/* What a look at the validation images sees in the midst of training is the student as it is then. */
START_TEST(looks_see_the_student_of_the_moment) {
    char text[TEXT_SIZE];
    NEED_PROGRAM();
    run_well(TRAIN "looked --set ast.epochs=4 --set train.validate_every=2");
    read_into(S "looked/validation.csv", text);
    double median[8];
    char *at = strchr(text, '\n') + 1;
    for (int i = 0; i < 8; i++, at = strchr(at, '\n') + 1)
        ck_assert_int_eq(sscanf(at, "%*d,%*f,%*f,%lf", &median[i]), 1);
    for (int i = 4; i < 8; i++) ck_assert(median[i] != median[i - 1]);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set model.backbone=" S "first/model.safetensors", "model.backbone: "},
        {"--set ast.layer=layer2",
         "ast.layer: 'layer2' names features that pdn_small does not have; it has stride4|stride8|stride16"},
        {"--set ast.layer=stride4,stride8", "ast.layer: 'stride4,stride8' names 2 features; name one"},
        {"--set ast.blocks=17", "ast.blocks"},
        {"--set ast.clamp=0", "ast.clamp"},
        {"--set ast.slope=1", "ast.slope"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set ast.blocks=3", "ast.blocks");
    check_fails("train -q --resume --output " S "first --set ast.epochs=200", "ast.epochs");
}
END_TEST

START_TEST(a_network_beyond_memory_is_refused) {
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    check_too_large(500000, "--set ast.teacher_hidden=8192 --set ast.student_hidden=8192",
                    "ast.batch=2, ast.teacher_hidden=8192, ast.student_hidden=8192 with "
                    "model.image_size=128x128 is too much, lower one of them: its weights take ");
}
END_TEST

START_TEST(a_loss_that_is_not_finite_ends_the_run) {
    NEED_PROGRAM();
    check_fails(TRAIN "steep --set ast.lr=1", "; lower ast.lr (now 1) and start again with another --output");
    ck_assert(!exists(S "steep/model.safetensors"));
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed_in_both_phases);
    tcase_add_test(tests, looks_see_the_student_of_the_moment);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, a_network_beyond_memory_is_refused);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
}

int main(void) {
    return run_program_suite("ast_runs", S, make_scene, remove_scene, add_tests);
}
