/* Paths as users write them: "~" wherever no shell expands it, and the same place under several names. Skipped
 * where $PROGRAM is not set. */
#define S "build/scratch/test_user_paths/"
#include "test/support/runs.h"

#define TRAIN "train -q -c " S "base.yaml "
#define MODEL S "home/runs/a/model.safetensors"

static void make_scene(void) {
    char home[4096];
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S "home");
    ck_assert_ptr_nonnull(realpath(S "home", home));
    setenv("HOME", home, 1);
    write_text(S "base.yaml", "dataset: {path: ~/data, category: gasket, cache: \"~/cache\"}\n"
                              "model: {image_size: 64}\n"
                              "train: {steps: 1, tensorboard: false, keep: all}\n"
                              "loss.penalty: false\n"
                              "autoencoder.enabled: false\n"
                              "output: ~/runs/a\n");
    run_well("synth --output='~/data' --size 64 --train 3 --test-good 1 --test-defect 1");
    run_well(TRAIN);
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static void fails(const char *words, const char *says) {
    Outcome outcome;
    run(words, 0, &outcome);
    ck_assert_msg(outcome.code != 0 && outcome.complaints >= 1, "%s: exit %d: %s", words, outcome.code,
                  outcome.err);
    ck_assert_msg(strstr(outcome.err, says), "%s: nothing of '%s': %s", words, says, outcome.err);
}

/* Config, --set, options, and what a model file keeps. */
START_TEST(a_tilde_is_expanded_everywhere) {
    Outcome outcome;
    NEED_PROGRAM();
    ck_assert(exists(S "home/data/gasket/train/good/000.png") && exists(S "home/cache") && exists(MODEL));
    run_well("eval -q -m '~/runs/a/model.safetensors' -o '~/eval' --set 'dataset.path=~/data/'");
    ck_assert(exists(S "home/eval/metrics.json"));
    run_well("predict -q '--model=~/runs/a/model.safetensors' --overlays='~/heat' '~/data/gasket/test/good'");
    ck_assert(exists(S "home/heat/000.png"));
    write_text(S "list", "~/data/gasket/test/good/000.png\n~nobody-of-that-name/1.png\n");
    run("predict -q -m " MODEL " - <" S "list", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert_msg(strstr(outcome.out, "home/data/gasket/test/good/000.png\",\"score\""), "%s", outcome.out);
    ck_assert_msg(strstr(outcome.out, "~nobody-of-that-name/1.png\",\"error\""), "%s", outcome.out);
    run_well("import -o '~/copy.safetensors' '~/runs/a/model.safetensors'");
    ck_assert(exists(S "home/copy.safetensors"));
    write_text(S "s.yaml", "output: ~/runs/s\nbase: ~/base.yaml\n"
                           "collections: {c: {categories: [gasket], config: {dataset.path: ~/data}}}\n"
                           "variants: {v: {}}\nseeds: [1]\n");
    shell_ok("cp " S "base.yaml " S "home/base.yaml");
    run("sweep --dry-run " S "s.yaml", 0, &outcome);
    ck_assert_msg(strstr(outcome.err, "home/runs/s"), "%s", outcome.err);
    ck_assert(!exists("~"));
}
END_TEST

START_TEST(another_users_home_is_refused) {
    NEED_PROGRAM();
    fails(TRAIN "--set 'dataset.path=~nobody-of-that-name/data'",
          "--set: dataset.path: '~nobody-of-that-name");
    fails(TRAIN "-o '~nobody-of-that-name/runs'", "--output: '~nobody-of-that-name/runs'");
    fails("eval -m '~nobody-of-that-name'", "--model: '~nobody-of-that-name'");
    write_text(S "other.yaml", "\ndataset.path: ~nobody-of-that-name/data\n");
    fails("train -c " S "other.yaml", "other.yaml:2: dataset.path: ");
    write_text(S "other.yaml", "title: t\noutput: ~nobody-of-that-name/data\ncollections: {c: {}}\n"
                               "variants: {v: {}}\nseeds: [1]\n");
    fails("sweep -n " S "other.yaml", "other.yaml:2: '~nobody-of-that-name/data'");
    ck_assert(!exists("~nobody-of-that-name"));
}
END_TEST

START_TEST(the_same_place_under_other_names) {
    Outcome outcome;
    NEED_PROGRAM();
    fails(TRAIN "-o " S "new --set loss.penalty=true --set 'penalty.path=~/data/gasket/train'",
          "is both one of penalty.path and an image ");
    fails(TRAIN "-o '~/data/gasket/train/good/run'", "which is searched for images; name another --output");
    fails("eval -m " MODEL " -o '~/data/gasket/test/eval'", "which is searched for images");
    ck_assert(!exists(S "home/data/gasket/train/good/run") && !exists(S "home/data/gasket/test/eval"));
    /* Another spelling of the data set and of the teacher is no other run. */
    shell_ok("ln -s data " S "home/link; cp -r " S "home/runs/a " S "again");
    run(TRAIN "--resume -o " S "again --set 'dataset.path=~/link/../data/' --set train.steps=2", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    run(TRAIN "--resume -o " S "again --set dataset.path=" S "home/link --set train.steps=3", 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    shell_ok("cp -r " S "home/data " S "copy");
    fails(TRAIN "--resume -o " S "again --set train.steps=4 --set dataset.path=" S "copy",
          "was made with dataset.path: ");
}
END_TEST

/* A run that is not there is one line, and nothing is made; one that --set describes may be begun so. */
START_TEST(a_misspelled_run_is_named) {
    static const struct {
        const char *words, *says;
    } cases[] = {
        {"train --resume -o " S "typo", S "typo: there is no run to resume"},
        {"train -q --resume --set output=" S "typo/", S "typo/: there is no run to resume"},
        {"distill --resume -o " S "typo", S "typo: there is no run to resume"},
        {"train --resume -o " S "home", S "home: there is no run to resume"},
        {"train --resume -o " MODEL, MODEL ": there is no run to resume"},
    };
    Outcome outcome;
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(cases[i].words, 0, &outcome);
        ck_assert_msg(outcome.code == 1 && outcome.lines == 1 && strstr(outcome.err, cases[i].says),
                      "%s: exit %d: %s", cases[i].words, outcome.code, outcome.err);
        ck_assert(!exists(S "typo"));
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_tilde_is_expanded_everywhere);
    tcase_add_test(tests, another_users_home_is_refused);
    tcase_add_test(tests, a_misspelled_run_is_named);
    tcase_add_test(tests, the_same_place_under_other_names);
}

int main(void) {
    return run_program_suite("user_paths", S, make_scene, remove_scene, add_tests);
}
