/* The training run as a library call: the log of losses, repeatability, resuming, a device, outputs
 * of the teacher that are kept. */
#define SCRATCH "build/scratch/test_trainer/"
#include "test/support/trainer_runs.h"
#include "train/loop/train_backbone.h"

#include "models/efficientad/model.h"
#include "test/support/fake_device.h"
#include "train/efficientad/efficientad_fit.h"

#define WHOLE SCRATCH "whole/"
#define LOG   "build/scratch/test_trainer.log"

enum { STEPS = 3 };

/* A run of all four losses on two threads, with which several tests compare. */
static void set_up(void) {
    remove_scratch();
    make_data();
    omp_set_num_threads(2);
    train(WHOLE, "train.steps=3");
}

/* ---- losses.csv ---- */

START_TEST(losses_are_logged_from_step_1_and_add_up) {
    LossRow rows[STEPS];
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
    LossRow slow[2], fast[2];
    train(SCRATCH "slow/", STUDENT_ONLY "train.steps=2 train.lr=1e-12");
    train(SCRATCH "fast/", STUDENT_ONLY "train.steps=2 train.lr=1e-3");
    read_rows(SCRATCH "slow/", 2, slow);
    read_rows(SCRATCH "fast/", 2, fast);
    ck_assert(slow[0].hard == fast[0].hard);
    ck_assert(slow[1].hard != fast[1].hard);
}
END_TEST

START_TEST(the_rate_drops_after_the_share_of_steps) {
    LossRow rows[4];
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
    LossRow whole[STEPS], other[1];
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
 * that it does not know of, the last of them cut short. Files of others stay, whatever their names. */
START_TEST(resumed_is_uninterrupted) {
    train(SCRATCH "parts/", "train.steps=1");
    append(SCRATCH "parts/losses.csv", "2,1,2,3,4,10,0.0001\n3,1,2");
    append(SCRATCH "parts/checkpoint.safetensors.tmp-123-4", "half");
    append(SCRATCH "parts/notes.tmp-1", "not ours");
    resume(SCRATCH "parts/", "train.steps=3");
    ck_assert(same_runs(WHOLE, SCRATCH "parts/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "parts/checkpoint.safetensors"));
    assert_file_holds(SCRATCH "parts/checkpoint.safetensors.tmp-123-4", "half");
    assert_file_holds(SCRATCH "parts/notes.tmp-1", "not ours");
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
    resume(SCRATCH "other/", STUDENT_ONLY "train.steps=3"); /* costs the curve alone */
    ck_assert_int_eq(truncate(checkpoint, 100000), 0);
    check_not_resumed(STUDENT_ONLY "train.steps=4", EAD_BAD_FILE, checkpoint);
    ck_assert_int_eq(unlink(checkpoint), 0);
    ck_assert_int_eq(rename(SCRATCH "other/model.safetensors", checkpoint), 0);
    check_not_resumed(STUDENT_ONLY "train.steps=4", EAD_BAD_ARGUMENT,
                      "the run is finished after 3 steps and kept its model");
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

/* Copies to SCRATCH "NAME/", with 12 penalty images. */
static void copy_data(const char *name) {
    char command[512];
    snprintf(command, sizeof command,
             "mkdir -p " SCRATCH "%s && cd " SCRATCH "%s && cp -r ../data ../textures . && cd textures && "
             "for i in 3 4 5 6 7 8 9 10 11; do cp 00$((i %% 3)).png x$i.png; done",
             name, name);
    ck_assert_int_eq(system(command), 0);
}

#define OF(name)                                                                                             \
    "autoencoder.enabled=false dataset.path=" SCRATCH name "/data penalty.path=" SCRATCH name "/textures "

/* One of two damaged images is more than 1 %: a checkpoint is kept of the steps before it is drawn, and mended, the run
 * goes on to the bits of one that began with the other one damaged. */
START_TEST(data_that_cannot_be_read_end_a_run_with_a_checkpoint) {
    char message[1024], bad[256];
    int done = -1;
    LossRow rows[12];
    copy_data("mended");
    write_bytes(SCRATCH "mended/textures/x4.png", "junk", 4);
    write_bytes(SCRATCH "mended/textures/x7.png", "junk", 4);
    ASSERT_FAILS(try_run(SCRATCH "mends/", OF("mended") "train.steps=12", false), EAD_BAD_FILE,
                 "penalty.path: 2 of 12 images cannot be used");
    snprintf(message, sizeof message, "%s", ead_error_message());
    assert_contains(message,
                    " of 12; when that is mended, continue with --resume --output " SCRATCH "mends/");
    const char *last = strstr(message, "the last: "), *stopped = strstr(message, "; stopped after step ");
    ck_assert(last && stopped && sscanf(last, "the last: %255[^:]", bad) == 1);
    ck_assert_int_eq(sscanf(stopped, "; stopped after step %d", &done), 1);
    ck_assert(done >= 0 && done < 12);
    read_rows(SCRATCH "mends/", done, rows);
    copy_file(SCRATCH "textures/000.png", bad);
    resume(SCRATCH "mends/", OF("mended") "train.steps=12");
    train(SCRATCH "mended_whole/", OF("mended") "train.steps=12");
    ck_assert(same_runs(SCRATCH "mends/", SCRATCH "mended_whole/"));
    ck_assert(
        same_tensors(SCRATCH "mends/checkpoint.safetensors", SCRATCH "mended_whole/checkpoint.safetensors"));
}
END_TEST

/* Lines of the log that warn of that run's lists of images; said: what one of them must say. */
static int warnings(const char *said) {
    static const char start[] = "warning: " SCRATCH "lists/checkpoint.safetensors: was written with ";
    size_t size;
    int count = 0;
    bool found = !said;
    fflush(stderr);
    char *text = (char *)read_bytes(LOG, &size);
    text = realloc(text, size + 1);
    ck_assert_ptr_nonnull(text);
    text[size] = '\0';
    for (char *at = text; (at = strstr(at, start)); count++) {
        at += strlen(start);
        found |= said && strncmp(at, said, strlen(said)) == 0;
    }
    ck_assert_msg(found, "%s", said);
    free(text);
    return count;
}

static int warnings_of_resume(const char *change, const char *settings, const char *said) {
    ck_assert_int_eq(system(change), 0);
    resume(SCRATCH "lists/", settings);
    return warnings(said);
}

START_TEST(other_lists_of_images_are_told) {
    static const char first[] = OF("listed") "train.steps=1", second[] = OF("listed") "train.steps=2";
#define IN "cd " SCRATCH "listed && "
    copy_data("listed");
    train(SCRATCH "lists/", first);
    ck_assert_int_eq(warnings_of_resume("true", first, NULL), 0);
    ck_assert_int_eq(warnings_of_resume("cp -r " SCRATCH "listed " SCRATCH "listed_copy && rm -r " SCRATCH
                                        "listed && ln -s listed_copy " SCRATCH "listed",
                                        OF("listed_copy") "train.steps=1", NULL),
                     0);
    ck_assert_int_eq(
        warnings_of_resume(IN "cp textures/000.png textures/y.png", second,
                           "12 penalty images, now there are 13; the result will be that of neither"),
        1);
    ck_assert_int_eq(warnings_of_resume("true", second, NULL), 1); /* told once */
    ck_assert_int_eq(warnings_of_resume(IN "mv textures/y.png textures/b.png", OF("listed") "train.steps=3",
                                        "13 penalty images, now there are 13 with other names; the result"),
                     2);
    ck_assert_int_eq(warnings_of_resume(IN "cp data/gasket/train/good/000.png data/gasket/train/good/9.png",
                                        OF("listed") "train.steps=4",
                                        "3 training images, now there are 4; the"),
                     3);
    /* a checkpoint that does not know of them */
    ck_assert_int_eq(
        warnings_of_resume(IN "rm textures/b.png data/gasket/train/good/9.png && sed -i 's/penalty images/"
                              "renalty images/; s/training images/draining images/' "
                              "../lists/checkpoint.safetensors",
                           OF("listed") "train.steps=5", NULL),
        3);
#undef IN
}
END_TEST

/* ---- drawn penalty images ---- */

/* The same on one thread, after resuming and on a device. */
START_TEST(drawn_penalty_images_give_the_same_bits) {
    static const char drawn[] = "penalty.path=drawn train.steps=3";
    LossRow rows[STEPS], others[STEPS];
    train(SCRATCH "drawn/", drawn);
    omp_set_num_threads(1);
    train(SCRATCH "drawn_resumed/", "penalty.path=drawn train.steps=1");
    resume(SCRATCH "drawn_resumed/", drawn);
    omp_set_num_threads(2);
    ck_assert(same_runs(SCRATCH "drawn/", SCRATCH "drawn_resumed/"));
    fake_device_start(2, SIZE_MAX);
    ASSERT_OK(run_on(&fake_backend, SCRATCH "drawn_device/", drawn, false));
    ck_assert(same_runs(SCRATCH "drawn/", SCRATCH "drawn_device/"));
    read_rows(WHOLE, STEPS, rows);
    read_rows(SCRATCH "drawn/", STEPS, others);
    ck_assert(others[0].hard == rows[0].hard && others[0].penalty != rows[0].penalty);
    ASSERT_FAILS(try_run(SCRATCH "drawn/", "train.steps=4", true), EAD_BAD_ARGUMENT, "penalty.path");
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
    resume(SCRATCH "kept/", "train.steps=2 train.teacher_cache=false");
    resume(SCRATCH "kept/", "train.steps=3 train.teacher_cache=true");
    ck_assert(same_runs(WHOLE, SCRATCH "kept/"));
    ck_assert(same_tensors(WHOLE "checkpoint.safetensors", SCRATCH "kept/checkpoint.safetensors"));
    train(SCRATCH "kept_student/", STUDENT_ONLY "train.steps=5 train.teacher_cache=true");
    train(SCRATCH "computed_student/", STUDENT_ONLY "train.steps=5 train.teacher_cache=false");
    train(SCRATCH "usual_student/", STUDENT_ONLY "train.steps=5");
    ck_assert(same_runs(SCRATCH "computed_student/", SCRATCH "kept_student/"));
    ck_assert(same_runs(SCRATCH "computed_student/", SCRATCH "usual_student/"));
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
    const char *settings = STUDENT_ONLY "model.image_size=128 train.steps=1 train.teacher_cache=true";
    fake_device_start(4, 1000000); /* less than the outputs */
    ASSERT_FAILS(run_on(&fake_backend, SCRATCH "little/", settings, false), EAD_NO_MEMORY,
                 "train.teacher_cache: the teacher's outputs on 3 training images take 3 MB, but 1 MB are "
                 "free on fake; set train.teacher_cache=false or lower model.image_size");
    fake_device_start(5, 20000000); /* enough for them, but not for a step besides */
    ASSERT_FAILS(run_on(&fake_backend, SCRATCH "little/", settings, false), EAD_NO_MEMORY,
                 "with train.teacher_cache, which false switches off: no memory for");
    ck_assert(!exists(SCRATCH "little"));
}
END_TEST

START_TEST(a_teacher_of_each_size_comes_with_the_program) {
    static const EadPdnSize sizes[] = {EAD_PDN_SMALL, EAD_PDN_MEDIUM};
    for (int i = 0; i < 2; i++) {
        EadEfficientad *model;
        EadPath path;
        ASSERT_OK(ead_shipped_teacher(ead_pdn_size_name(sizes[i]), path));
        ASSERT_OK(ead_efficientad_new(&(EadEfficientadSpec){sizes[i], false, 128, 128, true}, &model));
        ASSERT_OK(ead_efficientad_read_teacher(model, path));
        ead_efficientad_free(model);
    }
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
    tcase_add_test(tests, drawn_penalty_images_give_the_same_bits);
    tcase_add_test(tests, a_device_gives_the_same_files);
    tcase_add_test(tests, losses_of_a_device_are_read_in_time);
    tcase_add_test(tests, a_kept_teacher_gives_the_same_bits);
    tcase_add_test(tests, a_device_keeps_the_teacher_too);
    tcase_add_test(tests, a_teacher_that_cannot_be_kept_is_refused);
    tcase_add_test(tests, a_teacher_of_each_size_comes_with_the_program);
    suite_add_tcase(suite, tests);
    TCase *changes = tcase_create("changes");
    tcase_set_timeout(changes, 0);
    tcase_add_unchecked_fixture(changes, set_up, remove_scratch);
    tcase_add_test(changes, data_that_cannot_be_read_end_a_run_with_a_checkpoint);
    tcase_add_test(changes, other_lists_of_images_are_told);
    suite_add_tcase(suite, changes);
    return suite;
}

int main(void) {
    return run_trainer_suite(make_suite(), LOG);
}
