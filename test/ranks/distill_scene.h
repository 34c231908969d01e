/* What the suites of distillation share: a drawn ResNet-18, a dozen pictures at 128x128, runs on them, and the rows of
 * losses.csv. A suite defines SCRATCH, its folder with a slash at the end, before it includes this. */
#pragma once

#include "test/support/runs.h"
#include "test/support/sample_models.h"

#include "core/backend/backend.h"
#include "train/fit.h"
#include "data/drawn/drawn_image.h"
#include "train/synth/synth.h"

#include <omp.h>

#define BACKBONE SCRATCH "resnet18.safetensors"
#define CACHE    "distill.cache=" SCRATCH "cache "
#define DISTILL_CONFIG                                                                                       \
    "distill: {backbone: " BACKBONE ", images: " SCRATCH "pictures, batch: 2, lr: 1e-3}\n"                   \
    "model: {image_size: 128}\ntrain: {checkpoint_every: 0}\n"

enum { SIDE = 128, PICTURES = 12 };

static inline void make_data(void) {
    EadImage image;
    for (int i = 0; i < PICTURES; i++) {
        char path[256];
        ASSERT_OK(ead_drawn_scene(3, (uint32_t)i, SIDE, SIDE, &image));
        snprintf(path, sizeof path, SCRATCH "pictures/%d/%03d.png", i % 2, i);
        make_folders(path);
        ASSERT_OK(ead_png_write(path, &image));
        ead_image_free(&image);
    }
    write_backbone("resnet18", BACKBONE, &(Drawn){.count = 0});
}

/* A run of DISTILL_CONFIG with "key=value key=value ...", as one rank or (NULL) alone. */
static inline EadStatus try_distill(const char *run, const char *settings, bool resume,
                                    const EadRanks *ranks) {
    const EadBackend *backend;
    EadConfig config;
    configure_run(&config, DISTILL_CONFIG, run, settings);
    ASSERT_OK(ead_fit_find("distill")->check(&config, EAD_CHECK_TRAINING));
    ASSERT_OK(ead_backend_find("cpu", &backend));
    EadRunSpec spec = {
        .config = &config, .backend = backend, .resume = resume, .quiet = true, .ranks = ranks};
    EadStatus status = ead_fit_run(ead_fit_find("distill"), &spec);
    ead_config_free(&config);
    return status;
}

typedef struct DistillRow {
    double loss, rate;
} DistillRow;

static inline void read_rows(const char *run, int count, DistillRow rows[]) {
    read_loss_rows(run, "step,loss,lr\n", count, sizeof *rows / sizeof(double), &rows->loss);
}
