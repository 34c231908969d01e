/* train --init and --add: a new run that goes on from a model with more images, in the folder where its user works.
 * Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_train_further/"
#include "test/program/program_scene.h"

#include <limits.h>
#include <math.h>

#define TENTH  " --set model.image_size=64 --set dataset.validation_fraction=0.1"
#define SMALL  TENTH " --set autoencoder.enabled=false --set train.steps=3"
#define STILL  " --set train.lr=1e-12 --set simplenet.adaptor_lr=1e-12 --set simplenet.discriminator_lr=1e-12"
#define METHOD "train -q photos/good" TENTH " --set model.method="

static void make_photographs(void) {
    static char program[PATH_MAX + 64];
    const char *given = getenv("PROGRAM");
    if (!given) return;
    shell_ok("rm -rf " S " && mkdir -p " S "photos");
    char *whole = realpath(given, NULL);
    ck_assert_ptr_nonnull(whole);
    snprintf(program, sizeof program, "env -C " S " %s", whole);
    free(whole);
    ck_assert_int_eq(setenv("PROGRAM", program, 1), 0);
    run_well("synth --output drawn --size 64 --train 20 --test-good 1 --test-defect 1");
    shell_ok("cd " S " && cp -r drawn/gasket/train/good photos/good && mkdir photos/more photos/last && "
             "mv photos/good/01[0-4].png photos/more && mv photos/good/01[5-9].png photos/last");
    run_well("train -q photos/good" SMALL " --set train.keep=all -o runs/mine");
}

static void check_told(const Outcome *outcome, const char *text) {
    ck_assert_msg(strstr(outcome->err, text) != NULL, "no '%s' in\n%s", text, outcome->err);
}

static void train(const char *words, Outcome *outcome) {
    run(words, 0, outcome);
    ck_assert_msg(outcome->code == 0, "%s", outcome->err);
}

/* The largest difference between two models' tensors, of those that both have in one size. */
static double apart(const char *a, const char *b, const char *begins) {
    EadSafetensors *x, *y;
    double most = -1;
    ASSERT_OK(ead_safetensors_open(a, &x));
    ASSERT_OK(ead_safetensors_open(b, &y));
    for (int i = 0; i < ead_safetensors_count(x); i++) {
        const EadFileTensor *p = ead_safetensors_at(x, i), *q = ead_safetensors_find(y, p->name);
        if (strncmp(p->name, begins, strlen(begins)) != 0 || p->type != EAD_FILE_F32) continue;
        ck_assert(q && q->count == p->count);
        for (int64_t k = 0; k < p->count; k++) {
            float left, right;
            memcpy(&left, (const char *)p->data + 4 * k, sizeof left);
            memcpy(&right, (const char *)q->data + 4 * k, sizeof right);
            most = fmax(most, fabs((double)left - (double)right));
        }
    }
    ead_safetensors_close(x);
    ead_safetensors_close(y);
    return most;
}

/* Settings, data set and weights are the model's; the threshold is its own; the folder is the next one. */
START_TEST(a_model_goes_on_with_more_images) {
    NEED_PROGRAM();
    Outcome outcome;
    train("train -q --init runs/mine/model.safetensors --add photos/more", &outcome);
    check_told(&outcome,
               "--init: going on from runs/mine/model.safetensors, of 9 images of photos/good, 3 steps");
    check_told(&outcome, "photos/more: 4 more good images to train on, 1 for validation");
    check_told(&outcome, ": 13 training, 2 validation, drawn penalty, 0 test images");
    ck_assert_ptr_null(strstr(outcome.err, "far too few")); /* its model may have learned enough */
    check_told(&outcome, "threshold ");
    assert_file_holds(S "runs/mine-2/config.yaml", "  path: \"photos/good\"\n");
    assert_file_holds(S "runs/mine-2/config.yaml", "  add: \"photos/more\"\n");
    assert_file_holds(S "runs/mine-2/config.yaml", "  init: \"runs/mine/model.safetensors\"\n");
    train("train -q --init runs/mine-2/model.safetensors --add photos/last" STILL, &outcome);
    check_told(&outcome, "photos/more: 4 more good images to train on, 1 for validation");
    check_told(&outcome, "photos/last: 5 more good images to train on, 0 for validation");
    assert_file_holds(S "runs/mine-3/config.yaml", "  add: \"photos/more:photos/last\"\n");
    ck_assert(apart(S "runs/mine-2/model.safetensors", S "runs/mine-3/model.safetensors", "student") < 1e-6);
    ck_assert(apart(S "runs/mine-2/model.safetensors", S "runs/mine-3/model.safetensors", "teacher.") == 0);
    ck_assert(apart(S "runs/mine/model.safetensors", S "runs/mine-2/model.safetensors", "student") > 1e-6);
    run_well("train -q --resume -o runs/mine-3");
    train("train -q photos/good --add photos/more --add photos/last" SMALL " -o runs/all", &outcome);
    check_told(&outcome, ": 18 training, 2 validation, drawn penalty, 0 test images");
}
END_TEST

START_TEST(old_images_may_be_gone_or_changed) {
    NEED_PROGRAM();
    Outcome outcome;
    shell_ok("mv " S "photos/good " S "photos/away");
    train("train -q --init runs/mine/model.safetensors --add photos/more -o runs/alone", &outcome);
    check_told(&outcome,
               "warning: photos/good, on whose images runs/mine/model.safetensors was trained, is not "
               "there: it goes on with the images of --add alone");
    check_told(&outcome, ": 4 training, 1 validation, drawn penalty, 0 test images");
    train("train -q --init runs/mine/model.safetensors --add photos/more --set dataset.path=photos/away -o "
          "runs/moved",
          &outcome);
    check_told(&outcome, ": 13 training, 2 validation, drawn penalty, 0 test images");
    run("train -q --init runs/mine/model.safetensors -o runs/none", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    check_told(&outcome, "dataset.path: photos/good: cannot read: No such file or directory");
    shell_ok("mv " S "photos/away " S "photos/good && cp " S "photos/more/010.png " S "photos/good");
    train("train -q --init runs/mine/model.safetensors --add photos/last -o runs/changed", &outcome);
    check_told(&outcome,
               "warning: the data set of runs/mine/model.safetensors has 10 images to train on now, and "
               "had 9: ");
    shell_ok("rm " S "photos/good/010.png");
}
END_TEST

/* Of an earlier --add: the rest is there, and it goes on with that. */
START_TEST(added_images_may_be_gone) {
    NEED_PROGRAM();
    Outcome outcome;
    train("train -q --init runs/mine/model.safetensors --add photos/more --add photos/last -o runs/both",
          &outcome);
    shell_ok("mv " S "photos/more " S "photos/away");
    train("train -q --init runs/both/model.safetensors -o runs/less", &outcome);
    check_told(&outcome, "warning: photos/more, on whose images runs/both/model.safetensors was trained, too "
                         "(dataset.add), is not there: it goes on without them");
    assert_file_holds(S "runs/less/config.yaml", "  add: \"photos/last\"\n");
    train("train -q --init runs/both/model.safetensors --add photos/away -o runs/back", &outcome);
    assert_file_holds(S "runs/back/config.yaml", "  add: \"photos/last:photos/away\"\n");
    train("train -q --init runs/both/model.safetensors --set dataset.add= -o runs/alone2", &outcome);
    ck_assert(!strstr(outcome.err, "is not there"));
    shell_ok("mv " S "photos/away " S "photos/more");
}
END_TEST

/* Of the bank's images none is added again, and none is for validation. */
START_TEST(a_bank_grows) {
    NEED_PROGRAM();
    Outcome outcome;
    train(METHOD "patchcore -o runs/bank", &outcome);
    train("train -q --init runs/bank/model.safetensors --add photos/more -o runs/grown", &outcome);
    check_told(&outcome, "model.init: 9 of 13 images are in the bank already");
    check_told(&outcome, "of 832 in 13 images"); /* 8 x 8 patches of each */
    ck_assert(!strstr(outcome.err, "thresholds will be too low"));
    run_well("train -q --resume -o runs/grown");
    shell_ok("mv " S "photos/good " S "photos/away");
    train("train -q --init runs/bank/model.safetensors --add photos/more -o runs/bank_alone", &outcome);
    check_told(&outcome, "of 832 in 13 images");
    shell_ok("mv " S "photos/away " S "photos/good && cp " S "photos/more/010.png " S "photos/good/000a.png");
    train("train -q --init runs/bank/model.safetensors --add photos/last -o runs/bank_changed", &outcome);
    check_told(&outcome,
               "warning: 1 of 2 validation images are in the bank of model.init, so that thresholds");
    shell_ok("rm " S "photos/good/000a.png");
}
END_TEST

START_TEST(networks_on_features_go_on) {
    static const char *const methods[] = {"simplenet", "fastflow"};
    NEED_PROGRAM();
    for (int i = 0; i < COUNT(methods); i++) {
        char words[512], from[128], to[128];
        snprintf(from, sizeof from, S "runs/%s/model.safetensors", methods[i]);
        snprintf(to, sizeof to, S "runs/%s-2/model.safetensors", methods[i]);
        snprintf(words, sizeof words, METHOD "%s --set %s.epochs=1 -o runs/%s", methods[i], methods[i],
                 methods[i]);
        run_well(words);
        snprintf(words, sizeof words,
                 "train -q --init runs/%s/model.safetensors --add photos/more" STILL
                 " --set fastflow.lr=1e-12",
                 methods[i]);
        run_well(words);
        double moved = apart(from, to, i ? "flow" : "adaptor");
        ck_assert_msg(moved >= 0 && moved < 1e-6, "%s: %g", methods[i], moved);
    }
}
END_TEST

START_TEST(what_cannot_go_on_is_told) {
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"--init runs/none.safetensors --add photos/more", "--init: runs/none.safetensors: "},
        {"--init runs/mine/checkpoint.safetensors",
         "--init: runs/mine/checkpoint.safetensors: is a checkpoint"},
        {"--init runs/mine/model.safetensors --add photos/none", "dataset.add: photos/none: no such folder"},
        {"--init runs/mine/model.safetensors --set model.method=patchcore",
         "model.init: runs/mine/model.safetensors: is of the method efficientad, from which patchcore "
         "cannot"},
        {"--init runs/mine/model.safetensors --set train.seed=3",
         "--init divides the images of the model as they were; leave --set train.seed out"},
        {"--add photos/more", "--add photos/more: to what? --init MODEL names the model"},
        {"--resume --init runs/mine/model.safetensors -o runs/mine", "leave one of the two out"},
        {"--resume --add photos/more -o runs/mine", "leave one of the two out"},
        {"photos/good --add photos/more --set dataset.add=photos/last", "leave one of them out"},
        {"photos/good --add a:b", "--add: 'a:b' holds a colon"},
        {"-c patchcore_ensemble photos/good --set model.init=runs/mine/model.safetensors",
         "model.init: an ensemble starts from no model"},
    };
    NEED_PROGRAM();
    Outcome outcome;
    run("train -q --init runs/none.safetensors --add photos/none", 0, &outcome);
    check_told(&outcome, "--init: runs/none.safetensors: ");
    check_told(&outcome, "--add: photos/none: no such folder");
    for (int i = 0; i < COUNT(cases); i++) {
        char words[256];
        snprintf(words, sizeof words, "train -q %s", cases[i].words);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code > 0 && outcome.complaints == 1, "%s: %d\n%s", words, outcome.code,
                      outcome.err);
        check_told(&outcome, cases[i].message);
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_model_goes_on_with_more_images);
    tcase_add_test(tests, old_images_may_be_gone_or_changed);
    tcase_add_test(tests, added_images_may_be_gone);
    tcase_add_test(tests, a_bank_grows);
    tcase_add_test(tests, networks_on_features_go_on);
    tcase_add_test(tests, what_cannot_go_on_is_told);
}

int main(void) {
    return run_program_suite("train_further", S, make_photographs, remove_scene, add_tests);
}
