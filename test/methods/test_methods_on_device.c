/* Methods besides EfficientAD, as library calls on a device: the files of a CPU. */
#define SCRATCH "build/scratch/test_methods_on_device/"
#include "test/support/fake_device.h"
#include "test/support/trainer_runs.h"

#define CPU    SCRATCH "cpu/"
#define DEVICE SCRATCH "device/"

static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
}

static const struct {
    const char *settings;
    bool in_parts; /* a run of fewer epochs can be resumed with more: one phase */
} methods[] = {{"model.method=simplenet simplenet.width=32 simplenet.hidden=16 simplenet.batch=2 "
                "simplenet.epochs=",
                true},
               {"model.method=fastflow fastflow.layers=stride16 fastflow.couplings=2 "
                "fastflow.hidden_ratio=0.1 fastflow.batch=2 fastflow.epochs=",
                true},
               {"model.method=ast ast.blocks=1 ast.teacher_hidden=8 ast.student_blocks=1 "
                "ast.student_hidden=8 ast.batch=2 ast.epochs=",
                false},
               {"model.method=dsr dsr.channels=8 dsr.codes=16 dsr.unet=4 dsr.batch=1 dsr.codebook_batch=1 "
                "dsr.codebook_steps=2 dsr.images=" SCRATCH "textures dsr.steps=",
                false},
               {"model.method=gcad gcad.fields=33 gcad.unet=2 gcad.width=4 gcad.global_from=0.5 "
                "student_teacher.teacher_steps=2 student_teacher.teacher_batch=2 "
                "student_teacher.images=" SCRATCH "textures gcad.epochs=",
                false},
               {"model.method=student_teacher student_teacher.fields=33 student_teacher.students=1 "
                "student_teacher.teacher_steps=2 student_teacher.teacher_batch=2 "
                "student_teacher.images=" SCRATCH "textures student_teacher.epochs=",
                true}};

/* Parameters, running statistics and optimizer state lie on the device between checkpoints. */
START_TEST(a_device_gives_the_same_files) {
    static const char *const files[] = {"model.safetensors", "checkpoint.safetensors"};
    char part[256], whole[256], x[256], y[256];
    SKIP_UNLESS(!SANITIZED || !strstr(methods[_i].settings, "student_teacher"),
                "takes minutes under sanitizers");
    snprintf(part, sizeof part, "%s1", methods[_i].settings);
    snprintf(whole, sizeof whole, "%s3", methods[_i].settings);
    shell_ok("rm -rf " CPU " " DEVICE);
    train(CPU, whole);
    fake_device_start(1, SIZE_MAX);
    if (methods[_i].in_parts) ASSERT_OK(run_on(&fake_backend, DEVICE, part, false));
    ASSERT_OK(run_on(&fake_backend, DEVICE, whole, methods[_i].in_parts));
    for (int i = 0; i < 2; i++) {
        snprintf(x, sizeof x, CPU "%s", files[i]);
        snprintf(y, sizeof y, DEVICE "%s", files[i]);
        ck_assert_msg(same_tensors(x, y), "%s and %s differ", x, y);
    }
    ck_assert(same_files(CPU "losses.csv", DEVICE "losses.csv"));
    ck_assert_int_eq(fake_device_leaks(), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("methods_on_device");
    TCase *tests = tcase_create("methods_on_device");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_loop_test(tests, a_device_gives_the_same_files, 0, sizeof methods / sizeof *methods);
    suite_add_tcase(suite, tests);
    return run_trainer_suite(suite, SCRATCH "log");
}
