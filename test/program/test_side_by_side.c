/* report A B...: runs of different methods in one page, made of their reports; and report.html before there is a report. */
#define S "build/scratch/test_side_by_side/"
#include "test/program/program_scene.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#define PAGE S "page.html"

/* The JSON in a page; json_decref() it. */
static json_t *data_of(const char *path) {
    static const char start[] = "id=\"data\">\n", end[] = "\n</script>";
    char *text = read_text(path), *data = strstr(text, start), *after = data ? strstr(data, end) : NULL;
    ck_assert_ptr_nonnull(after);
    data += strlen(start);
    json_t *root = json_loadb(data, (size_t)(after - data), 0, NULL);
    ck_assert_ptr_nonnull(root);
    free(text);
    return root;
}

static const json_t *of_run(const json_t *image, size_t run) {
    return json_array_get(json_object_get(image, "runs"), run);
}

static double number(const json_t *object, const char *key) {
    ck_assert_msg(json_is_number(json_object_get(object, key)), "no number %s", key);
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key) {
    ck_assert_msg(json_is_string(json_object_get(object, key)), "no text %s", key);
    return json_string_value(json_object_get(object, key));
}

static void make_runs(void) {
    make_scene();
    if (!getenv("PROGRAM")) return;
    run_well("train -q -c " S
             "base.yaml --set model.method=patchcore --set model.backbone=pdn_small --set train.steps=7 "
             "--set loss.hard_quantile=0 --output " S "bank");
}

/* What the run's own page says of the image. */
static const json_t *find_image(const json_t *report, const char *name) {
    size_t i;
    json_t *image;
    json_array_foreach(json_object_get(json_object_get(report, "gallery"), "images"), i,
                       image) if (strstr(text(image, "path"), name)) return image;
    ck_abort_msg("no %s", name);
}

/* Scores and pictures are those of the reports, decisions those of their thresholds, ranks counted by hand. */
static void check_image(const json_t *image, const json_t *const reports[2], const json_t *images) {
    bool decisions[2];
    ck_assert(strncmp(text(image, "name"), "gasket/test/", 12) == 0); /* below dataset.path */
    for (size_t r = 0; r < 2; r++) {
        const json_t *own = find_image(reports[r], text(image, "name")), *run = of_run(image, r);
        double score = number(run, "score"), below = 0;
        ck_assert(score == number(own, "score"));
        ck_assert_str_eq(text(run, "map"), text(own, "map"));
        if (r == 0) ck_assert_str_eq(text(image, "image"), text(own, "image"));
        decisions[r] = json_is_true(json_object_get(run, "decision"));
        ck_assert(decisions[r] == (score >= number(reports[r], "threshold")));
        size_t i;
        json_t *other;
        json_array_foreach(images, i, other) {
            double others = number(of_run(other, r), "score");
            below += others < score ? 1 : others == score && other != image ? 0.5 : 0;
        }
        ck_assert_double_eq_tol(number(run, "rank"), below / (double)(json_array_size(images) - 1), 1e-4);
    }
    ck_assert(json_is_true(json_object_get(image, "disagreed")) == (decisions[0] != decisions[1]));
}

/* Whether the report says that a key is not as in the paper. */
static bool holds_setting(const json_t *report, const char *key) {
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(report, "changed"), i,
                       row) if (strcmp(json_string_value(json_array_get(row, 0)), key) == 0) return true;
    return false;
}

START_TEST(two_methods_in_one_page) {
    Outcome outcome;
    NEED_PROGRAM();
    run("report " S "trained " S "bank -o " PAGE, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err, "7 images are in all runs, 7 of them with pictures; on ");
    json_t *data = data_of(PAGE), *a = data_of(S "trained/report.html"), *b = data_of(S "bank/report.html");
    const json_t *const reports[] = {a, b}, *images = json_object_get(data, "images");
    double last = 2;
    ck_assert_uint_eq(json_array_size(images), 7);
    for (size_t i = 0; i < 7; i++) {
        const json_t *image = json_array_get(images, i);
        check_image(image, reports, images);
        double difference = fabs(number(of_run(image, 0), "rank") - number(of_run(image, 1), "rank")) +
                            json_is_true(json_object_get(image, "disagreed"));
        ck_assert(difference <= last);
        last = difference;
    }
    ck_assert_str_eq(text(json_array_get(json_object_get(data, "runs"), 1), "name"), S "bank");
    bool method = false;
    /* What PatchCore does not read is nothing in which the two differ, nor its own page's. */
    ck_assert(holds_setting(a, "train.steps") && !holds_setting(b, "train.steps"));
    for (size_t i = 0; i < json_array_size(json_object_get(data, "settings")); i++) {
        const json_t *row = json_array_get(json_object_get(data, "settings"), i);
        const char *key = json_string_value(json_array_get(row, 0));
        ck_assert_msg(strncmp(key, "train.", 6) && strncmp(key, "loss.", 5), "%s", key);
        method = method || (strcmp(json_string_value(json_array_get(row, 0)), "model.method") == 0 &&
                            strcmp(json_string_value(json_array_get(row, 2)), "\"patchcore\"") == 0);
    }
    ck_assert(method && json_array_size(json_object_get(data, "metrics")) > 3);
    json_decref(data), json_decref(a), json_decref(b);
    shell_ok("cp -r " S "data " S "moved && rm " S "moved/gasket/test/good/000.png");
    run_well("eval -q --model " MODEL " --set dataset.path=" S "moved --output " S "fewer");
    run("report " S "bank " S "fewer " S "trained -o " PAGE, 0, &outcome); /* over its own page, three runs */
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err, "6 images are in all runs, ");
    assert_contains(outcome.err, "2 images are not in all runs; the page names them");
    assert_file_holds(PAGE, "\"gasket/test/good/000.png\"");
    shell_ok("mkdir -p " S "mailed && sed 's/$/\\r/' " S "bank/report.html >" S "mailed/report.html");
    run("report " S "trained " S "mailed -o " PAGE, 0,
        &outcome); /* with the ends of lines of another system */
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err, "7 images are in all runs");
}
END_TEST

/* `measure` has no config, and names its images by the same data set as `eval` beside it. */
START_TEST(measured_maps_beside_a_run) {
    Outcome outcome;
    NEED_PROGRAM();
    run_well("eval -q --model " MODEL " --maps --output " S "mapped");
    run_well("measure -q --maps " S "mapped/maps --set dataset.path=" S "data --set dataset.category=gasket "
             "--output " S "measured");
    run("report " S "mapped " S "measured -o " PAGE, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    assert_contains(outcome.err, "7 images are in all runs");
    assert_file_holds(PAGE, "\"name\": \"gasket/test/good/000.png\"");
}
END_TEST

START_TEST(what_is_no_run_is_told) {
    static const struct {
        const char *words, *says;
    } cases[] = {
        {"report " S "trained",
         "trained: is the folder of one run, whose page is its report.html; name more"},
        {"report " S "trained " S "data", "data: no report.html here; name folders of runs"},
        {"report " S "trained " S "none", "none"},
        {"report " S "trained " S "bank -o " S "none/x.html", "none: no such folder; make it, or --output"},
        {"report " S "trained " S "bank -o " S "base.yaml", "base.yaml: is in the way"},
        {"report " S "trained " S "bank -o " S "page.txt", "page.txt: --output names a web page"},
        {"report " S "trained " S "half", "half/report.html: the training has not ended"},
        {"report " S "trained " S "page", "page/report.html: is not a report of this program"},
        {"report " S "trained " S "other", "have no image in common"},
        {"report " S "trained " S "bank " S "trained/",
         "trained/: is the same run as " S "trained; name it once"},
    };
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("mkdir -p " S "half " S "page " S "other && echo '<!DOCTYPE html>' >" S
             "page/report.html && sed "
             "'s/\"kind\": \"run\"/\"kind\": \"training\"/' " S "trained/report.html >" S
             "half/report.html && sed 's:/gasket/test/:/gasket/others/:' " S "trained/report.html >" S
             "other/report.html");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(cases[i].words, 0, &outcome);
        ck_assert_msg(outcome.code == 1 && strstr(outcome.err, cases[i].says), "%s: %s", cases[i].words,
                      outcome.err);
    }
    ck_assert(!exists("comparison.html"));
}
END_TEST

/* From the first step on it says how far the training is, and when it is stopped, why. */
START_TEST(a_page_goes_with_the_training) {
    Outcome outcome;
    NEED_PROGRAM();
    pid_t child = start(TRAIN " --set train.steps=100000 --set train.validate_every=2", 0);
    await_file(RUN "/report.html", child);
    json_t *data = data_of(RUN "/report.html");
    ck_assert_str_eq(text(data, "kind"), "training");
    ck_assert_str_eq(text(data, "doing"), "training");
    ck_assert(number(data, "steps") == 100000 && number(data, "refresh") >= 10);
    json_decref(data);
    await_file(RUN "/validation.csv", child);
    while (shell("test $(wc -l <" RUN "/validation.csv) -gt 1") != 0) await_file(RUN "/losses.csv", child);
    ck_assert_int_eq(kill(child, SIGINT), 0);
    await(child, &outcome);
    data = data_of(RUN "/report.html");
    ck_assert(json_is_null(json_object_get(data, "doing")));
    ck_assert_msg(strncmp(text(data, "ended"), "stopped after step ", 19) == 0, "%s", text(data, "ended"));
    assert_contains(text(data, "ended"), "continue with --resume --output " RUN);
    double step = number(data, "step");
    const json_t *losses = json_object_get(data, "losses");
    ck_assert(step >= 2 && number(losses, "last_step") == step);
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(data, "validation_scores"), "series")),
                      5);
    json_decref(data);
    run("report " S "trained " RUN, 0, &outcome);
    assert_contains(outcome.err, "run/report.html: the training has not ended");
    char words[256];
    snprintf(words, sizeof words, TRAIN " --resume --set train.validate_every=2 --set train.steps=%d",
             (int)step + 1);
    run_well(words);
    data = data_of(RUN "/report.html");
    ck_assert_str_eq(text(data, "kind"), "run");
    json_decref(data);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, two_methods_in_one_page);
    tcase_add_test(tests, measured_maps_beside_a_run);
    tcase_add_test(tests, what_is_no_run_is_told);
    tcase_add_test(tests, a_page_goes_with_the_training);
}

int main(void) {
    return run_program_suite("side_by_side", S, make_runs, remove_scene, add_tests);
}
