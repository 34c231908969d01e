/* What a training step keeps instead of being given it: images drawn from tables give the steps that the same
 * images give when they are brought, on the CPU and on a device; which tables are chosen; and why the
 * teacher's output on an image may be kept: on the CPU it has the same bits whether the teacher sees the
 * image alone or in a batch with another. (On a device the step shows it images one by one.) */
#include "test/support/amx_emulated.h"
#include "test/support/fake_device.h"
#include "test/support/resident_steps.h"
#include "test/support/sample_models.h"
#include "train/efficientad/efficientad_fit.h"

#include <omp.h>

/* ---- the teacher ---- */

enum { MAX_BYTES = 2 * 256 * 256 * 3 };

static const struct Case {
    EadEfficientadSpec spec;
    bool bf16;
} cases[] = {
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 128}, false},
    {{.size = EAD_PDN_SMALL, .height = 64, .width = 64}, true},
    {{.size = EAD_PDN_SMALL, .height = 128, .width = 192, .padding = true}, false},
    {{.size = EAD_PDN_SMALL, .height = 256, .width = 256}, false},
    {{.size = EAD_PDN_MEDIUM, .height = 128, .width = 128}, false},
};

START_TEST(an_image_alone_gives_the_bits_of_a_batch) {
    static uint8_t images[MAX_BYTES];
    const struct Case *c = &cases[_i];
    EadPlanOptions options = {.precision = c->bf16 ? EAD_PRECISION_BF16 : EAD_PRECISION_FP32,
                              .amx = c->bf16 ? &ead_amx_emulated : NULL};
    size_t image = (size_t)c->spec.height * (size_t)c->spec.width * 3;
    size_t outputs = (size_t)ead_efficientad_map_height(&c->spec) *
                     (size_t)ead_efficientad_map_width(&c->spec) * EAD_FEATURES;
    EadEfficientad *model;
    ASSERT_OK(ead_efficientad_new(&c->spec, &model));
    ead_params_initialize(&model->teacher, 1);
    fill_noise(images, 2 * image, 7);
    real *both = teacher_outputs(model, &options, 2, images);
    for (size_t i = 0; i < 2; i++) {
        real *alone = teacher_outputs(model, &options, 1, images + i * image);
        ck_assert_msg(memcmp(alone, both + i * outputs, outputs * sizeof *alone) == 0, "case %d, image %d",
                      _i, (int)i);
        free(alone);
    }
    ck_assert(memcmp(both, both + outputs, outputs * sizeof *both) != 0);
    free(both);
    ead_efficientad_free(model);
}
END_TEST

/* ---- steps ---- */

static const struct DrawnCase {
    StepWay way;
    bool on_device;
} drawn_cases[] = {
    {{.penalty = true, .penalty_table = true, .augment = true, .autoencoder = true}, false},
    {{true, true, true, true, true}, true},
    {{.penalty = true, .augment = true, .autoencoder = true}, true},
    {{.autoencoder = true, .teacher_table = true}, true},
    {{.penalty = false}, true},
};

START_TEST(drawn_images_give_the_steps_of_images_that_are_brought) {
    const struct DrawnCase *c = &drawn_cases[_i];
    EadPlanOptions device = {.backend = &fake_backend};
    fake_device_start((uint64_t)_i, SIZE_MAX);
    check_drawn_steps(c->way, NULL, c->on_device ? &device : NULL);
    ck_assert_int_eq(fake_device_leaks(), 0);
}
END_TEST

/* ---- choice ---- */

static EadResidentData choose_for(const EadBackend *backend, size_t room, EadTeacherCacheChoice teacher,
                                  int steps) {
    const EadEfficientadSpec spec = {.height = 256, .width = 256};
    EadConfig config;
    EadResidentData tables;
    ASSERT_OK(ead_config_defaults(&config));
    config.train_teacher_cache = (int)teacher;
    config.train_steps = steps;
    fake_device_start(1, room);
    ASSERT_OK(ead_resident_data_choose(&config, backend, &spec, 10, 1000, &tables));
    ead_config_free(&config);
    ck_assert_uint_eq(tables.seed, 42);
    ck_assert(tables.augment);
    return tables;
}

static EadResidentData choose(const EadBackend *backend, size_t room, bool teacher) {
    return choose_for(backend, room, teacher ? EAD_TEACHER_CACHE_CHOICE_TRUE : EAD_TEACHER_CACHE_CHOICE_FALSE,
                      100);
}

static void check_rows(EadResidentData tables, int train, int penalty, int teacher) {
    ck_assert_int_eq(tables.rows[EAD_TABLE_TRAIN], train);
    ck_assert_int_eq(tables.rows[EAD_TABLE_PENALTY], penalty);
    ck_assert_int_eq(tables.rows[EAD_TABLE_TEACHER], teacher);
}

/* An image of 256x256 takes 196,608 bytes, the teacher's output on it 56 * 56 * 384 * 4. */
START_TEST(tables_are_chosen_by_what_is_free) {
    const size_t image = 196608, output = 4816896;
    check_rows(choose(&ead_backend_cpu, 0, false), 0, 0, 0);
    check_rows(choose(&ead_backend_cpu, 0, true), 0, 0, 10);
    check_rows(choose(&fake_backend, 20 * image - 1, false), 0, 0, 0);
    check_rows(choose(&fake_backend, 20 * image, false), 10, 0, 0);
    check_rows(choose(&fake_backend, 2020 * image - 1, false), 10, 0, 0);
    check_rows(choose(&fake_backend, 2020 * image, false), 10, 1000, 0);
    check_rows(choose(&fake_backend, 10 * output, true), 0, 0, 10);
    check_rows(choose(&fake_backend, 10 * output + 2020 * image, true), 10, 1000, 10);
}
END_TEST

START_TEST(outputs_of_the_teacher_are_kept_where_they_are_worth_it) {
    const EadTeacherCacheChoice automatic = EAD_TEACHER_CACHE_CHOICE_AUTO;
    const size_t all = 10 * 4816896;
    check_rows(choose_for(&fake_backend, 4 * all - 1, automatic, 11), 10, 0, 0);
    check_rows(choose_for(&fake_backend, 4 * all, automatic, 11), 10, 0, 10);
    check_rows(choose_for(&fake_backend, 4 * all, automatic, 10), 10, 0, 0);
}
END_TEST

int main(void) {
    omp_set_num_threads(2);
    Suite *suite = suite_create("step_tables");
    TCase *tests = tcase_create("step_tables");
    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, an_image_alone_gives_the_bits_of_a_batch, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_loop_test(tests, drawn_images_give_the_steps_of_images_that_are_brought, 0,
                        (int)(sizeof drawn_cases / sizeof *drawn_cases));
    tcase_add_test(tests, tables_are_chosen_by_what_is_free);
    tcase_add_test(tests, outputs_of_the_teacher_are_kept_where_they_are_worth_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
