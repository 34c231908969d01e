/* PatchCore and ensembles of it against their authors' own code (test/golden/methods/patchcore_golden.py), the coreset against plain greedy
 * choice, and what its files refuse. */
#include "test/support/sample_models.h"

#include "core/base/half.h"
#include "core/plan/plan.h"
#include "core/system/machine.h"
#include "models/patchcore_ensemble/patchcore_ensemble.h"
#include "train/patchcore/coreset.h"

#include <omp.h>
#include <sys/resource.h>

#define SCRATCH "build/scratch/test_patchcore/"
#define GOLDEN  "test/golden/methods/patchcore.safetensors"

enum { HEIGHT = 96, WIDTH = 64, GOOD = 4, JUDGED = 30, LENGTH = 160, GRID = 12 * 8, PICKS = 38, SEED = 42 };

/* ---- the model of the golden values ---- */

static EadSafetensors *golden;

static void open_golden(void) {
    ASSERT_OK(ead_safetensors_open(GOLDEN, &golden));
}

static void close_golden(void) {
    ead_safetensors_close(golden);
}

static EadPatchcore *new_patchcore(int neighbours, int reweight, EadFileType stored) {
    EadPatchcoreSpec spec = {HEIGHT, WIDTH, {0}, LENGTH, neighbours, reweight, 4, stored};
    EadBackbone backbone;
    EadPatchcore *model;
    write_backbone("resnet18", SCRATCH "drawn.safetensors", &(Drawn){.count = 0});
    ASSERT_OK(ead_backbone_open(SCRATCH "drawn.safetensors", &backbone));
    ASSERT_OK(ead_backbone_find_taps(&backbone, "", &spec.taps));
    ASSERT_OK(ead_patchcore_new(&spec, &backbone, &model));
    ck_assert_int_eq(model->grid_height * model->grid_width, GRID);
    return model;
}

/* The patches of the image of a seed, [GRID][spec.length]. */
static void patches_of(const EadPatchcore *model, uint64_t seed, float *rows) {
    EadPlan *plan;
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, HEIGHT, WIDTH, 3, NULL);
    EadNode *patches = ead_keep(ead_patchcore_patches(graph, model, images));
    ASSERT_OK(ead_plan_new(graph, NULL, &plan));
    golden_image(seed, HEIGHT, WIDTH, images->y.data);
    ead_plan_run(plan);
    memcpy(rows, patches->y.data, ead_bytes(&patches->y));
    ead_plan_free(plan);
    ead_graph_free(graph);
}

/* Those of the good images, [GOOD * GRID][LENGTH]. */
static float *good_patches(const EadPatchcore *model) {
    float *rows = malloc(sizeof *rows * GOOD * GRID * LENGTH);
    for (int i = 0; i < GOOD; i++) patches_of(model, (uint64_t)(20 + i), rows + i * GRID * LENGTH);
    return rows;
}

/* Every stride-th number. */
static void check_floats(const char *name, const float *got, int64_t count, int64_t stride, double allowed) {
    const EadFileTensor *tensor = ead_safetensors_find(golden, name);
    double *expected = malloc((size_t)count * sizeof *expected);
    ck_assert(tensor && tensor->count == count);
    ASSERT_OK(ead_file_tensor_to_double(golden, tensor, expected));
    double difference = relative_difference(got, expected, count, stride);
    printf("  %s: %.1e\n", name, difference);
    ck_assert_msg(difference <= allowed, "%s differs by %g", name, difference);
    free(expected);
}

static EadCoreset coreset_of(const float *rows, bool exact) {
    return (EadCoreset){.rows = rows,
                        .count = GOOD * GRID,
                        .length = LENGTH,
                        .choose = PICKS,
                        .seed = SEED,
                        .exact = exact,
                        .quiet = true};
}

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

/* A model whose bank is the golden one. */
static EadPatchcore *banked_by(int neighbours, int reweight, EadFileType stored, bool exact) {
    EadPatchcore *model = new_patchcore(neighbours, reweight, stored);
    float *rows = good_patches(model);
    int64_t chosen[PICKS];
    EadCoreset coreset = coreset_of(rows, exact);
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    ASSERT_OK(ead_patchcore_add(model, rows, chosen, PICKS));
    model->positions = GOOD * GRID;
    model->images = malloc(sizeof *model->images);
    model->images[0] = 7;
    model->image_count = 1;
    free(rows);
    return model;
}

static EadPatchcore *banked(int neighbours, int reweight, EadFileType stored) {
    return banked_by(neighbours, reweight, stored, false);
}

/* What a detector says of the judged image, or that of another seed; free() the map. */
static float *detect_image(const EadModel *model, uint64_t seed, float *score) {
    uint8_t *image = malloc((size_t)HEIGHT * WIDTH * 3);
    float *map = malloc(sizeof *map * HEIGHT * WIDTH);
    EadDetector *detector;
    golden_image(seed, HEIGHT, WIDTH, image);
    ASSERT_OK(ead_detector_new(model, NULL, 1, &detector));
    ASSERT_OK((EadStatus)ead_detector_run(detector, image, WIDTH, HEIGHT, 3 * WIDTH, map, score));
    ead_detector_close(detector);
    free(image);
    return map;
}

static float *detect(const EadPatchcore *model, float *score) {
    return detect_image(&model->base, JUDGED, score);
}

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
        EadModel *read;
        char text[256];
        float before_score, after_score, *before = detect(model, &before_score);
        ASSERT_OK(ead_model_save(&model->base, SCRATCH "model.safetensors", NULL));
        ASSERT_OK(ead_model_open(SCRATCH "model.safetensors", &read));
        const EadPatchcore *again = (const EadPatchcore *)read;
        float *after = detect(again, &after_score);
        ck_assert(memcmp(before, after, sizeof *before * HEIGHT * WIDTH) == 0 && before_score == after_score);
        ck_assert(again->positions == GOOD * GRID && again->image_count == 1 && again->images[0] == 7);
        ck_assert(again->spec.sigma == 4 && again->spec.neighbours == 2 &&
                  again->spec.reweight == model->spec.reweight && again->spec.stored == model->spec.stored);
        read->method->functions->describe(read, text, sizeof text);
        ck_assert_str_eq(text, "PatchCore at 96x64, 38 x 160 numbers of resnet18's layer2,layer3");
        free(before), free(after);
        ead_model_free(read);
        ead_model_free(&model->base);
    }
}
END_TEST

/* Writes a model with something wrong and opens it. */
static void refuses(int64_t rows, float value, const char *key, const char *metadata, const char *words) {
    EadPatchcore *model = banked(1, 0, EAD_FILE_F32);
    EadSafetensorsWriter *writer;
    EadModel *read;
    int whole = model->rows;
    model->rows = (int)rows;
    model->bank[LENGTH + 3] = value;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_model_write(&model->base, writer));
    if (key) ASSERT_OK(ead_safetensors_writer_metadata(writer, key, metadata));
    ASSERT_OK(ead_safetensors_writer_write(writer, SCRATCH "bad.safetensors"));
    ead_safetensors_writer_free(writer);
    ck_assert_int_eq(ead_model_open(SCRATCH "bad.safetensors", &read), EAD_BAD_FILE);
    ck_assert_msg(strstr(ead_error_message(), words) && strstr(ead_error_message(), "bad.safetensors"), "%s",
                  ead_error_message());
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
    refuses(2, 0, "neighbours", "3", "a bank of 2 rows has no 3 neighbours");
    refuses(PICKS, 0, "reweight", "1", "metadata 'reweight' is '1', expected a number from 2 to 64");
    refuses(3, 0, "reweight", "4", "a bank of 3 rows has no 4 neighbours");
    refuses(PICKS, 0, "sigma", "wide", "metadata 'sigma' is 'wide'");
    refuses(PICKS, 0, "positions", "3", "metadata 'positions' is '3'");
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
    const rlim_t much = (rlim_t)1 << 40;
    struct rlimit limit = {.rlim_cur = much, .rlim_max = RLIM_INFINITY};
    char bytes[sizeof size + sizeof header];
    EadModel *read;
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    SKIP_UNLESS(ead_machine_address_space() == SIZE_MAX, "address space is limited already");
    memcpy(bytes, &size, sizeof size);
    memcpy(bytes + sizeof size, header, size);
    write_bytes(SCRATCH "large.safetensors", bytes, sizeof size + size);
    ck_assert(truncate(SCRATCH "large.safetensors", (off_t)(sizeof size + size + 204800000)) == 0);
    ck_assert(setrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = much - ead_machine_address_space() + 300000000;
    ck_assert(setrlimit(RLIMIT_AS, &limit) == 0);
    ASSERT_FAILS(ead_model_open(SCRATCH "large.safetensors", &read), EAD_NO_MEMORY,
                 "large.safetensors: the bank 'bank' of 50000 x 1024 numbers takes 205 MB, but only ");
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

/* ---- ensembles ---- */

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
    ead_patchcore_ensemble_set_ranges(model, ranges);
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
        text, "PatchCore ensemble at 96x64, fused by held-out good images: 38 x 160 numbers of resnet18, "
              "38 x 160 numbers of resnet18");
    free(before), free(after);
    ead_model_free(read);
    ead_model_free(&model->base);
}
END_TEST

/* Members that say the same of all images weigh by their distances as they are. */
START_TEST(ranges_of_nothing_are_no_division) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_TEST);
    float score, one, three;
    ead_patchcore_ensemble_set_ranges(model, (EadMemberRange[]){{2, 2, 0, 0}, {1, 1, 0, 0}});
    free(detect_image(&model->base, JUDGED, &score));
    free(detect(model->members[0], &one));
    free(detect(model->members[1], &three));
    ck_assert_msg(fabsf(score - (one - 2 + three - 1) / 2) < 1e-5f * score, "%g", (double)score);
    ead_model_free(&model->base);
}
END_TEST

/* Writes an ensemble with other metadata, or what a call has spoilt, and opens it. */
static void refuses_ensemble(EadPatchcoreEnsemble *model, const char *key, const char *metadata,
                             const char *words) {
    EadSafetensorsWriter *writer;
    EadModel *read;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    ASSERT_OK(ead_model_write(&model->base, writer));
    if (key) ASSERT_OK(ead_safetensors_writer_metadata(writer, key, metadata));
    ASSERT_OK(ead_safetensors_writer_write(writer, SCRATCH "bad.safetensors"));
    ead_safetensors_writer_free(writer);
    ASSERT_FAILS(ead_model_open(SCRATCH "bad.safetensors", &read), EAD_BAD_FILE, words);
}

START_TEST(bad_files_of_ensembles_are_refused) {
    EadPatchcoreEnsemble *model = new_ensemble(EAD_FUSION_TEST);
    refuses_ensemble(model, "members", "1", "metadata 'members' is '1', expected a number from 2 to 8");
    refuses_ensemble(model, "members", "12", "metadata 'members' is '12'");
    refuses_ensemble(model, "members", "3", "tensor 'member3.bank' is missing");
    refuses_ensemble(model, "fusion", "none", "metadata 'fusion' is 'none', expected validation or test");
    refuses_ensemble(model, "member2.layers", "layer9", "metadata 'member2.layers' is 'layer9'");
    refuses_ensemble(model, "member1.backbone", "resnet34",
                     "tensor 'member1.backbone.layer1.2.conv1.weight'");
    model->ranges[1].most_map = INFINITY;
    refuses_ensemble(model, NULL, NULL, "tensor 'ranges'");
    model->ranges[1].most_map = 1;
    model->members[1]->bank[5] = NAN;
    refuses_ensemble(model, NULL, NULL, "tensor 'member2.bank'");
    ead_model_free(&model->base);
}
END_TEST

/* ---- the coreset ---- */

enum { ROWS = 700, NUMBERS = 128 /* which are not projected */, MANY = 300 };

/* Clusters of points, some of which are there twice. */
static float *draw_rows(void) {
    float *rows = malloc(sizeof *rows * ROWS * NUMBERS);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < NUMBERS; i++) {
            int row = r % 50 == 49 ? r - 7 : r;
            float centre =
                ead_uniform(ead_philox_word(1, EAD_STREAM_TEST, (uint64_t)(row / 90 * NUMBERS + i)));
            rows[r * NUMBERS + i] =
                2 * centre + ead_uniform(ead_philox_word(2, EAD_STREAM_TEST, (uint64_t)(row * NUMBERS + i)));
        }
    return rows;
}

static double distance(const float *a, const float *b) {
    double sum = 0;
    for (int i = 0; i < NUMBERS; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

/* Greedy choice as it is written: the distances are given; each choice must be a row that is the farthest, to
 * rounding, and lowers all of them. The same rows on any number of threads. */
static void check_choice(const EadCoreset *coreset, double *distances) {
    int64_t chosen[3][MANY];
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        ASSERT_OK(ead_coreset_choose(coreset, chosen[threads - 1]));
        ck_assert(memcmp(chosen[0], chosen[threads - 1], sizeof chosen[0]) == 0);
    }
    for (int n = 0; n < MANY; n++) {
        const float *taken = coreset->rows + chosen[0][n] * NUMBERS;
        double most = 0, its = distances[chosen[0][n]];
        for (int r = 0; r < ROWS; r++) most = fmax(most, distances[r]);
        ck_assert_msg(its >= most * (1 - 1e-5), "choice %d is %g away, another %g", n, its, most);
        for (int r = 0; r < ROWS; r++)
            distances[r] = fmin(distances[r], distance(coreset->rows + r * NUMBERS, taken));
        distances[chosen[0][n]] = -1;
    }
}

START_TEST(lazy_choice_is_the_plain_one) {
    float *rows = draw_rows();
    double distances[ROWS];
    EadCoreset coreset = {
        .rows = rows, .count = ROWS, .length = NUMBERS, .choose = MANY, .seed = 5, .quiet = true};
    for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int s = 0; s < 10; s++)
            sum += distance(rows + r * NUMBERS,
                            rows + ead_shuffled_index(5, EAD_STREAM_CORESET, (uint64_t)s, ROWS) * NUMBERS);
        distances[r] = sum / 10;
    }
    check_choice(&coreset, distances);
    coreset.exact = true;
    for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int s = 0; s < ROWS; s++) sum += pow(distance(rows + r * NUMBERS, rows + s * NUMBERS), 2);
        distances[r] = sqrt(sum);
    }
    check_choice(&coreset, distances);
    free(rows);
}
END_TEST

START_TEST(choice_goes_on_from_a_bank) {
    float *rows = draw_rows();
    double distances[ROWS];
    EadCoreset coreset = {.rows = rows, .count = ROWS, .length = NUMBERS, .choose = MANY, .quiet = true};
    coreset.bank = rows + 100 * NUMBERS, coreset.bank_count = 150;
    for (int r = 0; r < ROWS; r++) {
        distances[r] = (double)INFINITY;
        for (int s = 100; s < 250; s++)
            distances[r] = fmin(distances[r], distance(rows + r * NUMBERS, rows + s * NUMBERS));
    }
    check_choice(&coreset, distances);
    free(rows);
}
END_TEST

START_TEST(every_row_is_chosen_once) {
    float *rows = calloc(sizeof *rows, ROWS * NUMBERS); /* all the same */
    bool seen[ROWS] = {false};
    int64_t chosen[ROWS];
    EadCoreset coreset = {.rows = rows, .count = ROWS, .length = NUMBERS, .choose = ROWS - 1, .quiet = true};
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    for (int n = 0; n < ROWS - 1; n++) {
        ck_assert(chosen[n] >= 0 && chosen[n] < ROWS && !seen[chosen[n]]);
        seen[chosen[n]] = true;
    }
    coreset.choose = ROWS;
    ASSERT_OK(ead_coreset_choose(&coreset, chosen));
    for (int n = 0; n < ROWS; n++) ck_assert_int_eq(chosen[n], n);
    free(rows);
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
    tcase_add_test(tests, ensembles_are_the_originals);
    tcase_add_test(tests, ensembles_come_back_from_files);
    tcase_add_test(tests, ranges_of_nothing_are_no_division);
    tcase_add_test(tests, bad_files_of_ensembles_are_refused);
    tcase_add_test(tests, lazy_choice_is_the_plain_one);
    tcase_add_test(tests, choice_goes_on_from_a_bank);
    tcase_add_test(tests, every_row_is_chosen_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
