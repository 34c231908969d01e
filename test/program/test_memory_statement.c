/* The memory that a training says it takes before its first step is what it takes, within some percent. */
#define S "build/scratch/test_memory_statement/"
#include "test/support/method_scene.h"

static const char *const trainings[] = {
    "--set model.method=efficientad --set train.steps=1 --set loss.penalty=false",
    "--set model.method=efficientad --set train.steps=1 --set loss.penalty=false --set model.image_size=320",
    "--set model.method=patchcore --set model.image_size=320 --set patchcore.coreset_ratio=0.2",
    "--set model.method=patchcore_ensemble --set model.image_size=128",
    "--set model.method=simplenet --set simplenet.epochs=1",
    "--set model.method=fastflow --set fastflow.epochs=1 --set fastflow.batch=4",
    ("--set model.method=ast --set ast.epochs=1 --set ast.batch=4 --set ast.teacher_hidden=128 "
     "--set ast.student_hidden=256"),
    ("--set model.method=dsr --set model.image_size=128 --set dsr.images=" PHOTOGRAPHS
     " --set dsr.channels=32 --set dsr.codes=512 --set dsr.unet=16 --set dsr.codebook_steps=1 "
     "--set dsr.steps=2 --set dsr.refining=0.5"),
};

static void make_scene(void) {
    if (make_method_scene(8, "eval: {overlays: false}\n")) make_photographs();
}

START_TEST(what_is_stated_is_taken) {
    static const char before[] = "this process takes up to ";
    char words[512], text[TEXT_SIZE];
    Outcome outcome;
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers take memory of their own");
    snprintf(words, sizeof words, TRAIN "run%d --threads 2 %s", _i, trainings[_i]);
    run(words, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s: %s", words, outcome.err);
    assert_contains(outcome.err, before);
    snprintf(words, sizeof words,
             "grep -o 'peak memory.*' " S "run%d/report.html | grep -om1 '[0-9]* MB' >" S "taken", _i);
    shell_ok(words);
    read_into(S "taken", text);
    double stated = atof(strstr(outcome.err, before) + strlen(before));
    double taken = atof(text);
    ck_assert_msg(stated > 0.93 * taken && stated < 1.25 * taken, "%s: %.0f MB stated, %.0f MB taken",
                  trainings[_i], stated, taken);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, what_is_stated_is_taken, 0, COUNT(trainings));
}

int main(void) {
    return run_program_suite("memory_statement", S, make_scene, remove_scene, add_tests);
}
