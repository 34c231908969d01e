/* What is reported of the results of sweeps. */
#define S "build/scratch/test_sweep_report/"
#include "test/report/browser.h"
#include "test/support/runs.h"

#include "train/sweep/sweep_report.h"
#include "train/sweep/sweep_results.h"

#include <math.h>

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
                                        "gcad",
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

/* A bench of another method, size or backbone than the variant's is left out. */
START_TEST(a_bench_belongs_to_its_variant) {
    static const struct {
        const char *result;
        double images_per_s;
    } cases[] = {
        {"\"model\": \"patchcore\", \"image\": \"224x224\", \"backbone\": \"pdn_medium\"", 23},
        {"\"model\": \"patchcore\", \"image\": \"224x224\"", 23}, /* of a bench that did not say more */
        {"\"model\": \"small\", \"image\": \"224x224\"", 0},
        {"\"model\": \"patchcore\", \"image\": \"256x256\", \"backbone\": \"pdn_medium\"", 0},
        {"\"model\": \"patchcore\", \"image\": \"224x224\", \"backbone\": \"pdn_small\"", 0},
    };
    char text[512];
    write_text(S "belongs/t.sweep.json",
               "{\"format\": \"efficientad-sweep/1\", \"title\": \"T\", \"paper\": \"\", \"configs\": "
               "[\"model: {method: patchcore, image_size: 224, backbone: other/pdn_medium}\\n\"], \"runs\": ["
               "{\"variant\": \"v\", \"collection\": \"c\", \"category\": \"k\", \"seed\": \"1\", "
               "\"steps\": 1, \"folder\": \"a\", \"config\": 0}]}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadSweepResults results;
        snprintf(text, sizeof text,
                 "{\"results\": [{\"bench\": \"infer\", \"batch\": 16, \"images_per_s\": 23, %s}]}",
                 cases[i].result);
        write_text(S "belongs/v.bench.json", text);
        ASSERT_OK(ead_sweep_results_read(S "belongs/t.sweep.json", &results));
        ck_assert_msg(results.speeds[0].images_per_s == cases[i].images_per_s, "%s", cases[i].result);
        if (cases[i].images_per_s == 0)
            assert_contains(ead_error_message(), "v.bench.json: is not of this variant: was measured with ");
        ead_sweep_results_free(&results);
    }
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
                 "grep -q '<title>here: 90.00 ± 1.41</title>' " S "dom.html && "
                 "grep -q '<a href=\"visa3-2/report.html\">seed 2</a>' " S "dom.html");
    Outcome outcome;
    run("report " S "none", 0, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    write_text(S "results/t.sweep.json", "{\"format\": 3}");
    run("report " S "results", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && strstr(outcome.err, "t.sweep.json: is not a manifest"), "%s",
                  outcome.err);
}
END_TEST

/* A table of long names on a phone: links to the runs are reached, and no word is broken. */
START_TEST(the_page_is_readable) {
    Browser b;
    NEED_PROGRAM();
    SKIP_UNLESS(browser_is_there(), "chromium is not installed");
    shell_ok(
        "rm -rf " S "long; mkdir -p " S "long; cd " S
        "long; for i in 1 2 3 4; do mkdir $i; printf '{\"image_auroc\": 0.9%d, \"au_pro_0.30\": 0.8%d}' $i "
        "$i >$i/metrics.json; : >$i/report.html; done; (printf '{\"format\": \"efficientad-sweep/1\", "
        "\"title\": \"T\", \"paper\": \"\", \"runs\": ['; for i in 1 2 3 4; do "
        "printf '{\"variant\": \"%s\", \"collection\": \"mvtec_loco\", \"category\": "
        "\"splicing_connectors\", \"seed\": \"%d\", \"steps\": 1, \"folder\": \"%d\"}' "
        "$([ $i -gt 2 ] && echo efficientad_medium_without || echo no_hard_feature_loss) $((i % 2)) $i; "
        "[ $i = 4 ] || printf ,; done; echo ']}') >t.sweep.json");
    run_well("report " S "long");
    browser_open(&b, S "home");
    assert_readable_everywhere(&b, S "long/t.html");
    ck_assert_double_eq(browser_number(&b, "document.querySelectorAll('table.texts a').length"), 4);
    browser_close(&b);
}
END_TEST

static void make_scratch(void) {
    make_folders(S);
}

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

static void add_tests(TCase *tests) {
    tcase_add_test(tests, summarises_over_scenarios_then_seeds);
    tcase_add_test(tests, compares_with_the_paper_where_it_can);
    tcase_add_test(tests, shows_speed_beside_the_paper);
    tcase_add_test(tests, damaged_runs_cost_themselves);
    tcase_add_test(tests, a_bench_belongs_to_its_variant);
    tcase_add_test(tests, shows_every_collection);
    tcase_add_test(tests, writes_markdown_csv_and_page);
    tcase_add_test(tests, the_page_is_readable);
}

int main(void) {
    return run_program_suite("sweep_report", S, make_scratch, remove_scratch, add_tests);
}
