/* Distillation shared out among ranks, which are threads here: the losses of one process up to the order of sums, the
 * same bits for the same number, resumed with another number, and what cannot be shared out. */
#define SCRATCH "build/scratch/test_ranks/"
#include "test/ranks/distill_scene.h"
#include "test/ranks/thread_ranks.h"

#include <math.h>

enum { STEPS = 6 };

#define BATCH "distill.batch=4 distill.steps=6 distill.lr=1e-4 "

/* What ranks are to run, and what came of it. */
typedef struct Job {
    const char *run, *settings;
    bool resume;
    EadStatus status[MAX_THREAD_RANKS];
    char message[MAX_THREAD_RANKS][256];
} Job;

static void do_job(const EadRanks *ranks, void *context) {
    Job *job = context;
    job->status[ranks->rank] = try_distill(job->run, job->settings, job->resume, ranks);
    snprintf(job->message[ranks->rank], sizeof *job->message, "%s", ead_error_message());
}

static void share(int count, const char *run, const char *settings, bool resume) {
    Job job = {.run = run, .settings = settings, .resume = resume};
    as_ranks(count, do_job, &job);
    for (int r = 0; r < count; r++) ck_assert_msg(job.status[r] == EAD_OK, "rank %d: %s", r, job.message[r]);
}

static void set_up(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH), 0);
    make_data();
    omp_set_num_threads(2);
    ASSERT_OK(try_distill(SCRATCH "alone/", CACHE BATCH, false, NULL));
}

static void same_losses(const char *run) {
    DistillRow alone[STEPS], shared[STEPS];
    double worst = 0;
    read_rows(SCRATCH "alone/", STEPS, alone);
    read_rows(run, STEPS, shared);
    for (int i = 0; i < STEPS; i++) {
        worst = fmax(worst, fabs(shared[i].loss - alone[i].loss) / alone[i].loss);
        ck_assert(shared[i].rate == alone[i].rate);
    }
    printf("  %s: losses differ by %.1e\n", run, worst);
    ck_assert(worst < 1e-5);
}

/* Three ranks have shares of 1, 1 and 2 of the four images. */
START_TEST(losses_are_those_of_one_process) {
    static const int counts[] = {2, 3, 4};
    for (int i = 0; i < 3; i++) {
        char run[64];
        snprintf(run, sizeof run, SCRATCH "of_%d/", counts[i]);
        share(counts[i], run, CACHE BATCH, false);
        same_losses(run);
        ck_assert(exists(SCRATCH "of_2/teacher.safetensors") && exists(SCRATCH "of_2/metrics.json"));
    }
}
END_TEST

START_TEST(one_rank_is_one_process) {
    share(1, SCRATCH "one/", CACHE BATCH, false);
    ck_assert(same_files(SCRATCH "alone/losses.csv", SCRATCH "one/losses.csv"));
    ck_assert(same_tensors(SCRATCH "alone/checkpoint.safetensors", SCRATCH "one/checkpoint.safetensors"));
}
END_TEST

START_TEST(the_same_number_gives_the_same_bits) {
    share(3, SCRATCH "a/", CACHE BATCH, false);
    share(3, SCRATCH "b/", CACHE BATCH, false);
    ck_assert(same_files(SCRATCH "a/losses.csv", SCRATCH "b/losses.csv"));
    ck_assert(same_files(SCRATCH "a/metrics.json", SCRATCH "b/metrics.json"));
    ck_assert(same_tensors(SCRATCH "a/checkpoint.safetensors", SCRATCH "b/checkpoint.safetensors"));
}
END_TEST

START_TEST(any_number_resumes) {
    share(2, SCRATCH "resumed/", CACHE BATCH "distill.steps=2", false);
    share(4, SCRATCH "resumed/", CACHE BATCH "distill.steps=4 train.checkpoint_every=1", true);
    ASSERT_OK(try_distill(SCRATCH "resumed/", CACHE BATCH, true, NULL));
    same_losses(SCRATCH "resumed/");
}
END_TEST

/* With the backbone in the step, whose statistics are shared out too. */
START_TEST(without_a_cache_too) {
    DistillRow alone[2], shared[2];
    ASSERT_OK(try_distill(SCRATCH "direct/", "distill.batch=3 distill.steps=2", false, NULL));
    share(2, SCRATCH "direct_2/", "distill.batch=3 distill.steps=2", false);
    read_rows(SCRATCH "direct/", 2, alone);
    read_rows(SCRATCH "direct_2/", 2, shared);
    for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(shared[i].loss, alone[i].loss, 1e-5 * alone[i].loss);
}
END_TEST

START_TEST(more_ranks_than_images_are_refused) {
    Job job = {.run = SCRATCH "many/", .settings = "distill.batch=2"};
    as_ranks(3, do_job, &job);
    for (int r = 0; r < 3; r++) {
        ck_assert_int_eq(job.status[r], EAD_BAD_ARGUMENT);
        assert_contains(job.message[r], "3 ranks cannot share out a batch of 2 images");
    }
    ck_assert(!exists(SCRATCH "many"));
}
END_TEST

START_TEST(shares_tile_the_whole) {
    for (int count = 1; count <= MAX_THREAD_RANKS; count++)
        for (int total = 0; total < 20; total++) {
            int next = 0;
            for (int r = 0; r < count; r++) {
                EadRanks ranks = {.rank = r, .count = count};
                EadShare part = ead_ranks_share(&ranks, total);
                ck_assert_int_eq(part.first, next);
                ck_assert(part.count == total / count || part.count == (total + count - 1) / count);
                next += part.count;
            }
            ck_assert_int_eq(next, total);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ranks");
    TCase *tests = tcase_create("ranks");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, losses_are_those_of_one_process);
    tcase_add_test(tests, one_rank_is_one_process);
    tcase_add_test(tests, the_same_number_gives_the_same_bits);
    tcase_add_test(tests, any_number_resumes);
    tcase_add_test(tests, without_a_cache_too);
    tcase_add_test(tests, more_ranks_than_images_are_refused);
    tcase_add_test(tests, shares_tile_the_whole);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
