/* Random graphs, the hardest judge of the planner: planned tightly they must give the bits they give with all
 * memory apart, forward and backward. */
#include "autograd/backward.h"
#include "core/ops/add/add.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/mean/mean.h"
#include "core/ops/relu/relu.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/base/philox.h"
#include "core/plan/plan.h"
#include "test/support/suite.h"
#include "test/support/fake_device.h"

#include <omp.h>
#include <string.h>

enum { GRAPHS = 300, STEPS = 40, WIDTH = 8, MAX_IMAGES = 6, MAX_NODES = STEPS + 3 };

typedef struct Random {
    uint64_t seed, used;
} Random;

static int draw(Random *random, int limit) {
    return (int)(ead_philox_word(random->seed, EAD_STREAM_TEST, random->used++) % (uint32_t)limit);
}

typedef struct RandomGraph {
    EadGraph *graph;
    EadPlan *plan;
    EadNode *nodes[MAX_NODES], *gradients[2];
    int count;
    real data[2][3 * WIDTH];
} RandomGraph;

/* A node with as many images as `like`. */
static EadNode *same_size(RandomGraph *g, Random *random, const EadNode *like) {
    for (int i = draw(random, g->count), tried = 0; tried < g->count; i = (i + 1) % g->count, tried++)
        if (g->nodes[i]->y.n == like->y.n) return g->nodes[i];
    return NULL;
}

static EadNode *random_node(RandomGraph *g, Random *random) {
    EadNode *a = g->nodes[g->count - 1 - draw(random, g->count < 8 ? g->count : 8)];
    EadNode *b = same_size(g, random, a), *c = g->nodes[draw(random, g->count)];
    switch (draw(random, 7)) {
    case 0:
        return ead_relu(g->graph, a);
    case 1:
        return ead_scale(g->graph, a, 0.1 * (1 + draw(random, 20)) - 1);
    case 2:
        return ead_add(g->graph, a, b);
    case 3:
        return ead_scale(g->graph, ead_squared_difference(g->graph, a, b), 0.2);
    case 4: {
        int begin = draw(random, a->y.n);
        return ead_slice_batch(g->graph, a, begin, 1 + draw(random, a->y.n - begin));
    }
    case 5:
        if (a->y.n + c->y.n <= MAX_IMAGES) return ead_concat_batch(g->graph, 2, (EadNode *[]){a, c});
        return ead_relu(g->graph, a);
    default:
        return ead_resize_bilinear(g->graph, a, 1, 1); /* a copy: cannot work in place */
    }
}

static void build_random(RandomGraph *g, uint64_t seed, const EadPlanOptions *options) {
    Random random = {seed, 0};
    *g = (RandomGraph){.graph = ead_graph_new()};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 3 * WIDTH; i++) g->data[k][i] = (real)draw(&random, 200) / 100 - 1;
        g->nodes[g->count++] = ead_trainable_leaf(g->graph, k ? "b" : "a", k + 2, 1, 1, WIDTH, g->data[k]);
    }
    for (int i = 0; i < STEPS; i++) {
        EadNode *node = random_node(g, &random);
        g->nodes[g->count++] = node;
        if (draw(&random, 8) == 0) ead_keep(node);
    }
    EadNode *last = g->nodes[g->count - 1];
    ead_backward(g->graph, ead_keep(ead_mean(g->graph, last)), 2, g->nodes, g->gradients);
    for (int k = 0; k < 2; k++)
        if (g->gradients[k]) ead_keep(g->gradients[k]);
    EadStatus status = ead_plan_new(g->graph, options, &g->plan);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ead_plan_run(g->plan);
    ead_plan_run(g->plan); /* the first run must leave nothing behind that matters */
}

static void free_random(RandomGraph *g) {
    ead_plan_free(g->plan);
    ead_graph_free(g->graph);
}

START_TEST(random_graphs_do_not_depend_on_the_plan) {
    size_t saved = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        static RandomGraph tight, loose;
        build_random(&tight, seed, NULL);
        build_random(&loose, seed, &(EadPlanOptions){.no_reuse = true});
        for (int i = 0; i < ead_graph_count(tight.graph); i++) {
            const EadNode *a = ead_graph_at(tight.graph, i), *b = ead_graph_at(loose.graph, i);
            if (a->is_output)
                ck_assert_msg(memcmp(a->y.data, b->y.data, ead_bytes(&a->y)) == 0, "seed %d: node %d (%s)",
                              (int)seed, i, a->name);
        }
        saved += ead_plan_bytes(loose.plan) - ead_plan_bytes(tight.plan);
        free_random(&tight);
        free_random(&loose);
    }
    ck_assert_uint_gt(saved, 0);
}
END_TEST

static void compare_with_cpu(const RandomGraph *cpu, const RandomGraph *other, uint64_t seed) {
    for (int i = 0; i < ead_graph_count(cpu->graph); i++) {
        const EadNode *a = ead_graph_at(cpu->graph, i), *b = ead_graph_at(other->graph, i);
        real value[MAX_IMAGES * WIDTH];
        if (!a->is_output) continue;
        ck_assert_uint_le(ead_bytes(&b->y), sizeof value);
        ck_assert_int_eq(ead_plan_read(other->plan, b, value), EAD_OK);
        ck_assert_msg(memcmp(a->y.data, value, ead_bytes(&a->y)) == 0, "seed %d: node %d (%s)", (int)seed, i,
                      a->name);
    }
}

/* Whatever order the queues of the fake device are worked off in. */
START_TEST(random_graphs_do_not_depend_on_the_device) {
    size_t serial = 0, parallel = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        static RandomGraph cpu, device;
        EadPlanOptions options = {.backend = &fake_backend, .streams = 1 + (int)(seed % 4)};
        options.no_capture = seed % 3 == 0;
        build_random(&cpu, seed, NULL);
        fake_device_start(seed, SIZE_MAX);
        build_random(&device, seed, &options);
        ck_assert_int_eq(fake_device_graphs(), options.no_capture ? 0 : 1);
        compare_with_cpu(&cpu, &device, seed);
        *(options.streams == 1 ? &serial : &parallel) += ead_plan_bytes(device.plan);
        free_random(&device);
        free_random(&cpu);
        ck_assert_int_eq(fake_device_leaks(), 0);
    }
    ck_assert_uint_gt(parallel, serial);
}
END_TEST

int main(void) {
    omp_set_num_threads(1); /* small tensors: a second thread would only wait */
    Suite *suite = suite_create("plan_random");
    TCase *tests = tcase_create("random graphs");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, random_graphs_do_not_depend_on_the_plan);
    tcase_add_test(tests, random_graphs_do_not_depend_on_the_device);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
