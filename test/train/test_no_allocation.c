/* A run of a plan allocates nothing, nor does a whole training step or the inference of an image: every
 * malloc and free of the process is counted meanwhile. Not under a sanitizer of addresses or threads, which brings an
 * allocator of its own. */
#include "test/support/op_cases.h"
#include "test/support/runs.h"
#include "test/support/sample_models.h"
#include "test/support/training_step.h"
#include "train/fit.h"

#include <stdatomic.h>
#include <stddef.h>

#if defined(__GLIBC__) && !SANITIZED
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

/* The second run of a function that gets `context`; the first may start threads. */
static int count_allocations(void (*once)(void *context), void *context) {
    once(context);
    atomic_store(&allocations, 0);
    atomic_store(&counting, 1);
    once(context);
    atomic_store(&counting, 0);
    return atomic_load(&allocations);
}

static uint8_t pixels[3 * TINY_SIDE * TINY_SIDE * 3]; /* a batch of the training step */

static void run_step(void *context) {
    StepLosses losses[EAD_LOSS_ROWS];
    int count;
    TrainingStep *step = context;
    ead_step_run(&step->step, pixels);
    training_step_losses(step, losses, &count);
}

START_TEST(training_steps_allocate_nothing) {
    SKIP_UNLESS(CAN_COUNT, "needs glibc's allocator");
    EadTrainingOptions options = ead_training_options_default(100, 1);
    EadEfficientad *model = tiny_model();
    TrainingStep *step;
    fill_noise(pixels, sizeof pixels, 1);
    ASSERT_OK(training_step_new(model, &options, NULL, &step));
    ck_assert_uint_eq(ead_step_slot_bytes(&step->step), sizeof pixels);
    ck_assert_int_eq(count_allocations(run_step, step), 0);
    training_step_free(step);
    ead_efficientad_free(model);
}
END_TEST

/* A phase of another method. */
typedef struct PhaseRun {
    EadStep step;
    uint8_t *slot;
} PhaseRun;

static void run_phase(void *context) {
    static float rows[EAD_LOSS_ROWS * (EAD_MAX_LOSSES + 1)];
    PhaseRun *one = context;
    int count;
    ead_step_run(&one->step, one->slot);
    ead_step_losses(&one->step, rows, &count);
}

static const struct {
    const char *method, *settings;
    int phase;
} phases[] = {{"simplenet", "simplenet.width=32 simplenet.hidden=16 simplenet.batch=2", 0},
              {"fastflow", "fastflow.layers=stride16 fastflow.couplings=2 fastflow.batch=2", 0},
              {"student_teacher", "student_teacher.fields=33 student_teacher.teacher_batch=2", 0},
              {"student_teacher", "student_teacher.fields=33 student_teacher.students=2", 1},
              {"ast", "ast.teacher_hidden=16 ast.student_hidden=16 ast.batch=2", 0},
              {"ast", "ast.teacher_hidden=16 ast.student_hidden=16 ast.batch=2", 1},
              {"dsr", "dsr.channels=8 dsr.codes=16 dsr.unet=4 dsr.batch=2 dsr.codebook_batch=2", 0},
              {"dsr", "dsr.channels=8 dsr.codes=16 dsr.unet=4 dsr.batch=2 dsr.codebook_batch=2", 1},
              {"dsr", "dsr.channels=8 dsr.codes=16 dsr.unet=4 dsr.batch=2 dsr.codebook_batch=2", 2},
              {"gcad", "gcad.fields=33 gcad.unet=2 gcad.width=4 student_teacher.teacher_batch=2", 0},
              {"gcad", "gcad.fields=33 gcad.unet=2 gcad.width=4 gcad.batch=2", 1}};

START_TEST(steps_of_other_methods_allocate_nothing) {
    SKIP_UNLESS(CAN_COUNT, "needs glibc's allocator");
    const EadFit *fit = ead_fit_find(phases[_i].method);
    char base[128];
    EadConfig config;
    PhaseRun one = {.slot = NULL};
    void *state;
    snprintf(base, sizeof base, "model: {method: %s, image_size: 64}\n", phases[_i].method);
    configure_run(&config, base, "unused/", phases[_i].settings);
    EadRunSpec spec = {.config = &config, .backend = &ead_backend_cpu, .quiet = true};
    ASSERT_OK(ead_fit_sample(fit, &spec, 4, &state));
    ASSERT_OK(ead_fit_sample_step(fit, state, phases[_i].phase, &one.step, &one.slot));
    ck_assert_int_eq(count_allocations(run_phase, &one), 0);
    ead_step_free(&one.step);
    fit->free(state);
    free(one.slot);
    ead_config_free(&config);
}
END_TEST

static void run_detector(void *context) {
    static float map[TINY_SIDE * TINY_SIDE];
    float score;
    ead_detector_run(context, pixels, TINY_SIDE, TINY_SIDE, 3 * TINY_SIDE, map, &score);
}

/* Of an image that has the model's size; another size needs scratch memory for the resize. */
START_TEST(inference_allocates_nothing) {
    SKIP_UNLESS(CAN_COUNT, "needs glibc's allocator");
    EadEfficientad *model = tiny_model();
    EadDetector *detector;
    fill_noise(pixels, sizeof pixels, 1);
    ASSERT_OK(ead_detector_new(&model->base, NULL, 1, &detector));
    ck_assert_int_eq(count_allocations(run_detector, detector), 0);
    ead_detector_close(detector);
    ead_efficientad_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("no_allocation");
    TCase *tests = tcase_create("plans");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, counting_works);
    tcase_add_loop_test(tests, runs_allocate_nothing, 0, CAN_COUNT ? op_case_count() : 1);
    tcase_add_test(tests, training_steps_allocate_nothing);
    tcase_add_loop_test(tests, steps_of_other_methods_allocate_nothing, 0, COUNT(phases));
    tcase_add_test(tests, inference_allocates_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
