/* Every text file that is read may come from an editor or a spreadsheet of Windows; what spreadsheets read of ours holds no
 * formulas. */
#define S "build/scratch/test_text_files/"
#include "test/support/scratch.h"

#include "data/dataset/csv_reader.h"
#include "data/dataset/defect_types.h"
#include "train/config/config.h"
#include "train/evaluate/result_files.h"
#include "train/loop/loss_log.h"
#include "train/report/loss_history.h"
#include "train/sweep/sweep.h"
#include "train/sweep/sweep_results.h"

#include <math.h>

/* Writes text as a file that begins with a mark and whose lines end as `end` says. */
static void write_marked(const char *path, const char *text, const char *end) {
    char bytes[2048] = "\xEF\xBB\xBF";
    size_t size = 3;
    for (; *text; text++) {
        if (*text == '\n')
            size += (size_t)sprintf(bytes + size, "%s", end);
        else
            bytes[size++] = *text;
    }
    write_bytes(path, bytes, size);
}

/* The readers: 0 where the file was understood as it is written below. */

static int read_config(void) {
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    ASSERT_OK(ead_config_load(S "file", &config));
    int wrong = config.train_steps != 7 || config.train_lr != 0.5 || strcmp(config.dataset_path, "a b") != 0;
    ead_config_free(&config);
    return wrong;
}

static int read_sweep(void) {
    EadSweep sweep;
    write_marked(S "sets.yaml", "c:\n  categories: [a]\nd: {}\n", "\r\n");
    ASSERT_OK(ead_sweep_load(S "file", &sweep));
    int wrong = sweep.collection_count != 2 || sweep.variant_count != 1 || strcmp(sweep.title, "t") != 0;
    ead_sweep_free(&sweep);
    return wrong;
}

static int read_csv(void) {
    EadCsvReader reader;
    bool found;
    ASSERT_OK(ead_csv_open(S "file", &reader));
    ASSERT_OK(ead_csv_next(&reader, &found));
    int wrong = ead_csv_find(&reader, "object") != 0 || ead_csv_find(&reader, "mask") != 1;
    ASSERT_OK(ead_csv_next(&reader, &found));
    wrong += !found || reader.line != 2 || strcmp(reader.fields[1], "x") != 0;
    ASSERT_OK(ead_csv_next(&reader, &found));
    ead_csv_close(&reader);
    return wrong + found;
}

static int read_defects(void) {
    EadDefectTypes types;
    ASSERT_OK(ead_defect_types_read(S "file", &types));
    int wrong = types.count != 1 || types.items[0].pixel_value != 255;
    ead_defect_types_free(&types);
    return wrong;
}

static int read_losses(void) {
    static const EadLossColumn columns[] = {{.name = "st"}, {.name = "total"}, {0}};
    EadLossHistory history;
    EadLossLog log;
    ASSERT_OK(ead_loss_history_read(S "file", &history));
    int wrong = history.count != 2 || history.names.count != 2;
    ead_loss_history_free(&history);
    ASSERT_OK(ead_loss_log_prepare(&log, S "file", columns, 1)); /* a run goes on after step 1 */
    ASSERT_OK(ead_loss_log_open(&log));
    ead_loss_log_close(&log);
    assert_file_holds(S "file", "step,st,total,lr\n1,0.5,0.5,0.125\n");
    return wrong;
}

static int read_manifest(void) {
    EadSweepResults results;
    write_marked(S "r/metrics.json", "{\"image_auroc\":\n0.75}\n", "\r\n");
    write_text(S "r/report.html", "");
    ASSERT_OK(ead_sweep_results_read(S "file", &results));
    int wrong = results.run_count != 1 || results.finished != 1;
    ead_sweep_results_free(&results);
    return wrong;
}

static const struct {
    const char *text;
    int (*read)(void);
} files[] = {
    {"train:\n  steps: 7\n  lr: 0.5\ndataset.path: a b\n", read_config},
    {"title: t\noutput: o\ncollections: sets.yaml\nvariants:\n  v: {}\nseeds: [1]\n", read_sweep},
    {"object,mask\ncandle,x\n", read_csv},
    {"[{\"defect_name\": \"a\",\n\"pixel_value\": 255, \"saturation_threshold\": "
     "1,\n\"relative_saturation\": true}]\n",
     read_defects},
    {"step,st,total,lr\n1,0.5,0.5,0.125\n2,0.25,0.25,0.125\n", read_losses},
    {"{\"format\": \"efficientad-sweep/1\",\n\"title\": \"t\", \"paper\": \"\", \"runs\": [{\"variant\": "
     "\"v\", \"collection\": "
     "\"c\",\n\"category\": \"a\", \"seed\": \"1\", \"steps\": 1, \"folder\": \"r\"}]}\n",
     read_manifest},
};

START_TEST(files_from_windows_are_read) {
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    for (int i = 0; i < 3; i++) {
        write_marked(S "file", files[_i].text, ends[i]);
        ck_assert_int_eq(files[_i].read(), 0);
    }
}
END_TEST

/* The same files as Windows' "Unicode text". */
START_TEST(wide_files_are_refused_by_name) {
    char bytes[2048] = "\xFF\xFE";
    size_t size = 2;
    for (const char *c = files[_i].text; *c; c++) bytes[size++] = *c, bytes[size++] = '\0';
    write_bytes(S "file", bytes, size);
    EadConfig config;
    EadSweep sweep;
    EadCsvReader reader;
    EadDefectTypes types;
    EadLossHistory history;
    EadSweepResults results;
    ASSERT_OK(ead_config_defaults(&config));
    EadStatus status = _i == 0   ? ead_config_load(S "file", &config)
                       : _i == 1 ? ead_sweep_load(S "file", &sweep)
                       : _i == 2 ? ead_csv_open(S "file", &reader)
                       : _i == 3 ? ead_defect_types_read(S "file", &types)
                       : _i == 4 ? ead_loss_history_read(S "file", &history)
                                 : ead_sweep_results_read(S "file", &results);
    ASSERT_FAILS(status, EAD_BAD_FILE, S "file: is UTF-16 text; save it as UTF-8");
    ead_config_free(&config);
    if (_i == 1) ead_sweep_free(&sweep);
    if (_i == 2) ead_csv_close(&reader);
}
END_TEST

/* ---- what spreadsheets read ---- */

/* Cells as they stand in the file: by the rule, not by the writer. */
static const char *const cells[][2] = {
    {"good", "good"},
    {"=1+1", "'=1+1"},
    {"@SUM(A1)", "'@SUM(A1)"},
    {"+1", "'+1"},
    {"-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"},
    {"\tx", "'\tx"},
    {"\rx", "\"'\rx\""},
    {"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
    {"\uFF1D1", "'\uFF1D1"},
    {"'=1", "''=1"},
    {"''-", "'''-"},
    {"'quoted'", "'quoted'"},
    {"a=b", "a=b"},
    {"", ""},
    /* Cells of a spreadsheet that separates by ; or tabs, or does not know quotes. */
    {"a;=1", "a;'=1"},
    {"a;b", "a;b"},
    {"a\t@x", "a\t'@x"},
    {"a\n-x", "\"a\n'-x\""},
    {";'=1", ";''=1"},
    {"\t=1", "'\t'=1"},
    /* Some take spaces off first. */
    {" =1", "\"' =1\""},
    {" a ", "\" a \""},
    {"a\t", "\"a\t\""},
};
enum { CELLS = sizeof cells / sizeof *cells };

START_TEST(cells_never_start_a_formula) {
    EadSample samples[CELLS] = {{0}};
    char expected[2048] = "path,label,defect,score\n";
    for (int i = 0; i < CELLS; i++) {
        samples[i].path = (char *)cells[i][0];
        samples[i].defect = (char *)cells[CELLS - 1 - i][0];
        samples[i].score = -0.5f;
        sprintf(expected + strlen(expected), "%s,0,%s,-0.5\n", cells[i][1], cells[CELLS - 1 - i][1]);
    }
    ASSERT_OK(ead_write_scores_csv(S "scores.csv", samples, CELLS));
    assert_file_holds(S "scores.csv", expected);
    EadCsvReader reader;
    bool found;
    ASSERT_OK(ead_csv_open(S "scores.csv", &reader));
    ASSERT_OK(ead_csv_next(&reader, &found));
    for (int i = 0; i < CELLS; i++) {
        ASSERT_OK(ead_csv_next(&reader, &found));
        ck_assert(found && reader.count == 4);
        /* A \r comes back as \n, which all readers take for the same. */
        if (!strchr(cells[i][0], '\r')) ck_assert_str_eq(reader.fields[0], cells[i][0]);
        if (!strchr(samples[i].defect, '\r')) ck_assert_str_eq(reader.fields[2], samples[i].defect);
        ck_assert_str_eq(reader.fields[3], "-0.5");
    }
    ead_csv_close(&reader);
}
END_TEST

/* As spreadsheets save a CSV file. */
START_TEST(separators_are_found) {
    static const struct {
        const char *text, *second;
        int count;
    } cases[] = {
        {"a,b;c\n1,2;3\n", "2;3", 2},
        {"a;b;c\n1;2,5;\"x;y\"\n", "2,5", 3},
        {"a\tb\tc\n1\t 2 \t\n", "2", 3},
        {"\"a,x\";b\n1;2\n", "2", 2},
        {"sep=;\r\na;b\r\n1;2,0\r\n", "2,0", 2},
        {"sep=,\na,b\n1,2\n", "2", 2},
        {"\xEF\xBB\xBFsep=\t\na\tb\n1\t2\n", "2", 2},
        {"a , b\n1, \" 2 \" \n", " 2 ", 2},
        {"a, b\n1,\t2 3 \n\x1A", "2 3", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadCsvReader reader;
        bool found;
        ASSERT_OK(ead_csv_open_text(cases[i].text, strlen(cases[i].text), "x.csv", &reader));
        ASSERT_OK(ead_csv_next(&reader, &found));
        ck_assert(found && (i == 3 || ead_csv_find(&reader, "a") == 0) && ead_csv_find(&reader, "sep=") < 0);
        ASSERT_OK(ead_csv_next(&reader, &found));
        ck_assert_int_eq(reader.count, cases[i].count);
        ck_assert_str_eq(reader.fields[0], "1");
        ck_assert_str_eq(reader.fields[1], cases[i].second);
        ASSERT_OK(ead_csv_next(&reader, &found));
        ck_assert(!found);
        ead_csv_close(&reader);
    }
}
END_TEST

START_TEST(tabs_in_yaml_are_named) {
    static const char *const texts[] = {"train:\n\tsteps: 7\n", "train:\n  steps: 7\n\tlr: 1\n",
                                        "a: b\n\t\tc: d\n", "#\xC3\xA4\xE2\x82\xAC\ntrain:\n\tsteps: 7\n"};
    EadConfig config;
    ASSERT_OK(ead_config_defaults(&config));
    for (int i = 0; i < 4; i++) {
        write_text(S "file", texts[i]);
        ASSERT_FAILS(ead_config_load(S "file", &config), EAD_BAD_FILE, "not valid YAML: a tab where");
    }
    ead_config_free(&config);
}
END_TEST

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

int main(void) {
    int count = (int)(sizeof files / sizeof *files);
    Suite *suite = suite_create("text files");
    TCase *tests = tcase_create("text files");
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_loop_test(tests, files_from_windows_are_read, 0, count);
    tcase_add_loop_test(tests, wide_files_are_refused_by_name, 0, count);
    tcase_add_test(tests, cells_never_start_a_formula);
    tcase_add_test(tests, separators_are_found);
    tcase_add_test(tests, tabs_in_yaml_are_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
