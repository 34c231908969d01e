/* A run of a plan allocates nothing: every malloc and free of the process is counted while plans run. Not
 * under the address sanitizer, which brings an allocator of its own. */
#include "test/suite.h"
#include "test/support_op_cases.h"

#include <stdatomic.h>
#include <stddef.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define CAN_COUNT 1
#else
#define CAN_COUNT 0
#endif

static atomic_int counting, allocations;

#if CAN_COUNT
/* glibc's own, under the names it keeps for programs that replace malloc. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static void note(void) {
    if (atomic_load(&counting)) atomic_fetch_add(&allocations, 1);
}

void *malloc(size_t bytes) {
    note();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    note();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    note();
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    note();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
    note();
    *out = __libc_memalign(alignment, bytes);
    return *out ? 0 : 12; /* ENOMEM */
}

void free(void *memory) {
    note();
    __libc_free(memory);
}
#endif

START_TEST(counting_works) {
    SKIP_UNLESS(CAN_COUNT, "needs glibc's allocator");
    atomic_store(&allocations, 0);
    atomic_store(&counting, 1);
    void *volatile memory = malloc(10);
    free(memory);
    atomic_store(&counting, 0);
    ck_assert_int_eq(atomic_load(&allocations), 2);
}
END_TEST

START_TEST(runs_allocate_nothing) {
    SKIP_UNLESS(CAN_COUNT, "needs glibc's allocator");
    const OpCase *op_case = op_case_at(_i);
    OpCaseGraph built;
    EadStatus status = op_case_build(op_case, &built);
    if (status == EAD_OK) status = op_case_plan(&built, NULL);
    ck_assert_msg(status == EAD_OK, "%s: %s", op_case->name, ead_error_message());
    ead_plan_run(built.plan); /* the first run may start threads */
    atomic_store(&allocations, 0);
    atomic_store(&counting, 1);
    ead_plan_run(built.plan);
    atomic_store(&counting, 0);
    ck_assert_msg(atomic_load(&allocations) == 0, "%s: %d allocations in a run", op_case->name,
                  atomic_load(&allocations));
    op_case_free(&built);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("no_allocation");
    TCase *tests = tcase_create("plans");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, counting_works);
    tcase_add_loop_test(tests, runs_allocate_nothing, 0, CAN_COUNT ? op_case_count() : 1);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
