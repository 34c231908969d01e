/* Sweeps that run, from the outside: one that is killed twice gives the same table as one that was left alone. */
#define S "build/scratch/test_sweep_runs/"
#include "test/support/runs.h"

#include <signal.h>
#include <sys/wait.h>

#define SMALL    "--size 64 --test-good 2 --test-defect 1 "
#define SWEEP    S "tiny.yaml"
#define CUT      S "cut/"
#define FINISHED "full/synth/gasket/seed-1/"

/* The runs of a killed sweep write their checkpoints and end. */
static void wait_until_idle(void) {
    for (int i = 0; i < 600; i++) {
        Outcome outcome;
        run("sweep " SWEEP " --dry-run --output " CUT, 0, &outcome);
        if (outcome.code == 0 && !strstr(outcome.out, "active\t")) return;
        pause_for(0.05);
    }
    ck_abort_msg("a run did not end");
}

static void make_tiny_sweep(void) {
    shell_ok("rm -rf " S "whole " CUT);
    draw_parts(S "data", SMALL "--train 3", "chip doubled missing swapped");
    draw_parts(S "more", SMALL "--seed 7 --train 3", "chip doubled missing swapped");
    shell_ok("mv " S "more/gasket " S "data/other");
    write_text(SWEEP, "title: Tiny\n"
                      "config:\n"
                      "  dataset.path: " S "data\n"
                      "  model.image_size: 64\n"
                      "  train: {steps: 3, lr_drop_at: 1, checkpoint_every: 0}\n"
                      "  autoencoder.enabled: false\n"
                      "  loss.penalty: false\n"
                      "collections: {synth: {categories: [gasket, other]}}\n"
                      "variants:\n"
                      "  full: {}\n"
                      "  gaussian: {maps.normalization: gaussian}\n"
                      "  no_hard: {loss.hard_quantile: 0}\n"
                      "seeds: [1, 2]\n");
}

/* Finished runs keep their models alone, and the second the weights of the first under a further name. */
static void check_kept(const char *source, const char *run_folder) {
    struct stat whole, shared, own;
    char path[256];
    const char *const folders[] = {source, run_folder};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%scheckpoint.safetensors", folders[i]);
        ck_assert_msg(!exists(path), "%s", path);
    }
    snprintf(path, sizeof path, "%smodel.safetensors", source);
    ck_assert_int_eq(stat(path, &whole), 0);
    snprintf(path, sizeof path, "%sweights.safetensors", run_folder);
    ck_assert_int_eq(stat(path, &shared), 0);
    snprintf(path, sizeof path, "%smodel.safetensors", run_folder);
    ck_assert_int_eq(stat(path, &own), 0);
    ck_assert(whole.st_ino == shared.st_ino && own.st_size * 100 < whole.st_size);
    Outcome outcome;
    snprintf(path, sizeof path, "eval -q -m %smodel.safetensors -o " S "evaluated", run_folder);
    run(path, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    snprintf(path, sizeof path, "%smetrics.json", run_folder);
    ck_assert(same_files(path, S "evaluated/metrics.json"));
}

START_TEST(a_killed_sweep_gives_the_same_table) {
    Outcome outcome;
    struct stat before, after;
    NEED_PROGRAM();
    make_tiny_sweep();
    run_well("sweep " SWEEP " --jobs 2 --output " S "whole");
    pid_t child = start("sweep " SWEEP " --jobs 2 --output " CUT, 0);
    await_file(CUT FINISHED "metrics.json", child);
    while (shell("grep -q '\"kind\": \"training\"' " CUT FINISHED "report.html") == 0)
        await_file(CUT FINISHED "metrics.json", child);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    await(child, &outcome);
    ck_assert_int_eq(outcome.code, EXIT_KILLED);
    wait_until_idle();
    ck_assert_int_eq(stat(CUT FINISHED "model.safetensors", &before), 0);
    child = start("sweep " SWEEP " --jobs 2 --output " CUT, 0);
    await_file(CUT "full/synth/other/seed-2/losses.csv", child);
    ck_assert_int_eq(kill(child, SIGINT), 0);
    await(child, &outcome);
    ck_assert_msg(outcome.code == 128 + SIGINT && strstr(outcome.err, "the same command goes on"), "%s",
                  outcome.err);
    run("sweep " SWEEP " --jobs 2 --output " CUT, 0, &outcome);
    ck_assert_msg(outcome.code == 0, "%s", outcome.err);
    char tables[TEXT_SIZE];
    snprintf(tables, sizeof tables, "the tables: %s report " CUT "\n", getenv("PROGRAM"));
    ck_assert_msg(strstr(outcome.err, tables) != NULL, "%s", outcome.err);
    ck_assert_int_eq(stat(CUT FINISHED "model.safetensors", &after), 0);
    ck_assert(before.st_mtime == after.st_mtime && before.st_ino == after.st_ino);
    shell_ok("grep -q 'resuming after step 3' " CUT "gaussian/synth/other/seed-1/log.txt");
    run("sweep " SWEEP " --dry-run --output " CUT, 0, &outcome);
    ck_assert_msg(strstr(outcome.err, ", 12 finished\n"), "%s", outcome.err);
    check_kept(CUT "full/synth/other/seed-1/", CUT "gaussian/synth/other/seed-1/");
    run_well("report " S "whole");
    run_well("report " CUT);
    ck_assert(same_files(S "whole/tiny.csv", CUT "tiny.csv"));
    ck_assert(same_files(S "whole/tiny.md", CUT "tiny.md"));
    ck_assert(same_files(S "whole/tiny.html", CUT "tiny.html"));
    ck_assert(same_runs(S "whole/full/synth/other/seed-2/", CUT "full/synth/other/seed-2/"));
}
END_TEST

/* One run fails, the other is done; what a changed config made is left alone. */
START_TEST(a_failed_run_does_not_stop_the_others) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "half");
    draw_parts(S "data", SMALL "--train 3", "chip doubled missing swapped");
    shell_ok("cp -r " S "data/gasket " S "data/broken && truncate -s 99 " S "data/broken/train/good/000.png");
    write_text(S "half.yaml", "output: " S "half\n"
                              "config: {dataset.path: " S "data, model.image_size: 64, train.steps: 1,\n"
                              "  train.lr_drop_at: 1, autoencoder.enabled: false, loss.penalty: false}\n"
                              "collections: {synth: {categories: [broken, gasket]}}\n"
                              "variants: {v: {}}\n"
                              "seeds: [1]\n");
    run("sweep " S "half.yaml", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert_int_eq(outcome.complaints, 1);
    ck_assert_msg(strstr(outcome.err, "v/synth/broken/seed-1: failed: ") &&
                      strstr(outcome.err, "broken/train/good/000.png: ") &&
                      strstr(outcome.err, "v/synth/gasket/seed-1: finished") &&
                      strstr(outcome.err, "1 of 2 runs failed"),
                  "%s", outcome.err);
    run("sweep " S "half.yaml --dry-run", 0, &outcome);
    ck_assert_str_eq(outcome.out, "new\tv/synth/broken/seed-1\nfinished\tv/synth/gasket/seed-1\n");
    run("sweep " S "half.yaml --set train.lr=0.5 --shard 2/2", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "was made with train.lr"), "%s", outcome.err);
    run("sweep " S "half.yaml --shard 3/2", 0, &outcome);
    ck_assert_int_eq(outcome.code, 2);
}
END_TEST

/* What would be missing is told once, the bytes of the files, and the time where that is worth a measurement. */
START_TEST(a_dry_run_tells_what_it_would_take) {
    Outcome outcome;
    write_text(S "long.yaml",
               "output: " S "long\n"
               "config: {penalty.path: drawn, model.image_size: 64, train.steps: 2000}\n"
               "collections:\n"
               "  c: {categories: [gasket], config: {dataset.path: " S "data}}\n"
               "  away: {categories: [x, y], config: {dataset.path: " S "away}}\n"
               "variants: {v: {}, w: {maps.normalization: gaussian}, f: {model.method: fastflow}}\n"
               "seeds: [1]\n");
    run("sweep " S "long.yaml --dry-run", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.lines == 6, "%s", outcome.err);
    assert_contains(outcome.err,
                    "\nefficientad: " S "long.yaml: the sweep would not start: 1 thing is not ready yet\n");
    ck_assert_msg(strstr(outcome.err, "9 runs in " S "long, 9 new\n"), "%s", outcome.err);
    ck_assert_msg(strstr(outcome.err,
                         "not ready yet: " S "long.yaml: v/away/x/seed-1 and 5 more runs: dataset.path: " S
                         "away: cannot read"),
                  "%s", outcome.err);
    assert_contains(outcome.err,
                    "\nthe estimate leaves out 2 of the runs: their length depends on missing data");
    assert_contains(outcome.err, "\nthey take about ");
    assert_contains(outcome.err, " here, one at a time; measured for 2 kinds of model, a step ");
    assert_contains(outcome.err, "; of 4 of them, whose images are missing, the steps alone\n");
    assert_contains(outcome.err, "; 3 of them share their weights with others\n");
    run("sweep " S "long.yaml --dry-run --set train.steps=3", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.lines == 5, "%s", outcome.err);
    ck_assert_ptr_null(strstr(outcome.err, "they take"));
    ck_assert(!exists(S "long"));
}
END_TEST

/* Of all files below a folder that find's test picks, in bytes of their content; blocks: in those on the disk. */
static double bytes_below(const char *folder, const char *test, bool blocks) {
    char command[512], *text;
    double bytes;
    snprintf(command, sizeof command,
             "find %s -type f %s -printf '%%%s\\n' | awk '{ s += $1 * %d } END { print s + 0 }' >" S "sum",
             folder, test, blocks ? "b" : "s", blocks ? 512 : 1);
    shell_ok(command);
    text = read_text(S "sum");
    ck_assert_int_eq(sscanf(text, "%lf", &bytes), 1);
    free(text);
    return bytes;
}

/* The bytes that a dry run foretells are those that the runs leave, but for what a file says besides its tensors. Runs
 * share caches: those of one seed divide the images alike, and draw the same photographs. */
START_TEST(a_dry_run_knows_the_bytes) {
    Outcome outcome;
    double models, caches, results;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "bytes");
    draw_parts(S "data", SMALL "--train 9", "chip doubled missing swapped");
    draw_parts(S "others", SMALL "--seed 7 --train 60", "chip doubled missing swapped");
    write_text(
        S "bytes.yaml",
        "output: " S "bytes\n"
        "config: {dataset.path: " S "data, model.image_size: 64, train.steps: 1, penalty.path: " S
        "others/gasket/train,\n"
        "  simplenet.epochs: 1, fastflow.epochs: 1, fastflow.couplings: 1}\n"
        "collections: {synth: {categories: [gasket]}}\n"
        "variants: {model: {}, all: {train.keep: all, train.lr: 2e-4, train.steps: 12},\n"
        "  bank: {model.method: patchcore},\n"
        "  banks: {model.method: patchcore_ensemble}, simplenet: {model.method: simplenet},\n"
        "  fastflow: {model.method: fastflow}, fewer: {model.method: fastflow, fastflow.hidden_ratio: 0.5}}\n"
        "seeds: [1, 2]\n");
    run("sweep " S "bytes.yaml --dry-run", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "%s", outcome.err); /* nothing is missing */
    const char *told = strstr(outcome.err, "their models take ");
    ck_assert_msg(told &&
                      sscanf(told,
                             "their models take %lf GB on the disk, caches %lf GB, reports and tables about "
                             "%lf GB; a training",
                             &models, &caches, &results) == 3,
                  "%s", outcome.err);
    ck_assert(!exists(S "bytes"));
    run_well("sweep " S "bytes.yaml");
    double drawn = bytes_below(S "bytes/cache", "-name 'penalty_*'", true);
    double kept = bytes_below(S "bytes/cache", "! -name 'penalty_*'", false) + drawn;
    ck_assert_double_gt(drawn, 20 * 64 * 64 * 3);
    ck_assert_double_gt(kept, 3 * drawn);
    ck_assert_double_eq_tol(1e9 * caches, kept, 0.05 * kept);
    kept = bytes_below(S "bytes", "-name '*.safetensors'", false);
    ck_assert_double_gt(bytes_below(S "bytes", "-name 'checkpoint.safetensors'", false), 120e6);
    ck_assert_double_eq_tol(1e9 * models, kept, 0.006 * kept);
    kept = bytes_below(S "bytes", "! -name '*.safetensors' ! -path '*/cache/*'", true);
    ck_assert_double_le(kept, 1e9 * results); /* they are of images of a usual size */
}
END_TEST

/* A dry run finds what the sweep would refuse: what its runs read, write, and hold already. */
START_TEST(a_dry_run_tells_what_is_wrong) {
    Outcome outcome;
    static const char *const told[] = {
        "not ready yet: " S
        "dry/v/c/gasket/seed-1/.lock: is a folder, and no lock of this program; move it away\n",
        "not ready yet: " S "dry/v/c/gasket/seed-2/log.txt: is a folder, not a regular file",
        "not ready yet: " S "dry.yaml: bad/c/gasket/seed-1 and 1 more run: model.init: " S
        "data/gasket/train/good/000.png: ",
    };
    write_text(S "dry.yaml", "output: " S "dry\n"
                             "config: {loss.penalty: false, model.image_size: 64, train.steps: 3}\n"
                             "collections: {c: {categories: [gasket], config: {dataset.path: " S "data}}}\n"
                             "variants: {v: {}, bad: {model.init: " S "data/gasket/train/good/000.png}}\n"
                             "seeds: [1, 2]\n");
    make_folders(S "dry/v/c/gasket/seed-1/.lock/");
    make_folders(S "dry/v/c/gasket/seed-2/log.txt/");
    run("sweep " S "dry.yaml --dry-run", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.lines == 6, "%s", outcome.err);
    assert_contains(outcome.err, ": the sweep would not start: 3 things are not ready yet\n");
    for (int i = 0; i < COUNT(told); i++)
        ck_assert_msg(strstr(outcome.err, told[i]), "%s in: %s", told[i], outcome.err);
    ck_assert_str_eq(outcome.out, "new\tv/c/gasket/seed-1\nnew\tv/c/gasket/seed-2\nnew\tbad/c/gasket/seed-1\n"
                                  "new\tbad/c/gasket/seed-2\n");
    run("sweep " S "dry.yaml --dry-run --set train.lr=7", 0, &outcome); /* and with it what is not ready */
    ck_assert_msg(outcome.code == 2 && outcome.complaints == 5 &&
                      strstr(outcome.err, "train.lr: 7 is out of"),
                  "%s", outcome.err);
    shell_ok("rm -r " S "dry");
}
END_TEST

#define YAML "efficientad: " S "wrong.yaml"

/* Whatever is wrong with a sweep file, with the configs of its runs and with the files that they read is told in one
 * run of the program, with the command line; what several runs share once. */
static const struct {
    const char *words, *file; /* NULL: as before */
    int complaints;
    const char *told[12];
} wrongs[] = {
    {"--jobs 0 --set train.epochs=3 -o /dev/null/x",
     "titel: T\n"
     "config: {train.stps: 3, train.lr: 7, loss.penalty: false}\n"
     "collections:\n"
     "  c: {categories: [a, .., a], config: {dataset.path: " S "none}}\n"
     "  d: {category: [x], config: {model.teacher: " S "no.safetensors}}\n"
     "variants: {v: {}, 'x y': {model.method: nothing}}\n"
     "seeds: [1, -2, 1]\n",
     16,
     {YAML ":1: a sweep has no field 'titel'; did you mean 'title'?\n", YAML ":4: '..' is not a valid name",
      YAML ":4: category a is given twice\n", YAML ":5: d has no field 'category'",
      YAML ":6: 'x y' is not a valid name", YAML ":7: '-2' is not a seed", YAML ":7: seed 1 is given twice\n",
      "efficientad: --jobs: 0 is out", "efficientad: --set: unknown key 'train.epochs'",
      YAML ":2: train.lr: 7 is out", YAML ": x y/c/a/seed-1 and 1 more run: model.method: there is no method",
      "efficientad: 15 mistakes; nothing was started\n"}},
    /* The base and the collections in files of their own; a file that belongs elsewhere. */
    {"--shard 3/2",
     "base: none.yaml\noutput: [o]\ncollections: half.csv\nvariants: {}\nseeds: none\n",
     7,
     {"efficientad: " S "none.yaml: cannot open this config", YAML ":2: output takes a text",
      "efficientad: " S "half.csv: cannot ", YAML ":4: variants is empty", YAML ":5: seeds takes a list",
      "efficientad: --shard: ", "efficientad: 6 mistakes; nothing was started\n"}},
    /* What is missing on the disk, of one run or of several: the first of them is not begun either. */
    {"-o " S "wrong",
     "config: {dataset.path: " S "data, loss.penalty: false, model.image_size: 64}\n"
     "collections:\n"
     "  here: {categories: [gasket, elsewhere]}\n"
     "  gone: {categories: [a, b], config: {dataset.path: " S "gone}}\n"
     "  own: {config: {dataset.type: folder, dataset.path: " S "data, dataset.train_good: no/good}}\n"
     "variants: {v: {}, w: {model.method: patchcore, model.backbone: " S "resnet.pth}}\n"
     "seeds: [1, 2, 3]\n",
     5,
     {YAML ": v/here/elsewhere/seed-1 and 5 more runs: " S "data: has no category \"elsewhere\"",
      YAML ": v/gone/a/seed-1 and 11 more runs: dataset.path: " S "gone: cannot read: No such file",
      YAML ": v/own/seed-1 and 5 more runs: dataset.train_good: " S "data/no/good: no such folder\n",
      YAML ": w/here/gasket/seed-1 and 14 more runs: model.backbone: cannot read " S "resnet.pth",
      "efficientad: 4 mistakes; nothing was started\n"}},
    {"-o /dev/null/wrong --shard 1/15", NULL, 3, {": w/", "/dev/null/wrong: cannot write here: "}},
    /* Features that a backbone does not have, of members too, beside what else is wrong. */
    {"-o " S "wrong",
     "config: {dataset.path: " S "data, loss.penalty: false, model.image_size: 64}\n"
     "collections: {c: {categories: [gasket]}}\n"
     "variants:\n"
     "  right: {model.method: patchcore, patchcore.layers: 'stride8, stride4'}\n"
     "  p: {model.method: patchcore, patchcore.layers: layer2, patchcore.add: " S "gone}\n"
     "  s: {model.method: simplenet, simplenet.layers: 'stride8,', model.backbone: pdn_medium}\n"
     "  f: {model.method: fastflow, fastflow.layers: 'stride4,stride4'}\n"
     "  e: {model.method: patchcore_ensemble, patchcore_ensemble.members: [{}, {patchcore.layers: x}]}\n"
     "  other: {model.method: patchcore, simplenet.layers: x}\n"
     "  away: {model.method: patchcore, patchcore.layers: x, model.backbone: " S "resnet.pth}\n"
     "seeds: [1, 2]\n",
     7,
     {YAML ": p/c/gasket/seed-1 and 1 more run: patchcore.layers: 'layer2' names features that pdn_small "
           "does not have; it has stride4|stride8|stride16",
      YAML ": p/c/gasket/seed-1 and 1 more run: patchcore.add: cannot read " S "gone",
      YAML ": s/c/gasket/seed-1 and 1 more run: simplenet.layers: 'stride8,' names features that "
           "pdn_medium does not have",
      YAML ": f/c/gasket/seed-1 and 1 more run: fastflow.layers: 'stride4,stride4' names stride4 twice",
      YAML ": e/c/gasket/seed-1 and 1 more run: member 2 of patchcore_ensemble.members: "
           "patchcore.layers: 'x'",
      YAML ": away/c/gasket/seed-1 and 1 more run: model.backbone: cannot read " S "resnet.pth",
      "efficientad: 6 mistakes; nothing was started\n"}},
    {"--dry-run",
     "collections: {c: {}}\nvariants: {v: {train.lr: 2}}\n",
     8,
     {YAML ":1: seeds is missing\n", YAML ": output is missing", YAML ":2: train.lr: 2 is out",
      YAML ": v/c/seed-1: dataset.path is not set"}},
};

START_TEST(all_that_is_wrong_is_told_at_once) {
    Outcome outcome;
    NEED_PROGRAM();
    draw_parts(S "data", SMALL "--train 3", "chip doubled missing swapped");
    for (int i = 0; i < COUNT(wrongs); i++) {
        char words[256];
        if (wrongs[i].file) write_text(S "wrong.yaml", wrongs[i].file);
        snprintf(words, sizeof words, "sweep " S "wrong.yaml %s", wrongs[i].words);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code == (i < 2 ? 2 : 1), "%d: %s", outcome.code, outcome.err);
        for (int k = 0; k < 12 && wrongs[i].told[k]; k++)
            ck_assert_msg(strstr(outcome.err, wrongs[i].told[k]), "%s: %s", wrongs[i].told[k], outcome.err);
        ck_assert_msg(outcome.complaints == wrongs[i].complaints, "%d: %s", outcome.complaints, outcome.err);
        ck_assert(!exists(S "wrong"));
    }
}
END_TEST

/* What cannot be written to, or is another's, is told of all runs before the first begins. */
START_TEST(folders_are_tried_before_the_first_run) {
    static const char *const told[] = {
        "t/v/s/gasket/seed-2: cannot write here: ",
        "t/v/s/gasket/seed-3/log.txt: is a folder, not a regular file; put one in its place\n",
        "t/v/s/gasket/seed-4/log.txt: is a FIFO, not a regular file; put one in its place\n",
        "t/v/s/gasket/seed-5/config.yaml: was made with dataset.path",
        "t/v/s/gasket/seed-6/config.yaml: cannot open this config: ",
        "t/v/s/gasket/seed-7: cannot write here: ",
        "t/v/s/gasket/seed-8/checkpoint.safetensors: is a teacher, not a checkpoint of a training",
        "t/v/s/gasket/seed-9/metrics.json: cannot write: it is a folder",
        "t/v/s/gasket/seed-10/metrics.json: is a FIFO, not a regular file",
        "t/v/s/gasket/seed-11/.lock: is a special file, and no lock of this program; move it away",
        "t/v/s/gasket/seed-12/.lock: this file is not a lock of this program",
        "t/cache: cannot write here: ",
        "efficientad: 12 mistakes; nothing was started\n"};
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "t");
    draw_parts(S "data", SMALL "--train 3", "chip doubled missing swapped");
    write_text(S "t.yaml", "output: " S "t\n"
                           "config: {dataset.path: " S "data, model.image_size: 64, train.steps: 1,\n"
                           "  train.lr_drop_at: 1, autoencoder.enabled: false, loss.penalty: false}\n"
                           "collections: {s: {categories: [gasket]}}\n"
                           "variants: {v: {}}\n"
                           "seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n");
    shell_ok(
        "mkdir -p " S "t/v/s/gasket && cd " S "t/v/s/gasket && mkdir seed-3 seed-4 seed-5 seed-6 seed-8 && "
        ": >seed-2 && mkdir seed-3/log.txt && mkfifo seed-4/log.txt && ln -s ../../../t.yaml/no seed-7 && "
        ": >../../../cache && echo 'train.steps: 7' >seed-5/config.yaml && : >seed-5/checkpoint.safetensors "
        "&& mkdir -p seed-9/metrics.json seed-10 seed-11 seed-12 && mkfifo seed-10/metrics.json "
        "seed-11/.lock && "
        "echo notes >seed-12/.lock && : >seed-6/model.safetensors && cp "
        "$OLDPWD/models/weights/teacher_small.safetensors "
        "seed-8/checkpoint.safetensors");
    shell_ok("printf 'dataset: {path: " S "data, category: gasket, cache: " S
             "t/cache}\nmodel.image_size: 64\n"
             "train: {steps: 1, lr_drop_at: 1, seed: 8}\nautoencoder.enabled: false\nloss.penalty: false\n"
             "output: " S "t/v/s/gasket/seed-8\n' >" S "t/v/s/gasket/seed-8/config.yaml");
    shell_ok("find " S "t | sort >" S "before");
    run("sweep " S "t.yaml", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    for (int i = 0; i < (int)(sizeof told / sizeof *told); i++)
        ck_assert_msg(strstr(outcome.err, told[i]), "%s: %s", told[i], outcome.err);
    ck_assert(!strstr(outcome.err, "seed-1:") && !strstr(outcome.err, "seed-1/"));
    shell_ok("find " S "t | sort | cmp - " S "before");
    run("sweep " S "t.yaml --shard 1/12", 0, &outcome); /* its part is in order, but for the cache of all */
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1 && strstr(outcome.err, "t/cache: "), "%s",
                  outcome.err);
    shell_ok("rm " S "t/cache");
    run_well("sweep " S "t.yaml --shard 1/12");
}
END_TEST

/* Whatever sweep does not call finished, report leaves out, and says so; a run that is damaged is made anew. */
START_TEST(sweep_and_report_say_the_same) {
    static const struct {
        const char *damage, *state, *says;
        bool others; /* bears no mark of ours, so that it is not replaced */
    } cases[] = {
        {"sed -i 's/}$//' metrics.json", "damaged", "metrics.json:", false},
        {": >model.safetensors", "damaged", "model.safetensors: is an empty file", false},
        {"truncate -s -1 model.safetensors", "damaged", "model.safetensors: ", false},
        {"sed -i 's/hard_quantile: 0.999/hard_quantile: 0.5/' config.yaml", "changed",
         "was made with loss.hard_", false},
        {"rm model.safetensors", "damaged", "model.safetensors: is not there any more", false},
        {"rm model.safetensors losses.csv", "damaged", "model.safetensors: is not there any more", false},
        {"rm report.html", "started", "0 of 1 runs", false},
        {"sed -i 's/\"kind\": \"run\"/\"kind\": \"training\"/' report.html", "started", "0 of 1 runs", false},
        {"echo 'train.steps: many' >config.yaml", "damaged",
         "config.yaml:1: train.steps: expected a whole number", false},
        {"echo '{\"image_auroc\": 7.5}' >metrics.json", "damaged",
         "'image_auroc' is 7.5, expected a number from 0 to 1", false},
        {"echo '{}' >metrics.json", "damaged", "metrics.json: 'image_auroc' is missing", true},
        {"echo '[]' >metrics.json", "damaged", "metrics.json: is JSON, but not an object", true},
    };
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "same");
    draw_parts(S "data", SMALL "--train 3", "chip doubled missing swapped");
    write_text(S "same.yaml", "output: " S "same\nconfig: {dataset.path: " S "data, model.image_size: 64,\n"
                              "  train.steps: 1, autoencoder.enabled: false, loss.penalty: false}\n"
                              "collections: {s: {categories: [gasket]}}\nvariants: {v: {}}\nseeds: [1]\n");
    run_well("sweep " S "same.yaml");
    run_well("report " S "same");
    assert_file_holds(S "same/same.md", "1 of 1 runs are finished, 1 seed. Training: 1 step. Percent;");
    shell_ok("cp -r " S "same/v/s/gasket/seed-1 " S "kept");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "rm -r " S "same/v/s/gasket/seed-1 && cp -r " S "kept " S "same/v/s/gasket/seed-1 && cd " S
                 "same/v/s/gasket/seed-1 && %s",
                 cases[i].damage);
        shell_ok(command);
        run("sweep -n " S "same.yaml", 0, &outcome);
        ck_assert_msg(strncmp(outcome.out, cases[i].state, strlen(cases[i].state)) == 0, "%s", outcome.out);
        run("report " S "same", 0, &outcome);
        ck_assert_int_eq(outcome.code, 0);
        assert_file_holds(S "same/same.md", "0 of 1 runs are finished");
        assert_contains(cases[i].says[0] != '0' ? outcome.err : outcome.out, cases[i].says);
        run("sweep " S "same.yaml", 0, &outcome);
        bool others = strstr(outcome.err, "is in the way, and was not written by this program") != NULL;
        ck_assert_msg(outcome.code == (i == 3 || cases[i].others), "%s: %s", cases[i].damage, outcome.err);
        ck_assert(others == cases[i].others);
        if (outcome.code != 0) continue;
        run_well("report " S "same");
        assert_file_holds(S "same/same.md", "1 of 1 runs are finished");
        ck_assert(same_runs(S "same/v/s/gasket/seed-1/", S "kept/"));
    }
    shell_ok("rm -r " S "kept");
}
END_TEST

static void make_scratch(void) {
    make_folders(S);
}

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

static void add_tests(TCase *tests) {
    tcase_add_test(tests, a_killed_sweep_gives_the_same_table);
    tcase_add_test(tests, a_failed_run_does_not_stop_the_others);
    tcase_add_test(tests, a_dry_run_tells_what_it_would_take);
    tcase_add_test(tests, a_dry_run_knows_the_bytes);
    tcase_add_test(tests, a_dry_run_tells_what_is_wrong);
    tcase_add_test(tests, all_that_is_wrong_is_told_at_once);
    tcase_add_test(tests, folders_are_tried_before_the_first_run);
    tcase_add_test(tests, sweep_and_report_say_the_same);
}

int main(void) {
    return run_program_suite("sweep_runs", S, make_scratch, remove_scratch, add_tests);
}
