/* The sweeps of configs/paper: their runs, and the paper's numbers beside them. */
#define S "build/scratch/test_sweep_paper/"
#include "test/support/runs.h"

#include "train/sweep/sweep.h"
#include "train/sweep/sweep_report.h"
#include "train/sweep/sweep_results.h"

START_TEST(tables_are_found_by_name) {
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"tabel5",
         "tabel5: no such file, and no sweep of that name comes with the program; did you mean 'table5'?"},
        {"elsewhere",
         "of that name comes with the program; those are table1, table2, table3, table4, table5"},
        {S "table1", "table1: cannot open"}};
    EadSweep sweep;
    ASSERT_OK(ead_sweep_load("table5", &sweep));
    ck_assert_str_eq(sweep.name, "table5");
    ck_assert_ptr_null(strstr(sweep.path, "/../"));
    ead_sweep_free(&sweep);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadStatus status = ead_sweep_load(cases[i].name, &sweep);
        ck_assert_msg(status != EAD_OK && strstr(ead_error_message(), cases[i].says), "%s: %s", cases[i].name,
                      ead_error_message());
        ead_sweep_free(&sweep);
    }
}
END_TEST

START_TEST(paper_tables_expand_to_their_runs) {
    static const struct {
        const char *name;
        int runs;
        const char *first, *last;
    } tables[] = {
        {"table1", 1600, "small/mvtec_ad/bottle/seed-1", "dsr/visa/pipe_fryum/seed-5"},
        {"table2", 320, "small/mvtec_ad/bottle/seed-1", "medium/visa/pipe_fryum/seed-5"},
        {"table3", 2240, "medium/mvtec_ad/bottle/seed-1", "medium_end_0.999/visa/pipe_fryum/seed-5"},
        {"table4", 800, "bare/mvtec_ad/bottle/seed-1", "medium/visa/pipe_fryum/seed-5"},
        {"table5", 640, "small/mvtec_ad/bottle/seed-1", "no_penalty/visa/pipe_fryum/seed-5"}};
    NEED_PROGRAM();
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char command[2048]; /* by its name; one step, which is not timed */
        snprintf(command, sizeof command,
                 "$PROGRAM sweep %s --dry-run --set train.steps=1 --set model.image_size=64 "
                 "--output " S "none >" S "list 2>" S "err"
                 "; test $? = 1 && grep -q 'sweep would not start' " S "err || { cat " S
                 "err >&2; exit 1; }; " /* the data sets are not here */
                 "test $(wc -l <" S "list) = %d && test $(sort -u " S "list | wc -l) = %d && "
                 "test $(grep -c '/mvtec_ad/' " S "list) = %d && test $(grep -c '/mvtec_loco/' " S
                 "list) = %d && "
                 "test \"$(head -n 1 " S "list | cut -f 2)\" = %s && test \"$(tail -n 1 " S
                 "list | cut -f 2)\" = %s",
                 tables[i].name, tables[i].runs, tables[i].runs, tables[i].runs / 32 * 15,
                 tables[i].runs / 32 * 5, tables[i].first, tables[i].last);
        shell_ok(command);
    }
}
END_TEST

/* Variants of configs/paper and rows of the paper's numbers go by the same names. */
START_TEST(paper_numbers_belong_to_variants) {
    int count;
    const EadPaperNumber *rows = ead_paper_numbers(&count);
    for (int i = 0; i < count; i++) {
        char path[64];
        EadSweep sweep;
        bool found = false;
        snprintf(path, sizeof path, "configs/paper/%s.yaml", rows[i].table);
        ASSERT_OK(ead_sweep_load(path, &sweep));
        ck_assert_str_eq(sweep.paper, rows[i].table);
        for (int v = 0; v < sweep.variant_count; v++)
            found = found || strcmp(sweep.variants[v].name, rows[i].variant) == 0;
        ck_assert_msg(found, "%s: %s", rows[i].table, rows[i].variant);
        ck_assert(ead_paper_scenarios(rows[i].collection) > 0);
        bool speed = strcmp(rows[i].metric, EAD_PAPER_LATENCY) == 0 ||
                     strcmp(rows[i].metric, EAD_PAPER_THROUGHPUT) == 0;
        ck_assert(speed ? rows[i].value > 1 : rows[i].value > 60 && rows[i].value < 100);
        ead_sweep_free(&sweep);
    }
    /* The paper's means are means over the three collections, and LOCO's is that of its two kinds. */
    for (int i = 0; i < count; i++) {
        const EadPaperNumber *row = &rows[i];
        if (strcmp(row->metric, "image_auroc") != 0 || strcmp(row->collection, "mvtec_ad") != 0) continue;
        double mean = 0;
        static const char *const collections[] = {"mvtec_ad", "mvtec_loco", "visa"};
        for (int c = 0; c < 3; c++)
            mean += ead_paper_find(row->table, row->variant, collections[c], "image_auroc")->value / 3;
        ck_assert_double_eq_tol(mean, ead_paper_find("table1", row->variant, "all", "image_auroc")->value,
                                0.06);
        mean = (ead_paper_find(row->table, row->variant, "mvtec_loco", "logical_auroc")->value +
                ead_paper_find(row->table, row->variant, "mvtec_loco", "structural_auroc")->value) /
               2;
        ck_assert_double_eq_tol(
            mean, ead_paper_find(row->table, row->variant, "mvtec_loco", "image_auroc")->value, 0.06);
    }
}
END_TEST

static void make_scratch(void) {
    make_folders(S);
}

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

static void add_tests(TCase *tests) {
    tcase_add_test(tests, tables_are_found_by_name);
    tcase_add_test(tests, paper_tables_expand_to_their_runs);
    tcase_add_test(tests, paper_numbers_belong_to_variants);
}

int main(void) {
    return run_program_suite("sweep_paper", S, make_scratch, remove_scratch, add_tests);
}
