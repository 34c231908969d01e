/* losses.csv is read back as it was written, as spreadsheets save it, and as killed runs leave it. */
#include "test/support/scratch.h"
#include "train/loop/loss_log.h"
#include "train/report/loss_history.h"

#include <math.h>

#define S "build/scratch/losses/"

static void assert_file_is(const char *text) {
    char *there = read_text(S "losses.csv");
    ck_assert_str_eq(there, text);
    free(there);
}

static const EadLossColumn columns[] = {{.name = "st"}, {.name = "total"}, {0}};

START_TEST(losses_are_read_back) {
    static const struct {
        const char *rows, *error;
    } cases[] = {
        {"", ""},
        {"1,0,0,0,0,0,0\n2,nan,0,0,0,inf,0\n", ""},
        {"1,0,0,0,0,0,0\n1,0,0,0,0,0,0\n", "losses.csv:3"},
        {"1,0,0,0,0,0\n", "losses.csv:2"},
        {"1,0,0,0,0,0,0,0\n", "losses.csv:2"},
        {"1,x,0,0,0,0,0\n", "losses.csv:2"},
        {"99999999999999999999999,0,0,0,0,0,0\n", "losses.csv:2"},
    };
    const char *path = S "losses.csv";
    EadLossHistory history;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        int size = snprintf(text, sizeof text,
                            "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr\n%s", cases[i].rows);
        write_bytes(path, text, (size_t)size);
        if (*cases[i].error)
            ASSERT_FAILS(ead_loss_history_read(path, &history), EAD_BAD_FILE, cases[i].error);
        else
            ASSERT_OK(ead_loss_history_read(path, &history));
        if (i == 1)
            ck_assert(history.count == 2 && history.names.count == 5 && history.rows[6] == 2 &&
                      isnan(history.rows[7]));
        ead_loss_history_free(&history);
    }
    write_bytes(path, "step,loss\n1,2\n", 14);
    ASSERT_FAILS(ead_loss_history_read(path, &history), EAD_BAD_FILE, "losses.csv:1");
    write_bytes(path, "step,loss,lr\n1,2,3\n", 19);
    ASSERT_OK(ead_loss_history_read(path, &history));
    ck_assert(history.names.count == 1 && history.rows[0] == 1 && history.rows[1] == 2);
    ead_loss_history_free(&history);
    ASSERT_OK(ead_loss_history_read(S "missing.csv", &history));
    ck_assert_int_eq((int)history.count, 0);
}
END_TEST

/* What a killed run leaves of its last row does not stop a report. */
START_TEST(half_a_row_of_losses_is_passed_over) {
    static const char *const ends[] = {"2", "2,0.25", "2,0.25,0.25,0.0", "2,0.25,0.25,0.01"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[128];
        EadLossHistory history;
        snprintf(text, sizeof text, "step,st,total,lr\n1,0.5,0.5,0.1\n%s", ends[i]);
        write_text(S "losses.csv", text);
        ASSERT_OK(ead_loss_history_read(S "losses.csv", &history));
        ck_assert_int_eq(history.count, 1);
        ead_loss_history_free(&history);
        strcat(text, "\n");
        write_text(S "losses.csv", text);
        if (i < 2)
            ASSERT_FAILS(ead_loss_history_read(S "losses.csv", &history), EAD_BAD_FILE,
                         S "losses.csv:3: not a row");
    }
}
END_TEST

/* Three steps, as programs save them. */
static const char *const saved[] = {
    "step,st,total,lr\n1,0.5,0.125,0.0001\n2,0.25,0.0625,0.0001\n3,nan,-inf,0.0001\n",
    "\xEF\xBB\xBFstep,st,total,lr\r\n1,0.5,0.125,0.0001\r\n2,0.25,0.0625,0.0001\r\n3,nan,-inf,0.0001\r\n",
    "step;st;total;lr\r\n1;0,5;0,125;1,00E-04\r\n2;0,25;0,0625;1,00E-04\r\n3;NaN;-Inf;1,00E-04\r\n",
    "sep=;\r\nstep;st;total;lr\r\n1;0,5;0,125;0,0001\r\n2;0,25;0,0625;0,0001\r\n3;nan;-inf;0,0001\r\n",
    "\"step\",\"st\",\"total\",\"lr\"\n\"1\",\"0.5\",\"0.125\",\"0.0001\"\n2,0.25,\"0.0625\",0.0001\n3,nan,-"
    "inf,"
    "0.0001\n",
    "\"step\",\"st\",\"total\",\"lr\"\n1,\"0,5\",\"0,125\",\"0,0001\"\n2,\"0,25\",\"0,0625\",\"0,0001\"\n3,"
    "nan,"
    "-inf,\"0,0001\"\n",
    "step\tst\ttotal\tlr\r1\t0,5\t,125\t1e-4\r2\t0,25\t,0625\t1e-4\r3\tnan\t-inf\t1e-4\r",
    "step,st,total,lr,,\n1,0.5,0.125,1E-4,,\n\n2, 0.25 ,0.0625,1E-4,,\n,,,,,\n3,nan,-inf,1E-4,,\n,,,,,\n"};

START_TEST(losses_saved_by_spreadsheets_are_read) {
    static const double first[] = {1, 0.5, 0.125, 2, 0.25, 0.0625, 3};
    EadLossHistory history;
    write_text(S "losses.csv", saved[_i]);
    ASSERT_OK(ead_loss_history_read(S "losses.csv", &history));
    ck_assert(history.count == 3 && history.names.count == 2);
    ck_assert_str_eq(history.names.items[1], "total");
    for (int i = 0; i < 7; i++) ck_assert_double_eq(history.rows[i], first[i]);
    ck_assert(isnan(history.rows[7]) && isinf(history.rows[8]) && history.rows[8] < 0);
    ead_loss_history_free(&history);
}
END_TEST

/* A run goes on behind step 2, in our own form. */
START_TEST(runs_go_on_in_them) {
    const float next[] = {0.125f, 0.03125f, 1e-4f};
    EadLossLog log;
    write_text(S "losses.csv", saved[_i]);
    ASSERT_OK(ead_loss_log_prepare(&log, S "losses.csv", columns, 2));
    assert_file_is(saved[_i]);
    ASSERT_OK(ead_loss_log_open(&log));
    ASSERT_OK(ead_loss_log_append(&log, 3, next, 3));
    ASSERT_OK(ead_loss_log_flush(&log));
    ead_loss_log_close(&log);
    assert_file_is("step,st,total,lr\n1,0.5,0.125,0.0001\n2,0.25,0.0625,0.0001\n3,0.125,0.03125,0.0001\n");
}
END_TEST

/* Where it cannot go on, that is said before anything is written. */
START_TEST(runs_refuse_other_losses) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "losses.csv:1: the header is not step,...,lr"},
        {"step,st,lr\n1,1,1\n2,1,1\n", "losses.csv:1: these are not the losses of this training"},
        {"step,st,sum,lr\n1,1,1,1\n2,1,1,1\n", "losses.csv:1: these are not the losses of this training"},
        {"step,st,total,lr\n1,1,1,1\n", "losses.csv: lacks steps up to 2, which the checkpoint has done"},
        {"step,st,total,lr\n2,1,1,1\n3,1,1,1\n", NULL}, /* moved away once, and what follows goes */
        {"step,st,total,lr\n3,1,1,1\n4,1,1,1\n", NULL},
        {"step,st,total,lr\n1,1,1,1\n3,1,1,1\n", "losses.csv: lacks steps up to 2"},
        {"step,st,total,lr\n1,1,1,1\n2,1,#,1\n", "losses.csv:3: not a row of losses after step 1"},
        {"step,st,total,lr\n1,1,1,1\n2,1,1,1", "losses.csv: lacks steps up to 2"}, /* cut */
        /* sorted downwards, as texts, by another column; doubled in pairs, as a whole, behind the last */
        {"step,st,total,lr\n2,1,1,1\n1,1,1,1\n",
         "losses.csv:3: step 1 stands behind step 2, but rows are sorted"},
        {"step,st,total,lr\n1,1,1,1\n10,1,1,1\n2,1,1,1\n",
         "losses.csv:4: step 2 stands behind step 10, but rows are sorted"},
        {"step,st,total,lr\n3,1,1,1\n1,1,1,1\n2,1,1,1\n",
         "losses.csv:3: step 1 stands behind step 3, but rows are sorted"},
        {"step,st,total,lr\n1,1,1,1\n1,1,1,1\n2,1,1,1\n",
         "losses.csv:3: step 1 stands behind step 1, but rows are sorted"},
        {"step,st,total,lr\n1,1,1,1\n2,1,1,1\n1,1,1,1\n2,1,1,1\n",
         "losses.csv:4: step 1 stands behind step 2, but rows are sorted"},
        {"step,st,total,lr\n1,1,1,1\n2,1,1,1\n3,1,1,1\n2,1,1,1\n",
         "losses.csv:5: step 2 stands behind step 3, but rows are sorted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadLossLog log;
        write_text(S "losses.csv", cases[i].text);
        if (!cases[i].message) {
            ASSERT_OK(ead_loss_log_prepare(&log, S "losses.csv", columns, 2));
            ead_loss_log_close(&log);
        } else {
            ASSERT_FAILS(ead_loss_log_prepare(&log, S "losses.csv", columns, 2), EAD_BAD_FILE,
                         cases[i].message);
            assert_contains(ead_error_message(), "; move the file away, and it begins again after step 2");
        }
        assert_file_is(cases[i].text);
    }
}
END_TEST

START_TEST(runs_go_on_without_it) {
    const float next[] = {0.125f, 0.03125f, 0.5f};
    EadLossHistory history;
    EadLossLog log;
    shell_ok("rm -f " S "losses.csv");
    for (int64_t done = 2; done < 4; done++) {
        ASSERT_OK(ead_loss_log_prepare(&log, S "losses.csv", columns, done));
        ASSERT_OK(ead_loss_log_open(&log));
        ASSERT_OK(ead_loss_log_append(&log, done + 1, next, 3));
        ead_loss_log_close(&log);
    }
    assert_file_is("step,st,total,lr\n3,0.125,0.03125,0.5\n4,0.125,0.03125,0.5\n");
    ASSERT_OK(ead_loss_log_prepare(&log, S "losses.csv", columns, 1)); /* of an older checkpoint */
    ASSERT_OK(ead_loss_log_open(&log));
    ead_loss_log_close(&log);
    ASSERT_OK(ead_loss_history_read(S "losses.csv", &history));
    ck_assert_int_eq(history.count, 0);
    ead_loss_history_free(&history);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("losses");
    TCase *tests = tcase_create("losses");
    enum { SAVED = sizeof saved / sizeof *saved };
    make_folders(S);
    tcase_add_test(tests, losses_are_read_back);
    tcase_add_test(tests, half_a_row_of_losses_is_passed_over);
    tcase_add_loop_test(tests, losses_saved_by_spreadsheets_are_read, 0, SAVED);
    tcase_add_loop_test(tests, runs_go_on_in_them, 0, SAVED);
    tcase_add_test(tests, runs_refuse_other_losses);
    tcase_add_test(tests, runs_go_on_without_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
