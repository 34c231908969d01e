/* Pieces come in order whoever works on them; failures end it, and all that was taken is released. */
#include "core/system/ordered_work.h"

#include "core/base/philox.h"
#include "test/support/suite.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECES = 400 };

typedef struct Scene {
    int next, delivered;
    int take_fails, work_fails, deliver_fails; /* at that piece; 0: never */
    atomic_int working, together, released;
} Scene;

typedef struct Piece {
    Scene *scene;
    int number;
    char *memory;
} Piece;

static EadStatus take(void *context, void *memory, bool *found) {
    Scene *scene = context;
    Piece *piece = memory;
    ck_assert(!piece->scene && !piece->memory); /* zeroed */
    *found = scene->next < PIECES;
    if (!*found) return EAD_OK;
    piece->scene = scene;
    piece->number = scene->next++;
    piece->memory = malloc(8);
    if (scene->take_fails && piece->number == scene->take_fails)
        return ead_fail(EAD_IO, "no piece %d", piece->number);
    return EAD_OK;
}

static EadStatus work(void *context, void *memory) {
    Scene *scene = context;
    const Piece *piece = memory;
    int working = atomic_fetch_add(&scene->working, 1) + 1;
    if (working > scene->together) scene->together = working;
    long pause = (long)(ead_philox_word(1, EAD_STREAM_TEST, (uint64_t)piece->number) % 200000);
    nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    atomic_fetch_sub(&scene->working, 1);
    if (scene->work_fails && piece->number % scene->work_fails == 0)
        return ead_fail(EAD_BAD_FILE, "piece %d is broken", piece->number);
    return EAD_OK;
}

static EadStatus deliver(void *context, void *memory, EadStatus status) {
    Scene *scene = context;
    const Piece *piece = memory;
    char expected[64];
    ck_assert_int_eq(piece->number, scene->delivered);
    bool broken = scene->work_fails && piece->number % scene->work_fails == 0;
    ck_assert_int_eq(status, broken ? EAD_BAD_FILE : EAD_OK);
    snprintf(expected, sizeof expected, "piece %d is broken", piece->number);
    if (broken) ck_assert_str_eq(ead_error_message(), expected);
    scene->delivered++;
    if (scene->deliver_fails && piece->number == scene->deliver_fails)
        return ead_fail(EAD_UNSUPPORTED, "piece %d cannot be delivered", piece->number);
    return EAD_OK;
}

static void release(void *memory) {
    Piece *piece = memory;
    if (piece->scene) atomic_fetch_add(&piece->scene->released, 1);
    free(piece->memory);
}

static EadStatus run(Scene *scene, int threads) {
    return ead_work_in_order(&(EadOrderedWork){sizeof(Piece), take, work, deliver, release, scene}, threads);
}

START_TEST(pieces_come_in_order) {
    for (int threads = 1; threads <= 9; threads += 4) {
        Scene scene = {.work_fails = 7};
        ck_assert_int_eq(run(&scene, threads), EAD_OK);
        ck_assert(scene.delivered == PIECES && scene.released == PIECES);
        ck_assert(threads == 1 ? scene.together == 1 : scene.together > 1 && scene.together <= threads);
    }
}
END_TEST

/* What was taken before is delivered all the same. */
START_TEST(taking_fails) {
    for (int threads = 1; threads <= 9; threads += 4) {
        Scene scene = {.take_fails = 100};
        ck_assert_int_eq(run(&scene, threads), EAD_IO);
        ck_assert_str_eq(ead_error_message(), "no piece 100");
        ck_assert(scene.delivered == 100 && scene.released == 101);
    }
}
END_TEST

/* Nothing behind it is delivered, and its failure is told even where taking failed earlier. */
START_TEST(delivering_fails) {
    for (int threads = 1; threads <= 9; threads += 4) {
        Scene scene = {.deliver_fails = 99, .take_fails = 101};
        ck_assert_int_eq(run(&scene, threads), EAD_UNSUPPORTED);
        ck_assert_str_eq(ead_error_message(), "piece 99 cannot be delivered");
        ck_assert(scene.delivered == 100 && scene.released == scene.next);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ordered_work");
    TCase *tests = tcase_create("ordered_work");
    tcase_add_test(tests, pieces_come_in_order);
    tcase_add_test(tests, taking_fails);
    tcase_add_test(tests, delivering_fails);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
