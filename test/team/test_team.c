/* The runtime of OpenMP's constructs: every loop is done once, by whoever; barriers hold; threads sleep; a simulated team
 * does the same and is recorded. */
#include "test/support/suite.h"

#include "core/team/team.h"

#include <omp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 1000 };

/* Loops of all kinds, in one region and in many; the sum that they make. */
static long count_all(int threads, int rounds) {
    static _Thread_local int done[ITEMS];
    int *items = done;
    long sum = 0;
    memset(items, 0, sizeof done);
    omp_set_num_threads(threads);
    for (int round = 0; round < rounds; round++) {
#pragma omp parallel for schedule(static)
        for (int i = 0; i < ITEMS; i++) items[i]++;
#pragma omp parallel for schedule(dynamic)
        for (int i = 0; i < ITEMS; i++) items[i]++;
#pragma omp parallel
        {
#pragma omp for schedule(dynamic, 7)
            for (int i = 0; i < ITEMS; i++) items[i]++;
                /* several that nobody waits behind, so that members are in different ones */
#pragma omp for schedule(dynamic, 3) nowait
            for (int i = 0; i < ITEMS / 2; i++) items[i]++;
#pragma omp for schedule(dynamic) nowait
            for (int i = ITEMS / 2; i < ITEMS; i += 2) items[i]++;
#pragma omp for schedule(dynamic, 100) nowait
            for (int i = ITEMS / 2 + 1; i < ITEMS; i += 2) items[i]++;
#pragma omp for schedule(dynamic) nowait
            for (int i = 0; i < 0; i++) items[i]++;
        }
#pragma omp parallel for reduction(+ : sum)
        for (int i = 0; i < ITEMS; i++) sum += items[i];
    }
    for (int i = 0; i < ITEMS; i++) ck_assert_int_eq(items[i], 4 * rounds);
    return sum;
}

static long expected(int rounds) {
    return 4L * ITEMS * rounds * (rounds + 1) / 2;
}

START_TEST(every_part_is_done_once) {
    static const int threads[] = {1, 2, 3, 8, 2, 33, 5};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        ck_assert_int_eq(count_all(threads[i], 20), expected(20));
}
END_TEST

static void *count_beside(void *context) {
    return (void *)count_all(*(int *)context, 50);
}

/* Each with a team of its own, which ends with it. */
START_TEST(several_threads_have_teams) {
    for (int again = 0; again < 3; again++) {
        pthread_t ids[3];
        int sizes[3] = {2, 3, 4};
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(pthread_create(&ids[i], NULL, count_beside, &sizes[i]), 0);
        for (int i = 0; i < 3; i++) {
            void *sum;
            ck_assert_int_eq(pthread_join(ids[i], &sum), 0);
            ck_assert_int_eq((long)sum, expected(50));
        }
    }
}
END_TEST

START_TEST(barriers_hold_everybody) {
    enum { THREADS = 5, PHASES = 200 };
    int seen[THREADS] = {0}, late = 0, members = 0;
    omp_set_num_threads(THREADS);
#pragma omp parallel reduction(+ : late, members)
    {
        int me = omp_get_thread_num();
        members += omp_get_num_threads() == THREADS && me >= 0 && me < THREADS;
        for (int phase = 1; phase <= PHASES; phase++) {
            seen[me] = phase;
#pragma omp barrier
            for (int i = 0; i < THREADS; i++) late += seen[i] != phase;
#pragma omp barrier
        }
    }
    ck_assert_int_eq(members, THREADS);
    ck_assert_int_eq(late, 0);
}
END_TEST

/* A region within a region is the thread's alone. */
START_TEST(nested_regions_have_one_thread) {
    int inner = 0, outer = 0, numbers = 0;
    omp_set_num_threads(3);
#pragma omp parallel reduction(+ : inner, outer, numbers)
    {
        outer += omp_get_num_threads();
#pragma omp parallel for schedule(dynamic) reduction(+ : inner, numbers)
        for (int i = 0; i < 10; i++) inner += omp_get_num_threads(), numbers += omp_get_thread_num();
        outer += omp_get_num_threads();
    }
    ck_assert_int_eq(outer, 3 * 3 * 2);
    ck_assert_int_eq(inner, 3 * 10);
    ck_assert_int_eq(numbers, 0);
}
END_TEST

/* A child of fork() has threads of its own. */
START_TEST(children_have_teams) {
    int status;
    ck_assert_int_eq(count_all(3, 5), expected(5));
    pid_t child = fork();
    if (child == 0) _exit(count_all(3, 5) == expected(5) && count_all(4, 2) == expected(2) ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(count_all(3, 5), expected(5));
}
END_TEST

/* Threads of this process that are neither asleep nor the calling one. */
static int awake(void) {
    char command[160];
    snprintf(command, sizeof command, "cat /proc/%d/task/*/stat | sed 's/.*) //' | grep -vc ^S",
             (int)getpid());
    FILE *pipe = popen(command, "r");
    int count = -1;
    ck_assert(pipe && fscanf(pipe, "%d", &count) == 1);
    pclose(pipe);
    return count;
}

/* Whatever the environment says: the calling thread sleeps in read(), and so do the others. */
START_TEST(who_waits_sleeps) {
    setenv("OMP_WAIT_POLICY", "active", 1);
    ck_assert_int_eq(count_all(4, 3), expected(3));
    int left = -1;
    for (int i = 0; i < 200 && left != 0; i++) {
        left = awake();
        poll(NULL, 0, 10);
    }
    ck_assert_int_eq(left, 0);
    unsetenv("OMP_WAIT_POLICY");
}
END_TEST

static void fill_static_and_dynamic(int items[ITEMS], int members[4]) {
#pragma omp parallel
    {
        members[omp_get_thread_num()] = omp_get_num_threads();
#pragma omp for schedule(static)
        for (int i = 0; i < ITEMS; i++) items[i]++;
#pragma omp for schedule(dynamic, 10)
        for (int i = 0; i < ITEMS; i++) items[i]++;
#pragma omp for schedule(dynamic, 300) nowait
        for (int i = 0; i < ITEMS; i++) items[i]++;
    }
}

START_TEST(simulated_teams_are_recorded) {
    enum { MEMBERS = 4 };
    EadTeamRecord record = {0};
    int items[ITEMS] = {0}, members[MEMBERS] = {0};
    EadStatus status = ead_team_simulate(MEMBERS, &record);
    SKIP_UNLESS(status != EAD_UNSUPPORTED, "built with another OpenMP");
    ck_assert_int_eq(status, EAD_OK);
    ck_assert_int_eq(omp_get_max_threads(), MEMBERS);
    fill_static_and_dynamic(items, members);
    ck_assert_int_eq(ead_team_simulate_end(), EAD_OK);
    for (int i = 0; i < ITEMS; i++) ck_assert_int_eq(items[i], 3);
    for (int i = 0; i < MEMBERS; i++) ck_assert_int_eq(members[i], MEMBERS);
    ck_assert_int_eq(record.section_count, 3);
    static const int blocks[] = {0, ITEMS / 10, (ITEMS + 299) / 300};
    double sum = 0;
    for (int s = 0; s < 3; s++) {
        ck_assert_int_eq(record.sections[s].members, MEMBERS);
        ck_assert_int_eq(record.sections[s].blocks, blocks[s]);
        for (int i = 0; i < MEMBERS + blocks[s]; i++) {
            double seconds = record.seconds[record.sections[s].first + i];
            ck_assert(seconds >= 0);
            sum += seconds;
        }
    }
    ck_assert(sum > 0 && sum <= record.inside);
    ead_team_record_clear(&record);
    ck_assert(record.section_count == 0 && record.count == 0 && record.inside == 0);
    ead_team_record_free(&record);
    ck_assert_int_eq(count_all(2, 3), expected(3)); /* in earnest again */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("team");
    TCase *tests = tcase_create("team");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_part_is_done_once);
    tcase_add_test(tests, several_threads_have_teams);
    tcase_add_test(tests, barriers_hold_everybody);
    tcase_add_test(tests, nested_regions_have_one_thread);
    tcase_add_test(tests, children_have_teams);
    tcase_add_test(tests, who_waits_sleeps);
    tcase_add_test(tests, simulated_teams_are_recorded);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
