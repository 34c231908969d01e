/* Distillation by mpirun: the losses of one process, resumed by another number of ranks, and ranks that die, fail or are
 * stopped. Skipped where there is no Open MPI. */
#define SCRATCH "build/scratch/test_mpi_runs/"
#include "test/ranks/distill_scene.h"

#include <math.h>
#include <signal.h>
#include <time.h>

enum { STEPS = 6 };

#define SETTINGS                                                                                             \
    " --set distill.batch=4 --set distill.lr=1e-4 --set distill.steps=6 --set distill.cache=" SCRATCH "cach" \
    "e"
#define DISTILL "distill -q -c " SCRATCH "base.yaml" SETTINGS " --output " SCRATCH
#define FLOW                                                                                                 \
    "train -q --set model.method=fastflow --set model.image_size=64 --set fastflow.epochs=2 "                \
    "--set fastflow.batch=3 --set dataset.path=" SCRATCH                                                     \
    "flow --set dataset.category=gasket --output " SCRATCH
#define NEED_MPI() SKIP_UNLESS(program[0], "no program with MPI, or no mpirun")

static char program[256]; /* "": there is none */
static char plain[256];   /* the program as it was built */

/* What is started next. */
static void use_ranks(int count) {
    char words[512];
    snprintf(words, sizeof words, "mpirun --oversubscribe -n %d %s", count, program);
    setenv("PROGRAM", count ? words : program, 1);
}

static void set_up(void) {
    const char *build = getenv("BUILD");
    char found[128];
    snprintf(found, sizeof found, "%s/mpi/efficientad", build ? build : "build/release");
    snprintf(plain, sizeof plain, "%s", getenv("PROGRAM") ? getenv("PROGRAM") : "");
    if (!plain[0] || !exists(found) || shell("mpirun --version >/dev/null 2>&1") != 0) return;
    strcpy(program, found);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    /* Open MPI keeps memory of modules that it has unloaded at its end. */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    shell_ok("rm -rf " SCRATCH);
    make_data();
    program_runs_in(SCRATCH);
    write_text(SCRATCH "base.yaml", DISTILL_CONFIG);
    use_ranks(0);
    run_well(DISTILL "alone");
}

static void same_losses(const char *run) {
    DistillRow alone[STEPS], shared[STEPS];
    read_rows(SCRATCH "alone/", STEPS, alone);
    read_rows(run, STEPS, shared);
    for (int i = 0; i < STEPS; i++)
        ck_assert_double_eq_tol(shared[i].loss, alone[i].loss, 1e-5 * alone[i].loss);
}

START_TEST(losses_are_those_of_one_process) {
    NEED_MPI();
    use_ranks(1);
    run_well(DISTILL "of_1");
    ck_assert(same_files(SCRATCH "alone/losses.csv", SCRATCH "of_1/losses.csv"));
    ck_assert(same_tensors(SCRATCH "alone/teacher.safetensors", SCRATCH "of_1/teacher.safetensors"));
    use_ranks(2);
    run_well(DISTILL "of_2");
    same_losses(SCRATCH "of_2/");
    use_ranks(4);
    run_well(DISTILL "of_4");
    same_losses(SCRATCH "of_4/");
    run_well(DISTILL "again");
    ck_assert(same_files(SCRATCH "of_4/losses.csv", SCRATCH "again/losses.csv"));
    ck_assert(same_tensors(SCRATCH "of_4/checkpoint.safetensors", SCRATCH "again/checkpoint.safetensors"));
}
END_TEST

START_TEST(any_number_resumes) {
    NEED_MPI();
    use_ranks(2);
    run_well(DISTILL "resumed --set distill.steps=2");
    use_ranks(4);
    run_well(DISTILL "resumed --set distill.steps=4 --resume");
    use_ranks(0);
    run_well(DISTILL "resumed --resume");
    same_losses(SCRATCH "resumed/");
}
END_TEST

/* mpirun names rank and signal; what is on the disk is the last checkpoint. */
static void wait_for(const char *path, pid_t child) {
    while (!exists(path)) {
        ck_assert_msg(kill(child, 0) == 0, "it ended too early");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static void signal_ranks(pid_t mpirun, const char *which, const char *name) {
    char command[256];
    snprintf(command, sizeof command, "kill -%s $(tr ' ' '\\n' </proc/%d/task/%d/children | grep . | %s)",
             name, (int)mpirun, (int)mpirun, which);
    shell_ok(command);
}

START_TEST(a_killed_rank_ends_the_job) {
    Outcome outcome;
    NEED_MPI();
    use_ranks(2);
    pid_t job = start(DISTILL "killed --set distill.steps=100000 --set train.checkpoint_every=2", 0);
    wait_for(SCRATCH "killed/checkpoint.safetensors", job);
    signal_ranks(job, "tail -1", "KILL");
    time_t begun = time(NULL);
    await(job, &outcome);
    printf("  the job ended after %d s\n", (int)(time(NULL) - begun));
    ck_assert_int_ne(outcome.code, 0);
    assert_contains(outcome.err, "process rank 1");
    ck_assert(!exists(SCRATCH "killed/teacher.safetensors"));
    use_ranks(0);
    Outcome shorter;
    do /* mpirun may end before rank 0 has, which then holds the folder for a moment */
        run(DISTILL "killed --resume --set distill.steps=1", 0, &shorter);
    while (strstr(shorter.err, "another process works there"));
    assert_contains(shorter.err, "was made after step"); /* it can be read */
    long long done = 0;
    ck_assert_int_eq(sscanf(strstr(shorter.err, "after step"), "after step %lld", &done), 1);
    char words[512];
    snprintf(words, sizeof words, DISTILL "killed --resume --set distill.steps=%lld", done + 1);
    run_well(words);
}
END_TEST

/* A signal to one rank stops all after the same step. */
START_TEST(a_stopped_rank_stops_all) {
    Outcome outcome;
    NEED_MPI();
    use_ranks(2);
    pid_t job = start(DISTILL "stopped --set distill.steps=100000 --set train.checkpoint_every=2", 0);
    wait_for(SCRATCH "stopped/checkpoint.safetensors", job);
    signal_ranks(job, "tail -1", "TERM");
    await(job, &outcome);
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "efficientad: stopped after step ");
    assert_contains(outcome.err, "continue with --resume");
    ck_assert_int_eq(outcome.complaints, 1);
}
END_TEST

/* What all ranks find wrong is said once; what one finds, with its name. */
START_TEST(failures_are_said_once) {
    Outcome outcome;
    NEED_MPI();
    use_ranks(3);
    run(DISTILL "wrong --set distill.images=" SCRATCH "none", 0, &outcome);
    ck_assert_int_ne(outcome.code, 0);
    ck_assert_int_eq(outcome.complaints, 1);
    assert_contains(outcome.err, "distill.images: ");
    run(DISTILL "wrong --set distill.batch=2", 0, &outcome);
    ck_assert_int_eq(outcome.complaints, 1);
    assert_contains(outcome.err, "3 ranks cannot share out a batch of 2 images");
    ck_assert(!exists(SCRATCH "wrong"));
    char words[2048];
    snprintf(words, sizeof words,
             "mpirun --oversubscribe -n 1 %s " DISTILL "apart : -n 1 %s " DISTILL
             "apart --set distill.backbone=" SCRATCH "base.yaml",
             program, program);
    setenv("PROGRAM", words, 1);
    run("", 0, &outcome);
    ck_assert_int_ne(outcome.code, 0);
    ck_assert_int_eq(outcome.complaints, 1);
    assert_contains(outcome.err, "efficientad: rank 1 of 2 on ");
    assert_contains(outcome.err, "base.yaml");
}
END_TEST

/* Nothing is written, and the shares are told; so is what one process alone would take. */
START_TEST(a_dry_run_says_what_it_takes) {
    Outcome outcome;
    NEED_MPI();
    use_ranks(3);
    run(DISTILL "dry --dry-run", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.out, "images    11 to distil on and 1 held out");
    assert_contains(outcome.out, "processes 3, each with 1 or one more of the 4 images of a step, ");
    assert_contains(outcome.out, "every step sums 10.8 MB");
    assert_contains(outcome.out, " GB in " SCRATCH "cache, 0.84 MB an image");
    assert_contains(outcome.out, "for the 6 steps that are left");
    use_ranks(0);
    run(DISTILL "dry --dry-run --set distill.cache=", 0, &outcome);
    assert_contains(outcome.out, "processes 1, each with 4 of the 4 images");
    assert_contains(outcome.out, "cache     none");
    ck_assert(!exists(SCRATCH "dry"));
}
END_TEST

/* A detector, whose evaluation rank 0 makes alone. */
START_TEST(fastflow_is_shared_out_too) {
    enum { LOSSES = 4, ROWS = 2 };
    static const char header[] = "step,loss_squares,log_determinant,loss_total,lr\n";
    double alone[ROWS][LOSSES], shared[ROWS][LOSSES];
    NEED_MPI();
    use_ranks(0);
    run_well("synth --output " SCRATCH
             "flow --category gasket --size 64 --train 6 --test-good 1 --test-defect 1");
    run_well(FLOW "flow_1");
    use_ranks(3);
    run_well(FLOW "flow_3");
    read_loss_rows(SCRATCH "flow_1/", header, ROWS, LOSSES, &alone[0][0]);
    read_loss_rows(SCRATCH "flow_3/", header, ROWS, LOSSES, &shared[0][0]);
    for (int i = 0; i < ROWS; i++)
        ck_assert_double_eq_tol(shared[i][2], alone[i][2], 1e-5 * fabs(alone[i][2]));
    ck_assert(exists(SCRATCH "flow_3/metrics.json"));
}
END_TEST

START_TEST(methods_without_a_batch_are_refused) {
    Outcome outcome;
    NEED_MPI();
    use_ranks(2);
    run("synth --output " SCRATCH "data --size 64 --train 4 --test-good 1 --test-defect 1", 0, &outcome);
    run("train -q --set dataset.path=" SCRATCH
        "data --set dataset.category=gasket --set model.method=patchcore --output " SCRATCH "patchcore",
        0, &outcome);
    ck_assert_int_ne(outcome.code, 0);
    assert_contains(outcome.err, "patchcore: its steps cannot be shared out among 2 ranks");
}
END_TEST

/* If mpirun starts it. */
START_TEST(without_mpi_several_ranks_are_refused) {
    Outcome outcome;
    char backends[512];
    NEED_MPI();
    snprintf(backends, sizeof backends, "%s --backends 2>/dev/null | grep -q MPI", plain);
    SKIP_UNLESS(shell(backends) == 1, "built with MPI");
    setenv("PROGRAM", plain, 1);
    setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    run(DISTILL "plain", 0, &outcome);
    unsetenv("OMPI_COMM_WORLD_SIZE");
    ck_assert_int_eq(outcome.code, 1);
    assert_contains(outcome.err, "built without MPI; build it with make MPI=1");
    ck_assert(!exists(SCRATCH "plain"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mpi_runs");
    TCase *tests = tcase_create("mpi_runs"), *ends = tcase_create("ends");
    tcase_set_timeout(tests, 0);
    tcase_set_timeout(ends, 0);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_unchecked_fixture(ends, set_up, NULL);
    tcase_add_test(tests, losses_are_those_of_one_process);
    tcase_add_test(tests, any_number_resumes);
    tcase_add_test(ends, a_killed_rank_ends_the_job);
    tcase_add_test(ends, a_stopped_rank_stops_all);
    tcase_add_test(ends, failures_are_said_once);
    tcase_add_test(ends, a_dry_run_says_what_it_takes);
    tcase_add_test(tests, fastflow_is_shared_out_too);
    tcase_add_test(tests, methods_without_a_batch_are_refused);
    tcase_add_test(tests, without_mpi_several_ranks_are_refused);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, ends);
    return run_suite(suite);
}
