/* The first hour with photographs of one's own: a folder and no config, started in another folder, where the run folders
 * are made. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_first_hour/"
#include "test/program/program_scene.h"

#include <limits.h>

#define SMALL " --set model.image_size=64 --set autoencoder.enabled=false --set train.steps=2"

static char called[PATH_MAX]; /* the program, as it is called */

/* In the folder S from here on. */
static void make_photographs(void) {
    static char program[PATH_MAX + 64];
    const char *given = getenv("PROGRAM");
    if (!given) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    char *whole = realpath(given, NULL);
    ck_assert_ptr_nonnull(whole);
    snprintf(called, sizeof called, "%s", whole);
    snprintf(program, sizeof program, "env -C " S " %s", whole);
    free(whole);
    ck_assert_int_eq(setenv("PROGRAM", program, 1), 0);
    run_well("synth --output drawn --size 64 --train 4 --test-good 1 --test-defect 1");
    shell_ok("mkdir -p " S "photos && cp -r " S "drawn/gasket/train/good " S "photos/good");
}

static void check_file_says(const char *file, const char *text) {
    char config[TEXT_SIZE];
    read_into(file, config);
    ck_assert_msg(strstr(config, text) != NULL, "%s: no '%s' in\n%s", file, text, config);
}

static void check_told(const Outcome *outcome, const char *text) {
    ck_assert_msg(strstr(outcome->err, text) != NULL, "no '%s' in\n%s", text, outcome->err);
}

/* A command to copy, so with the program as it was called. */
static void check_command(const Outcome *outcome, const char *label, const char *rest) {
    char text[PATH_MAX + 200];
    snprintf(text, sizeof text, "%s%s %s", label, called, rest);
    check_told(outcome, text);
}

START_TEST(a_folder_of_good_images_is_enough) {
    NEED_PROGRAM();
    Outcome outcome;
    run("train -q photos/good" SMALL, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    check_told(&outcome, "penalty images: drawn anew for each step (penalty.path=drawn)");
    check_file_says(S "runs/photos/config.yaml", "  type: folder\n  path: \"photos/good\"\n");
    check_file_says(S "runs/photos/config.yaml", "\n  path: \"drawn\"\n");
    ck_assert(exists(S "runs/photos/model.safetensors"));
    check_told(&outcome, "warning: 3 training images: ");
    check_told(&outcome, "warning: 1 validation image: ");
    check_told(&outcome,
               "no test images in the data set: nothing is measured; the report shows the validation images");
    check_command(&outcome,
                  "next:   ", "predict --model runs/photos/model.safetensors --overlays heat/ PHOTOS\n");
    check_file_says(S "runs/photos/report.html", "\"of_validation\": true");
    ck_assert(!exists(S "runs/photos/metrics.json"));
    run("train -q photos/good" SMALL, 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    check_told(&outcome,
               "runs/photos: holds a run already; continue it with --resume, or choose another --output");
    run("train -q photos/good -o \"runs/it's new\"" SMALL, 0, &outcome);
    check_command(&outcome, "next:   ",
                  "predict --model 'runs/it'\\''s new/model.safetensors' --overlays heat/ PHOTOS\n");
    run("trian photos/good", 0, &outcome);
    check_command(&outcome, "try: ", "--help\n");
    run("train --minuts 3 photos/good", 0, &outcome);
    check_command(&outcome, "try: ", "train --help\n");
}
END_TEST

START_TEST(a_folder_goes_with_a_config_and_settings) {
    NEED_PROGRAM();
    write_text(S "c.yaml", "dataset: {type: mvtec_ad, path: nowhere, category: gasket}\n"
                           "penalty.path: photos\ntrain.seed: 7\noutput: runs/named\n");
    run_well("train -q drawn/gasket -c c.yaml" SMALL " --set loss.penalty=false");
    check_file_says(S "runs/named/config.yaml", "  seed: 7\n");
    check_file_says(S "runs/named/config.yaml", "  type: folder\n  path: \"drawn/gasket\"\n");
    check_file_says(S "runs/named/config.yaml", "\n  path: \"photos\"\n");
    ck_assert(exists(S "runs/named/metrics.json")); /* test images were found by the names of the folders */
    run_well("train -q drawn/gasket/train/good/" SMALL " --set loss.penalty=false --set train.steps=1");
    ck_assert(exists(S "runs/gasket/model.safetensors"));
    run_well("train -q photos/good --set model.method=patchcore --set model.image_size=64 -o runs/other");
    check_file_says(S "runs/other/config.yaml", "\npenalty:\n  path: \"\"\n");
}
END_TEST

/* What follows the training can be done again from the model, which a further training begins from. */
START_TEST(a_finished_run_keeps_its_model_alone) {
    NEED_PROGRAM();
    Outcome outcome;
    run("train -q drawn/gasket" SMALL " --set loss.penalty=false -o runs/kept", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    check_told(&outcome, "train.keep=model: checkpoint and caches of the run are removed, ");
    check_told(&outcome,
               "warning: 2 steps are far too few: this model is of no use, whatever its threshold says");
    assert_file_holds(S "runs/kept/losses.csv", ",0.0001\n");
    ck_assert(!exists(S "runs/kept/checkpoint.safetensors") && !exists(S "runs/kept/cache"));
    ck_assert(exists(S "runs/kept/report.html") && exists(S "runs/kept/losses.csv"));
    run("train -q --resume -o runs/kept --set train.steps=3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    check_told(&outcome, "runs/kept/model.safetensors: the run is finished after 2 steps and kept its model, "
                         "not the checkpoint");
    check_told(&outcome, "train.keep=all keeps it; train --init runs/kept/model.safetensors with another");
    shell_ok("cp -r " S "runs/kept " S "runs/same && rm " S "runs/same/metrics.json");
    run("train -q --resume -o runs/same", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    ck_assert(same_runs(S "runs/kept/", S "runs/same/") &&
              same_files(S "runs/kept/metrics.json", S "runs/same/metrics.json"));
    run_well("eval -q -m runs/kept/model.safetensors -o runs/kept/again");
    ck_assert(same_files(S "runs/kept/metrics.json", S "runs/kept/again/metrics.json"));
    run_well("train -q drawn/gasket" SMALL
             " --set loss.penalty=false --set model.init=runs/kept/model.safetensors "
             "--set train.keep=all -o runs/further");
    ck_assert(exists(S "runs/further/checkpoint.safetensors") && exists(S "runs/further/cache"));
    shell_ok(": >" S "runs/same/model.safetensors");
    run("train -q --resume -o runs/same", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    check_told(&outcome, "no checkpoint in runs/same, and its model cannot be read: starting at step 1");
    ck_assert(same_runs(S "runs/kept/", S "runs/same/"));
}
END_TEST

/* A cache that a config names may be that of other runs, wherever it is. */
START_TEST(a_cache_with_a_name_stays) {
    NEED_PROGRAM();
    Outcome outcome;
    run("train -q drawn/gasket" SMALL
        " --set loss.penalty=false --set dataset.cache=runs/own/cache -o runs/own",
        0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    check_told(&outcome, "train.keep=model: the checkpoint of the run is removed, ");
    ck_assert(!exists(S "runs/own/checkpoint.safetensors"));
    shell_ok("ls " S "runs/own/cache/*.cache >" S "listed");
}
END_TEST

START_TEST(what_names_no_images_or_two_data_sets_is_told) {
    NEED_PROGRAM();
    Outcome outcome;
    run("train", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert_int_eq(outcome.lines, 1);
    check_told(&outcome, "efficientad: train needs images: efficientad train FOLDER, such as photos/good");
    run("train photos/good --set dataset.path=drawn --set dataset.category=x -o runs/two", 0, &outcome);
    ck_assert_int_eq(outcome.complaints, 3);
    check_told(&outcome, "--set dataset.path and the folder photos/good both name the data set");
    check_told(&outcome, "--set dataset.category and the folder photos/good both name the data set");
    run("train photos/bad", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    check_told(&outcome, "photos/bad");
    ck_assert(!exists(S "runs/two") && !exists(S "runs/efficientad"));
}
END_TEST

/* The paper's photographs are not there; whoever names others means them. */
START_TEST(a_config_of_ours_needs_no_photographs) {
    NEED_PROGRAM();
    Outcome outcome;
    write_text(S "mine.yaml", "penalty.path: nowhere\n");
    run("train -q -c efficientad_s photos/good" SMALL " -o runs/paper", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    check_told(&outcome, "penalty.path: data/imagenet, which the config efficientad_s names, is not there\n");
    check_file_says(S "runs/paper/config.yaml", "\n  path: \"drawn\"\n");
    run("train -c efficientad_s photos/good --set penalty.path=data/imagenet -o runs/none", 0, &outcome);
    check_told(&outcome, "penalty.path: cannot read data/imagenet");
    run("train -c mine.yaml photos/good -o runs/none", 0, &outcome);
    check_told(&outcome, "penalty.path: cannot read nowhere");
    ck_assert(!exists(S "runs/none"));
}
END_TEST

START_TEST(what_is_no_training_is_told) {
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"train -c distill_s", "distill_s: is the config of a distillation (distill.images)"},
        {"train -c distill_s photos/good", "efficientad distill -c distill_s takes it"},
        {"train -c efficentad_s photos/good -o runs/x",
         "no config of that name comes with the program; did you mean 'efficientad_s'?"},
        {"train -c patchcor.yaml photos/good -o runs/x", "did you mean 'patchcore'?"},
        {"train -c whatever photos/good -o runs/x",
         "those are ast, distill_m, distill_s, dsr, efficientad_m"},
        {"train classes", "classes: no name says which of its images are good, those in classes/fine"},
    };
    NEED_PROGRAM();
    Outcome outcome;
    shell_ok("mkdir -p " S "classes && cp -r " S "photos/good " S "classes/fine && cp -r " S "photos/good " S
             "classes/scratch");
    for (int i = 0; i < COUNT(cases); i++) {
        run(cases[i].words, 0, &outcome);
        ck_assert_msg(outcome.code == 1 && outcome.complaints == 1, "%s: %d\n%s", cases[i].words,
                      outcome.code, outcome.err);
        check_told(&outcome, cases[i].message);
    }
    ck_assert(!exists(S "runs/classes"));
    run_well("train -q classes" SMALL " --set dataset.train_good=. -o runs/classes");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_folder_of_good_images_is_enough);
    tcase_add_test(tests, a_folder_goes_with_a_config_and_settings);
    tcase_add_test(tests, a_finished_run_keeps_its_model_alone);
    tcase_add_test(tests, a_cache_with_a_name_stays);
    tcase_add_test(tests, a_config_of_ours_needs_no_photographs);
    tcase_add_test(tests, what_is_no_training_is_told);
    tcase_add_test(tests, what_names_no_images_or_two_data_sets_is_told);
}

int main(void) {
    return run_program_suite("first_hour", S, make_photographs, remove_scene, add_tests);
}
