/* The training run as a library call: the log of losses, repeatability, resuming, and every variant of the
 * method, on a few generated pictures at 128x128. */
#include "test/run_folders.h"

#include "core/backend.h"
#include "test/support_fake_device.h"
#include "train/blas_cure.h"
#include "models/model_file.h"
#include "train/synth.h"
#include "train/trainer.h"

#include <math.h>
#include <omp.h>

#define SCRATCH "build/scratch/test_trainer/"
#define WHOLE   SCRATCH "whole/"
#define HEADER  "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr\n"
/* The cheap variant, for what does not depend on the losses. */
#define STUDENT_ONLY "autoencoder.enabled=false loss.penalty=false "

enum { SIDE = 128, TRAIN_IMAGES = 4, TEXTURES = 3, STEPS = 3 };

static void save_picture(const char *pattern, int number, EadImage *image) {
    char path[256];
    snprintf(path, sizeof path, pattern, number);
    make_folders(path);
    ASSERT_OK(ead_png_write(path, image));
    ead_image_free(image);
}

static void make_data(void) {
    EadImage image, mask;
    for (int i = 0; i < TRAIN_IMAGES; i++) {
        EadSynthPart part = {
            .category = EAD_SYNTH_weave, .seed = 3, .number = (uint32_t)i, .height = SIDE, .width = SIDE};
        ASSERT_OK(ead_synth_draw(&part, &image, &mask));
        ead_image_free(&mask);
        save_picture(SCRATCH "data/weave/train/good/%03d.png", i, &image);
    }
    for (int i = 0; i < TEXTURES; i++) {
        ASSERT_OK(ead_synth_draw_texture(3, (uint32_t)i, SIDE, SIDE, &image));
        save_picture(SCRATCH "textures/%03d.png", i, &image);
    }
}

static void remove_scratch(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH), 0);
}

/* ---- runs ---- */

/* Everything in folders of our own; settings: "key=value key=value ...". */
static void configure(EadConfig *config, const char *run, const char *settings) {
    static const char base[] = "dataset: {path: " SCRATCH "data, category: weave, cache: " SCRATCH "cache}\n"
                               "model: {image_size: 128, teacher: models/weights/teacher_small.safetensors}\n"
                               "train: {checkpoint_every: 0, lr_drop_at: 1}\n"
                               "penalty: {path: " SCRATCH "textures}\n";
    configure_run(config, base, run, settings);
    ASSERT_OK(ead_config_check_training(config));
}

static EadStatus run_on(const EadBackend *backend, const char *run, const char *settings, bool resume) {
    EadConfig config;
    configure(&config, run, settings);
    EadTrainSpec spec = {.config = &config, .backend = backend, .resume = resume, .quiet = true};
    EadStatus status = ead_train(&spec);
    ead_config_free(&config);
    return status;
}

static EadStatus try_run(const char *run, const char *settings, bool resume) {
    const EadBackend *backend;
    ASSERT_OK(ead_backend_find("cpu", &backend));
    return run_on(backend, run, settings, resume);
}

static void train(const char *run, const char *settings) {
    EadStatus status = try_run(run, settings, false);
    ck_assert_msg(status == EAD_OK, "%s: %s", settings, ead_error_message());
}

static void resume(const char *run, const char *settings) {
    EadStatus status = try_run(run, settings, true);
    ck_assert_msg(status == EAD_OK, "%s: %s", settings, ead_error_message());
}

/* A run of all four losses on two threads, with which several tests compare. */
static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
    train(WHOLE, "train.steps=3");
}

/* ---- losses.csv ---- */

typedef struct Row {
    double hard, penalty, ae, stae, total, rate;
} Row;

static void read_rows(const char *run, int count, Row rows[]) {
    read_loss_rows(run, HEADER, count, sizeof *rows / sizeof(double), &rows->hard);
}

static void check_sums(const Row *rows, int count) {
    for (int i = 0; i < count; i++) {
        const Row *r = &rows[i];
        double sum = r->hard + r->penalty + r->ae + r->stae;
        ck_assert_msg(isfinite(r->total) && r->total > 0, "total %g", r->total);
        ck_assert_double_eq_tol(r->total, sum, 1e-6 * sum);
    }
}

START_TEST(losses_are_logged_from_step_1_and_add_up) {
    Row rows[STEPS];
    read_rows(WHOLE, STEPS, rows);
    check_sums(rows, STEPS);
    for (int i = 0; i < STEPS; i++) {
        ck_assert(rows[i].hard > 0 && rows[i].penalty > 0 && rows[i].ae > 0 && rows[i].stae > 0);
        ck_assert_double_eq_tol(rows[i].rate, 1e-4, 1e-10);
    }
}
END_TEST

/* The losses of step 1 know nothing of its update, those of step 2 do. */
START_TEST(the_first_row_is_before_the_first_update) {
    Row slow[2], fast[2];
    train(SCRATCH "slow/", STUDENT_ONLY "train.steps=2 train.lr=1e-12");
    train(SCRATCH "fast/", STUDENT_ONLY "train.steps=2 train.lr=1e-3");
    read_rows(SCRATCH "slow/", 2, slow);
    read_rows(SCRATCH "fast/", 2, fast);
    ck_assert(slow[0].hard == fast[0].hard);
    ck_assert(slow[1].hard != fast[1].hard);
}
END_TEST

START_TEST(the_rate_drops_after_the_share_of_steps) {
    Row rows[4];
    train(SCRATCH "drop/", STUDENT_ONLY "train.steps=4 train.lr_drop_at=0.5 train.lr_drop_factor=0.25");
    read_rows(SCRATCH "drop/", 4, rows);
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(rows[i].rate, i < 2 ? 1e-4 : 2.5e-5, 1e-11);
    train(SCRATCH "drop_at_once/", STUDENT_ONLY "train.steps=1 train.lr_drop_at=0");
    read_rows(SCRATCH "drop_at_once/", 1, rows);
    ck_assert_double_eq_tol(rows[0].rate, 1e-5, 1e-11);
}
END_TEST

/* ---- repeatability ---- */

START_TEST(same_seed_same_bits_on_one_thread_as_on_two) {
    omp_set_num_threads(1);
    train(SCRATCH "one_thread/", "train.steps=3 train.threads=1");
    omp_set_num_threads(2);
    ck_assert(same_runs(WHOLE, SCRATCH "one_thread/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "one_thread/checkpoint.safetensors"));
}
END_TEST

START_TEST(other_seed_other_bits) {
    Row whole[STEPS], other[1];
    train(SCRATCH "seed/", "train.steps=1 train.seed=43");
    read_rows(WHOLE, STEPS, whole);
    read_rows(SCRATCH "seed/", 1, other);
    ck_assert(other[0].hard != whole[0].hard);
    ck_assert(other[0].penalty != whole[0].penalty);
    ck_assert(other[0].ae != whole[0].ae);
    ck_assert(other[0].stae != whole[0].stae);
}
END_TEST

/* With the folder's name the same, so is every byte of every file. */
START_TEST(same_folder_same_files) {
    train(SCRATCH "again/", STUDENT_ONLY "train.steps=1");
    ck_assert_int_eq(rename(SCRATCH "again", SCRATCH "before"), 0);
    train(SCRATCH "again/", STUDENT_ONLY "train.steps=1");
    static const char *const names[] = {"config.yaml", "losses.csv", "model.safetensors",
                                        "checkpoint.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char a[256], b[256];
        snprintf(a, sizeof a, SCRATCH "again/%s", names[i]);
        snprintf(b, sizeof b, SCRATCH "before/%s", names[i]);
        ck_assert_msg(same_files(a, b), "%s", names[i]);
    }
}
END_TEST

/* ---- resuming ---- */

static void append(const char *path, const char *text) {
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* All four losses, so that whatever state is forgotten would show. A crash after the checkpoint leaves rows
 * that it does not know of, the last of them cut short, and perhaps half a file. */
START_TEST(resumed_is_uninterrupted) {
    train(SCRATCH "parts/", "train.steps=1");
    append(SCRATCH "parts/losses.csv", "2,1,2,3,4,10,0.0001\n3,1,2");
    append(SCRATCH "parts/checkpoint.safetensors.tmp-123-4", "half");
    append(SCRATCH "parts/notes.tmp-1", "not ours");
    resume(SCRATCH "parts/", "train.steps=3");
    ck_assert(same_runs(WHOLE, SCRATCH "parts/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "parts/checkpoint.safetensors"));
    ck_assert(!file_exists(SCRATCH "parts/checkpoint.safetensors.tmp-123-4"));
    ck_assert(file_exists(SCRATCH "parts/notes.tmp-1"));
}
END_TEST

START_TEST(resuming_without_a_checkpoint_starts_at_step_1) {
    train(SCRATCH "plain/", STUDENT_ONLY "train.steps=1");
    resume(SCRATCH "unborn/", STUDENT_ONLY "train.steps=1");
    ck_assert(same_runs(SCRATCH "plain/", SCRATCH "unborn/"));
}
END_TEST

/* Measures and evaluates once more, to the same end. */
START_TEST(resuming_a_finished_run_changes_nothing) {
    train(SCRATCH "done/", STUDENT_ONLY "train.steps=1");
    ck_assert_int_eq(system("cp -r " SCRATCH "done " SCRATCH "copy"), 0);
    resume(SCRATCH "done/", STUDENT_ONLY "train.steps=1");
    ck_assert(same_runs(SCRATCH "done/", SCRATCH "copy/"));
}
END_TEST

static void check_not_resumed(const char *settings, EadStatus expected, const char *text) {
    ASSERT_FAILS(try_run(SCRATCH "other/", settings, true), expected, text);
}

START_TEST(what_cannot_be_resumed_is_refused) {
    const char *losses = SCRATCH "other/losses.csv", *checkpoint = SCRATCH "other/checkpoint.safetensors";
    train(SCRATCH "other/", STUDENT_ONLY "train.steps=2");
    check_not_resumed(STUDENT_ONLY "train.steps=2 train.lr=1e-3", EAD_BAD_ARGUMENT, "train.lr");
    check_not_resumed(STUDENT_ONLY "train.steps=2 train.seed=1", EAD_BAD_ARGUMENT, "train.seed");
    check_not_resumed("loss.penalty=false train.steps=2", EAD_BAD_ARGUMENT, "autoencoder.enabled");
    check_not_resumed(STUDENT_ONLY "train.steps=1", EAD_BAD_FILE, "raise train.steps");
    write_bytes(losses, HEADER, strlen(HEADER));
    check_not_resumed(STUDENT_ONLY "train.steps=3", EAD_BAD_FILE, losses);
    ck_assert_int_eq(unlink(losses), 0);
    check_not_resumed(STUDENT_ONLY "train.steps=3", EAD_IO, losses);
    ck_assert_int_eq(truncate(checkpoint, 100000), 0);
    check_not_resumed(STUDENT_ONLY "train.steps=3", EAD_BAD_FILE, checkpoint);
    ck_assert_int_eq(unlink(checkpoint), 0);
    ck_assert_int_eq(rename(SCRATCH "other/model.safetensors", checkpoint), 0);
    check_not_resumed(STUDENT_ONLY "train.steps=3", EAD_BAD_FILE, "it is no checkpoint");
}
END_TEST

START_TEST(a_folder_that_holds_a_run_is_left_alone) {
    train(SCRATCH "taken/", STUDENT_ONLY "train.steps=1");
    ck_assert_int_eq(system("cp -r " SCRATCH "taken " SCRATCH "taken_before"), 0);
    ASSERT_FAILS(try_run(SCRATCH "taken/", STUDENT_ONLY "train.steps=2", false), EAD_BAD_ARGUMENT,
                 "--resume");
    ck_assert_int_eq(system("diff -r " SCRATCH "taken " SCRATCH "taken_before"), 0);
}
END_TEST

/* ---- on a device ---- */

/* Parameters and optimizer state lie there between checkpoints. */
START_TEST(a_device_gives_the_same_files) {
    fake_device_start(1, SIZE_MAX);
    ASSERT_OK(run_on(&fake_backend, SCRATCH "device/", "train.steps=2 train.checkpoint_every=1", false));
    ASSERT_OK(run_on(&fake_backend, SCRATCH "device/", "train.steps=3", true));
    ck_assert(same_runs(WHOLE, SCRATCH "device/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "device/checkpoint.safetensors"));
    ck_assert_int_eq(fake_device_leaks(), 0);
}
END_TEST

/* More steps than rows of losses that the device keeps. */
START_TEST(losses_of_a_device_are_read_in_time) {
    fake_device_start(2, SIZE_MAX);
    train(SCRATCH "many/", STUDENT_ONLY "train.steps=102");
    ASSERT_OK(run_on(&fake_backend, SCRATCH "many_device/", STUDENT_ONLY "train.steps=102", false));
    ck_assert(same_runs(SCRATCH "many/", SCRATCH "many_device/"));
}
END_TEST

/* ---- outputs of the teacher that are kept ---- */

/* And it may be changed from one part of a run to the next. */
START_TEST(a_kept_teacher_gives_the_same_bits) {
    train(SCRATCH "kept/", "train.steps=1 train.teacher_cache=true");
    resume(SCRATCH "kept/", "train.steps=2");
    resume(SCRATCH "kept/", "train.steps=3 train.teacher_cache=true");
    ck_assert(same_runs(WHOLE, SCRATCH "kept/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "kept/checkpoint.safetensors"));
    train(SCRATCH "kept_student/", STUDENT_ONLY "train.steps=5 train.teacher_cache=true");
    train(SCRATCH "computed_student/", STUDENT_ONLY "train.steps=5");
    ck_assert(same_runs(SCRATCH "computed_student/", SCRATCH "kept_student/"));
}
END_TEST

START_TEST(a_device_keeps_the_teacher_too) {
    fake_device_start(3, SIZE_MAX);
    ASSERT_OK(run_on(&fake_backend, SCRATCH "kept_device/", "train.steps=3 train.teacher_cache=true", false));
    ck_assert(same_runs(WHOLE, SCRATCH "kept_device/"));
    ck_assert_int_eq(fake_device_leaks(), 0);
}
END_TEST

START_TEST(a_teacher_that_cannot_be_kept_is_refused) {
    const char *settings = STUDENT_ONLY "train.steps=1 train.teacher_cache=true";
    fake_device_start(4, 1000000); /* less than the outputs */
    ASSERT_FAILS(run_on(&fake_backend, SCRATCH "little/", settings, false), EAD_NO_MEMORY,
                 "train.teacher_cache: the teacher's outputs on 3 training images take 3 MB, but 1 MB are "
                 "free on fake; set train.teacher_cache=false or lower model.image_size");
    fake_device_start(5, 20000000); /* enough for them, but not for a step besides */
    ASSERT_FAILS(run_on(&fake_backend, SCRATCH "little/", settings, false), EAD_NO_MEMORY,
                 "with train.teacher_cache, which false switches off: no memory for");
    ck_assert(!file_exists(SCRATCH "little"));
}
END_TEST

/* ---- variants ---- */

enum { HARD = 1, PENALTY = 2, AE = 4, STAE = 8, ALL = 15 };

static const struct {
    const char *name, *settings;
    int losses; /* that are not zero */
} variants[] = {
    {"student only", STUDENT_ONLY, HARD},
    {"no autoencoder", "autoencoder.enabled=false", HARD | PENALTY},
    {"no penalty", "loss.penalty=false maps.normalization=gaussian", HARD | AE | STAE},
    {"nothing random", "loss.penalty=false augment.enabled=false autoencoder.dropout=0", HARD | AE | STAE},
    {"padding, wide images", "model.padding=true model.image_size=128x192", ALL},
    {"padding", STUDENT_ONLY "model.padding=true", HARD},
    {"all features are hard", STUDENT_ONLY "loss.hard_quantile=0", HARD},
    {"gaussian maps", STUDENT_ONLY "maps.normalization=gaussian", HARD},
    {"raw maps", STUDENT_ONLY "maps.normalization=none", HARD},
    {"tall images", STUDENT_ONLY "model.image_size=192x128", HARD},
    {"folder", STUDENT_ONLY "dataset.type=folder dataset.path=" SCRATCH "data/weave/train/good", HARD},
    {"folder alone",
     STUDENT_ONLY "dataset.type=folder dataset.path= dataset.normal=" SCRATCH "data/weave/train/good", HARD},
};

START_TEST(variants_run) {
    char run[128], model_path[160];
    Row rows[1];
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
    Row plain, other;
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
    train(SCRATCH "threshold/", "loss.penalty=false train.steps=1 maps.use=ae threshold.method=quantile "
                                "threshold.quantile=1");
    ASSERT_OK(ead_safetensors_open(SCRATCH "threshold/model.safetensors", &file));
    ASSERT_OK(ead_model_read(file, &model));
    const EadFileTensor *scores = ead_safetensors_find(file, "validation_scores");
    ck_assert(scores && scores->count >= 1 && scores->count < 10);
    double values[10], most = -INFINITY;
    ASSERT_OK(ead_file_tensor_to_double(file, scores, values));
    for (int64_t i = 0; i < scores->count; i++) most = fmax(most, values[i]);
    ck_assert_double_eq((double)model->threshold, most);
    ck_assert_int_eq(model->use, EAD_USE_AE);
    ck_assert_ptr_nonnull(
        strstr(ead_safetensors_metadata(file, "threshold_rule"), "validation images reach it"));
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
    train(SCRATCH "second/", "train.steps=1 train.lr=1e-30 model.init=" WHOLE "model.safetensors");
    ASSERT_OK(ead_safetensors_open(WHOLE "model.safetensors", &from));
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
    ASSERT_FAILS(
        try_run(SCRATCH "third/", "autoencoder.enabled=false model.init=" WHOLE "model.safetensors", false),
        EAD_BAD_FILE, "student.conv4.weight");
    ck_assert(!file_exists(SCRATCH "third"));
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
        ck_assert_msg(!file_exists(SCRATCH "wrong"), "%s left a folder", wrong[i][0]);
    }
}
END_TEST

/* A student with finite weights whose outputs are not. */
static void save_exploding_model(const char *path) {
    const EadModelSpec spec = {.height = SIDE, .width = SIDE};
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    EadModel *model;
    ASSERT_OK(ead_model_new(&spec, &model));
    ead_params_initialize(&model->trained, 1);
    for (int64_t i = 0; i < model->trained.total; i++) model->trained.values[i] *= (real)1e12;
    ASSERT_OK(ead_model_set_map_statistics(model, EAD_MAPS_NONE, statistics));
    ASSERT_OK(ead_model_save(model, path, NULL));
    ead_model_free(model);
}

/* No checkpoint and no model holds what became of the weights. */
START_TEST(a_loss_that_is_not_finite_ends_the_run) {
    Row none;
    save_exploding_model(SCRATCH "huge.safetensors");
    ASSERT_FAILS(try_run(SCRATCH "diverged/",
                         STUDENT_ONLY "train.steps=2 model.init=" SCRATCH "huge.safetensors", false),
                 EAD_BAD_ARGUMENT, "lower train.lr");
    ck_assert(!file_exists(SCRATCH "diverged/model.safetensors"));
    ck_assert(!file_exists(SCRATCH "diverged/checkpoint.safetensors"));
    read_rows(SCRATCH "diverged/", 0, &none);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("trainer");
    TCase *tests = tcase_create("runs");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, remove_scratch);
    tcase_add_test(tests, losses_are_logged_from_step_1_and_add_up);
    tcase_add_test(tests, the_first_row_is_before_the_first_update);
    tcase_add_test(tests, the_rate_drops_after_the_share_of_steps);
    tcase_add_test(tests, same_seed_same_bits_on_one_thread_as_on_two);
    tcase_add_test(tests, other_seed_other_bits);
    tcase_add_test(tests, same_folder_same_files);
    tcase_add_test(tests, resumed_is_uninterrupted);
    tcase_add_test(tests, resuming_without_a_checkpoint_starts_at_step_1);
    tcase_add_test(tests, resuming_a_finished_run_changes_nothing);
    tcase_add_test(tests, what_cannot_be_resumed_is_refused);
    tcase_add_test(tests, a_folder_that_holds_a_run_is_left_alone);
    tcase_add_test(tests, a_device_gives_the_same_files);
    tcase_add_test(tests, losses_of_a_device_are_read_in_time);
    tcase_add_test(tests, a_kept_teacher_gives_the_same_bits);
    tcase_add_test(tests, a_device_keeps_the_teacher_too);
    tcase_add_test(tests, a_teacher_that_cannot_be_kept_is_refused);
    tcase_add_loop_test(tests, variants_run, 0, (int)(sizeof variants / sizeof *variants));
    tcase_add_test(tests, variants_differ);
    tcase_add_test(tests, the_model_file_keeps_threshold_and_maps);
    tcase_add_test(tests, training_starts_from_another_runs_model);
    tcase_add_test(tests, what_is_wrong_at_the_start_leaves_no_folder);
    tcase_add_test(tests, a_loss_that_is_not_finite_ends_the_run);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(int argc, char **argv) {
    if (argc > 0) ead_cure_blas(argv);
    make_folders(SCRATCH);
    /* Where training tells of its start; Check reports on stdout. */
    if (!freopen("build/scratch/test_trainer.log", "w", stderr)) return EXIT_FAILURE;
    return run_suite(make_suite());
}
