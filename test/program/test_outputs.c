/* What cannot be written fails before the work, for every output of every command; a limit of file sizes is an
 * error with a message. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_outputs/"
#include "test/support/runs.h"

#define MODEL   S "run/model.safetensors"
#define EVAL    "eval -m " MODEL " -o " S "new "
#define TRAIN   "train -c " S "base.yaml -o " S "new "
#define IMAGE   S "data/gasket/test/good/000.png"
#define DISTILL "distill -o " S "new --set distill.images=" S "data --set distill.backbone=" S "none"

static void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    write_text(S "base.yaml", "dataset: {path: " S "data, category: gasket, cache: " S "cache}\n"
                              "model: {image_size: 64}\n"
                              "train: {steps: 1, tensorboard: false, keep: all}\n"
                              "loss.penalty: false\n"
                              "autoencoder.enabled: false\n");
    write_text(S "list.sweep.json",
               "{\"format\": \"efficientad-sweep/1\", \"title\": \"\", \"paper\": \"\", \"runs\": []}\n");
    /* By its header a backbone, for which the commands below do not come to ask. */
    static const char backbone[] =
        "\x50\0\0\0\0\0\0\0"
        "{\"layer1.0.conv1.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}      "
        "\0\0\0\0";
    write_bytes(S "none", backbone, sizeof backbone - 1);
    run_well("synth -o " S "data --size 64 --train 3 --test-good 1 --test-defect 1");
    run_well("train -q -c " S "base.yaml -o " S "run");
}

static void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* folder, file: what stands in the way. */
static const struct {
    const char *folder, *file, *words, *says;
} cases[] = {
    {S "new/scores.csv", "", EVAL, S "new/scores.csv: cannot write: it is a folder"},
    {S "new/report.html", "", EVAL, S "new/report.html: "},
    {S "new", S "new/overlays", EVAL "--overlays", S "new/overlays: cannot write here"},
    {"", S "new", EVAL, S "new: cannot write here: "},
    {"", S "new", TRAIN, S "new: cannot write here: "},
    {S "new/metrics.json", "", TRAIN, S "new/metrics.json: cannot write"},
    {S "new", S "new/maps", TRAIN "--set eval.maps=true", S "new/maps: cannot write here"},
    {"", S "other", TRAIN "--set dataset.cache=" S "other/cache", "dataset.cache names another place"},
    {S "new/metrics.json", "",
     "distill -o " S "new --set distill.images=" S "data --set distill.backbone=" S "none",
     S "new/metrics.json: "},
    {"", S "other",
     "distill -o " S "new --set distill.images=" S "data --set distill.backbone=" S "none --set "
     "distill.cache=" S "other",
     "distill.cache names another place"},
    {"", S "new", "predict -m " MODEL " --maps " S "new " IMAGE, S "new: "},
    {"", S "new", "predict -m " MODEL " --masks " S "new " IMAGE, S "new: cannot write here: "},
    {"", S "new", "predict -m " MODEL " --copy-to " S "new " IMAGE, S "new: cannot write here: "},
    {S "new", "", "predict -m " MODEL " --csv " S "new " IMAGE, S "new: cannot write: it is a folder"},
    {S "new", "", "predict -m " MODEL " --report " S "new " IMAGE, S "new: cannot write: it is a folder"},
    {"", "", "predict -m " MODEL " --csv " S "t.htm --report " S "../test_outputs/t.htm " IMAGE,
     "name the same file"},
    {"", "", "predict -m " MODEL " --masks " S "new/ --overlays " S "new " IMAGE, "would lie in one folder"},
    {"", "", "predict -m " MODEL " --maps " S "new/ok --copy-to " S "new/ " IMAGE, "would lie in one folder"},
    {S "new", "", "bench metrics -n 1 --json " S "new", S "new: cannot write: it is a folder"},
    {"", S "new", "bench metrics -n 1 --csv " S "new/t.csv", "new is not a folder; --csv names"},
    {"", "", "bench metrics -n 1 --json " S "t --csv " S "../test_outputs/t", "name the same file"},
    {"", "", "bench metrics -n 1 --csv " S "gone/such/t",
     S "gone/such/t: cannot write: there is no folder " S "gone/such; make it, or --csv names"},
    {S "new", "", "import -o " S "new " MODEL, S "new: cannot write: it is a folder"},
    {S "list.md", "", "report " S "list.sweep.json", S "list.md: cannot write"},
};

static void prepare(const char *folder, const char *file) {
    shell_ok("rm -rf " S "new " S "other " S "t " S "list.md");
    if (*folder) make_folders(folder), mkdir(folder, 0777);
    if (*file) write_text(file, "in the way\n");
}

START_TEST(outputs_are_tried_first) {
    Outcome outcome;
    NEED_PROGRAM();
    prepare(cases[_i].folder, cases[_i].file);
    run(cases[_i].words, 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1 && strstr(outcome.err, cases[_i].says),
                  "%s: exit %d: %s", cases[_i].words, outcome.code, outcome.err);
    static const char *const work[] = {"evaluating", "memory of", "training", "decoding", "EPYC"};
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        ck_assert_msg(!strstr(outcome.err, work[i]), "%s: works first: %s", cases[_i].words, outcome.err);
    if (*cases[_i].file) assert_file_holds(cases[_i].file, "in the way\n");
    ck_assert(!exists(S "new/checkpoint.safetensors"));
}
END_TEST

/* lines: of what is told, the last that counts them. */
static const struct {
    const char *words;
    int code;
    const char *lines[8];
} together[] = {
    {EVAL "--overlays",
     1,
     {S "new/overlays: cannot write here: ", S "new/metrics.json: cannot write: it is a folder",
      S "new/report.html: cannot write: it is a folder", S "new/pr.csv: is in the way, and was not",
      S "new/scores.csv: is in the way, and was not"}},
    {TRAIN "--set eval.overlays=true",
     1,
     {S "new/config.yaml: is in the way, and was not written by this program",
      S "new/losses.csv: is in the way, and was not", S "new/metrics.json: cannot write: it is a folder",
      S "new/overlays: cannot write here: ", S "new/report.html: cannot write: it is a folder",
      S "new/pr.csv: is in the way, and was not", S "new/scores.csv: is in the way, and was not"}},
    {DISTILL,
     1,
     {S "new/config.yaml: is in the way, and was not written by this program",
      S "new/losses.csv: is in the way, and was not", S "new/metrics.json: cannot write: it is a folder"}},
    {"bench metrics -n 1 --set foo=1 --json " S "gone/x --csv " S "gone/y",
     2,
     {"--set: unknown key 'foo'", S "gone/x: cannot write: there is no folder " S "gone; make it, or --json ",
      S "gone/y: cannot write: there is no folder " S "gone; make it, or --csv "}},
    {"bench metrics -n 1 --json " S "new/metrics.json --csv " S "gone/y",
     1,
     {S "new/metrics.json: cannot write: it is a folder", S "gone/y: cannot write: there is no folder "}},
};

START_TEST(all_that_is_in_the_way_is_told_at_once) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "new; mkdir -p " S "new/metrics.json " S "new/report.html; cd " S
             "new; for i in scores.csv losses.csv pr.csv config.yaml overlays; do echo 'my: [own' >$i; done");
    int count = 0;
    run(together[_i].words, 0, &outcome);
    for (; count < COUNT(together[_i].lines) && together[_i].lines[count]; count++)
        assert_contains(outcome.err, together[_i].lines[count]);
    ck_assert_msg(outcome.code == together[_i].code && outcome.complaints == count + 1, "exit %d: %s",
                  outcome.code, outcome.err);
}
END_TEST

/* The signal's default is to end the process without a word. */
START_TEST(a_limit_of_file_sizes_is_an_error) {
    NEED_PROGRAM();
    static const char *const words[] = {
        "train -q -c " S "base.yaml -o " S "new", "import -o " S "new/m.safetensors " MODEL,
        "predict -q -m " MODEL " --maps " S "new " IMAGE, "synth -o " S "new --size 512 --train 1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char line[1024], err[TEXT_SIZE];
        shell_ok("rm -rf " S "new; mkdir " S "new");
        snprintf(line, sizeof line, "(ulimit -f 8; exec %s %s >" S "out 2>" S "err)", getenv("PROGRAM"),
                 words[i]);
        ck_assert_int_eq(shell(line), 1);
        read_into(S "err", err);
        ck_assert_msg(strstr(err, "cannot write"), "%s: %s", words[i], err);
        ck_assert_int_eq(shell("test -z \"$(find " S
                               "new -name '*tmp*' -o -name '*.part' -o -name '*.png' -o -name '*.yaml' -o "
                               "-name '*.tiff' -o -name '*.safetensors')\""),
                         0);
    }
}
END_TEST

/* Pixels that find no room beyond a megabyte of memory cost the pixel metrics, and nothing else. */
START_TEST(pixels_without_room_cost_their_metrics) {
    char err[TEXT_SIZE], line[512];
    NEED_PROGRAM();
    shell_ok("rm -rf " S "new " S "big; $PROGRAM synth -o " S
             "big --size 512 --train 2 --test-good 3 --test-defect 1 >" S "out 2>" S "err");
    snprintf(line, sizeof line,
             "(ulimit -f 1000; exec $PROGRAM eval -q -m " MODEL " --set dataset.path=" S "big --set "
             "dataset.category=gasket --set eval.memory_mb=1 -o " S "new >" S "out 2>" S "err)");
    ck_assert_int_eq(shell(line), 1);
    read_into(S "err", err);
    ck_assert_msg(strstr(err, "can be kept there for the pixels of all test images") &&
                      strstr(err, "the pixel metrics are missing, all else is written"),
                  "%s", err);
    ck_assert(exists(S "new/scores.csv") && exists(S "new/metrics.json"));
}
END_TEST

/* What was measured is not lost with a file that a full disk refuses: the curves do not fit, stdout does. */
START_TEST(metrics_are_told_before_their_files) {
    char err[TEXT_SIZE];
    NEED_PROGRAM();
    shell_ok("rm -rf " S "new");
    shell_ok("$PROGRAM eval -q -m " MODEL " -o " S "whole >" S "out 2>" S "err; cmp " S "out " S
             "whole/metrics.json");
    ck_assert_int_eq(
        shell("(ulimit -f 8; exec $PROGRAM eval -q -m " MODEL " -o " S "new >" S "out 2>" S "err)"), 1);
    read_into(S "err", err);
    assert_contains(err, "all images");
    assert_contains(err, ": cannot write: File too large\n");
    ck_assert(!strstr(err, "metrics: "));
    ck_assert(same_files(S "out", S "whole/metrics.json"));
    ck_assert(!exists(S "new/report.html"));
}
END_TEST

START_TEST(an_input_is_no_output) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "new; cp " MODEL " " S "mine.safetensors; ln -sf mine.safetensors " S
             "link.safetensors; ln -f " S "mine.safetensors " S "hard.safetensors");
    static const char *const words[] = {"import -o " S "link.safetensors " S "mine.safetensors",
                                        "import -o " S "mine.safetensors " S "hard.safetensors",
                                        "import -o " S "data/../mine.safetensors " S "mine.safetensors"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        run(words[i], 0, &outcome);
        ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "is an input too"), "%s: %s", words[i],
                      outcome.err);
        ck_assert(same_files(MODEL, S "mine.safetensors"));
    }
}
END_TEST

/* What was trained or brought here; an import may replace only an import. */
START_TEST(an_import_replaces_imports_only) {
    static const char *const others[] = {MODEL, S "run/checkpoint.safetensors", S "base.yaml", IMAGE};
    Outcome outcome;
    NEED_PROGRAM();
    for (size_t i = 0; i < COUNT(others); i++) {
        char line[512];
        snprintf(line, sizeof line, "rm -rf " S "new; cp %s " S "new", others[i]);
        shell_ok(line);
        run("import -o " S "new " MODEL, 0, &outcome);
        ck_assert_msg(outcome.code == 1 && outcome.complaints == 1 &&
                          strstr(outcome.err, S "new: is in the way, and is a"),
                      "%s", outcome.err);
        ck_assert(same_files(others[i], S "new"));
    }
    shell_ok("rm " S "new");
    run_well("import -o " S "new " MODEL);
    run_well("import -o " S "new " MODEL);
}
END_TEST

/* A link in the place of a table is followed; no input lies at its end. */
START_TEST(no_table_replaces_what_it_is_linked_to) {
    static const struct {
        const char *target, *name;
    } links[] = {{IMAGE, "pr.csv"},
                 {IMAGE, "spro_hole.csv"},
                 {S "data/gasket/notes.csv", "scores.csv"},
                 {MODEL, "metrics.json"},
                 {S "base.yaml", "report.html"}};
    Outcome outcome;
    NEED_PROGRAM();
    write_text(S "data/gasket/notes.csv", "a,b\n");
    for (size_t i = 0; i < COUNT(links); i++) {
        char line[512];
        snprintf(line, sizeof line,
                 "rm -rf " S "new; mkdir " S "new; cp %s " S "kept; ln -s $PWD/%s " S "new/%s",
                 links[i].target, links[i].target, links[i].name);
        shell_ok(line);
        for (int train = 0; train < 2; train++) {
            run(train ? TRAIN : EVAL, 0, &outcome);
            ck_assert_msg(outcome.code == 1 && strstr(outcome.err, ": is a link to a"), "%s", outcome.err);
            ck_assert(same_files(links[i].target, S "kept") && !exists(S "new/model.safetensors"));
        }
    }
    shell_ok("rm -rf " S "new " S "other; mkdir " S "new " S
             "other; printf 'threshold,recall,precision\n' >" S "other/pr.csv; ln -s ../other/pr.csv " S
             "new/pr.csv");
    run_well(EVAL); /* a table elsewhere is one */
}
END_TEST

/* What other programs leave under such names stays; what this one wrote, an old version too, is replaced. */
static const struct {
    const char *name, *text;
    bool eval, train, distill; /* whether it is refused */
} standing[] = {
    {"scores.csv", "path,label,score\na,1,0.5\n", true, true, false},
    {"scores.csv", "path,label,defect,score,mine\n", true, true, false},
    {"metrics.json", "{\"accuracy\": 0.9}\n", true, true, true},
    {"metrics.json", "[1, 2, \"image_auroc\"]\n", true, true, true},
    {"speed.json", "{\"fps\": 3}\n", true, true, false},
    {"report.html", "<!DOCTYPE html>\n<html><title>Mine</title></html>\n", true, true, false},
    {"pr.csv", "precision,recall\n", true, true, false},
    {"pr.csv", "threshold,precision,recall\n", true, true, false},
    {"roc.csv", "threshold,recall,precision\n", true, true, false},
    {"pixel_roc.csv", "mine\n", true, true, false},
    {"spro_structural.csv", "a;b\n", true, true, false},
    {"losses.csv", "epoch,loss\n1,2\n", false, true, true},
    {"losses.csv", "step,loss,val_loss,lr\n1,2,3,4\n", false, true, true},
    {"config.yaml", "services: {web: {image: nginx}}\n", false, true, true},
    {"config.yaml", "# mine\ndataset:\n  type: mvtec_ad\nmodel:\n  method: patchcore\n", false, true, true},
    {"config.yaml", "dataset:\n  category: gasket\n", false, true, true},
    {"config.yaml", "dataset:\n  type: \"mvtec_ad\"\nmodel:\n  size: small\nthreshold:\n  quantile: 0.9\n",
     false, false, false},
    {"notes.csv", "a,b\n", false, false, false},
    {"scores.csv", "\xEF\xBB\xBFpath,label,defect,score\r\na,1,good,0.5\r\n", false, false, false},
    {"scores.csv", "", false, false, false},
    {"roc.csv", "threshold,false_positive_rate,true_positive_rate\n", false, false, false},
    {"metrics.json", "{\n  \"image_auroc\": 1,\n  \"images\": 2\n}\n", false, false, false},
    {"metrics.json", "{\n  \"held_out_loss\": 1\n}\n", false, false, false},
    {"losses.csv", "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr\n", false, false, false},
    {"report.html",
     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>bottle</title>\n<style>\n"
     ":root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#1b1f24;}\n",
     false, false, false},
};

START_TEST(files_of_others_stay) {
    const bool refused[] = {standing[_i].eval, standing[_i].train, standing[_i].distill};
    static const char *const words[] = {EVAL, TRAIN, DISTILL};
    char path[128], says[256];
    Outcome outcome;
    NEED_PROGRAM();
    snprintf(path, sizeof path, S "new/%s", standing[_i].name);
    snprintf(says, sizeof says, "%s: is in the way, and ", path);
    for (int i = 0; i < 3; i++) {
        shell_ok("rm -rf " S "new; mkdir " S "new");
        write_text(path, standing[_i].text);
        run(words[i], 0, &outcome);
        ck_assert_msg(refused[i] == !!strstr(outcome.err, says), "%s, %s: %s", path, words[i], outcome.err);
        ck_assert_int_eq(outcome.code, i == 2 || refused[i]); /* the backbone is none */
        if (refused[i]) {
            ck_assert_msg(outcome.complaints == 1, "%s", outcome.err);
            ck_assert_msg(!exists(S "new/model.safetensors") && !exists(S "new/events.out"), "%s", path);
            assert_file_holds(path, standing[_i].text);
        }
    }
}
END_TEST

START_TEST(a_report_replaces_reports_only) {
    Outcome outcome;
    NEED_PROGRAM();
    static const char *const endings[] = {"md", "csv", "html"};
    for (size_t i = 0; i < COUNT(endings); i++) {
        char path[64];
        shell_ok("rm -f " S "list.md " S "list.csv " S "list.html");
        snprintf(path, sizeof path, S "list.%s", endings[i]);
        write_text(path, "# mine\n");
        run("report " S "list.sweep.json", 0, &outcome);
        ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "was not written by this program; move it"),
                      "%s", outcome.err);
        assert_file_holds(path, "# mine\n");
    }
    shell_ok("rm -f " S "list.html");
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_loop_test(tests, files_of_others_stay, 0, COUNT(standing));
    tcase_add_test(tests, a_report_replaces_reports_only);
    tcase_add_loop_test(tests, outputs_are_tried_first, 0, COUNT(cases));
    tcase_add_loop_test(tests, all_that_is_in_the_way_is_told_at_once, 0, COUNT(together));
    tcase_add_test(tests, a_limit_of_file_sizes_is_an_error);
    tcase_add_test(tests, pixels_without_room_cost_their_metrics);
    tcase_add_test(tests, metrics_are_told_before_their_files);
    tcase_add_test(tests, an_input_is_no_output);
    tcase_add_test(tests, an_import_replaces_imports_only);
    tcase_add_test(tests, no_table_replaces_what_it_is_linked_to);
}

int main(void) {
    return run_program_suite("outputs", S, make_scene, remove_scene, add_tests);
}
