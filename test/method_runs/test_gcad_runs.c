/* GCAD as its user runs it: descriptors distilled from photographs, or taken of a model, all else trained, resumed to the same bits in
 * every phase, evaluated, measured, and refused where it cannot be. */
#define S "build/scratch/test_gcad_runs/"
#include "test/support/method_scene.h"

#include <math.h>

#define COLUMNS "step,loss_distillation,loss_compactness,loss_transfer,loss_global,loss_local,loss_total,lr\n"

/* Three epochs of three images, in pairs; the global U-Net joins after half of the steps. */
enum { TEACHER = 3, STEPS = 5, JOINS = 2, ROWS = TEACHER + STEPS, VALUES = 7 };
enum { DISTILLATION, COMPACTNESS, TRANSFER, GLOBAL, LOCAL, TOTAL, RATE };

static void make_scene(void) {
    if (!make_method_scene(4, "model: {method: gcad, image_size: 64, backbone: pdn_small}\n"
                              "gcad: {fields: '33', unet: 2, width: 4, bottleneck: 4, epochs: 3, batch: 2, "
                              "skips_until: 0.5, global_from: 0.5, lr: 1e-3}\n"
                              "student_teacher: {teacher_steps: 3, teacher_batch: 4, images: '" PHOTOGRAPHS
                              "'}\n"))
        return;
    make_photographs();
    remove_defects(S "data/gasket", "chip doubled missing scratch swapped");
    run_well(TRAIN "first");
}

START_TEST(trains_evaluates_and_predicts) {
    Outcome outcome;
    double rows[ROWS][VALUES];
    NEED_PROGRAM();
    read_loss_rows(S "first/", COLUMNS, ROWS, VALUES, &rows[0][0]);
    for (int i = 0; i < ROWS; i++) {
        const double *r = rows[i];
        bool distils = i < TEACHER, joined = i >= TEACHER + JOINS;
        double sum =
            distils ? r[DISTILLATION] + r[COMPACTNESS] : r[TRANSFER] + r[LOCAL] + (joined ? r[GLOBAL] : 0);
        ck_assert(fabs(r[TOTAL] - sum) < 1e-5 * sum && sum > 0);
        ck_assert((r[DISTILLATION] > 0) == distils && (r[GLOBAL] > 0) == !distils);
        ck_assert(fabs(r[RATE] - (distils ? 2e-4 : 1e-3)) < 1e-9);
    }
    ck_assert(fabs(rows[TEACHER][LOCAL] - 1) < 0.3); /* of numbers whose variance is 1 */
    ck_assert(exists(S "first/metrics.json"));
    assert_file_holds(S "first/report.html",
                      "GCAD at 64x64, patches of 33 pixels, U-Nets of width 2, 4 numbers of a whole image");
    check_use("first", &outcome);
#define SMALL                                                                                                \
    " -q --repeat 2 --image-size 64 --set model.method=gcad --set gcad.fields=33 --set gcad.unet=2 --set "   \
    "gcad.width=4"
    run_well("bench infer" SMALL);
    run_well("bench step" SMALL " --set gcad.batch=2 --set student_teacher.teacher_batch=4");
}
END_TEST

/* Stopped wherever the signal comes, in the distillation, before the global U-Net joins and after that. */
START_TEST(the_same_bits_again_and_resumed) {
    NEED_PROGRAM();
    run_well(TRAIN "again --threads 3");
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
    shell_ok(
        "for after in 1 4 6; do if [ -e " S "cut ]; then words='train -q --resume --output " S
        "cut'; else words='" TRAIN "cut --set train.checkpoint_every=1'; fi; $PROGRAM $words 2>>" S
        "err & child=$!; "
        "until [ $(cat " S
        "cut/losses.csv 2>/dev/null | wc -l) -gt $after ] || ! kill -0 $child 2>/dev/null; do sleep 0.01; "
        "done; kill -9 $child; wait $child; true; done");
    run_well("train -q --resume --output " S "cut");
    ck_assert(same_tensors(S "first/model.safetensors", S "cut/model.safetensors"));
    ck_assert(same_files(S "first/losses.csv", S "cut/losses.csv"));
}
END_TEST

/* Of another model of the method; its descriptors are standardised anew. */
START_TEST(descriptors_of_a_model_are_taken) {
    double rows[STEPS][VALUES];
    NEED_PROGRAM();
    run_well(TRAIN "taken --set student_teacher.images= --set student_teacher.descriptor=" S
                   "first/model.safetensors");
    read_loss_rows(S "taken/", COLUMNS, STEPS, VALUES, &rows[0][0]);
    ck_assert(rows[0][DISTILLATION] == 0 && fabs(rows[0][LOCAL] - 1) < 0.3);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const RefusedRun refused[] = {
        {"--set gcad.fields=33,17", "gcad.fields: '33,17' are no sizes of patches"},
        {"--set model.image_size=80",
         "model.image_size: images of 80x80: height and width must be multiples of 32"},
        {"--set gcad.unet=0", "gcad.unet"},
        {"--set gcad.global_from=1", "gcad.global_from"},
        {"--set gcad.skips_until=1.5", "gcad.skips_until"},
        {"--set student_teacher.images=", "student_teacher.images is not set; set it to a folder"},
        {"--set student_teacher.descriptor=models/weights/teacher_small.safetensors",
         "student_teacher.descriptor: models/weights/teacher_small.safetensors: is a teacher"},
        {"--set gcad.fields=17 --set student_teacher.descriptor=" S "first/model.safetensors",
         "tensor 'teacher.p17.conv1.weight' is missing"},
        {"--set train.until_converged=true", "gcad has no loss on validation images"},
        {"--set train.precision=fp16", "train.precision"},
    };
    NEED_PROGRAM();
    check_refused(refused, COUNT(refused));
    check_fails("train -q --resume --output " S "first --set gcad.unet=4", "gcad.unet");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, trains_evaluates_and_predicts);
    tcase_add_test(tests, the_same_bits_again_and_resumed);
    tcase_add_test(tests, descriptors_of_a_model_are_taken);
    tcase_add_test(tests, what_cannot_be_is_refused);
}

int main(void) {
    return run_program_suite("gcad_runs", S, make_scene, remove_scene, add_tests);
}
