/* The training run as a library call: every variant of the method, what the model file keeps, other models to
 * start from, and what ends a run. */
#define SCRATCH "build/scratch/test_trainer_variants/"
#include "test/support/trainer_runs.h"

#include "models/efficientad/model.h"

static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
}

/* ---- variants ---- */

enum { HARD = 1, PENALTY = 2, AE = 4, STAE = 8, ALL = 15 };

static const struct {
    const char *name, *settings;
    int losses; /* that are not zero */
} variants[] = {
    {"student only", STUDENT_ONLY, HARD},
    {"no autoencoder", "autoencoder.enabled=false", HARD | PENALTY},
    {"drawn penalty images", "penalty.path=drawn", ALL},
    {"no penalty", "loss.penalty=false maps.normalization=gaussian", HARD | AE | STAE},
    {"nothing random", "loss.penalty=false augment.enabled=false autoencoder.dropout=0", HARD | AE | STAE},
    {"padding, wide images", "model.padding=true model.image_size=128x192", ALL},
    {"padding", STUDENT_ONLY "model.padding=true", HARD},
    {"all features are hard", STUDENT_ONLY "loss.hard_quantile=0", HARD},
    {"gaussian maps", STUDENT_ONLY "maps.normalization=gaussian", HARD},
    {"raw maps", STUDENT_ONLY "maps.normalization=none", HARD},
    {"tall images", STUDENT_ONLY "model.image_size=192x128", HARD},
    {"folder", STUDENT_ONLY "dataset.type=folder dataset.path=" SCRATCH "data/gasket/train/good", HARD},
    {"folder alone",
     STUDENT_ONLY "dataset.type=folder dataset.path= dataset.train_good=" SCRATCH "data/gasket/train/good",
     HARD},
};

START_TEST(variants_run) {
    char run[128], model_path[160];
    LossRow rows[1];
    EadModel *model;
    snprintf(run, sizeof run, SCRATCH "variant_%d/", _i);
    snprintf(model_path, sizeof model_path, "%smodel.safetensors", run);
    char settings[512];
    snprintf(settings, sizeof settings, "%s train.steps=1", variants[_i].settings);
    train(run, settings);
    read_rows(run, 1, rows);
    check_sums(rows, 1);
    int losses = (rows[0].hard > 0) * HARD | (rows[0].penalty > 0) * PENALTY | (rows[0].ae > 0) * AE |
                 (rows[0].stae > 0) * STAE;
    ck_assert_msg(losses == variants[_i].losses, "%s: losses %d", variants[_i].name, losses);
    ASSERT_OK(ead_model_open(model_path, &model));
    ead_model_free(model);
}
END_TEST

/* What differs between variants must show in the first loss. */
START_TEST(variants_differ) {
    LossRow plain, other;
    train(SCRATCH "plain_variant/", STUDENT_ONLY "train.steps=1");
    train(SCRATCH "padded/", STUDENT_ONLY "train.steps=1 model.padding=true");
    train(SCRATCH "soft/", STUDENT_ONLY "train.steps=1 loss.hard_quantile=0");
    read_rows(SCRATCH "plain_variant/", 1, &plain);
    read_rows(SCRATCH "padded/", 1, &other);
    ck_assert(plain.hard != other.hard);
    read_rows(SCRATCH "soft/", 1, &other);
    ck_assert_msg(other.hard < plain.hard / 2, "mean of all %g, of the hardest %g", other.hard, plain.hard);
}
END_TEST

/* The quantile 1 of the validation scores is the highest of them. */
START_TEST(the_model_file_keeps_threshold_and_maps) {
    EadSafetensors *file;
    EadModel *model;
    train(SCRATCH "threshold/", "loss.penalty=false train.steps=1 maps.select=ae threshold.method=quantile "
                                "threshold.quantile=1");
    ASSERT_OK(ead_safetensors_open(SCRATCH "threshold/model.safetensors", &file));
    ASSERT_OK(ead_model_read(file, &model));
    const EadFileTensor *scores = ead_safetensors_find(file, "validation_scores");
    ck_assert(scores && scores->count >= 1 && scores->count < 10);
    double values[10], most = -INFINITY;
    ASSERT_OK(ead_file_tensor_to_double(file, scores, values));
    for (int64_t i = 0; i < scores->count; i++) most = fmax(most, values[i]);
    ck_assert_double_eq((double)model->threshold, most);
    ck_assert_int_eq(model->map_choice, EAD_USE_AE);
    ck_assert_ptr_nonnull(
        strstr(ead_safetensors_metadata(file, "threshold_rule"), "validation images reach it"));
    ead_model_free(model);
    ead_safetensors_close(file);
}
END_TEST

/* The threshold is for the scores that the model says; those by the maximum are the peaks beside them. */
START_TEST(thresholds_are_for_the_scores_of_the_model) {
    EadSafetensors *file;
    EadModel *model;
    double values[2][10];
    static const char *const names[] = {"validation_scores", "validation_peaks"};
    train(SCRATCH "area/",
          STUDENT_ONLY "train.steps=1 score.method=area score.cells=30 threshold.method=quantile "
                       "threshold.quantile=1");
    ASSERT_OK(ead_model_open_file(SCRATCH "area/model.safetensors", &file, &model));
    ck_assert_int_eq(model->score.method, EAD_SCORE_AREA);
    ck_assert_int_eq(model->score.cells, 30);
    for (int k = 0; k < 2; k++) {
        const EadFileTensor *tensor = ead_safetensors_find(file, names[k]);
        ck_assert(tensor && tensor->count == 1);
        ASSERT_OK(ead_file_tensor_to_double(file, tensor, values[k]));
    }
    ck_assert_double_eq((double)model->threshold, values[0][0]);
    ck_assert_double_eq((double)model->pixel_threshold, values[1][0]);
    ck_assert_double_lt(values[0][0], values[1][0]);
    ead_model_free(model);
    ead_safetensors_close(file);
}
END_TEST

static const EadFileTensor *find_trained(const EadSafetensors *file, int i) {
    const EadFileTensor *tensor = ead_safetensors_at(file, i);
    return strncmp(tensor->name, "student.", 8) == 0 || strncmp(tensor->name, "autoencoder.", 12) == 0
               ? tensor
               : NULL;
}

/* At a rate too small to change a float, the result is the start. */
START_TEST(training_starts_from_another_runs_model) {
    EadSafetensors *from, *to;
    int compared = 0;
    train(SCRATCH "first/", "train.steps=1");
    train(SCRATCH "second/", "train.steps=1 train.lr=1e-30 model.init=" SCRATCH "first/model.safetensors");
    ASSERT_OK(ead_safetensors_open(SCRATCH "first/model.safetensors", &from));
    ASSERT_OK(ead_safetensors_open(SCRATCH "second/model.safetensors", &to));
    for (int i = 0; i < ead_safetensors_count(from); i++) {
        const EadFileTensor *a = find_trained(from, i);
        if (!a) continue;
        const EadFileTensor *b = ead_safetensors_find(to, a->name);
        ck_assert_ptr_nonnull(b);
        ck_assert_mem_eq(a->data, b->data, a->bytes);
        compared++;
    }
    ck_assert_int_eq(compared, 2 * (4 + 6 + 8));
    ead_safetensors_close(from);
    ead_safetensors_close(to);
    ASSERT_FAILS(try_run(SCRATCH "third/",
                         "autoencoder.enabled=false model.init=" SCRATCH "first/model.safetensors", false),
                 EAD_BAD_FILE, "student.conv4.weight");
    ck_assert(!exists(SCRATCH "third"));
}
END_TEST

/* ---- failures ---- */

START_TEST(what_is_wrong_at_the_start_leaves_no_folder) {
    static const char *const wrong[][2] = {
        {"model.teacher=" SCRATCH "none.safetensors", "none.safetensors"},
        {"model.init=" SCRATCH "none.safetensors", "none.safetensors"},
        {"dataset.path=" SCRATCH "none", SCRATCH "none"},
        {"dataset.category=none", "none"},
        {"penalty.path=" SCRATCH "none", "penalty.path"},
        {"dataset.type=folder dataset.path=" SCRATCH "broken", "broken/000.png"},
    };
    write_noise_png(SCRATCH "broken/001.png", 8, 8, 3, 1);
    write_bytes(SCRATCH "broken/000.png", "no image", 8);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_ne(try_run(SCRATCH "wrong/", wrong[i][0], false), EAD_OK);
        ck_assert_msg(strstr(ead_error_message(), wrong[i][1]), "%s", ead_error_message());
        ck_assert_msg(!exists(SCRATCH "wrong"), "%s left a folder", wrong[i][0]);
    }
}
END_TEST

/* A student with finite weights whose outputs are not. */
static void save_exploding_model(const char *path) {
    const EadEfficientadSpec spec = {.height = SIDE, .width = SIDE};
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&spec, &model));
    ead_params_initialize(&model->trained, 1);
    for (int64_t i = 0; i < model->trained.total; i++) model->trained.values[i] *= (real)1e12;
    ASSERT_OK(ead_efficientad_set_map_statistics(model, EAD_MAPS_NONE, statistics));
    ASSERT_OK(ead_model_save(&model->base, path, NULL));
    ead_efficientad_free(model);
}

/* No checkpoint and no model holds what became of the weights. */
START_TEST(a_loss_that_is_not_finite_ends_the_run) {
    LossRow none;
    save_exploding_model(SCRATCH "huge.safetensors");
    ASSERT_FAILS(try_run(SCRATCH "diverged/",
                         STUDENT_ONLY "train.steps=2 model.init=" SCRATCH "huge.safetensors", false),
                 EAD_BAD_ARGUMENT, "lower train.lr");
    ck_assert(!exists(SCRATCH "diverged/model.safetensors"));
    ck_assert(!exists(SCRATCH "diverged/checkpoint.safetensors"));
    read_rows(SCRATCH "diverged/", 0, &none);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("trainer variants");
    TCase *tests = tcase_create("variants");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_loop_test(tests, variants_run, 0, (int)(sizeof variants / sizeof *variants));
    tcase_add_test(tests, variants_differ);
    tcase_add_test(tests, the_model_file_keeps_threshold_and_maps);
    tcase_add_test(tests, thresholds_are_for_the_scores_of_the_model);
    tcase_add_test(tests, training_starts_from_another_runs_model);
    tcase_add_test(tests, what_is_wrong_at_the_start_leaves_no_folder);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), "build/scratch/test_trainer_variants.log");
}
