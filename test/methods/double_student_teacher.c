/* S-T in double: PyTorch's numbers to nine digits. */
#include "test/methods/student_teacher_golden.h"

#include <omp.h>

static EadSafetensors *golden;
static uint8_t image[ST_PIXELS * 3];

static void open_golden(void) {
    ck_assert_int_eq(ead_safetensors_open("test/golden/methods/student_teacher.safetensors", &golden),
                     EAD_OK);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

START_TEST(a_whole_image_gives_what_its_patches_give) {
    EadStudentTeacher *model = student_teacher_model("17,33,65", 2);
    golden_image(ST_JUDGED, ST_HEIGHT, ST_WIDTH, image);
    check_dense(golden, model, image, 1e-11);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(students_learn_as_in_pytorch) {
    golden_image(ST_TRAINED, ST_HEIGHT, ST_WIDTH, image);
    check_student_steps(golden, image, (StudentBounds){1e-9, 1e-9, 1e-8});
}
END_TEST

START_TEST(teachers_learn_as_in_pytorch) {
    static uint8_t patches[PATCHES * FIELD * FIELD * 3];
    golden_patches(patches);
    check_teacher_gradients(golden, patches, 1e-9, 1e-8);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("student_teacher in double");
    TCase *tests = tcase_create("student_teacher");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, a_whole_image_gives_what_its_patches_give);
    tcase_add_test(tests, students_learn_as_in_pytorch);
    tcase_add_test(tests, teachers_learn_as_in_pytorch);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
