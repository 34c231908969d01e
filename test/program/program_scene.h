/* What the suites that start the program share: a small data set, a config, a trained run. A suite defines S, its
 * folder with a slash at the end, before it includes this. Nothing is made where $PROGRAM is not set. */
#pragma once

#include "test/support/runs.h"

#define RUN     S "run"
#define TRAIN   "train -q -c " S "base.yaml --output " RUN
#define MODEL   S "trained/model.safetensors"
#define PREDICT "predict -q --model " MODEL " "

static inline void make_scene(void) {
    if (!getenv("PROGRAM")) return;
    shell_ok("rm -rf " S " && mkdir -p " S);
    write_text(S "base.yaml", "dataset: {path: " S "data, category: gasket, cache: " S "cache}\n"
                              "model: {image_size: 64}\n"
                              "train: {steps: 1, lr_drop_at: 1, keep: all}\n"
                              "loss.penalty: false\n"
                              "autoencoder.enabled: false\n"
                              "penalty.path: " S "data/textures\n");
    run_well("synth --output " S "data --category gasket --size 128 --train 3 --test-good 1 --test-defect 1 "
             "--textures 3");
    run_well("train -q -c " S "base.yaml --output " S "trained");
}

static inline void remove_scene(void) {
    shell_ok("rm -rf " S);
}

static inline bool holds_temporary_files(void) {
    return system("test -z \"$(find " S " -name '.efficientad-*')\"") != 0;
}
