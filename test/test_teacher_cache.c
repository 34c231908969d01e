/* Why the teacher's output on an image may be kept: on the CPU it has the same bits whether the teacher sees
 * the image alone, as it does when outputs are kept, or in a batch with another, as it does in a step without
 * that. (On a device the step shows it images one by one.) */
#include "core/ops/normalize_image/normalize_image.h"
#include "test/support_amx_emulated.h"
#include "test/tiny_model.h"

#include <omp.h>

enum { MOST_BYTES = 2 * 256 * 256 * 3 };

static const struct Case {
    EadModelSpec spec;
    bool bf16;
} cases[] = {
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 128}, false},
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 128}, true},
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 192, .padding = true}, false},
    {{.size = EAD_PDN_SMALL, .height = 256, .width = 256}, false},
    {{.size = EAD_PDN_MEDIUM, .height = 128, .width = 128}, false},
};

/* The teacher's outputs on `count` images, for free(). */
static real *teach(const EadModel *model, const EadPlanOptions *options, int count, const uint8_t *images) {
    EadGraph *graph = ead_graph_new();
    EadPlan *plan;
    EadNode *leaf = ead_leaf(graph, "images", EAD_U8, count, model->spec.height, model->spec.width, 3, NULL);
    EadNode *y = ead_keep(ead_model_teacher_output(graph, model, ead_normalize_image(graph, leaf)));
    ASSERT_OK(ead_plan_new(graph, options, &plan));
    ead_plan_write(plan, leaf, images);
    ead_plan_run(plan);
    real *values = malloc(ead_bytes(&y->y));
    ck_assert_ptr_nonnull(values);
    ASSERT_OK(ead_plan_read(plan, y, values));
    ead_plan_free(plan);
    ead_graph_free(graph);
    return values;
}

START_TEST(an_image_alone_gives_the_bits_of_a_batch) {
    static uint8_t images[MOST_BYTES];
    const struct Case *c = &cases[_i];
    EadPlanOptions options = {.precision = c->bf16 ? EAD_PRECISION_BF16 : EAD_PRECISION_FP32,
                              .amx = c->bf16 ? &ead_amx_emulated : NULL};
    size_t image = (size_t)c->spec.height * (size_t)c->spec.width * 3;
    size_t outputs =
        (size_t)ead_model_map_height(&c->spec) * (size_t)ead_model_map_width(&c->spec) * EAD_FEATURES;
    EadModel *model;
    ASSERT_OK(ead_model_new(&c->spec, &model));
    ead_params_initialize(&model->teacher, 1);
    fill_noise(images, 2 * image, 7);
    real *both = teach(model, &options, 2, images);
    for (size_t i = 0; i < 2; i++) {
        real *alone = teach(model, &options, 1, images + i * image);
        ck_assert_msg(memcmp(alone, both + i * outputs, outputs * sizeof *alone) == 0, "case %d, image %d",
                      _i, (int)i);
        free(alone);
    }
    ck_assert(memcmp(both, both + outputs, outputs * sizeof *both) != 0);
    free(both);
    ead_model_free(model);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("teacher_cache");
    TCase *tests = tcase_create("teacher_cache");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, an_image_alone_gives_the_bits_of_a_batch, 0,
                        (int)(sizeof cases / sizeof *cases));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
