/* Sweeps that ran: what is reported of their results, and a sweep that is killed twice and gives the same
 * table as one that was left alone. The latter needs $PROGRAM. */
#define S "build/scratch/test_sweep_runs/"
#include "test/support/runs.h"

#include "train/sweep/sweep_results.h"
#include "train/sweep/sweep_report.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

/* ---- the report ---- */

/* What makes the run of a metrics.json finished. */
static void write_page(const char *metrics) {
    char page[300];
    snprintf(page, sizeof page, "%.*sreport.html", (int)(strlen(metrics) - strlen("metrics.json")), metrics);
    write_text(page, "");
}

/* Two collections of the paper with all their scenarios, the third with one too few; two seeds, of which the
 * second lacks one run of MVTec LOCO. */
static void write_results(void) {
    static const struct {
        const char *name;
        int scenarios;
    } collections[] = {{"mvtec_ad", 15}, {"mvtec_loco", 5}, {"visa", 11}};
    char path[256], text[512];
    shell_ok("rm -rf " S "results; mkdir -p " S "results");
    FILE *manifest = fopen(S "results/t.sweep.json", "w");
    ck_assert_ptr_nonnull(manifest);
    fputs("{\"format\": \"efficientad-sweep/1\", \"title\": \"T <1>\", \"paper\": \"table2\", \"runs\": [",
          manifest);
    const char *comma = "";
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < collections[c].scenarios; i++)
            for (int seed = 1; seed <= 2; seed++) {
                fprintf(manifest,
                        "%s{\"variant\": \"small\", \"collection\": \"%s\", \"category\": \"k%d\", \"seed\": "
                        "\"%d\", \"steps\": 100, \"folder\": \"%s%d-%d\"}",
                        comma, collections[c].name, i, seed, collections[c].name, i, seed);
                comma = ",";
                if (c == 1 && i == 4 && seed == 2) continue;
                double auroc = 0.8 + 0.01 * i + 0.02 * seed;
                if (c == 1)
                    snprintf(text, sizeof text,
                             "{\"image_auroc\": 0.1, \"defects\": {\"logical_anomalies\": {\"image_auroc\": "
                             "%.3f}, \"structural_anomalies\": {\"image_auroc\": %.3f}, \"mean\": "
                             "{\"image_auroc\": %.3f, \"au_spro_0.05\": 0.5}}}",
                             auroc - 0.1, auroc + 0.1, auroc);
                else
                    snprintf(text, sizeof text, "{\"image_auroc\": %.3f, \"au_pro_0.30\": null}", auroc);
                snprintf(path, sizeof path, S "results/%s%d-%d/metrics.json", collections[c].name, i, seed);
                write_text(path, text);
                write_page(path);
            }
    fputs("]}\n", manifest);
    ck_assert_int_eq(fclose(manifest), 0);
}

static void check_summary(EadSummary summary, double mean, double deviation, int seeds, int runs,
                          int expected) {
    ck_assert_double_eq_tol(summary.mean, mean, 1e-9);
    if (isnan(deviation))
        ck_assert_double_nan(summary.deviation);
    else
        ck_assert_double_eq_tol(summary.deviation, deviation, 1e-9);
    ck_assert_int_eq(summary.seeds, seeds);
    ck_assert_int_eq(summary.runs, runs);
    ck_assert_int_eq(summary.expected, expected);
}

/* By hand: the mean of 0.8 + 0.01 i is 0.87 over 15, 0.82 over 5, 0.85 over 11 scenarios; the seeds add 0.02
 * and 0.04, so that their standard deviation is 0.01 sqrt(2). */
START_TEST(summarises_over_scenarios_then_seeds) {
    const double deviation = sqrt(2);
    EadSweepResults results;
    write_results();
    ASSERT_OK(ead_sweep_results_read(S "results/t.sweep.json", &results));
    ck_assert(results.run_count == 62 && results.finished == 61 && results.seeds.count == 2);
    enum { IMAGE_AUROC, LOGICAL_AUROC, STRUCTURAL_AUROC, AU_PRO_30, AU_PRO_05 };
    int metric = IMAGE_AUROC;
    check_summary(ead_summarize_collection(&results, 0, 0, metric), 90, deviation, 2, 30, 30);
    check_summary(ead_summarize_collection(&results, 0, 1, metric), 84, NAN, 1, 9, 10);
    check_summary(ead_summarize_collection(&results, 0, 2, metric), 88, deviation, 2, 22, 22);
    check_summary(ead_summarize_collection(&results, 0, -1, metric), (89 + 84 + 87) / 3.0, NAN, 1, 61, 62);
    check_summary(ead_summarize_scenario(&results, 0, 3, metric), 86, deviation, 2, 2, 2);
    check_summary(ead_summarize_collection(&results, 0, 1, LOGICAL_AUROC), 74, NAN, 1, 9, 10);
    check_summary(ead_summarize_collection(&results, 0, 1, STRUCTURAL_AUROC), 94, NAN, 1, 9, 10);
    check_summary(ead_summarize_collection(&results, 0, 1, AU_PRO_05), 50, NAN, 1, 9, 10);
    ck_assert(!ead_sweep_results_have(&results, AU_PRO_30));
    ead_sweep_results_free(&results);
}
END_TEST

START_TEST(compares_with_the_paper_where_it_can) {
    EadSweepResults results;
    EadTextTable table;
    static const char *const cells[] = {"variant", "mvtec_ad",   "paper",        "difference",   "mvtec_loco",
                                        "paper",   "difference", "visa",         "paper",        "difference",
                                        "mean",    "small",      "90.00 ± 1.41", "98.8",         "-8.80",
                                        "84.00",   "90.0",       "-6.00",        "88.00 ± 1.41", "97.5",
                                        "–",       "86.67"};
    write_results();
    ASSERT_OK(ead_sweep_results_read(S "results/t.sweep.json", &results));
    ASSERT_OK(ead_sweep_collection_table(&results, 0, &table));
    ck_assert(table.cells.count == 22 && table.columns == 11);
    for (int i = 0; i < 22; i++) ck_assert_str_eq(table.cells.items[i], cells[i]);
    ead_text_table_free(&table);
    ead_sweep_results_free(&results);
}
END_TEST

/* The mean over the runs that have measured it, beside the paper's; its other methods follow. */
START_TEST(shows_speed_beside_the_paper) {
    static const char *const cells[] = {"variant",
                                        "ms an image",
                                        "paper: ms an image",
                                        "images/s",
                                        "paper: images/s",
                                        "patchcore",
                                        "45.0",
                                        "32",
                                        "23.4",
                                        "76",
                                        "GCAD",
                                        "",
                                        "11",
                                        "",
                                        "121",
                                        "simplenet",
                                        "",
                                        "12",
                                        "",
                                        "194"};
    EadSweepResults results;
    EadTextTable table;
    write_text(
        S "speed/t.sweep.json",
        "{\"format\": \"efficientad-sweep/1\", \"title\": \"T\", \"paper\": \"table1\", \"runs\": ["
        "{\"variant\": \"patchcore\", \"collection\": \"visa\", \"category\": \"candle\", \"seed\": \"1\", "
        "\"steps\": 1, \"folder\": \"a\"}, "
        "{\"variant\": \"patchcore\", \"collection\": \"visa\", \"category\": \"candle\", \"seed\": \"2\", "
        "\"steps\": 1, \"folder\": \"b\"}]}");
    write_text(S "speed/a/metrics.json", "{\"image_auroc\": 0.9}");
    write_page(S "speed/a/metrics.json");
    write_text(S "speed/b/metrics.json", "{\"image_auroc\": 0.9}");
    write_page(S "speed/b/metrics.json");
    ASSERT_OK(ead_sweep_results_read(S "speed/t.sweep.json", &results));
    ASSERT_OK(ead_sweep_speed_table(&results, &table));
    ck_assert_str_eq(table.cells.items[6], "");
    ck_assert_str_eq(table.cells.items[8], "");
    ead_text_table_free(&table);
    ead_sweep_results_free(&results);
    write_text(S "speed/a/speed.json", "{\"latency_ms\": 40}");
    write_text(S "speed/b/speed.json", "{\"latency_ms\": 50, \"images\": 3}");
    write_text(S "speed/patchcore.bench.json",
               "{\"results\": [{\"bench\": \"infer\", \"batch\": 1, \"images_per_s\": 99}, "
               "{\"bench\": \"infer\", \"batch\": 16, \"images_per_s\": 23.44}, "
               "{\"bench\": \"network\", \"batch\": 16, \"images_per_s\": 50}]}");
    ASSERT_OK(ead_sweep_results_read(S "speed/t.sweep.json", &results));
    ck_assert(ead_sweep_has_speed(&results));
    ASSERT_OK(ead_sweep_speed_table(&results, &table));
    ck_assert_int_eq(table.cells.count, 5 * (1 + 1 + 9));
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        ck_assert_str_eq(table.cells.items[i], cells[i]);
    ead_text_table_free(&table);
    /* Other methods have a line with the paper's numbers for collections, too. */
    ASSERT_OK(ead_sweep_collection_table(&results, 0, &table));
    ck_assert_int_eq(table.columns, 4);
    ck_assert_str_eq(table.cells.items[5], "90.00 ± 0.00");
    ck_assert_str_eq(table.cells.items[6], "94.3");
    ead_text_table_free(&table);
    ead_sweep_results_free(&results);
    write_text(S "speed/a/speed.json", "[]"); /* costs itself, as does a bench of single images */
    write_text(S "speed/patchcore.bench.json", "{\"results\": [{\"bench\": \"infer\", \"batch\": 1}]}");
    ASSERT_OK(ead_sweep_results_read(S "speed/t.sweep.json", &results));
    ck_assert_int_eq(results.finished, 2);
    ck_assert(results.speeds[0].runs == 1 && results.speeds[0].images_per_s == 0);
    ead_sweep_results_free(&results);
}
END_TEST

/* A run whose results cannot be read is left out, and nothing waits for a FIFO. */
START_TEST(damaged_runs_cost_themselves) {
    static const char *const damages[] = {": >a/metrics.json", "echo '{' >a/metrics.json",
                                          "rm a/metrics.json && mkfifo a/metrics.json",
                                          "rm a/metrics.json && mkdir a/metrics.json"};
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char command[512];
        EadSweepResults results;
        write_text(S "damaged/t.sweep.json",
                   "{\"format\": \"efficientad-sweep/1\", \"title\": \"T\", \"paper\": \"\", \"runs\": ["
                   "{\"variant\": \"v\", \"collection\": \"c\", \"category\": \"k\", \"seed\": \"1\", "
                   "\"steps\": 1, \"folder\": \"a\"}, "
                   "{\"variant\": \"v\", \"collection\": \"c\", \"category\": \"k\", \"seed\": \"2\", "
                   "\"steps\": 1, \"folder\": \"b\"}]}");
        shell_ok("rm -rf " S "damaged/a");
        write_text(S "damaged/a/metrics.json", "{\"image_auroc\": 0.1}");
        write_page(S "damaged/a/metrics.json");
        write_text(S "damaged/b/metrics.json", "{\"image_auroc\": 0.9}");
        write_page(S "damaged/b/metrics.json");
        snprintf(command, sizeof command, "cd " S "damaged && %s", damages[i]);
        shell_ok(command);
        ASSERT_OK(ead_sweep_results_read(S "damaged/t.sweep.json", &results));
        ck_assert_int_eq(results.finished, 1);
        ead_sweep_results_free(&results);
        Outcome outcome;
        run("report " S "damaged", 0, &outcome);
        ck_assert_msg(outcome.code == 0 && strstr(outcome.err, "left out: " S "damaged/a/metrics.json"),
                      "%s: %s", damages[i], outcome.err);
        shell_ok("grep -q '90.00' " S "damaged/t.md");
    }
}
END_TEST

/* Twenty collections, each of one scenario, and their mean: 80 + 9.5. */
START_TEST(shows_every_collection) {
    EadSweepResults results;
    EadTextTable table;
    shell_ok(
        "rm -rf " S "many; mkdir -p " S "many; cd " S "many; for i in $(seq 20); do mkdir $i; printf "
        "'{\"image_auroc\": 0.%d}' $((79 + i)) >$i/metrics.json; : >$i/report.html; done; (printf "
        "'{\"format\": "
        "\"efficientad-sweep/1\", \"title\": \"T\", \"paper\": \"\", \"runs\": ['; for i in $(seq 20); do "
        "printf '{\"variant\": \"v\", \"collection\": \"c%d\", \"category\": \"k\", \"seed\": \"1\", "
        "\"steps\": 1, \"folder\": \"%d\"}' $i $i; [ $i = 20 ] || printf ,; done; echo ']}') >t.sweep.json");
    ASSERT_OK(ead_sweep_results_read(S "many/t.sweep.json", &results));
    ASSERT_OK(ead_sweep_collection_table(&results, 0, &table));
    ck_assert(table.cells.count == 44 && table.columns == 22);
    ck_assert_str_eq(table.cells.items[20], "c20");
    ck_assert_str_eq(table.cells.items[42], "99.00");
    ck_assert_str_eq(table.cells.items[21], "mean");
    ck_assert_str_eq(table.cells.items[43], "89.50");
    ead_text_table_free(&table);
    ead_sweep_results_free(&results);
}
END_TEST

START_TEST(writes_markdown_csv_and_page) {
    NEED_PROGRAM();
    write_results();
    run_well("report " S "results");
    shell_ok("cd " S
             "results && grep -q '^small,mvtec_ad,mean,image_auroc,2,30,30,90.000000,1.414214,98.800000,"
             "-8.800000$' t.csv && grep -q '^small,visa,k3,image_auroc,2,2,2,86.000000,1.414214,,$' t.csv && "
             "grep -q '^| small | 90.00 ± 1.41 | 98.8 | -8.80 |' t.md && grep -q '\"title\": \"T .u003c1>\"' "
             "t.html && "
             "grep -q '\"90.00 ± 1.41\", \"98.8\", \"-8.80\"' t.html && grep -q 'fewer are here' t.md && "
             "! grep -Eq 'https?:|src=' t.html");
    if (system("command -v chromium >" S "browser 2>&1") == 0)
        shell_ok("HOME=" S
                 "home chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr --v=0 "
                 "--dump-dom " S "results/t.html >" S "dom.html 2>" S "log && ! grep CONSOLE " S "log && "
                 "grep -q '<h1>T &lt;1&gt;</h1>' " S "dom.html && grep -q '<td>90.00 ± 1.41</td>' " S
                 "dom.html && "
                 "grep -q '<title>here: 90.00 ± 1.41</title>' " S "dom.html");
    Outcome outcome;
    run("report " S "none", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    write_text(S "results/t.sweep.json", "{\"format\": 3}");
    run("report " S "results", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "t.sweep.json: is not a manifest"), "%s",
                  outcome.err);
}
END_TEST

/* ---- whole sweeps ---- */

#define SWEEP    S "tiny.yaml"
#define CUT      S "cut/"
#define FINISHED "full/synth/gasket/seed-1/"

static void wait_for(const char *path, pid_t child) {
    const struct timespec moment = {.tv_nsec = 1000000};
    while (!exists(path)) {
        ck_assert_msg(waitpid(child, NULL, WNOHANG) == 0, "ended before %s was there", path);
        nanosleep(&moment, NULL);
    }
}

/* The runs of a killed sweep write their checkpoints and end. */
static void wait_until_idle(void) {
    const struct timespec moment = {.tv_nsec = 50000000};
    for (int i = 0; i < 600; i++) {
        Outcome outcome;
        run("sweep " SWEEP " --dry-run --output " CUT, 0, &outcome);
        if (outcome.code == 0 && !strstr(outcome.out, "active\t")) return;
        nanosleep(&moment, NULL);
    }
    ck_abort_msg("a run did not end");
}

static void make_tiny_sweep(void) {
    shell_ok("rm -rf " S "data " S "more " S "whole " CUT);
    run_well("synth --output " S "data --category gasket --size 128 --train 3 --test-good 2 --test-defect 1");
    run_well("synth --output " S "more --seed 7 --size 128 --train 3 --test-good 2 --test-defect 1");
    shell_ok("mv " S "more/gasket " S "data/other");
    write_text(SWEEP, "title: Tiny\n"
                      "config:\n"
                      "  dataset.path: " S "data\n"
                      "  model.image_size: 128\n"
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

START_TEST(a_killed_sweep_gives_the_same_table) {
    Outcome outcome;
    struct stat before, after;
    NEED_PROGRAM();
    make_tiny_sweep();
    run_well("sweep " SWEEP " --jobs 2 --output " S "whole");
    pid_t child = start("sweep " SWEEP " --jobs 2 --output " CUT, 0);
    wait_for(CUT FINISHED "report.html", child);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    await(child, &outcome);
    ck_assert_int_eq(outcome.code, EXIT_KILLED);
    wait_until_idle();
    ck_assert_int_eq(stat(CUT FINISHED "model.safetensors", &before), 0);
    child = start("sweep " SWEEP " --jobs 2 --output " CUT, 0);
    wait_for(CUT "full/synth/other/seed-2/losses.csv", child);
    ck_assert_int_eq(kill(child, SIGINT), 0);
    await(child, &outcome);
    ck_assert_msg(outcome.code == 128 + SIGINT && strstr(outcome.err, "the same command goes on"), "%s",
                  outcome.err);
    run_well("sweep " SWEEP " --jobs 2 --output " CUT);
    ck_assert_int_eq(stat(CUT FINISHED "model.safetensors", &after), 0);
    ck_assert(before.st_mtime == after.st_mtime && before.st_ino == after.st_ino);
    shell_ok("grep -q 'resuming after step 3' " CUT "gaussian/synth/other/seed-1/log.txt");
    run("sweep " SWEEP " --dry-run --output " CUT, 0, &outcome);
    ck_assert_msg(strstr(outcome.err, ", 12 finished\n"), "%s", outcome.err);
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
    shell_ok("rm -rf " S "half " S "data");
    run_well("synth --output " S "data --category gasket --size 128 --train 3 --test-good 2 --test-defect 1");
    write_text(S "half.yaml", "output: " S "half\n"
                              "config: {dataset.path: " S "data, model.image_size: 128, train.steps: 1,\n"
                              "  train.lr_drop_at: 1, autoencoder.enabled: false, loss.penalty: false}\n"
                              "collections: {synth: {categories: [missing, gasket]}}\n"
                              "variants: {v: {}}\n"
                              "seeds: [1]\n");
    run("sweep " S "half.yaml", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    ck_assert_int_eq(outcome.complaints, 1);
    ck_assert_msg(strstr(outcome.err, "v/synth/missing/seed-1: failed: ") &&
                      strstr(outcome.err, "no category \"missing\"") &&
                      strstr(outcome.err, "v/synth/gasket/seed-1: finished") &&
                      strstr(outcome.err, "1 of 2 runs failed"),
                  "%s", outcome.err);
    run("sweep " S "half.yaml --dry-run", 0, &outcome);
    ck_assert_str_eq(outcome.out, "new\tv/synth/missing/seed-1\nfinished\tv/synth/gasket/seed-1\n");
    run("sweep " S "half.yaml --set train.lr=0.5 --shard 2/2", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "was made with train.lr"), "%s", outcome.err);
    run("sweep " S "half.yaml --shard 3/2", 0, &outcome);
    ck_assert_int_eq(outcome.code, 2);
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
        "efficientad: these 12 are wrong; nothing was begun\n"};
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "t " S "data");
    run_well("synth --output " S "data --category gasket --size 128 --train 3 --test-good 2 --test-defect 1");
    write_text(S "t.yaml", "output: " S "t\n"
                           "config: {dataset.path: " S "data, model.image_size: 128, train.steps: 1,\n"
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
             "t/cache}\nmodel.image_size: 128\n"
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
    } cases[] = {
        {"sed -i 's/}$//' metrics.json", "damaged", "metrics.json:"},
        {": >model.safetensors", "damaged", "model.safetensors: is an empty file"},
        {"truncate -s -1 model.safetensors", "damaged", "model.safetensors: "},
        {"sed -i 's/hard_quantile: 0.999/hard_quantile: 0.5/' config.yaml", "changed",
         "was made with loss.hard_"},
        {"rm model.safetensors", "damaged", "model.safetensors: is not there any more"},
        {"rm model.safetensors checkpoint.safetensors", "damaged",
         "model.safetensors: is not there any more"},
        {"rm report.html", "started", "0 of 1 runs"},
        {"echo 'train.steps: many' >config.yaml", "damaged",
         "config.yaml:1: train.steps: expected a whole number"},
        {"echo '{\"image_auroc\": 7.5}' >metrics.json", "damaged",
         "'image_auroc' is 7.5, expected a number from 0 to 1"},
        {"echo '{}' >metrics.json", "damaged", "metrics.json: 'image_auroc' is missing"},
        {"echo '[]' >metrics.json", "damaged", "metrics.json: is JSON, but not an object"},
    };
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "same " S "data");
    run_well("synth --output " S "data --category gasket --size 128 --train 3 --test-good 2 --test-defect 1");
    write_text(S "same.yaml", "output: " S "same\nconfig: {dataset.path: " S "data, model.image_size: 128,\n"
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
        ck_assert_int_eq(outcome.code, i == 3);
        if (i == 3) continue;
        run_well("report " S "same");
        assert_file_holds(S "same/same.md", "1 of 1 runs are finished");
        ck_assert(same_runs(S "same/v/s/gasket/seed-1/", S "kept/"));
    }
    shell_ok("rm -r " S "kept");
}
END_TEST

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

static Suite *make_suite(void) {
    Suite *suite = suite_create("sweep_runs");
    TCase *tests = tcase_create("sweep_runs");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_test(tests, summarises_over_scenarios_then_seeds);
    tcase_add_test(tests, compares_with_the_paper_where_it_can);
    tcase_add_test(tests, shows_speed_beside_the_paper);
    tcase_add_test(tests, damaged_runs_cost_themselves);
    tcase_add_test(tests, shows_every_collection);
    tcase_add_test(tests, writes_markdown_csv_and_page);
    tcase_add_test(tests, a_killed_sweep_gives_the_same_table);
    tcase_add_test(tests, a_failed_run_does_not_stop_the_others);
    tcase_add_test(tests, folders_are_tried_before_the_first_run);
    tcase_add_test(tests, sweep_and_report_say_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    program_runs_in(S);
    return run_suite(make_suite());
}
