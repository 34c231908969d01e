/* PatchCore against its authors' own code, and what its files refuse. */
#define SCRATCH "build/scratch/test_patchcore/"
#include "test/methods/patchcore_golden.h"
#include "test/methods/model_files.h"

#include "core/system/machine.h"

static void check_picks(const float *rows, bool exact, int64_t chosen[PICKS]) {
    EadCoreset coreset = coreset_of(rows, exact);
    const EadFileTensor *tensor = ead_safetensors_find(golden, exact ? "exact" : "approximate");
    ck_assert(tensor && tensor->bytes == PICKS * sizeof *chosen);
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    for (int i = 0; i < PICKS; i++) {
        int64_t expected;
        memcpy(&expected, (const char *)tensor->data + (size_t)i * sizeof expected, sizeof expected);
        ck_assert_msg(chosen[i] == expected, "%s: pick %d is %lld, not %lld", tensor->name, i,
                      (long long)chosen[i], (long long)expected);
    }
}

START_TEST(patches_and_coresets_are_the_originals) {
    EadPatchcore *model = new_patchcore(1, 0, EAD_FILE_F32);
    float *rows = good_patches(model);
    int64_t chosen[PICKS];
    check_floats("patches", rows, (int64_t)GOOD * GRID * LENGTH / 4, 4, 1e-5);
    check_picks(rows, false, chosen);
    check_picks(rows, true, chosen);
    free(rows);
    ead_model_free(&model->base);
}
END_TEST

START_TEST(scores_and_maps_are_the_originals) {
    EadPatchcore *model = banked(1, 0, EAD_FILE_F32);
    float score, *map = detect(model, &score), most = 0;
    const EadFileTensor *three = ead_safetensors_find(golden, "three");
    float expected[GRID];
    check_floats("map", map, HEIGHT * WIDTH, 1, 1e-5);
    check_floats("score", &score, 1, 1, 1e-4);
    free(map);
    ead_model_free(&model->base);
    model = banked(3, 0, EAD_FILE_F32);
    free(detect(model, &score));
    ASSERT_OK(ead_file_tensor_to_float(golden, three, expected));
    for (int i = 0; i < GRID; i++) most = expected[i] > most ? expected[i] : most;
    ck_assert_msg(fabsf(score - most) <= 1e-4f * most, "%g and %g", (double)score, (double)most);
    ead_model_free(&model->base);
}
END_TEST

/* The map does not know of it, and neither does the number of neighbours that are averaged. */
START_TEST(scores_are_reweighted) {
    for (int neighbours = 1; neighbours <= 3; neighbours += 2) {
        EadPatchcore *plain = banked(neighbours, 0, EAD_FILE_F32),
                     *model = banked(neighbours, 9, EAD_FILE_F32);
        float score, other, *map = detect(model, &score), *same = detect(plain, &other);
        check_floats("reweighted", &score, 1, 1, 1e-5);
        ck_assert(memcmp(map, same, sizeof *map * HEIGHT * WIDTH) == 0);
        free(map), free(same);
        ead_model_free(&plain->base);
        ead_model_free(&model->base);
    }
}
END_TEST

/* ---- the file ---- */

START_TEST(files_give_the_same_model_back) {
    for (int half = 0; half < 2; half++) {
        EadPatchcore *model = banked(2, half ? 9 : 0, half ? EAD_FILE_F16 : EAD_FILE_F32);
        float before_score, after_score, *before = detect(model, &before_score);
        EadModel *read = reopened(&model->base, SCRATCH "model.safetensors",
                                  "PatchCore at 96x64, bank of 38 patches of resnet18's layer2,layer3");
        const EadPatchcore *again = (const EadPatchcore *)read;
        float *after = detect(again, &after_score);
        ck_assert(memcmp(before, after, sizeof *before * HEIGHT * WIDTH) == 0 && before_score == after_score);
        ck_assert(again->positions == GOOD * GRID && again->image_count == GOOD && again->images[0] == 7);
        ck_assert(again->spec.sigma == 4 && again->spec.neighbours == 2 &&
                  again->spec.reweight == model->spec.reweight && again->spec.stored == model->spec.stored);
        free(before), free(after);
        ead_model_free(read);
        ead_model_free(&model->base);
    }
}
END_TEST

/* Writes a model with something wrong and opens it. */
static void refuses(int64_t rows, float value, const char *key, const char *metadata, const char *words) {
    EadPatchcore *model = banked(1, 0, EAD_FILE_F32);
    int whole = model->rows;
    model->rows = (int)rows;
    model->bank[LENGTH + 3] = value;
    check_bad_file(&model->base, SCRATCH "bad.safetensors", key, metadata, words);
    model->rows = whole;
    ead_model_free(&model->base);
}

START_TEST(bad_files_are_refused) {
    EadModel *read;
    refuses(0, 0, NULL, NULL, "tensor 'bank' is missing or is not a table");
    refuses(PICKS, (float)NAN, NULL, NULL, "tensor 'bank'");
    refuses(PICKS, (float)INFINITY, NULL, NULL, "tensor 'bank'");
    refuses(PICKS, 0, "backbone", "resnet19", "metadata 'backbone' is 'resnet19'");
    refuses(PICKS, 0, "backbone", "resnet34", "tensor 'backbone.layer1.2.conv1.weight' is missing");
    refuses(PICKS, 0, "layers", "layer5", "metadata 'layers' is 'layer5'");
    refuses(PICKS, 0, "neighbours", "0", "metadata 'neighbours' is '0', expected a number from 1 to 16");
    refuses(PICKS, 0, "rows", "9999", "numbers, but metadata 'rows' is 9999");
    refuses(PICKS, 0, "width", "1", "numbers, but metadata 'width' is 1");
    refuses(2, 0, "neighbours", "3", "a bank of 2 rows has no 3 neighbours");
    refuses(PICKS, 0, "reweight", "1", "metadata 'reweight' is '1', expected a number from 2 to 64");
    refuses(3, 0, "reweight", "4", "a bank of 3 rows has no 4 neighbours");
    refuses(PICKS, 0, "sigma", "wide", "metadata 'sigma' is 'wide'");
    refuses(PICKS, 0, "neighbours", "1.5", "metadata 'neighbours' is '1.5', expected a whole number");
    refuses(PICKS, 0, "positions", "3", "metadata 'positions' is '3'");
    refuses(PICKS, 0, "positions", "385",
            "tensor 'images' is of 4 images, which leave 384 patches, but metadata 'positions' is 385");
    refuses(PICKS, 0, "layers", "layer2,layer2", "metadata 'layers' is 'layer2,layer2'");
    /* cut off in the bank, as a copy that was interrupted */
    EadPatchcore *model = banked(1, 0, EAD_FILE_F32);
    ASSERT_OK(ead_model_save(&model->base, SCRATCH "whole.safetensors", NULL));
    shell_ok("head -c -5000 " SCRATCH "whole.safetensors >" SCRATCH "cut.safetensors");
    ck_assert_int_eq(ead_model_open(SCRATCH "cut.safetensors", &read), EAD_BAD_FILE);
    ck_assert(strstr(ead_error_message(), "cut.safetensors"));
    ead_model_free(&model->base);
}
END_TEST

/* The file can be read, but its bank has no room beside it: told by what is in its header, with what lowers it. */
START_TEST(banks_without_room_are_refused) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"efficientad/1\",\"method\":\"patchcore\",\"image_size\":\"96x64\"},"
        "\"bank\":{\"dtype\":\"F32\",\"shape\":[50000,1024],\"data_offsets\":[0,204800000]}} ";
    const uint64_t size = sizeof header - 1;
    char bytes[sizeof size + sizeof header];
    EadModel *read;
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    memcpy(bytes, &size, sizeof size);
    memcpy(bytes + sizeof size, header, size);
    write_bytes(SCRATCH "large.safetensors", bytes, sizeof size + size);
    ck_assert(truncate(SCRATCH "large.safetensors", (off_t)(sizeof size + size + 204800000)) == 0);
    SKIP_UNLESS(leave_memory(300000000), "address space is limited already");
    ASSERT_FAILS(ead_model_open(SCRATCH "large.safetensors", &read), EAD_NO_MEMORY,
                 "large.safetensors: the bank 'bank' of 50000 x 1024 numbers takes 204.8 MB, but only ");
    ck_assert(
        strstr(ead_error_message(), " MB are free; train it again with a lower patchcore.coreset_ratio"));
    unlink(SCRATCH "large.safetensors");
}
END_TEST

/* VisA's largest category has some 700,000 patches; a bank of all of them is searched exactly. */
START_TEST(large_banks_work) {
    enum { ROWS = 700000, SHORT = 16 };
    EadPatchcoreSpec spec = {HEIGHT, WIDTH, {0}, SHORT, 1, 0, 4, EAD_FILE_F32};
    EadBackbone backbone;
    EadPatchcore *model;
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    ASSERT_OK(ead_backbone_find_taps(&backbone, "", &spec.taps));
    ASSERT_OK(ead_patchcore_new(&spec, &backbone, &model));
    float *bank = malloc(sizeof *bank * ROWS * SHORT), patches[GRID * SHORT], score, expected = 0;
    patches_of(model, JUDGED, patches);
    for (int64_t i = 0; i < (int64_t)ROWS * SHORT; i++)
        bank[i] =
            patches[i % (GRID * SHORT)] * (1 + ead_uniform(ead_philox_word(3, EAD_STREAM_TEST, (uint64_t)i)));
    model->bank = bank;
    model->rows = ROWS;
    for (int q = 0; q < GRID; q++) {
        float nearest = INFINITY;
        for (int64_t r = 0; r < ROWS; r++) {
            float sum = 0;
            for (int k = 0; k < SHORT; k++) {
                float d = patches[q * SHORT + k] - bank[r * SHORT + k];
                sum += d * d;
            }
            nearest = sum < nearest ? sum : nearest;
        }
        expected = nearest > expected ? nearest : expected;
    }
    free(detect(model, &score));
    ck_assert_msg(fabsf(score - expected) <= 1e-4f * expected, "%g, not %g", (double)score, (double)expected);
    size_t bytes = model->base.method->functions->bytes(&model->base);
    ck_assert(bytes ==
              (size_t)model->backbone.params.total * sizeof(float) + (size_t)ROWS * SHORT * sizeof(float));
    ead_model_free(&model->base);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("patchcore");
    TCase *tests = tcase_create("patchcore");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, open_golden, close_golden);
    tcase_add_test(tests, patches_and_coresets_are_the_originals);
    tcase_add_test(tests, scores_and_maps_are_the_originals);
    tcase_add_test(tests, scores_are_reweighted);
    tcase_add_test(tests, files_give_the_same_model_back);
    tcase_add_test(tests, bad_files_are_refused);
    tcase_add_test(tests, banks_without_room_are_refused);
    tcase_add_test(tests, large_banks_work);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
