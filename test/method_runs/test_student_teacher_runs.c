/* S-T as its user runs it: teachers distilled from photographs, or taken of a model, students trained, resumed to the same
 * bits in every phase, evaluated, measured, and refused where it cannot be. */
#define S "build/scratch/test_student_teacher_runs/"
#include "test/support/method_scene.h"

#include <math.h>

#define COLUMNS "step,loss_distillation,loss_compactness,loss_student,loss_total,lr\n"

enum { TEACHER = 3, EPOCH = 1, EPOCHS = 4 }; /* of two images one is held back */

static void make_scene(void) {
    if (!make_method_scene(2, "model: {method: student_teacher, image_size: 64, backbone: pdn_small}\n"
                              "student_teacher: {fields: '33', students: 1, epochs: 4, teacher_steps: 3, "
                              "teacher_batch: 4, images: '" PHOTOGRAPHS "'}\n"))
        return;
    make_photographs();
    remove_defects(S "data/gasket", "chip doubled missing scratch swapped");
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    enum { STEPS = TEACHER + EPOCHS * EPOCH };
    Outcome outcome;
    double rows[STEPS][5];
    NEED_PROGRAM();
    read_loss_rows(S "first/", COLUMNS, STEPS, 5, &rows[0][0]);
    for (int i = 0; i < STEPS; i++) {
        double sum = i < TEACHER ? rows[i][0] + rows[i][1] : rows[i][2];
        ck_assert(fabs(rows[i][3] - sum) < 1e-5 * sum && rows[i][3] > 0);
        ck_assert((rows[i][2] > 0) == (i >= TEACHER) && (rows[i][0] > 0) == (i < TEACHER));
        ck_assert(fabs(rows[i][4] - (i < TEACHER ? 2e-4 : 1e-4)) < 1e-9);
    }
    ck_assert(fabs(rows[TEACHER][2] - 128) < 30); /* one for each number of a descriptor */
    ck_assert(rows[STEPS - 1][2] < rows[TEACHER][2]);
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html", "S-T at 64x64, 1 student of patches of 33 pixels");
    check_use("first", &outcome);
    run_well(TRAIN "pair --set student_teacher.students=2 --set student_teacher.epochs=1");
    read_loss_rows(S "pair/", COLUMNS, TEACHER + EPOCH, 5, &rows[0][0]);
    ck_assert(fabs(rows[TEACHER][3] - 2 * rows[TEACHER][2]) < 1e-5 * rows[TEACHER][3]);
    assert_file_holds(S "pair/report.html", "2 students each");
    run_well("predict -q --model " S "pair/model.safetensors " S "data/gasket/test/good");
#define SMALL                                                                                                \
    " -q --repeat 2 --image-size 64 --set model.method=student_teacher --set student_teacher.fields=33 "     \
    "--set student_teacher.students=1"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set student_teacher.teacher_batch=2");
}
END_TEST

START_TEST(the_same_bits_again_and_resumed) {
    NEED_PROGRAM();
    check_same_bits("student_teacher", TEACHER + EPOCH, "; 4 steps of one image\n");
    run_well(TRAIN "other --set train.seed=7 --set student_teacher.epochs=1");
    ck_assert(!same_tensors(S "first/model.safetensors", S "other/model.safetensors"));
}
END_TEST

/* Wherever in the distillation of two teachers the signal comes. */
START_TEST(a_distillation_is_resumed_to_the_same_bits) {
#define LONGER                                                                                               \
    " --set student_teacher.teacher_steps=4 --set student_teacher.epochs=1 "                                 \
    "--set student_teacher.fields=33,65 --set train.checkpoint_every=1"
    NEED_PROGRAM();
    run_well(TRAIN "whole" LONGER);
    shell_ok("$PROGRAM " TRAIN "cut" LONGER " 2>" S "err & child=$!; until [ -e " S
             "cut/checkpoint.safetensors ] || ! kill -0 $child 2>/dev/null; do sleep 0.01; done; "
             "kill -INT $child; wait $child; [ $? = 130 ]");
    ck_assert(!exists(S "cut/model.safetensors"));
    run_well("train -q --resume --output " S "cut");
    ck_assert(same_runs(S "whole/", S "cut/"));
    ck_assert(same_tensors(S "whole/checkpoint.safetensors", S "cut/checkpoint.safetensors"));
}
END_TEST

/* The students of the same teacher learn the same. */
START_TEST(teachers_of_a_model_are_taken) {
    double rows[EPOCHS * EPOCH][5];
    NEED_PROGRAM();
    run_well(TRAIN "taken --set student_teacher.images= --set student_teacher.descriptor=" S
                   "first/model.safetensors");
    read_loss_rows(S "taken/", COLUMNS, EPOCHS * EPOCH, 5, &rows[0][0]);
    ck_assert(rows[0][0] == 0 && rows[0][2] > 0);
    ck_assert(same_tensors(S "first/model.safetensors", S "taken/model.safetensors"));
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set student_teacher.fields=33,17",
         "student_teacher.fields: '33,17' are no sizes of patches; there are "
         "17, 33 and 65, to be joined by commas, the least first"},
        {"--set student_teacher.fields=65 --set model.image_size=68",
         "model.image_size: images of 68x68: patches of 65 pixels need a height and width that are multiples "
         "of 8"},
        {"--set student_teacher.images=", "student_teacher.images is not set; set it to a folder"},
        {"--set student_teacher.images=" S "none", "student_teacher.images"},
        {"--set student_teacher.students=9", "student_teacher.students"},
        {"--set student_teacher.layer=layer2",
         "student_teacher.layer: 'layer2' names features that pdn_small "
         "does not have; it has stride4|stride8|stride16"},
        {"--set student_teacher.layer=stride4,stride8",
         "student_teacher.layer: 'stride4,stride8' names several features; name one"},
        {"--set model.backbone=" S "no.safetensors", "model.backbone"},
        {"--set student_teacher.descriptor=" S "no.safetensors", "student_teacher.descriptor"},
        {"--set student_teacher.descriptor=models/weights/teacher_small.safetensors",
         "student_teacher.descriptor: models/weights/teacher_small.safetensors: is a teacher"},
        {"--set student_teacher.fields=17 --set student_teacher.descriptor=" S "first/model.safetensors",
         "tensor 'teacher.p17.conv1.weight' is missing"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set student_teacher.students=3",
                "student_teacher.students");
    check_fails("train -q --resume --output " S "first --set student_teacher.epochs=2",
                "was made after step 7, but student_teacher.epochs makes ");
}
END_TEST

START_TEST(networks_beyond_memory_are_refused) {
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    check_too_large(
        300000, "--set student_teacher.fields=17,33,65 --set student_teacher.students=8",
        "student_teacher.fields=\"17,33,65\", student_teacher.students=8, "
        "student_teacher.teacher_batch=4 with model.image_size=64x64 is too much, lower one of them: ");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, a_distillation_is_resumed_to_the_same_bits);
    tcase_add_test(tests, teachers_of_a_model_are_taken);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, networks_beyond_memory_are_refused);
}

int main(void) {
    return run_program_suite("student_teacher_runs", S, make_scene, remove_scene, add_tests);
}
