/* Arrays in memory and in files: values stay, the budget is kept, no name is left, a full disk is an error. */
#define _GNU_SOURCE
#include "core/system/spill.h"

#include "test/support/scratch.h"

#include <signal.h>
#include <sys/resource.h>

#define FOLDER "build/scratch/spill/"

enum { STEP = 100000 };

static void check(const EadSpillArray *array, size_t count) {
    const uint32_t *items = array->items;
    size_t right = 0;
    while (right < count && items[right] == (uint32_t)(right * 2654435761u)) right++;
    ck_assert_uint_eq(right, count);
}

static void fill(EadSpillArray *array, size_t first, size_t count) {
    uint32_t *items = array->items;
    for (size_t i = first; i < count; i++) items[i] = (uint32_t)(i * 2654435761u);
}

/* Two arrays that grow in turns: those beyond the budget lie in files. */
START_TEST(values_stay_wherever_they_lie) {
    static const struct {
        const char *folder;
        size_t budget;
        bool in_file;
    } cases[] = {{NULL, 0, false}, {FOLDER, 100 * STEP, false}, {FOLDER, 15 * STEP, true}, {FOLDER, 1, true}};
    make_folders(FOLDER);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        EadSpill spill = {.folder = cases[c].folder, .budget = cases[c].budget};
        EadSpillArray arrays[2] = {{0}, {0}};
        for (size_t count = STEP; count <= 10 * STEP; count += STEP)
            for (int a = 0; a < 2; a++) {
                size_t before = count - STEP;
                ASSERT_OK(ead_spill_reserve(&spill, &arrays[a], count * sizeof(uint32_t), "numbers"));
                ck_assert_uint_ge(arrays[a].bytes, count * sizeof(uint32_t));
                check(&arrays[a], before);
                fill(&arrays[a], before, count);
                if (cases[c].folder) ck_assert_uint_le(spill.held, spill.budget);
            }
        for (int a = 0; a < 2; a++) {
            check(&arrays[a], 10 * STEP);
            ck_assert_int_eq(arrays[a].in_file, cases[c].in_file);
            ead_spill_free(&spill, &arrays[a]);
            ck_assert_ptr_null(arrays[a].items);
            ead_spill_free(&spill, &arrays[a]); /* harmless on an empty one */
        }
        ck_assert_uint_eq(spill.held, 0);
        ck_assert_int_eq(files_in(FOLDER), 0);
    }
}
END_TEST

/* A limit of file sizes stands in for a full disk. */
START_TEST(no_room_is_an_error) {
    EadSpill spill = {.folder = FOLDER, .budget = 1}, nowhere = {.folder = FOLDER "none", .budget = 1};
    EadSpillArray array = {0};
    struct rlimit before, small;
    make_folders(FOLDER);
    ASSERT_FAILS(ead_spill_reserve(&nowhere, &array, STEP, "numbers"), EAD_IO,
                 FOLDER "none: no file of 0 MB can be kept there for numbers: No such file");
    ASSERT_OK(ead_spill_reserve(&spill, &array, STEP * sizeof(uint32_t), "numbers"));
    fill(&array, 0, STEP);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5 * STEP;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    EadStatus status = ead_spill_reserve(&spill, &array, 100 * STEP, "numbers");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, EAD_IO);
    check(&array, STEP);
    ead_spill_free(&spill, &array);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spill");
    TCase *tests = tcase_create("spill");
    tcase_add_test(tests, values_stay_wherever_they_lie);
    tcase_add_test(tests, no_room_is_an_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
