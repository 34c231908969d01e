/* S-T against its patch networks in PyTorch (test/golden/methods/student_teacher_golden.py), the patches that its teachers are
 * distilled from, and what its files give back and refuse. */
#include "data/loader/patch_draws.h"
#include "test/methods/student_teacher_golden.h"
#include "test/methods/model_files.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "train/student_teacher/student_teacher_step.h"

#define SCRATCH "build/scratch/test_student_teacher/"

static EadSafetensors *golden;
static uint8_t image[ST_PIXELS * 3];

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open("test/golden/methods/student_teacher.safetensors", &golden));
    make_folders(SCRATCH);
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

START_TEST(a_whole_image_gives_what_its_patches_give) {
    EadStudentTeacher *model = student_teacher_model("17,33,65", 2);
    golden_image(ST_JUDGED, ST_HEIGHT, ST_WIDTH, image);
    check_dense(golden, model, image, 1e-5);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(students_learn_as_in_pytorch) {
    golden_image(ST_TRAINED, ST_HEIGHT, ST_WIDTH, image);
    /* a gradient where a leaky ReLU falls on the other side, and Adam's quotient of small ones, keep fewer digits */
    check_student_steps(golden, image, (StudentBounds){1e-5, 1e-4, 1e-4});
}
END_TEST

/* ---- the distillation ---- */

static EadBackbone whole_resnet(void) {
    EadBackbone backbone;
    write_backbone("resnet18", SCRATCH "whole.safetensors", &(Drawn){.whole = true});
    ASSERT_OK(ead_backbone_open_whole(SCRATCH "whole.safetensors", &backbone));
    ck_assert(backbone.whole);
    return backbone;
}

static void check_group(const char *name, const EadStep *step, int group, bool gradients, double allowed) {
    const EadParams *params = step->parts.groups[group].params;
    char full[32];
    snprintf(full, sizeof full, "%s.%s", name, gradients ? "gradients" : "parameters");
    check_samples(golden, full, params, gradients ? step->optimizers[group].gradients : params->values,
                  allowed, NULL);
}

START_TEST(teachers_learn_as_in_pytorch) {
    SKIP_UNLESS(!SANITIZED,
                "rounds otherwise under sanitizers; double_student_teacher holds the same to 1e-8");
    uint8_t *patches = malloc((size_t)PATCHES * FIELD * FIELD * 3);
    double *losses = golden_numbers(golden, "teacher.losses", (int64_t)(ST_STEPS + 1) * 3);
    EadStudentTeacher *model = student_teacher_model("33", 1);
    EadBackbone backbone = whole_resnet();
    EadParams decoder = {0};
    EadStep step;
    int length, rows;
    ck_assert_ptr_nonnull(patches);
    golden_patches(patches);
    ASSERT_OK(ead_descriptor_source_length(&backbone, -1, FIELD, &length));
    ck_assert_int_eq(length, VECTOR);
    ASSERT_OK(ead_descriptor_decoder_declare(&decoder, FIELD, length));
    ASSERT_OK(ead_params_allocate(&decoder));
    ead_params_initialize(&decoder, ST_SEED);
    EadDescriptorSource source = {&backbone, -1, &decoder};
    EadTeacherOptions options = {PATCHES, 4, 2e-4, 1e-5, 0.5};
    ASSERT_OK(ead_teacher_step_new(&model->teacher[0], FIELD, &source, &options, NULL, &step));
    ck_assert_uint_eq(ead_step_slot_bytes(&step), (size_t)PATCHES * FIELD * FIELD * 3);
    for (int s = 0; s <= ST_STEPS; s++) {
        float row[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
        if (s == ST_STEPS) check_group("teacher", &step, 0, false, 1e-4);
        if (s == ST_STEPS) check_group("decoder", &step, 1, false, 1e-4);
        ead_step_run(&step, patches);
        ASSERT_OK(ead_step_losses(&step, row, &rows));
        const double got[] = {(double)row[0], (double)row[1], (double)row[3]};
        check_numbers("teacher.losses", got, losses + (ptrdiff_t)3 * s, 3, 1e-5);
        ck_assert(rows == 1 && row[2] == 0);
        if (s > 0) continue;
        check_group("teacher", &step, 0, true, 1e-4);
        check_group("decoder", &step, 1, true, 1e-4);
    }
    ead_step_free(&step);
    ead_params_free(&decoder);
    ead_backbone_free(&backbone);
    ead_model_free(&model->base);
    free(losses), free(patches);
}
END_TEST

/* The same file, opened as for features, has no layer4; its last feature is averaged then. */
START_TEST(what_a_teacher_learns_from_is_the_end_of_a_network) {
    EadBackbone backbone = whole_resnet();
    EadGraph *graph = ead_graph_new();
    EadNode *patches = ead_leaf(graph, "patches", EAD_U8, PATCHES, FIELD, FIELD, 3, NULL);
    EadNode *vector = ead_keep(ead_backbone_vector(graph, &backbone, patches));
    EadPlan *plan;
    int length;
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_patches(patches->y.data);
    ead_plan_run(plan);
    ck_assert_int_eq(ead_count(&vector->y), PATCHES * VECTOR);
    check_values(golden, "vector", 0, vector->y.data, (int64_t)PATCHES * VECTOR, 1, 1e-5);
    ead_plan_free(plan);
    ead_graph_free(graph);
    ead_backbone_free(&backbone);
    ASSERT_OK(ead_backbone_open(SCRATCH "whole.safetensors", &backbone));
    ck_assert(!backbone.whole);
    ASSERT_OK(ead_descriptor_source_length(&backbone, -1, FIELD, &length));
    ck_assert_int_eq(length, 256);
    ASSERT_OK(ead_descriptor_source_length(&backbone, 0, FIELD, &length));
    ck_assert_int_eq(length, 64);
    ead_backbone_free(&backbone);
}
END_TEST

/* ---- patches ---- */

enum { SIDE = 528, DRAW_BATCH = 5 };

/* Photographs of one colour each but for a gradient to the right and down. */
static void open_photographs(EadImageList *list, EadImageDraws **draws) {
    static uint8_t pixels[64 * 48 * 3];
    for (int i = 0; i < 3; i++) {
        char path[96];
        for (int k = 0; k < 64 * 48; k++) {
            pixels[3 * k] = (uint8_t)(80 * i + 20);
            pixels[3 * k + 1] = (uint8_t)(k % 64 * 4);
            pixels[3 * k + 2] = (uint8_t)(k / 64 * 5);
        }
        snprintf(path, sizeof path, SCRATCH "photographs/%d.png", i);
        make_folders(path);
        ASSERT_OK(
            ead_png_write(path, &(EadImage){.pixels = pixels, .width = 64, .height = 48, .channels = 3}));
    }
    *list = (EadImageList){0};
    ASSERT_OK(ead_image_list_add(list, SCRATCH "photographs"));
    EadImageDrawsSpec spec = {.images = list, .fit = {EAD_FIT_RESIZE, SIDE, SIDE, NULL}, .most = 3};
    ASSERT_OK(ead_image_draws_open(&spec, draws));
}

/* How far a gradient goes over a patch says how much of the photograph is seen: a quarter to a sixteenth. */
START_TEST(patches_are_parts_of_photographs) {
    static uint8_t slot[DRAW_BATCH * FIELD * FIELD * 3], again[sizeof slot];
    EadImageList list;
    EadImageDraws *photographs;
    open_photographs(&list, &photographs);
    EadPatchDraws draws = {photographs, SIDE, FIELD, DRAW_BATCH, 3, 0};
    double least = 1, most = 0;
    int seen[3] = {0};
    for (uint64_t step = 1; step <= 20; step++) {
        ASSERT_OK(ead_patch_draws_fill(&draws, step, slot));
        for (int b = 0; b < DRAW_BATCH; b++) {
            const uint8_t *patch = slot + (ptrdiff_t)b * FIELD * FIELD * 3, *last = patch + 3 * (FIELD - 1);
            double across = (last[1] - patch[1]) / (4.0 * 64),
                   down = (patch[3 * FIELD * (FIELD - 1) + 2] - patch[2]) / (5.0 * 48);
            int photograph = (patch[0] - 20) / 80;
            ck_assert(patch[0] == 80 * photograph + 20 && photograph < 3);
            ck_assert_double_eq_tol(across, down, 0.03);
            least = fmin(least, across), most = fmax(most, across);
            seen[photograph]++;
        }
    }
    ck_assert(least > 0.04 && least < 0.1 && most > 0.17 && most < 0.26);
    ck_assert(seen[0] > 32 && seen[1] > 32 && seen[2] > 32); /* each in its turn */
    ASSERT_OK(ead_patch_draws_fill(&draws, 20, again));
    ck_assert(memcmp(slot, again, sizeof slot) == 0);
    draws.gray = 1;
    ASSERT_OK(ead_patch_draws_fill(&draws, 20, slot));
    for (size_t i = 0; i < sizeof slot; i += 3) ck_assert(slot[i] == slot[i + 1] && slot[i] == slot[i + 2]);
    ead_image_draws_close(photographs);
    ead_image_list_free(&list);
}
END_TEST

/* ---- detectors and files ---- */

/* What a detector says of the judged image; free() the map. */
static float *detect(const EadModel *model, float *score) {
    float *map = malloc(sizeof *map * ST_PIXELS);
    EadDetector *detector;
    ck_assert_ptr_nonnull(map);
    golden_image(ST_JUDGED, ST_HEIGHT, ST_WIDTH, image);
    ASSERT_OK(ead_detector_new(model, NULL, 1, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, ST_WIDTH, ST_HEIGHT, 3 * ST_WIDTH, map, score));
    ead_detector_close(detector);
    return map;
}

START_TEST(the_map_is_the_mean_of_the_normalised_maps) {
    EadStudentTeacher *model = student_teacher_model("17,33,65", 2);
    float score, *map = detect(&model->base, &score);
    double *expected = golden_numbers(golden, "map", ST_PIXELS);
    ck_assert_double_le(relative_difference(map, expected, ST_PIXELS, 1), 1e-5);
    ck_assert(score == largest(map, ST_PIXELS));
    free(map), free(expected);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(files_give_the_same_model_back) {
    EadStudentTeacher *model = student_teacher_model("33,65", 2);
    float before_score, after_score, *before = detect(&model->base, &before_score);
    EadModel *read = reopened(&model->base, SCRATCH "model.safetensors",
                              "S-T at 8x16, 2 students each of patches of 33,65 pixels");
    float *after = detect(read, &after_score);
    ck_assert(memcmp(before, after, sizeof *before * ST_PIXELS) == 0 && before_score == after_score);
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

static const struct Spoiled {
    const char *key, *value, *words;
} spoiled[] = {
    {"fields", "33", "tensor 'teacher.p17.conv1.weight' and "},
    {"fields", "17,65", "tensor 'teacher.p65.conv1.weight' is missing"},
    {"fields", "33,17", "metadata 'fields' is '33,17', expected some of 17,33,65"},
    {"fields", "", "metadata 'fields' is ''"},
    {"fields", "17,33,", "metadata 'fields' is '17,33,'"},
    {"fields", "17,33,65,129", "metadata 'fields' is '17,33,65,129'"},
    {"fields", "99999999999999999999", "metadata 'fields' is '99999999999999999999'"},
    {"students", "2", "tensor 'student2.p17.conv1.weight' is missing"},
    {"students", "9", "metadata 'students' is '9', expected a number from 1 to 8"},
    {"students", "0", "metadata 'students' is '0'"},
    {"image_size", "64x66",
     "images of 64x66: patches of 33 pixels need a height and width that are multiples of 4"},
};

START_TEST(bad_files_are_refused) {
    EadStudentTeacher *model = student_teacher_model("17,33", 1);
    check_bad_file(&model->base, SCRATCH "bad.safetensors", spoiled[_i].key, spoiled[_i].value,
                   spoiled[_i].words);
    ead_model_free(&model->base);
}
END_TEST

/* Numbers that make a map of nothing, or none. */
START_TEST(bad_statistics_are_refused) {
    static const char *const words[] = {"bad.safetensors: teacher.p33.std[5] is 0, must be positive",
                                        "teacher.p33.mean",
                                        "bad.safetensors: the map of the predictive variance", "map.p33"};
    EadModel *read;
    for (int i = 0; i < 4; i++) {
        EadStudentTeacher *model = student_teacher_model("33", 2);
        if (i == 0) model->std[0][5] = 0;
        if (i == 1) model->mean[0][5] = NAN;
        if (i == 2) model->maps[0].statistics[EAD_MAP_VARIANCE][1] = 0;
        if (i == 3) model->maps[0].statistics[EAD_MAP_ERROR][0] = INFINITY;
        ASSERT_OK(ead_model_save(&model->base, SCRATCH "bad.safetensors", NULL));
        ck_assert_int_eq(ead_model_open(SCRATCH "bad.safetensors", &read), EAD_BAD_FILE);
        assert_contains(ead_error_message(), words[i]);
        ead_model_free(&model->base);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("student_teacher");
    TCase *tests = tcase_create("student_teacher");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, a_whole_image_gives_what_its_patches_give);
    tcase_add_test(tests, students_learn_as_in_pytorch);
    tcase_add_test(tests, teachers_learn_as_in_pytorch);
    tcase_add_test(tests, what_a_teacher_learns_from_is_the_end_of_a_network);
    tcase_add_test(tests, patches_are_parts_of_photographs);
    tcase_add_test(tests, the_map_is_the_mean_of_the_normalised_maps);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_loop_test(tests, bad_files_are_refused, 0, (int)(sizeof spoiled / sizeof *spoiled));
    tcase_add_test(tests, bad_statistics_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
