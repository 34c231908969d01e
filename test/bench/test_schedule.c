/* Schedules of made-up blocks, held against a clock that is moved tick by tick. */
#include "test/support/suite.h"

#include "bench/simulation/schedule.h"

#include <stdbool.h>
#include <stdlib.h>

enum { MOST_THREADS = 70, MOST_BLOCKS = 300 };

/* Every tick each thread that has nothing left takes the next block, in the order of the threads; blocks of 0 ticks cost
 * nothing. The tick at which all is done. */
static int tick_by_tick(const int *own, int threads, const int *blocks, int count) {
    int left[MOST_THREADS], next = 0, now = 0;
    for (int t = 0; t < threads; t++) left[t] = own[t];
    for (;; now++) {
        bool busy = false;
        for (int t = 0; t < threads; t++) {
            while (left[t] == 0 && next < count) left[t] = blocks[next++];
            busy = busy || left[t] > 0;
        }
        if (!busy) return now;
        for (int t = 0; t < threads; t++) left[t] -= left[t] > 0;
    }
}

static void check(int threads, int count, int longest) {
    int own[MOST_THREADS], blocks[MOST_BLOCKS];
    double own_seconds[MOST_THREADS] = {0}, block_seconds[MOST_BLOCKS] = {0};
    for (int i = 0; i < threads; i++) own_seconds[i] = own[i] = rand() % (longest / 4 + 1);
    for (int i = 0; i < count; i++) block_seconds[i] = blocks[i] = rand() % longest;
    double got = ead_schedule_section(own_seconds, threads, block_seconds, count);
    ck_assert_msg(got == tick_by_tick(own, threads, blocks, count), "%d threads, %d blocks up to %d: %g",
                  threads, count, longest, got);
}

START_TEST(blocks_go_to_whoever_is_free) {
    srand(7);
    for (int i = 0; i < 400; i++) check(1 + rand() % MOST_THREADS, rand() % MOST_BLOCKS, 1 + rand() % 50);
    check(1, 100, 30);
    check(MOST_THREADS, 3, 30);
}
END_TEST

/* By hand: three threads, the second late; then a section without blocks. */
START_TEST(sections_follow_each_other) {
    double seconds[] = {0, 5, 0, 4, 4, 4, 4, 1, 2, 3};
    EadTeamSection sections[] = {{0, 3, 4}, {7, 3, 0}};
    EadTeamRecord record = {.seconds = seconds, .sections = sections, .count = 10, .section_count = 2};
    /* 4, 4 to the first and third, at 4 again both: 8; the second is alone with its 5 */
    ck_assert_double_eq(ead_schedule_record(&record, 0), 8 + 3);
    ck_assert_double_eq(ead_schedule_record(&record, 0.5), 8 + 3 + 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("schedule");
    TCase *tests = tcase_create("schedule");
    tcase_add_test(tests, blocks_go_to_whoever_is_free);
    tcase_add_test(tests, sections_follow_each_other);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
