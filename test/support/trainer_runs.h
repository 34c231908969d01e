/* What the suites of the trainer share: a few generated pictures at 64x64, training on them in folders of
 * the suite's own, and the rows of losses.csv. A suite defines SCRATCH, its folder with a slash at the end,
 * before it includes this. */
#pragma once

#include "test/support/runs.h"

#include "core/backend/backend.h"
#include "data/drawn/drawn_image.h"
#include "train/synth/synth.h"
#include "train/fit.h"

#include <math.h>
#include <omp.h>

#define HEADER "step,loss_hard,loss_penalty,loss_ae,loss_stae,loss_total,lr\n"
/* The cheap variant, for what does not depend on the losses. */
#define STUDENT_ONLY "autoencoder.enabled=false loss.penalty=false "

enum { SIDE = 64, TRAIN_IMAGES = 4, TEXTURES = 3 };

static inline void save_picture(const char *pattern, int number, EadImage *image) {
    char path[256];
    snprintf(path, sizeof path, pattern, number);
    make_folders(path);
    ASSERT_OK(ead_png_write(path, image));
    ead_image_free(image);
}

static inline void make_data(void) {
    EadImage image, mask;
    for (int i = 0; i < TRAIN_IMAGES; i++) {
        EadSynthPart part = {.seed = 3, .number = (uint32_t)i, .height = SIDE, .width = SIDE};
        ASSERT_OK(ead_synth_draw(&part, &image, &mask));
        ead_image_free(&mask);
        save_picture(SCRATCH "data/gasket/train/good/%03d.png", i, &image);
    }
    for (int i = 0; i < TEXTURES; i++) {
        ASSERT_OK(ead_drawn_scene(3, (uint32_t)i, SIDE, SIDE, &image));
        save_picture(SCRATCH "textures/%03d.png", i, &image);
    }
}

static inline void remove_scratch(void) {
    ck_assert_int_eq(system("rm -rf " SCRATCH), 0);
}

/* Everything in folders of our own; settings: "key=value key=value ...". */
static inline void configure(EadConfig *config, const char *run, const char *settings) {
    static const char base[] = "dataset: {path: " SCRATCH "data, category: gasket, cache: " SCRATCH "cache}\n"
                               "model: {image_size: 64, teacher: models/weights/teacher_small.safetensors}\n"
                               "train: {checkpoint_every: 0, lr_drop_at: 1, keep: all}\n"
                               "penalty: {path: " SCRATCH "textures}\n";
    configure_run(config, base, run, settings);
    ASSERT_OK(ead_fit_check(config));
}

static inline EadStatus run_on(const EadBackend *backend, const char *run, const char *settings,
                               bool resume) {
    EadConfig config;
    configure(&config, run, settings);
    EadRunSpec spec = {.config = &config, .backend = backend, .resume = resume, .quiet = true};
    EadStatus status = ead_train(&spec);
    ead_config_free(&config);
    return status;
}

static inline EadStatus try_run(const char *run, const char *settings, bool resume) {
    const EadBackend *backend;
    ASSERT_OK(ead_backend_find("cpu", &backend));
    return run_on(backend, run, settings, resume);
}

static inline void train(const char *run, const char *settings) {
    EadStatus status = try_run(run, settings, false);
    ck_assert_msg(status == EAD_OK, "%s: %s", settings, ead_error_message());
}

static inline void resume(const char *run, const char *settings) {
    EadStatus status = try_run(run, settings, true);
    ck_assert_msg(status == EAD_OK, "%s: %s", settings, ead_error_message());
}

typedef struct LossRow {
    double hard, penalty, ae, stae, total, rate;
} LossRow;

static inline void read_rows(const char *run, int count, LossRow rows[]) {
    read_loss_rows(run, HEADER, count, sizeof *rows / sizeof(double), &rows->hard);
}

static inline void check_sums(const LossRow *rows, int count) {
    for (int i = 0; i < count; i++) {
        const LossRow *r = &rows[i];
        double sum = r->hard + r->penalty + r->ae + r->stae;
        ck_assert_msg(isfinite(r->total) && r->total > 0, "total %g", r->total);
        ck_assert_double_eq_tol(r->total, sum, 1e-6 * sum);
    }
}

/* Where training tells of its start goes to a file, because Check reports on stdout. */
static inline int run_trainer_suite(Suite *suite, const char *log) {
    make_folders(SCRATCH);
    return freopen(log, "w", stderr) ? run_suite(suite) : EXIT_FAILURE;
}
