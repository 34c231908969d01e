/* A run that is refused leaves nothing of its own and takes nothing of others; a cache that may only be read will do
 * where it holds all. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_refusals/"
#include "test/program/program_scene.h"

#define SETTINGS                                                                                             \
    "train -q --set model.image_size=64 --set train.steps=1 --set loss.penalty=false --set "                 \
    "autoencoder.enabled=false --set dataset.category=gasket "

/* Runs that fail when they read images, which they do last before they begin, and an evaluation without any. */
static const char *const refused[] = {
    SETTINGS "--set dataset.path=" S "cut -o " S "new/a/b",
    SETTINGS "--set dataset.path=" S "cut -o " S "new --set model.method=patchcore",
    SETTINGS "--set dataset.path=" S "data -o " S "new --set model.method=patchcore --set patchcore.add=" S
             "broken",
    "eval -q --model " MODEL " --set dataset.path=" S "unreadable -o " S "new/a --maps",
    SETTINGS "--set dataset.path=" S "data -o " S "new --set loss.penalty=true --set penalty.path=" S
             "broken",
};

/* The scene's data set, another one with a picture in each part that ends too soon, and a folder of such a one. */
static void make_refusals(void) {
    make_scene();
    if (!getenv("PROGRAM")) return;
    shell_ok("cp -r " S "data " S "cut && mkdir " S "broken && for i in 0 1 2; do head -c 300 " S
             "data/gasket/train/good/00$i.png >" S "cut/gasket/train/good/00$i.png; done; cp " S
             "cut/gasket/train/good/000.png " S "broken; cp -r " S "data " S "unreadable; for f in $(find " S
             "unreadable/gasket/test -name '*.png'); do cp " S "broken/000.png $f; done");
}

START_TEST(nothing_is_left_behind) {
    Outcome outcome;
    NEED_PROGRAM();
    run(refused[_i], 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "truncated PNG"), "%s", outcome.err);
    ck_assert_msg(!exists(S "new"), "%s", refused[_i]);
    shell_ok("mkdir -p " S "new/mine && cp -r " S "new " S "before"); /* and what was there stays */
    run(refused[_i], 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    shell_ok("diff -r " S "new " S "before && rm -r " S "new " S "before");
}
END_TEST

/* The program as a user who may write into S "his" alone. */
static void run_as_another(const char *words, Outcome *outcome) {
    char text[2048];
    snprintf(text, sizeof text,
             "P=$(realpath $PROGRAM) && cd " S
             "his && setpriv --reuid 65534 --clear-groups $P %s >../out 2>../err",
             words);
    outcome->code = shell(text);
    read_into(S "err", outcome->err);
}

#define READ_ONLY                                                                                            \
    SETTINGS "--set dataset.path=../data --set dataset.cache=../cache --set simplenet.epochs=1 --set "       \
             "model.method=%s -o run%s"

START_TEST(a_whole_cache_is_only_read) {
    char words[1024];
    Outcome outcome;
    NEED_PROGRAM();
    SKIP_UNLESS(geteuid() == 0 && shell("setpriv --version >/dev/null") == 0, "another user needs root");
    shell_ok("rm -rf " S "cache " S "his && mkdir -m 777 " S "his");
    shell_ok("chmod -R a+rX " S);
    snprintf(words, sizeof words,
             "(P=$(realpath $PROGRAM) && cd " S "his && $P " READ_ONLY " >../out 2>../err) && chmod -R a-w " S
             "cache",
             "simplenet", "0");
    outcome.code = shell(words);
    read_into(S "err", outcome.err);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    snprintf(words, sizeof words, READ_ONLY, "simplenet", "1");
    run_as_another(words, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    ck_assert(same_tensors(S "his/run0/model.safetensors", S "his/run1/model.safetensors"));
    shell_ok("rm " S "cache/features_*");
    snprintf(words, sizeof words, READ_ONLY, "simplenet", "2");
    run_as_another(words, &outcome);
    ck_assert_msg(
        outcome.code == 1 &&
            strstr(outcome.err, "../cache: lacks some of what is needed, and cannot be written: ") &&
            strstr(outcome.err, "Permission denied; dataset.cache names another place"),
        "%s", outcome.err);
    shell_ok("rm " S "cache/validation_*");
    snprintf(words, sizeof words, READ_ONLY, "patchcore", "2");
    run_as_another(words, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "../cache: lacks some of what is needed"), "%s",
                  outcome.err);
    ck_assert(!exists(S "his/run2"));
    run_as_another(SETTINGS "--set dataset.path=../data --set dataset.cache=../new -o run2", &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "../new: cannot write here: "), "%s", outcome.err);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, nothing_is_left_behind, 0, COUNT(refused));
    tcase_add_test(tests, a_whole_cache_is_only_read);
}

int main(void) {
    return run_program_suite("refusals", S, make_refusals, remove_scene, add_tests);
}
