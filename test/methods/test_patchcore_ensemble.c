/* Ensembles of PatchCores against their authors' own code, and what their files refuse. */
#define SCRATCH "build/scratch/test_patchcore_ensemble/"
#include "models/patchcore_ensemble/patchcore_ensemble.h"
#include "test/methods/patchcore_golden.h"
#include "test/methods/model_files.h"

enum { FUSED = 3 /* images, from JUDGED on */ };

/* Two members, fused by what they say of these images. */
static EadPatchcoreEnsemble *new_ensemble(EadFusion fusion) {
    EadPatchcoreEnsemble *model;
    EadMemberRange ranges[2];
    ASSERT_OK(ead_patchcore_ensemble_new(HEIGHT, WIDTH, fusion, &model));
    model->members[model->count++] = banked_by(1, 0, EAD_FILE_F32, false);
    model->members[model->count++] = banked_by(3, 0, EAD_FILE_F32, true);
    for (int m = 0; m < 2; m++) {
        EadMemberRange *r = &ranges[m];
        *r = (EadMemberRange){INFINITY, -INFINITY, INFINITY, -INFINITY};
        for (uint64_t i = 0; i < FUSED; i++) {
            float score, *map = detect_image(&model->members[m]->base, JUDGED + i, &score);
            r->least_score = fminf(r->least_score, score), r->most_score = fmaxf(r->most_score, score);
            for (int k = 0; k < HEIGHT * WIDTH; k++)
                r->least_map = fminf(r->least_map, map[k]), r->most_map = fmaxf(r->most_map, map[k]);
            free(map);
        }
    }
    ASSERT_OK(ead_patchcore_ensemble_set_ranges(model, ranges));
    return model;
}

START_TEST(ensembles_are_the_originals) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_TEST);
    float scores[FUSED], *map = detect_image(&model->base, JUDGED, &scores[0]);
    check_floats("fused_map", map, HEIGHT * WIDTH, 1, 1e-5);
    free(map);
    for (int i = 1; i < FUSED; i++) free(detect_image(&model->base, (uint64_t)(JUDGED + i), &scores[i]));
    check_floats("fused_scores", scores, FUSED, 1, 1e-5);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(ensembles_come_back_from_files) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_VALIDATION);
    EadModel *read;
    char text[256];
    float before_score, after_score, *before = detect_image(&model->base, JUDGED, &before_score);
    ASSERT_OK(ead_model_save(&model->base, SCRATCH "ensemble.safetensors", NULL));
    ASSERT_OK(ead_model_open(SCRATCH "ensemble.safetensors", &read));
    float *after = detect_image(read, JUDGED, &after_score);
    ck_assert(memcmp(before, after, sizeof *before * HEIGHT * WIDTH) == 0 && before_score == after_score);
    ck_assert(read->color_high == 1);
    read->method->functions->describe(read, text, sizeof text);
    ck_assert_str_eq(
        text, "PatchCore ensemble at 96x64, fused by held-out good images: bank of 38 patches of resnet18, "
              "bank of 38 patches of resnet18");
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

static const struct NoRange {
    EadMemberRange range;
    const char *words;
} no_ranges[] = {
    {{0, 0, 0, 0}, "its scores of the images to scale by go from 0 to 0"},
    {{0, 1, 0, 0}, "its maps of the images to scale by go from 0 to 0"},
    {{2, 2, 0, 1}, "its scores of the images to scale by go from 2 to 2"},
    {{0, 1, 3, 2}, "its maps of the images to scale by go from 3 to 2"},
    {{-1, 1, 0, 1}, "its scores of the images to scale by go from -1 to 1"},
    {{0, 1, 0, (float)NAN}, "its maps of the images to scale by go from 0 to nan"},
};

/* What a member says of all images alike, or what is no distance, scales nothing: neither in memory nor from a file. */
START_TEST(ranges_of_nothing_are_refused) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_TEST);
    EadMemberRange ranges[2] = {{0, 1, 0, 1}, no_ranges[_i].range};
    EadModel *read;
    ASSERT_FAILS(ead_patchcore_ensemble_set_ranges(model, ranges), EAD_BAD_ARGUMENT, no_ranges[_i].words);
    assert_contains(ead_error_message(), "member 2 cannot be scaled");
    ASSERT_OK(ead_model_save(&model->base, SCRATCH "range.safetensors", NULL));
    ASSERT_FAILS(ead_model_open(SCRATCH "range.safetensors", &read), EAD_BAD_FILE, "tensor 'ranges'");
    assert_contains(ead_error_message(), "range.safetensors");
    ead_model_free(&model->base);
}
END_TEST

START_TEST(bad_files_of_ensembles_are_refused) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_TEST);
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "members", "1",
                   "metadata 'members' is '1', expected a number from 2 to 8");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "members", "12", "metadata 'members' is '12'");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "members", "3",
                   "tensor 'member3.bank' is missing");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "fusion", "none",
                   "metadata 'fusion' is 'none', expected validation or test");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "member2.layers", "layer9",
                   "metadata 'member2.layers' is 'layer9'");
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "member1.backbone", "resnet34",
                   "tensor 'member1.backbone.layer1.2.conv1.weight'");
    model->count = 2;
    model->members[model->count++] = banked_by(1, 0, EAD_FILE_F32, false);
    check_bad_file(&model->base, SCRATCH "bad.safetensors", "members", "2",
                   "tensor 'ranges' has 12 elements, expected 8");
    ead_model_free(&model->members[--model->count]->base);
    model->ranges[1].most_map = INFINITY;
    check_bad_file(&model->base, SCRATCH "bad.safetensors", NULL, NULL, "tensor 'ranges'");
    model->ranges[1].most_map = 1;
    model->members[1]->bank[5] = NAN;
    check_bad_file(&model->base, SCRATCH "bad.safetensors", NULL, NULL, "tensor 'member2.bank'");
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("patchcore_ensemble");
    TCase *tests = tcase_create("ensemble");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, ensembles_are_the_originals);
    tcase_add_test(tests, ensembles_come_back_from_files);
    tcase_add_loop_test(tests, ranges_of_nothing_are_refused, 0, (int)(sizeof no_ranges / sizeof *no_ranges));
    tcase_add_test(tests, bad_files_of_ensembles_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
