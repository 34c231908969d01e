/* All that is wrong with a config is told at once, each thing once, with the files that are missing. */
#include "test/config/config_texts.h"

/* Everything that is wrong with a file is found in one reading, in its order; what depends on a refused value is
 * not asked for. */
START_TEST(test_all_at_once) {
    static const char text[] =
        "train:\n  stps: 3\n  lr: 7\ndataset.type: mvtek\neval: [1]\nmodel:\n  size: [small]\n"
        "loss:\n  penalty: maybe\noutput: ''\n";
    static const char *const lines[] = {
        "t.yaml:2: unknown key 'train.stps'; did you mean 'train.steps'?",
        "t.yaml:3: train.lr: 7 is out of the range (0, 1]",
        "t.yaml:4: dataset.type: 'mvtek' is not one of ",
        "t.yaml:5: 'eval' is a section of keys, such as ",
        "t.yaml:7: model.size: a list is not allowed here; it takes one value",
        "t.yaml:9: loss.penalty: ",
        "--set: unknown key 'nothing'",
        "--set: train.seed: ",
        "output is not set; set it to the run folder",
        "dataset.path is not set; ",
        "maps.q_start (0.999) must be less than maps.q_end (0.995)"};
    EadConfig config = defaults();
    ck_assert_int_eq(parse(text, &config), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), lines[0]);
    ck_assert_int_eq(ead_config_set(&config, "nothing=1", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_int_eq(ead_config_set(&config, "maps.q_start=0.999", "--set"), EAD_OK);
    ck_assert_int_eq(ead_config_set(&config, "train.seed=-1", "--set"), EAD_BAD_ARGUMENT);
    ck_assert_int_ne(ead_fit_check(&config), EAD_OK);
    ck_assert_int_eq(config.problems.lines.count, (int)(sizeof lines / sizeof *lines));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strncmp(config.problems.lines.items[i], lines[i], strlen(lines[i])) == 0, "%zu: %s", i,
                      config.problems.lines.items[i]);
    ead_config_free(&config);
}
END_TEST

/* What a misspelt name may have meant, or a value of another kind was given for, is not asked for once more. */
START_TEST(test_no_noise) {
    static const struct {
        const char *text;
        int problems; /* each told once */
    } cases[] = {
        {"dataset:\n  path: [a]\n  categroy: x\npenalty:\n  pth: x\n", 3},
        {"datset:\n  path: a\n  category: x\npenalty.path: p\n", 1},
        {"dataset: a\nloss: false\n", 2},
        {"- a\n- b\n", 1},
        {"dataset:\n  path:\n    a: 1\n  category: {b: 1}\nloss.penalty: [no]\n", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadConfig config = defaults();
        ck_assert_int_ne(parse(cases[i].text, &config), EAD_OK);
        ck_assert(!ead_config_names_dataset(&config, false));
        ck_assert_int_eq(ead_fit_check(&config), EAD_OK); /* adds nothing */
        ck_assert_msg(config.problems.lines.count == cases[i].problems, "%zu: %d, last: %s", i,
                      config.problems.lines.count,
                      config.problems.lines.items[config.problems.lines.count - 1]);
        ead_config_free(&config);
    }
}
END_TEST

/* One problem is the message; several are lines, at most 20, and the message counts them. */
START_TEST(test_problems_told) {
    char *text = NULL;
    size_t size = 0;
    EadProblems problems = {0};
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(ead_problems_tell(&problems, stream), EAD_OK);
    ead_problems_add(&problems, EAD_OK);
    ead_problems_add(&problems, ead_fail(EAD_BAD_FILE, "first"));
    ck_assert_int_eq(ead_problems_tell(&problems, stream), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), "first");
    ck_assert_int_eq(ead_problems_since(&problems, 1), EAD_OK);
    fflush(stream);
    ck_assert(size == 0);
    ead_problems_add(&problems, ead_fail(EAD_BAD_ARGUMENT, "second"));
    ck_assert_int_eq(ead_problems_tell(&problems, stream), EAD_BAD_FILE);
    ck_assert_str_eq(ead_error_message(), "2 mistakes; nothing was started");
    fflush(stream);
    ck_assert_str_eq(text, "efficientad: first\nefficientad: second\n");
    for (int i = 2; i < 25; i++) ead_problems_add(&problems, ead_fail(EAD_BAD_FILE, "number %d", i));
    (void)ead_problems_tell(&problems, stream);
    ck_assert_str_eq(ead_error_message(), "25 mistakes, 20 of them above; nothing was started");
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "number 19"));
    ck_assert_ptr_null(strstr(text, "number 20"));
    free(text);
    /* Of all the want of memory is the message. */
    ead_problems_add(&problems, ead_fail(EAD_NO_MEMORY, "no memory for 3 MB"));
    ead_problems_add(&problems, ead_fail(EAD_NO_MEMORY, "no memory for 2 MB"));
    ck_assert_int_eq(ead_problems_since(&problems, 0), EAD_NO_MEMORY);
    ck_assert_str_eq(ead_error_message(), "no memory for 3 MB");
    ead_problems_free(&problems);
}
END_TEST

/* Files that are missing are told with all else, and nothing is written. */
START_TEST(test_missing_files) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    static const char *const lines[] = {"efficientad: penalty.path: cannot read no/penalty: No such file",
                                        "efficientad: model.init: cannot read no/model: No such file",
                                        "efficientad: dataset.path: no/data: cannot read: No such file",
                                        "efficientad: 3 mistakes; nothing was started"};
    char command[1024];
    make_folders("build/scratch/config_problems/");
    snprintf(command, sizeof command,
             "%s train --set dataset.path=no/data --set dataset.category=c --set penalty.path=no/penalty "
             "--set model.init=no/model -o build/scratch/config_problems/run "
             "2>build/scratch/config_problems/stderr",
             getenv("PROGRAM"));
    ck_assert_int_eq(shell(command), 1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_file_holds("build/scratch/config_problems/stderr", lines[i]);
    ck_assert(!exists("build/scratch/config_problems/run"));
}
END_TEST

/* Wrong settings on the command line are told with what is missing on the disk, by each command. */
START_TEST(test_settings_and_files) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    static const struct {
        const char *command, *lines[4];
    } cases[] = {
        {"train --set train.stps=1 --set dataset.path=no/data --set dataset.category=c --set "
         "loss.penalty=false",
         {"--set: unknown key 'train.stps'", "no/data: cannot read", "2 mistakes", "train --help"}},
        {"train --set model.method=none --set dataset.path=no/data --set dataset.category=c --set "
         "loss.penalty=false",
         {"there is no method 'none'", "no/data: cannot read", "2 mistakes", "2 mistakes"}},
        {"distill --set distill.steps=0 --set distill.images=no/images --set distill.backbone=no/backbone",
         {"distill.steps: 0 is out", "cannot read no/images", "cannot read no/backbone", "3 mistakes"}},
        {"eval --model no/model --set train.stps=1 --set threshold.quantile=7",
         {"no/model", "unknown key 'train.stps'", "threshold.quantile: 7", "3 mistakes"}},
    };
    char command[1024];
    make_folders("build/scratch/config_problems/");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command,
                 "%s %s -o build/scratch/config_problems/run 2>build/scratch/config_problems/stderr",
                 getenv("PROGRAM"), cases[i].command);
        ck_assert_int_eq(shell(command),
                         i == 1 ? 1 : 2); /* wrong usage, but for values that the method refuses */
        for (int k = 0; k < 4; k++)
            assert_file_holds("build/scratch/config_problems/stderr", cases[i].lines[k]);
        ck_assert(!exists("build/scratch/config_problems/run"));
    }
}
END_TEST

#define S "build/scratch/config_problems/"

/* Options, settings, config file, folders, files in the wrong role and places that cannot be written: each a line of one
 * run. */
static const struct {
    const char *command;
    int code;
    const char *lines[8];
} sorts[] = {
    {"train --device tpu --set train.stps=1 --threads many --set train.lr=7 -c " S "c.yaml --streams 9",
     2,
     {"--device: 'tpu' is not cpu", "--set: unknown key 'train.stps'", "--threads: ", "--set: train.lr: 7 is",
      "c.yaml:1: train.seed: ", "--streams: 9 is", "9 mistakes"}},
    {"predict --device tpu --treads 4 --threads -1 x.png",
     2,
     {"--device: 'tpu'", "no option --treads; did you mean --threads?",
      "--threads: ", "predict needs --model", "x.png: cannot read", "5 mistakes"}},
    {"sweep x.yaml --device tpu --jobs 0 --set train.lr=7",
     2,
     {"--device: 'tpu'", "--jobs: 0 is", "train.lr: 7 is", "x.yaml: no such file, and no sweep of that name",
      "4 mistakes"}},
    {"train --set dataset.type=folder --set dataset.path=" S " --set dataset.train_good=a --set "
     "dataset.test_good=b --set dataset.defects=c --set dataset.masks=/no/d --set penalty.path=" S
     "c.yaml --set model.teacher=" S
     " --set model.init=models/weights/teacher_small.safetensors -o /proc/run",
     1,
     {"dataset.train_good: " S "a: no such folder", "dataset.test_good: " S "b: no such folder",
      "dataset.defects: " S "c: no such folder", "dataset.masks: /no/d: no such folder",
      "penalty.path: " S "c.yaml: is a config, not a folder, image or tar archive",
      "model.teacher: " S ": is a folder, not a teacher",
      "model.init: models/weights/teacher_small.safetensors: is a teacher, not a model to start from",
      "/proc/run: cannot write here: "}},
    {"train --set model.method=patchcore --set dataset.path=no/data --set dataset.category=c --set "
     "model.backbone=" S "c.yaml --set patchcore.add=" S "c.yaml -o /dev/null/run",
     1,
     {"no/data: cannot read", "model.backbone: " S "c.yaml: is a config, not a backbone",
      "patchcore.add: " S "c.yaml: is a config", "/dev/null/run: cannot write here: ", "4 mistakes"}},
    {"distill --set distill.images=" S
     "c.yaml --set distill.backbone=models/weights/teacher_small.safetensors "
     "-o " S "c.yaml",
     1,
     {"distill.images: " S "c.yaml: is a config", "is a teacher, not a backbone",
      S "c.yaml: cannot write here", "3 mistakes"}},
    /* What a model that cannot be read, or an option, would have said is not asked for. */
    {"eval -m no/model --set dataset.path=no/data -o /dev/null/x",
     1,
     {"no/model: cannot open", "dataset.path: no/data: cannot read", "/dev/null/x: cannot write here",
      "3 mistakes"}},
    {"eval -m no/model --set dataset.type=folder --set dataset.path=" S " --set dataset.defects=none "
     "--threshold big --precisoin fp32",
     2,
     {"no/model: cannot open", "--threshold: ", "no option --precisoin", "3 mistakes"}},
    {"eval -m no/model -c " S "d.yaml",
     1,
     {"no/model: cannot open", "dataset.path: no/data: cannot read", "2 mistakes"}},
    {"predict -m no/model --bits 99 --maps /dev/null/maps --overlays /dev/null/heat no/a.png " S " -",
     2,
     {"no/model: cannot open", "--bits: 99", "/dev/null/maps: cannot", "/dev/null/heat: cannot",
      "no/a.png: cannot read", S ": no images in this folder", "6 mistakes"}},
    {"predict -m no/model --bits 12 --white 9 no/a.png",
     1,
     {"no/model: cannot open", "--white and --bits both say", "no/a.png: cannot read", "3 mistakes"}},
    {"train -c " S "d.yaml -o " S "new --set dataset.bits=12 --set dataset.white=9",
     1,
     {"dataset.white and dataset.bits both say what is white; set one of them to 0", "no/data: cannot",
      "2 mistakes"}},
    {"train --confg x.yaml --set dataset.path=no/data --set model.teacher=no/teacher -o /dev/null/x",
     2,
     {"no option --confg", "dataset.path: no/data: cannot read", "/dev/null/x: cannot write here",
      "model.teacher: cannot read no/teacher", "4 mistakes"}},
    {"train -o '' -c " S "d.yaml", 2, {"--output: the path is empty", "no/data: cannot", "2 mistakes"}},
    {"train -c " S "d.yaml --minutes 3 --until-converged --set model.method=patchcore -o " S "done",
     1,
     {"no/data: cannot read", "until_converged: patchcore has", "--minutes picks a number of steps",
      "done: holds a run already", "4 mistakes"}},
    {"import -o /dev/null/out.safetensors --padding so no/a no/b " S "c.yaml " S "some",
     2,
     {"--padding: ", "no/a: cannot", "no/b: cannot", "c.yaml: is a config, not weights",
      S "some: holds no .pth", "/dev/null: cannot write here", "6 mistakes"}},
    {"bench ops step stap --set model.method=patchcore --set train.lr=7 --batch 0 --json /dev/null/j "
     "--csv " S,
     2,
     {"bench: 'stap' is not", "train.lr: 7", "--batch: 0", "fitted without steps", "/dev/null: cannot",
      S ": cannot write: it is a folder", "6 mistakes"}},
    {"synth -o " S "some --size 8 --seed x --textures 1",
     2,
     {"--size: ", "--seed: ", "some/gasket: not empty", "some/textures: not empty", "4 mistakes"}},
    {"report no/runs more -q",
     2,
     {"no option -q", "no/runs/report.html: cannot read", "more/report.html: cannot read", "3 mistakes"}},
    /* A type or category that is none hides nothing of what is not there. */
    {"train --set dataset.type=mvtec --set dataset.path=no/data --set dataset.train_good=/no/good --set "
     "dataset.add=/no/more --set loss.penalty=false -o " S "new",
     2,
     {"dataset.type: 'mvtec' is not one of", "dataset.path: no/data: cannot read",
      "dataset.train_good: /no/good: no such folder", "dataset.add: /no/more: no such folder", "4 mistakes"}},
    {"train --set dataset.category=all --set dataset.path=" S "c.yaml --set loss.penalty=false -o " S "new",
     1,
     {"dataset.category is all, but", "dataset.path: " S "c.yaml: is a config, not the folder",
      "2 mistakes"}},
    {"measure --maps no/maps --set dataset.type=mvtec --set dataset.path=no/data --set dataset.masks=/no/m "
     "-o " S "new",
     2,
     {"dataset.type: 'mvtec'", "--maps: no/maps", "dataset.path: no/data", "dataset.masks: /no/m: no such",
      "4 mistakes"}},
    /* A path that means nothing is told once, and its place is not taken for empty. */
    {"predict -m no/model '~nobody/a.png' no/b.png",
     2,
     {"no/model: cannot open", "predict: '~nobody/a.png': the home folder of another user",
      "no/b.png: ", "3 mistakes"}},
    {"train '~nobody/photos' --threads none", 2, {"train: '~nobody/photos': ", "--threads: ", "2 mistakes"}},
    {"report '~nobody/run' no/run", 2, {"'~nobody/run': ", "no/run/report.html: cannot", "2 mistakes"}},
    {"report " S "sweeps",
     1,
     {"a.sweep.json:1: ", "b.sweep.json: ", "b.csv: cannot write: it is a folder", "3 mistakes"}},
};

START_TEST(test_of_every_sort) {
    SKIP_UNLESS(getenv("PROGRAM"), "PROGRAM is not set");
    char command[1024];
    make_folders(S);
    write_text(S "c.yaml", "train.seed: none\n");
    write_text(S "d.yaml", "dataset: {path: no/data, category: c}\nloss.penalty: false\noutput: " S "run\n");
    make_folders(S "done/");
    make_folders(S "some/gasket/");
    make_folders(S "some/textures/");
    make_folders(S "sweeps/b.csv/");
    write_text(S "done/model.safetensors", "");
    write_text(S "some/gasket/a", "");
    write_text(S "some/textures/a", "");
    write_text(S "sweeps/a.sweep.json", "{");
    write_text(S "sweeps/b.sweep.json", "{}");
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        snprintf(command, sizeof command, "%s %s 2>" S "stderr", getenv("PROGRAM"), sorts[i].command);
        ck_assert_int_eq(shell(command), sorts[i].code);
        for (int k = 0; k < 8 && sorts[i].lines[k]; k++) assert_file_holds(S "stderr", sorts[i].lines[k]);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("config problems");
    TCase *tests = tcase_create("config problems");
    tcase_add_test(tests, test_all_at_once);
    tcase_add_test(tests, test_no_noise);
    tcase_add_test(tests, test_problems_told);
    tcase_add_test(tests, test_missing_files);
    tcase_add_test(tests, test_settings_and_files);
    tcase_add_test(tests, test_of_every_sort);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
