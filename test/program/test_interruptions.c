/* Runs that end before their time and go on: full disks, signals, two processes in one folder; and how the program
 * is started. Skipped where $PROGRAM is not set. */
#define S "build/scratch/test_interruptions/"
#include "test/program/program_scene.h"

#include <signal.h>
#include <sys/wait.h>

/* A checkpoint that does not fit on the disk costs neither the one before nor the run. */
START_TEST(a_full_disk_keeps_the_last_checkpoint) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN "; cp -r " S "trained " RUN);
    run(TRAIN " --resume --set train.steps=2", 1000000, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1, "exit %d: %s", outcome.code, outcome.err);
    ck_assert(same_files(RUN "/checkpoint.safetensors", S "trained/checkpoint.safetensors"));
    ck_assert(same_files(RUN "/model.safetensors", S "trained/model.safetensors"));
    ck_assert(!holds_temporary_files());
    shell_ok("touch " RUN "/.efficientad-0123456789abcdef0123456789abcdef.tmp"); /* as a killed process may */
    run_well("train -q --resume -o " RUN " --set train.steps=2"); /* by the config.yaml of the folder */
    ck_assert(!holds_temporary_files());
    shell_ok("rm -rf " S "whole");
    run_well("train -q -c " S "base.yaml --output " S "whole --set train.steps=2");
    ck_assert(same_runs(RUN "/", S "whole/"));
}
END_TEST

/* Keys of a run folder as they were called before: shorter, and blanks in their place, because the header of
 * the .safetensors files says how long it is. */
#define AGE(folder)                                                                                          \
    "sed -i 's/  select: /  use:    /; s/  train_good: /  normal:     /; s/  pro_max_fpr: /  pro_limit:   "  \
    "/' " folder "config.yaml " folder "checkpoint.safetensors " folder "model.safetensors && "              \
    "grep -aq '  use:    ' " folder "checkpoint.safetensors && grep -q 'normal:' " folder "config.yaml"

START_TEST(a_run_with_old_names_of_keys_goes_on) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN " " S "whole; cp -r " S "trained " RUN "; " AGE(RUN "/"));
    run("train -q -c " RUN "/config.yaml --resume --output " RUN " --set train.steps=2", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err, "config.yaml: line "), "%s", outcome.err);
    const char *notice = strstr(outcome.err, "maps.use is now maps.select; the old name still works\n");
    ck_assert_msg(notice && !strstr(notice + 1, "maps.use is now"), "%s", outcome.err);
    run_well("train -q -c " S "base.yaml --output " S "whole --set train.steps=2");
    ck_assert(same_runs(RUN "/", S "whole/"));
    /* A model file is not for users to edit: no notice. */
    shell_ok("rm -rf " RUN "; cp -r " S "trained " RUN "; " AGE(RUN "/"));
    run("eval -q --model " RUN "/model.safetensors", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && !strstr(outcome.err, "is now"), "%s", outcome.err);
}
END_TEST

/* ---- interruptions ---- */

/* The number of the last whole row of losses.csv. */
static int last_step(void) {
    char line[256];
    int step = 0;
    FILE *file = fopen(RUN "/losses.csv", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        if (strchr(line, '\n')) sscanf(line, "%d,", &step);
    fclose(file);
    return step;
}

typedef struct Interruption {
    const char *wait_for, *settings;
    int signal, code;
} Interruption;

/* How far a run gets before the signal is chance; the reference is as long as what came of it. */
static const Interruption interruptions[] = {
    {RUN "/losses.csv", "--set autoencoder.enabled=true --set loss.penalty=true", SIGINT, 128 + SIGINT},
    {RUN "/losses.csv", "", SIGTERM, 128 + SIGTERM},
    {RUN "/losses.csv", "", SIGUSR1, 128 + SIGUSR1}, /* Slurm, SGE */
    {RUN "/losses.csv", "", SIGHUP, 128 + SIGHUP},
    {RUN "/losses.csv", "", SIGXCPU, 128 + SIGXCPU},
    {RUN "/checkpoint.safetensors", "--set train.checkpoint_every=2", SIGKILL, EXIT_KILLED},
};

START_TEST(interrupted_runs_continue_to_the_same_bits) {
    const Interruption *way = &interruptions[_i];
    char words[512];
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN " " S "whole");
    snprintf(words, sizeof words, TRAIN " %s --set train.steps=100000", way->settings);
    pid_t child = start(words, 0);
    await_file(way->wait_for, child);
    ck_assert_int_eq(kill(child, way->signal), 0);
    await(child, &outcome);
    ck_assert_int_eq(outcome.code, way->code);
    ck_assert_int_eq(outcome.complaints, way->code > 0);
    ck_assert(way->code < 0 || strstr(outcome.err, "--resume"));
    ck_assert(!exists(RUN "/model.safetensors"));
    int steps = last_step() + 2;
    snprintf(words, sizeof words, TRAIN " %s --set train.steps=%d --resume", way->settings, steps);
    run_well(words);
    snprintf(words, sizeof words, "train -q -c " S "base.yaml --output " S "whole %s --set train.steps=%d",
             way->settings, steps);
    run_well(words);
    ck_assert_msg(same_runs(RUN "/", S "whole/"), "%s: differs after %d steps", way->settings, steps);
    ck_assert(!holds_temporary_files());
}
END_TEST

/* It converges after step 6 of 12, wherever it is killed. */
START_TEST(a_run_until_converged_goes_on_to_the_same_bits) {
    static const char until[] =
        " --until-converged --set train.validate_every=3 --set train.converged_window=1 "
        "--set train.converged_fall=0.9 --set train.lr_drop_at=0.5 "
        "--set train.steps=1000 --set train.checkpoint_every=1";
    Outcome outcome;
    char words[512];
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN " " S "whole");
    snprintf(words, sizeof words, "train -q -c " S "base.yaml --output " S "whole %s", until);
    run_well(words);
    ck_assert_int_eq(shell("test $(wc -l <" S "whole/losses.csv) = 13"), 0);
    assert_file_holds(S "whole/metrics.json", "\"training_ended\": \"converged after step 6\"");
    snprintf(words, sizeof words, TRAIN "%s", until);
    pid_t child = start(words, 0);
    await_file(RUN "/checkpoint.safetensors", child);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    await(child, &outcome);
    run_well("train -q --resume -o " RUN);
    ck_assert(same_runs(RUN "/", S "whole/"));
}
END_TEST

/* The checkpoint goes before the results, of which the report is the last and says that the run is finished: one that is
 * killed between them goes on from its model. */
START_TEST(a_run_that_ends_amid_its_results_leaves_no_checkpoint) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN);
    pid_t child = start(TRAIN " --set train.keep=model", 0);
    await_file(RUN "/scores.csv", child);
    kill(child, SIGKILL);
    await(child, &outcome);
    ck_assert(!exists(RUN "/checkpoint.safetensors"));
    run_well("train -q --resume -o " RUN);
    ck_assert(same_runs(RUN "/", S "trained/"));
    ck_assert(same_files(RUN "/metrics.json", S "trained/metrics.json"));
    ck_assert(exists(RUN "/report.html") && !exists(RUN "/checkpoint.safetensors"));
}
END_TEST

/* What looks at one picture after another ends with the present one, says how far it came, and leaves nothing half done. */
static const struct {
    const char *words, *wait_for, *says;
    int signal;
} stops[] = {
    {PREDICT S "stop/images --overlays " S "stop/heat", S "stop/heat/1.png", " of 400 inputs, ", SIGTERM},
    {PREDICT S "stop/images --maps " S "stop/maps", S "stop/maps/1.tiff", " of 400 inputs, ", SIGXCPU},
    {PREDICT "- --overlays " S "stop/heat <" S "stop/list", S "stop/heat/1.png", "stopped after 1 inputs, ",
     SIGINT},
    {"eval -q --model " MODEL " --set dataset.type=folder --set dataset.path=" S
     "stop --set dataset.test_good=images --overlays -o " S "stop/eval",
     S "stop/eval/overlays/good/1.png", "while evaluating, after ", SIGHUP},
    {"synth -o " S "stop/synth --size 64 --train 100000", S "stop/synth/gasket/train/good/001.png",
     "stopped before gasket/train/good/", SIGUSR1},
};

/* What there is then cannot be gone on with. */
START_TEST(runs_stopped_before_a_checkpoint_say_what_to_do) {
    static const char *const methods[] = {"patchcore", "efficientad"};
    char words[512];
    Outcome outcome;
    NEED_PROGRAM();
    run_well("synth --output " S "more --size 64 --train 40 --test-good 1 --test-defect 1");
    for (int i = 0; i < COUNT(methods); i++) {
        shell_ok("rm -rf " RUN);
        snprintf(words, sizeof words,
                 TRAIN " --set dataset.path=" S "more --set model.image_size=512 --set model.method=%s",
                 methods[i]);
        pid_t child = start(words, 0);
        await_file(RUN, child);
        ck_assert_int_eq(kill(child, SIGTERM), 0);
        await(child, &outcome);
        ck_assert_int_eq(outcome.code, 128 + SIGTERM);
        ck_assert_int_eq(outcome.complaints, 1);
        assert_contains(outcome.err,
                        " of 36, before the first checkpoint; start again with the same command\n");
        ck_assert(!exists(RUN "/checkpoint.safetensors"));
    }
}
END_TEST

START_TEST(commands_that_are_stopped_say_how_far_they_came) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " S "stop && mkdir -p " S "stop/images && cd " S "stop/images && "
             "for i in $(seq 400); do cp ../../data/gasket/test/good/000.png $i.png; done && "
             "mkfifo ../list && { (echo " S
             "stop/images/1.png; exec sleep 100) >../list & echo $! >../writer; }");
    pid_t child = start(stops[_i].words, 0);
    await_file(stops[_i].wait_for, child);
    ck_assert_int_eq(kill(child, stops[_i].signal), 0);
    await(child, &outcome);
    shell_ok("kill $(cat " S "stop/writer)");
    ck_assert_msg(outcome.code == 128 + stops[_i].signal && outcome.complaints == 1, "%d: %s", outcome.code,
                  outcome.err);
    ck_assert_msg(strstr(outcome.err, stops[_i].says), "%s", outcome.err);
    ck_assert(!holds_temporary_files());
    ck_assert_int_eq(shell("find " S " -name .lock | grep -q ."), 1);
    if (_i < 3) /* each line that was printed is whole, and has its picture */
        ck_assert_int_eq(shell("test $(grep -c '}$' " S "out) = $(ls " S "stop/heat " S "stop/maps 2>" S
                               "none | grep -c '\\.')"),
                         0);
}
END_TEST

START_TEST(two_processes_in_one_folder) {
    Outcome first, second;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN);
    pid_t child = start(TRAIN " --set train.steps=100000", 0);
    await_file(RUN "/losses.csv", child);
    ck_assert_int_ne(shell("$PROGRAM " TRAIN " --resume >" S "second 2>&1"), 0);
    read_into(S "second", second.err);
    ck_assert_msg(strstr(second.err, RUN ": another process works there ("), "%s", second.err);
    ck_assert_int_ne(
        shell("$PROGRAM import -o " RUN "/model.safetensors " S "trained/model.safetensors 2>" S "second"),
        0);
    read_into(S "second", second.err);
    ck_assert_msg(strstr(second.err, RUN ": another process works there"), "%s", second.err);
    ck_assert_int_ne(shell("$PROGRAM eval -q --model " MODEL " -o " RUN " >" S "second 2>&1"), 0);
    read_into(S "second", second.err);
    ck_assert_msg(strstr(second.err, RUN ": another process works there ("), "%s", second.err);
    ck_assert(!exists(RUN "/metrics.json"));
    ck_assert_int_ne(shell("$PROGRAM synth --output " RUN " >" S "second 2>&1"), 0);
    read_into(S "second", second.err);
    ck_assert_msg(strstr(second.err, RUN ": another process works there ("), "%s", second.err);
    ck_assert(!exists(RUN "/gasket"));
    ck_assert_int_eq(kill(child, SIGHUP), 0);
    await(child, &first);
    ck_assert_msg(first.code == 128 + SIGHUP && strstr(first.err, "--resume"), "%s", first.err);
    ck_assert(!exists(RUN "/.lock") && !holds_temporary_files());
    run_well("eval -q --model " MODEL " -o " RUN); /* nobody works there any more, or never did */
    run_well("eval -q --model " MODEL " -o " S "elsewhere");
    ck_assert(exists(RUN "/metrics.json") && exists(S "elsewhere/metrics.json"));
    ck_assert(!exists(RUN "/.lock") && !exists(S "elsewhere/.lock"));
    if (shell("command -v flock >/dev/null") != 0) return;
    /* An import into a file that another one is making. */
    ck_assert_int_ne(
        shell("flock " S "o.lock $PROGRAM import -o " S "o " S "trained/model.safetensors >" S "second 2>&1"),
        0);
    read_into(S "second", second.err);
    ck_assert_msg(strstr(second.err, S "o: another process works there"), "%s", second.err);
    run_well("import -o " S "o " S "trained/model.safetensors");
    ck_assert(exists(S "o") && !exists(S "o.lock"));
}
END_TEST

/* A run folder in which the log is not a file: told at once, and left as it is. */
START_TEST(logs_that_are_not_files_are_refused) {
    static const char *const makers[] = {"mkfifo " RUN "/losses.csv", "mkdir " RUN "/losses.csv",
                                         "mkfifo " RUN "/fifo && ln -s fifo " RUN "/losses.csv"};
    char command[512];
    Outcome outcome;
    NEED_PROGRAM();
    for (int i = 0; i < 3; i++) {
        snprintf(command, sizeof command,
                 "rm -rf " RUN "; cp -r " S "trained " RUN "; rm " RUN "/losses.csv; %s", makers[i]);
        shell_ok(command);
        run(TRAIN " --resume --set train.steps=2", 0, &outcome);
        ck_assert_msg(outcome.code == 1 && outcome.complaints == 1, "exit %d: %s", outcome.code, outcome.err);
        ck_assert_msg(strstr(outcome.err, "losses.csv: "), "%s", outcome.err);
        ck_assert(same_files(RUN "/checkpoint.safetensors", S "trained/checkpoint.safetensors"));
        ck_assert_int_eq(shell("test -f " RUN "/losses.csv"), 1);
    }
}
END_TEST

/* A log that a spreadsheet has saved: the run goes on to the same bits, and the report shows it. One that is damaged
 * costs its curve alone, and is refused before a run goes on. */
START_TEST(logs_that_others_have_saved) {
    Outcome outcome;
    NEED_PROGRAM();
    shell_ok("rm -rf " RUN " " S "whole; cp -r " S "trained " RUN
             "; sed -i 's/,/;/g; s/\\./,/g; s/$/\\r/' " RUN "/losses.csv && cp " RUN "/losses.csv " S
             "saved.csv");
    run_well("eval -q --model " RUN "/model.safetensors");
    ck_assert(same_files(RUN "/losses.csv", S "saved.csv"));
    assert_file_holds(RUN "/report.html", "\"last_step\": 1");
    run_well(TRAIN " --resume --set train.steps=2");
    run_well("train -q -c " S "base.yaml --output " S "whole --set train.steps=2");
    ck_assert(same_runs(RUN "/", S "whole/") && same_files(RUN "/losses.csv", S "whole/losses.csv"));
    shell_ok("rm -rf " RUN "; cp -r " S "trained " RUN "; sed -i 's/^1,/1,x/' " RUN "/losses.csv; rm " RUN
             "/report.html; cp " RUN "/losses.csv " S "saved.csv");
    run("eval -q --model " RUN "/model.safetensors", 0, &outcome);
    ck_assert_msg(outcome.code == 0 && outcome.complaints == 0, "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err,
                         "warning: " RUN "/losses.csv:2: not a row of losses after step 0; the report"
                         " shows no losses\n"),
                  "%s", outcome.err);
    ck_assert(exists(RUN "/report.html"));
    run(TRAIN " --resume --set train.steps=2", 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1, "exit %d: %s", outcome.code, outcome.err);
    ck_assert_msg(strstr(outcome.err, "move the file away, and it begins again after step 1"), "%s",
                  outcome.err);
    ck_assert(same_files(RUN "/losses.csv", S "saved.csv"));
    shell_ok("rm " RUN "/losses.csv");
    run_well(TRAIN " --resume --set train.steps=2");
    ck_assert(same_files(RUN "/scores.csv", S "whole/scores.csv"));
}
END_TEST

/* ---- how it is started ---- */

/* With descriptors closed, no message goes into a file of ours; and scores that go nowhere are a failure. */
START_TEST(closed_descriptors_harm_nothing) {
    static const char *const closed[] = {"<&- >&- 2>&-", "<&- 2>&-", "2>&-"};
    char command[512];
    NEED_PROGRAM();
    for (int i = 0; i < 3; i++) {
        snprintf(command, sizeof command,
                 "rm -rf " RUN " && $PROGRAM train -c " S "base.yaml --output " RUN " %s", closed[i]);
        shell_ok(command);
        ck_assert(same_runs(RUN "/", S "trained/"));
    }
    ck_assert_int_eq(shell("$PROGRAM " PREDICT S "data/gasket/test/good/000.png <&- >&- 2>" S "err"), 1);
    assert_file_holds(S "err", "efficientad: standard output: Bad file descriptor\n");
}
END_TEST

/* Where address space is short, with more threads than have room: it works, or says in one line why not, what limits it
 * and what it takes. */
START_TEST(little_address_space_is_enough_or_told) {
    char command[1024];
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    for (int kilobytes = 51200; kilobytes <= 819200; kilobytes *= 2) {
        snprintf(command, sizeof command, "ulimit -v %d; timeout 60 $PROGRAM --version >" S "out", kilobytes);
        shell_ok(command);
        snprintf(
            command, sizeof command,
            "ulimit -v %d; OMP_NUM_THREADS=64 timeout 100 $PROGRAM " PREDICT S
            "data/gasket/test/good/000.png >" S "out 2>" S "err; code=$?; [ $code = 0 ] || "
            "{ [ $code = 1 ] && [ $(grep -c ^efficientad: " S
            "err) = 1 ] && grep -q 'no memory .*; of .* MB of "
            "address space, which ulimit -v allows, .* MB are left; raise it: inference takes some 250 MB' " S
            "err; }",
            kilobytes);
        ck_assert_msg(shell(command) == 0, "%d kB", kilobytes);
    }
}
END_TEST

/* What a limit of address space leaves room for, a larger one does, too, though more threads can be started. */
START_TEST(more_address_space_is_never_too_little) {
    char command[512];
    int enough = 0;
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers need address space of their own");
    for (int kilobytes = 96000; kilobytes <= 272000; kilobytes += 35200) {
        snprintf(command, sizeof command,
                 "rm -rf " RUN "; ulimit -v %d; OMP_NUM_THREADS=2 timeout 100 $PROGRAM " TRAIN
                 " --set model.method=patchcore >" S "out 2>" S "err",
                 kilobytes);
        bool works = shell(command) == 0;
        ck_assert_msg(works || !enough, "%d kB are enough, %d kB are not", enough, kilobytes);
        if (works && !enough) enough = kilobytes;
    }
    ck_assert(enough > 0);
}
END_TEST

/* Where stacks are short, of the program or of its threads: the same results, or one line that says why not. */
START_TEST(short_stacks_are_enough_or_told) {
    static const char *const limits[] = {"ulimit -s 64;", "ulimit -s 64; OMP_NUM_THREADS=3", "ulimit -s 256;",
                                         "OMP_STACKSIZE=256K"};
    static const char *const sizes[] = {"16K", "100", "65536B"};
    char command[512];
    Outcome outcome;
    NEED_PROGRAM();
    SKIP_UNLESS(!SANITIZED, "sanitizers take more of the stack");
    for (int i = 0; i < 4; i++) {
        snprintf(command, sizeof command, "rm -rf " RUN "; %s $PROGRAM " TRAIN " 2>" S "err", limits[i]);
        shell_ok(command);
        ck_assert(same_runs(RUN "/", S "trained/"));
        snprintf(command, sizeof command,
                 "%s $PROGRAM " PREDICT S "data/gasket/test/good >" S "out 2>" S "err", limits[i]);
        shell_ok(command);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(command, sizeof command,
                 "OMP_STACKSIZE=%s $PROGRAM " PREDICT S "data/gasket/test/good 2>" S "err", sizes[i]);
        ck_assert_int_eq(shell(command), 1);
        read_into(S "err", outcome.err);
        ck_assert_msg(strstr(outcome.err, "efficientad: OMP_STACKSIZE: ") &&
                          strstr(outcome.err, "is too little; take 256K or more"),
                      "%s", outcome.err);
    }
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_test(tests, short_stacks_are_enough_or_told);
    tcase_add_test(tests, a_full_disk_keeps_the_last_checkpoint);
    tcase_add_test(tests, a_run_with_old_names_of_keys_goes_on);
    tcase_add_loop_test(tests, interrupted_runs_continue_to_the_same_bits, 0, COUNT(interruptions));
    tcase_add_test(tests, a_run_until_converged_goes_on_to_the_same_bits);
    tcase_add_test(tests, a_run_that_ends_amid_its_results_leaves_no_checkpoint);
    tcase_add_test(tests, runs_stopped_before_a_checkpoint_say_what_to_do);
    tcase_add_loop_test(tests, commands_that_are_stopped_say_how_far_they_came, 0, COUNT(stops));
    tcase_add_test(tests, two_processes_in_one_folder);
    tcase_add_test(tests, logs_that_are_not_files_are_refused);
    tcase_add_test(tests, logs_that_others_have_saved);
    tcase_add_test(tests, closed_descriptors_harm_nothing);
    tcase_add_test(tests, little_address_space_is_enough_or_told);
    tcase_add_test(tests, more_address_space_is_never_too_little);
}

int main(void) {
    return run_program_suite("interruptions", S, make_scene, remove_scene, add_tests);
}
