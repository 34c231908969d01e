/* Plans on a device, by the fake one: the caller's memory as regions, values in and out, 16-bit storage,
 * captured graphs, parallel streams. What kernels compute is not the matter here: they are the CPU's. */
#include "core/ops/add/add.h"
#include "core/ops/sample_index/sample_index.h"
#include "core/ops/gather_image/gather_image.h"
#include "core/ops/mean/mean.h"
#include "core/ops/ring_write/ring_write.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/base/philox.h"
#include "core/plan/plan_internal.h"
#include "models/efficientad/model.h"
#include "test/support/fake_device.h"
#include "test/support/sample_models.h"
#include "test/support/training_step.h"

#include <omp.h>
#include <string.h>

static EadPlan *must_plan(EadGraph *graph, const EadPlanOptions *options) {
    EadPlan *plan = NULL;
    ck_assert_msg(ead_plan_new(graph, options, &plan) == EAD_OK, "%s", ead_error_message());
    return plan;
}

static EadPlan *plan_on_fake(EadGraph *graph) {
    fake_device_start(1, SIZE_MAX);
    return must_plan(graph, &(EadPlanOptions){.backend = &fake_backend});
}

static void end(EadGraph *graph, EadPlan *plan) {
    ead_plan_free(plan);
    ead_graph_free(graph);
    ck_assert_int_eq(fake_device_leaks(), 0);
}

static real read_scalar(const EadPlan *plan, const EadNode *node) {
    real value;
    ASSERT_OK(ead_plan_read(plan, node, &value));
    return value;
}

/* ---- the caller's memory ---- */

START_TEST(overlapping_memory_is_one_region) {
    real buffer[64] = {0}, apart = 0;
    EadGraph *graph = ead_graph_new();
    EadNode *inner = ead_leaf(graph, "inner", EAD_REAL, 1, 1, 1, 8, buffer + 8);
    EadNode *other = ead_leaf(graph, "other", EAD_REAL, 1, 1, 1, 8, buffer + 24);
    EadNode *whole = ead_leaf(graph, "whole", EAD_REAL, 1, 1, 1, 48, buffer);
    EadNode *beside = ead_leaf(graph, "beside", EAD_REAL, 1, 1, 1, 16, buffer + 48);
    EadNode *scalar = ead_leaf(graph, "scalar", EAD_REAL, 1, 1, 1, 1, &apart);
    EadNode *const all[] = {inner, other, whole, beside, scalar};
    for (int i = 0; i < 5; i++) ead_keep(ead_scale(graph, all[i], 2));
    size_t measured = 0;
    fake_device_start(1, SIZE_MAX);
    EadPlanOptions options = {.backend = &fake_backend};
    ck_assert_int_eq(ead_plan_measure(graph, &options, &measured), EAD_OK);
    ck_assert_int_eq(fake_device_leaks(), 0);
    EadPlan *plan = plan_on_fake(graph);
    ck_assert_uint_eq(measured, ead_plan_bytes(plan));
    ck_assert_int_eq(plan->region_count, 3); /* what only touches stays apart */
    const real *mirror = plan->tensors[whole->index].data;
    ck_assert_ptr_eq(plan->tensors[inner->index].data, mirror + 8);
    ck_assert_ptr_eq(plan->tensors[other->index].data, mirror + 24);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq((uintptr_t)(plan->arena + plan->regions[i].offset) % 256, 0);
    ck_assert_ptr_eq(whole->y.data, buffer); /* nodes keep the host's addresses */
    end(graph, plan);
}
END_TEST

START_TEST(changes_come_back_on_demand_and_go_over_on_refresh) {
    real constant[4] = {1, 2, 3, 4}, four = 4, result[4] = {0};
    int64_t step = 5;
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 4, constant);
    EadNode *ring = ead_keep(ead_leaf(graph, "ring", EAD_REAL, 1, 1, 3, 1, NULL));
    EadNode *counter = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &step);
    ead_keep(ead_write_to(ead_scale(graph, x, 10), result));
    ead_ring_write(graph, ring, counter,
                   (EadNode *[]){ead_leaf(graph, "seven", EAD_REAL, 1, 1, 1, 1, &four)});
    EadPlan *plan = plan_on_fake(graph);
    constant[0] = 100; /* not seen before refresh */
    ead_plan_run(plan);
    ck_assert(result[0] == 0);
    ASSERT_OK(ead_plan_download(plan));
    ck_assert(result[0] == 10 && result[3] == 40);
    ck_assert(constant[0] == 100); /* read only: never copied back */
    ead_plan_update_weights(plan);
    ead_plan_run(plan);
    ASSERT_OK(ead_plan_download(plan));
    ck_assert(result[0] == 1000);
    real rows[3];
    ASSERT_OK(ead_plan_read(plan, ring, rows));
    ck_assert(rows[0] == 0 && rows[1] == 0 && rows[2] == 4);
    end(graph, plan);
}
END_TEST

/* ---- values in and out ---- */

/* Without waiting in between, so that three values are on their way at once. */
START_TEST(every_run_sees_the_value_written_before_it) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 1, NULL);
    EadNode *sum = ead_keep(ead_leaf(graph, "ring", EAD_REAL, 1, 1, 8, 1, NULL));
    int64_t step = 0;
    EadNode *counter = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &step);
    ead_ring_write(graph, sum, counter, (EadNode *[]){ead_scale(graph, x, 2)});
    ead_graph_add(graph, EAD_OP_increment, 1, &counter, NULL, 0);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        EadPlan *plan;
        real rows[8];
        fake_device_start(seed, SIZE_MAX);
        step = 0;
        plan = must_plan(graph, &(EadPlanOptions){.backend = &fake_backend});
        for (int i = 0; i < 8; i++) {
            real value = (real)i + 1, *memory = ead_plan_input_buffer(plan, x);
            if (i % 2) *memory = value;
            ead_plan_write(plan, x, i % 2 ? memory : &value);
            value = -1; /* the caller's to change */
            ead_plan_run(plan);
        }
        ASSERT_OK(ead_plan_read(plan, sum, rows));
        for (int i = 0; i < 8; i++)
            ck_assert_msg(rows[i] == 2 * (real)(i + 1), "run %d: %g", i, (double)rows[i]);
        ead_plan_free(plan);
        ck_assert_int_eq(fake_device_leaks(), 0);
    }
    ead_graph_free(graph);
}
END_TEST

/* Images are written once; replays then find them by the step alone. */
START_TEST(tables_are_drawn_from_without_the_host) {
    enum { IMAGES = 5, ROWS = 8 };
    EadGraph *graph = ead_graph_new();
    int64_t step = 0, images = IMAGES;
    EadNode *table = ead_table(graph, "table", EAD_REAL, IMAGES, 1, 1, 3);
    EadNode *unread = ead_table(graph, "unread", EAD_U8, IMAGES, 1, 1, 3);
    EadNode *counter = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, &step);
    EadNode *ring = ead_keep(ead_leaf(graph, "ring", EAD_REAL, 1, 1, ROWS, 1, NULL));
    EadNode *count = ead_leaf(graph, "count", EAD_I64, 1, 1, 1, 1, &images);
    EadNode *image = ead_gather_image(
        graph, table, ead_sample_index(graph, counter, count, (EadSampleIndex){9, EAD_STREAM_TRAIN_ORDER}));
    ead_ring_write(graph, ring, counter, (EadNode *[]){ead_mean(graph, image)});
    ead_graph_add(graph, EAD_OP_increment, 1, &counter, NULL, 0);
    EadPlan *plan = plan_on_fake(graph);
    for (int i = 0; i < IMAGES; i++) {
        real value[3] = {(real)i, (real)i + 1, (real)i + 2};
        ead_plan_write_image(plan, table, i, value);
        ead_plan_write_image(plan, unread, i, value);
    }
    for (int i = 0; i < ROWS; i++) ead_plan_run(plan);
    real rows[ROWS];
    ASSERT_OK(ead_plan_read(plan, ring, rows));
    for (uint64_t i = 0; i < ROWS; i++) {
        uint32_t expected = ead_shuffled_index(9, EAD_STREAM_TRAIN_ORDER, i, IMAGES);
        ck_assert_msg(rows[i] == (real)expected + 1, "step %d: %g", (int)i, (double)rows[i]);
    }
    end(graph, plan);
}
END_TEST

START_TEST(second_run_is_captured_unless_told_otherwise) {
    for (int no_capture = 0; no_capture < 2; no_capture++) {
        EadGraph *graph = ead_graph_new();
        EadNode *x = ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 1, NULL);
        EadNode *y = ead_keep(ead_add(graph, ead_scale(graph, x, 2), ead_scale(graph, x, 3)));
        fake_device_start(3, SIZE_MAX);
        EadPlan *plan =
            must_plan(graph, &(EadPlanOptions){.backend = &fake_backend, .no_capture = no_capture});
        for (int i = 0; i < 5; i++) {
            real value = (real)i;
            ead_plan_write(plan, x, &value);
            ead_plan_run(plan);
            ck_assert(read_scalar(plan, y) == 5 * value);
        }
        ck_assert_int_eq(fake_device_graphs(), no_capture ? 0 : 4);
        ck_assert_int_eq(fake_device_kernels(), no_capture ? 15 : 3);
        end(graph, plan);
    }
}
END_TEST

START_TEST(too_little_memory_is_said_in_numbers) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan = NULL;
    ead_keep(ead_scale(graph, ead_leaf(graph, "x", EAD_REAL, 1, 512, 512, 4, NULL), 2));
    fake_device_start(1, 3000000);
    ck_assert_int_eq(ead_plan_new(graph, &(EadPlanOptions){.backend = &fake_backend}, &plan), EAD_NO_MEMORY);
    ck_assert_ptr_nonnull(
        strstr(ead_error_message(), "no memory for 8.4 MB on fake, where 3.0 MB are free; lower"));
    ck_assert_int_eq(fake_device_leaks(), 0);
    ead_graph_free(graph);
}
END_TEST

/* ---- 16-bit storage ---- */

static void nothing(const EadCall *call) {
    (void)call;
}

static const EadKernel both = {.run = nothing, .half_in = 3, .half_out = true}, view = {.run = NULL},
                       reads = {.run = nothing, .half_in = 3}, neither = {.run = nothing};
static const EadKernel *const half_kernels[EAD_OP_COUNT] = {[EAD_OP_relu] = &both,
                                                            [EAD_OP_add] = &both,
                                                            [EAD_OP_slice_batch] = &view,
                                                            [EAD_OP_scale] = &neither,
                                                            [EAD_OP_resize_bilinear] = &reads};

static EadPlan *plan_half(EadGraph *graph, EadPrecision precision) {
    EadBackend backend = fake_backend;
    backend.kernels = half_kernels;
    fake_device_start(1, SIZE_MAX);
    static EadBackend kept; /* plans point at it */
    kept = backend;
    return must_plan(graph, &(EadPlanOptions){.backend = &kept, .precision = precision});
}

static EadType type_of(const EadPlan *plan, const EadNode *node) {
    return plan->tensors[node->index].type;
}

START_TEST(values_between_half_kernels_are_stored_in_half) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 4, 2, 2, 8, NULL);
    EadNode *a = ead_relu(graph, x), *slice = ead_slice_batch(graph, a, 1, 2), *b = ead_relu(graph, slice);
    EadNode *read_in_full = ead_relu(graph, b), *full = ead_scale(graph, read_in_full, 2);
    EadNode *kept = ead_keep(ead_relu(graph, b)), *last = ead_keep(ead_resize_bilinear(graph, b, 3, 3));
    ead_keep(full);
    EadPlan *plan = plan_half(graph, EAD_PRECISION_FP16);
    ck_assert_int_eq(type_of(plan, x), EAD_REAL); /* not computed */
    ck_assert_int_eq(type_of(plan, a), EAD_F16);
    ck_assert_int_eq(type_of(plan, slice), EAD_F16); /* a view of a */
    ck_assert_int_eq(type_of(plan, b), EAD_F16);
    ck_assert_int_eq(type_of(plan, read_in_full), EAD_REAL); /* scale cannot read 16 bits */
    ck_assert_int_eq(type_of(plan, kept), EAD_REAL);
    ck_assert_int_eq(type_of(plan, last), EAD_REAL);
    size_t image = 2 * 2 * 8 * 2; /* bytes of an image in 16 bits */
    ck_assert_ptr_eq(plan->tensors[slice->index].data, (char *)plan->tensors[a->index].data + image);
    ck_assert_int_eq(a->y.type, EAD_REAL); /* the graph knows nothing of it */
    end(graph, plan);
}
END_TEST

START_TEST(other_precisions_store_in_full) {
    EadGraph *graph = ead_graph_new();
    EadNode *a = ead_relu(graph, ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 8, NULL));
    ead_keep(ead_relu(graph, a));
    EadPlan *plan = plan_half(graph, EAD_PRECISION_TF32);
    ck_assert_int_eq(type_of(plan, a), EAD_REAL);
    end(graph, plan);
    graph = ead_graph_new();
    a = ead_relu(graph, ead_leaf(graph, "x", EAD_REAL, 1, 1, 1, 8, NULL));
    ead_keep(ead_relu(graph, a));
    plan = plan_half(graph, EAD_PRECISION_BF16);
    ck_assert_int_eq(type_of(plan, a), EAD_BF16);
    end(graph, plan);
}
END_TEST

/* add has one type for both inputs; one must stay in full because scale made it, so the other does, and with
 * it what depends on that. */
START_TEST(inputs_of_a_kernel_agree) {
    EadGraph *graph = ead_graph_new();
    EadNode *x = ead_leaf(graph, "x", EAD_REAL, 2, 1, 1, 8, NULL);
    EadNode *a = ead_relu(graph, x), *b = ead_relu(graph, x), *c = ead_relu(graph, x);
    EadNode *sum = ead_add(graph, ead_add(graph, a, b), ead_scale(graph, x, 2));
    EadNode *pair = ead_add(graph, b, c); /* b and c agree with a */
    EadNode *free_pair = ead_add(graph, ead_relu(graph, pair), ead_relu(graph, pair));
    ead_keep(ead_relu(graph, ead_add(graph, sum, free_pair)));
    EadPlan *plan = plan_half(graph, EAD_PRECISION_FP16);
    ck_assert_int_eq(type_of(plan, sum->x[0]), EAD_REAL);
    ck_assert_int_eq(type_of(plan, a), EAD_F16);
    ck_assert_int_eq(type_of(plan, b), EAD_F16);
    ck_assert_int_eq(type_of(plan, c), EAD_F16);
    ck_assert_int_eq(type_of(plan, pair), EAD_F16);
    ck_assert_int_eq(type_of(plan, sum), EAD_F16);
    ck_assert_int_eq(type_of(plan, free_pair), EAD_F16);
    end(graph, plan);
}
END_TEST

/* ---- a whole training step and its streams ---- */

enum { STEPS = 3 }; /* plain, captured, replayed */

typedef struct Trained {
    EadEfficientad *model;
    TrainingStep *step;
    StepLosses losses[EAD_LOSS_ROWS];
} Trained;

static Trained train(const EadPlanOptions *options) {
    static uint8_t images[3 * TINY_SIDE * TINY_SIDE * 3];
    Trained t = {.model = tiny_model()};
    EadTrainingOptions training = ead_training_options_default(100, 1);
    int count;
    ASSERT_OK(training_step_new(t.model, &training, options, &t.step));
    for (int s = 0; s < STEPS; s++) {
        for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)((i * 7919 + (size_t)s * 31) >> 5);
        ead_step_run(&t.step->step, images);
    }
    ASSERT_OK(training_step_losses(t.step, t.losses, &count));
    ck_assert_int_eq(count, STEPS);
    ASSERT_OK(ead_step_download(&t.step->step));
    return t;
}

static void free_trained(Trained *t) {
    training_step_free(t->step);
    ead_efficientad_free(t->model);
}

/* Calls that write or read a transformed input which both have use for. */
static int saving_calls(const EadPlan *plan) {
    int count = 0;
    for (int i = 0; i < plan->call_count; i++) count += plan->calls[i].saved_bytes > 0;
    return count;
}

START_TEST(training_gives_the_bits_of_the_cpu) {
    Trained cpu = train(NULL);
    size_t bytes = (size_t)cpu.model->trained.total * sizeof(real);
    for (int streams = 1; streams <= EAD_MAX_STREAMS; streams += EAD_MAX_STREAMS - 1) {
        fake_device_start((uint64_t)streams, SIZE_MAX);
        Trained fake = train(&(EadPlanOptions){.backend = &fake_backend, .streams = streams});
        ck_assert_int_eq(fake_device_graphs(), STEPS - 1);
        ck_assert_int_gt(saving_calls(fake.step->step.plan), 0);
        ck_assert_int_eq(memcmp(cpu.losses, fake.losses, STEPS * sizeof *cpu.losses), 0);
        ck_assert_int_eq(memcmp(cpu.model->trained.values, fake.model->trained.values, bytes), 0);
        ck_assert_int_eq(fake.step->step.device_done, STEPS);
        free_trained(&fake);
        ck_assert_int_eq(fake_device_leaks(), 0);
    }
    free_trained(&cpu);
}
END_TEST

/* Whether call a is done when b starts, by streams and waits alone. */
static bool is_ordered(const EadPlan *plan, int a, int b, signed char *known) {
    const EadLane *lanes = plan->device->lanes;
    if (a == b) return true;
    if (b < a) return false;
    if (known[b]) return known[b] > 0;
    bool ordered = false;
    for (int s = 0; s < EAD_MAX_STREAMS && !ordered; s++)
        ordered = lanes[b].waits[s] >= 0 && is_ordered(plan, a, lanes[b].waits[s], known);
    for (int i = b - 1; i >= a && !ordered; i--)
        if (lanes[i].stream == lanes[b].stream) {
            ordered = is_ordered(plan, a, i, known);
            break;
        }
    known[b] = ordered ? 1 : -1;
    return ordered;
}

START_TEST(calls_that_touch_the_same_bytes_are_ordered) {
    EadEfficientad *model = tiny_model();
    EadTrainingOptions training = ead_training_options_default(100, 1);
    for (int streams = 1; streams <= EAD_MAX_STREAMS; streams++) {
        TrainingStep *step;
        int collisions = 0, apart = 0, used = 0;
        fake_device_start(1, SIZE_MAX);
        ASSERT_OK(training_step_new(model, &training,
                                    &(EadPlanOptions){.backend = &fake_backend, .streams = streams}, &step));
        const EadPlan *plan = step->step.plan;
        signed char *known = malloc((size_t)plan->call_count);
        for (int a = 0; a < plan->call_count; a++) {
            if (plan->device->lanes[a].stream > used) used = plan->device->lanes[a].stream;
            memset(known, 0, (size_t)plan->call_count);
            for (int b = a + 1; b < plan->call_count; b++) {
                bool ordered = is_ordered(plan, a, b, known), collide = ead_plan_calls_collide(plan, a, b);
                ck_assert_msg(ordered || !collide, "%d streams: calls %d and %d", streams, a, b);
                collisions += collide;
                apart += !ordered;
            }
        }
        ck_assert_int_gt(collisions, plan->call_count);
        ck_assert(streams == 1 ? apart == 0 : apart > plan->call_count); /* some calls may run side by side */
        ck_assert_int_eq(used, streams - 1);
        free(known);
        training_step_free(step);
    }
    ead_efficientad_free(model);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("plan_device");
    TCase *tests = tcase_create("plan_device");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, overlapping_memory_is_one_region);
    tcase_add_test(tests, changes_come_back_on_demand_and_go_over_on_refresh);
    tcase_add_test(tests, every_run_sees_the_value_written_before_it);
    tcase_add_test(tests, tables_are_drawn_from_without_the_host);
    tcase_add_test(tests, second_run_is_captured_unless_told_otherwise);
    tcase_add_test(tests, too_little_memory_is_said_in_numbers);
    tcase_add_test(tests, values_between_half_kernels_are_stored_in_half);
    tcase_add_test(tests, other_precisions_store_in_full);
    tcase_add_test(tests, inputs_of_a_kernel_agree);
    tcase_add_test(tests, training_gives_the_bits_of_the_cpu);
    tcase_add_test(tests, calls_that_touch_the_same_bytes_are_ordered);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
