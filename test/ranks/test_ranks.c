/* Distillation shared out among ranks, which are threads here: the losses of one process up to the order of sums, the
 * same bits for the same number, resumed with another number, and what cannot be shared out. */
#define SCRATCH "build/scratch/test_ranks/"
#include "test/ranks/distill_scene.h"
#include "test/ranks/thread_ranks.h"

#include "data/cache/feature_cache.h"

#include <math.h>

enum { STEPS = 6 };

#define BATCH "distill.batch=4 distill.steps=6 distill.lr=1e-4 "

/* What ranks are to run, and what came of it. */
typedef struct Job {
    const char *run, *settings;
    bool resume;
    EadStatus status[MAX_THREAD_RANKS];
    char message[MAX_THREAD_RANKS][512];
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

/* The same file, made by three ranks as by one process. */
START_TEST(a_cache_is_filled_together) {
    share(3, SCRATCH "filled/", BATCH "distill.cache=" SCRATCH "together", false);
    same_losses(SCRATCH "filled/");
    shell_ok("cmp " SCRATCH "cache/*.cache " SCRATCH "together/*.cache");
    ck_assert_int_eq(files_in(SCRATCH "together"), 1);
}
END_TEST

enum { RECORDS = 2500, FEATURES = 3 };

/* What ranks write of a cache, as far as each comes. */
typedef struct Filling {
    const char *path;
    bool stopped; /* all but rank 0 are, on their way */
    int filled[MAX_THREAD_RANKS], written[MAX_THREAD_RANKS];
    EadStatus status[MAX_THREAD_RANKS];
} Filling;

static EadStatus write_records(Filling *filling, int rank, EadFeatureCache *cache) {
    int count;
    const int *missing = ead_feature_cache_missing(cache, &count);
    for (int i = 0; i < count; i++) {
        float features[FEATURES] = {(float)missing[i], (float)(missing[i] % 7), 1};
        if (filling->stopped && rank > 0 && i == count / 3) return ead_fail(EAD_INTERRUPTED, "stopped");
        EAD_TRY(ead_feature_cache_write(cache, missing[i], (const uint8_t *)"p", features));
        filling->written[rank]++;
    }
    return EAD_OK;
}

static void fill(const EadRanks *ranks, void *context) {
    Filling *filling = context;
    EadFeatureCache *cache;
    EadFeatureCacheSpec spec = {filling->path, 5, RECORDS, 1, FEATURES, ranks, 0};
    int rank = ranks ? ranks->rank : 0;
    filling->status[rank] = ead_feature_cache_open(&spec, &cache);
    if (filling->status[rank] != EAD_OK) return;
    filling->filled[rank] = ead_feature_cache_filled(cache);
    filling->status[rank] = ead_feature_cache_finish(cache, write_records(filling, rank, cache));
    ead_feature_cache_close(cache);
}

START_TEST(another_number_goes_on_with_a_cache) {
    Filling alone = {.path = SCRATCH "alone.cache"}, three = {.path = SCRATCH "r.cache", .stopped = true},
            two = {.path = SCRATCH "r.cache"};
    fill(NULL, &alone);
    ASSERT_OK(alone.status[0]);
    as_ranks(3, fill, &three);
    int written = 0;
    for (int r = 0; r < 3; r++) {
        ck_assert_int_eq(three.status[r], EAD_INTERRUPTED);
        written += three.written[r];
    }
    ck_assert(written > RECORDS / 3 && written < RECORDS && !exists(SCRATCH "r.cache"));
    as_ranks(2, fill, &two);
    for (int r = 0; r < 2; r++) {
        ASSERT_OK(two.status[r]);
        ck_assert_int_eq(two.filled[r], written);
        ck_assert_int_gt(two.written[r], 0);
    }
    ck_assert_int_eq(written + two.written[0] + two.written[1], RECORDS);
    ck_assert(same_files(SCRATCH "alone.cache", SCRATCH "r.cache"));
}
END_TEST

/* Whichever rank meets them, all end, and rank 0 leaves a checkpoint from which the mended run goes on. */
START_TEST(damaged_images_end_all_ranks_with_a_checkpoint) {
    static const char settings[] =
        "distill.batch=2 distill.steps=8 distill.statistics_images=1 distill.images=" SCRATCH "damaged";
    Job job = {.run = SCRATCH "ends/", .settings = settings};
    int told = 0;
    shell_ok("cp -r " SCRATCH "pictures " SCRATCH "damaged && for i in 03 04 05 06 07 08; do "
             "echo junk >" SCRATCH "damaged/$((${i#0} % 2))/0$i.png; done");
    as_ranks(2, do_job, &job);
    for (int r = 0; r < 2; r++) {
        ck_assert(job.status[r] == EAD_BAD_FILE || job.status[r] == EAD_OTHER_RANK);
        told += strstr(job.message[r], "continue with --resume --output " SCRATCH "ends/") != NULL;
    }
    ck_assert_msg(told >= 1, "%s, %s", job.message[0], job.message[1]);
    ck_assert(exists(SCRATCH "ends/checkpoint.safetensors"));
    shell_ok("cp " SCRATCH "pictures/0/* " SCRATCH "damaged/0 && cp " SCRATCH "pictures/1/* " SCRATCH
             "damaged/1");
    share(2, SCRATCH "ends/", settings, true);
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
    tcase_add_test(tests, a_cache_is_filled_together);
    tcase_add_test(tests, another_number_goes_on_with_a_cache);
    tcase_add_test(tests, damaged_images_end_all_ranks_with_a_checkpoint);
    tcase_add_test(tests, more_ranks_than_images_are_refused);
    tcase_add_test(tests, shares_tile_the_whole);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
