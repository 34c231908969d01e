/* The measurements of the bench. Each adds its results and says what it does on stderr; the command
 * prints and writes them. */
#pragma once

#include "bench/bench_results.h"
#include "core/plan/plan.h"

#include <stdbool.h>

typedef struct EadBenchOptions {
    const char *size;            /* model.size */
    const char *const *settings; /* key=value, of the config of what is measured; its model.method */
    int setting_count;
    int height, width; /* of the images */
    int batch;         /* images at once in inference, distillation and features */
    bool own_set;      /* metrics: of `batch` images of this size instead of the two usual sets */
    int repeat;        /* timed passes; 0: the measurement's own default */
    int load; /* busy processes beside a second measurement of what is measured as a whole; 0: none */
    const int *simulated; /* [simulated_count] numbers of threads to simulate infer and step with */
    int simulated_count;
    bool quiet;              /* no notes on stderr */
    bool errors;             /* ops: also hold the convolutions against double */
    EadPlanOptions plan;     /* backend and precision */
    double peak_gflop_per_s; /* of the CPU in fp32; NAN if unknown, or if the work is done elsewhere */
} EadBenchOptions;

/* Inference: 8-bit images at model size in, maps and scores out. */
EadStatus ead_bench_infer(const EadBenchOptions *options, EadBenchResults *results);

/* The training step with the paper's settings, of EfficientAD: one training image, its augmented copy,
 * one penalty image. */
EadStatus ead_bench_step(const EadBenchOptions *options, EadBenchResults *results);

/* Every kernel call of the inference plan and of the training step's plan, timed inside whole passes, so that
 * caches hold what they hold in earnest. One result a call, in the order of the plan. */
EadStatus ead_bench_ops(const EadBenchOptions *options, EadBenchResults *results);

/* All metrics of two test sets of generated maps, 83 of 900x900 and 275 of 1600x1280, or of one of the
 * options' size. No model takes part. */
EadStatus ead_bench_metrics(const EadBenchOptions *options, EadBenchResults *results);

/* The step of distillation with the paper's settings on features from a cache, `batch` images. */
EadStatus ead_bench_distill(const EadBenchOptions *options, EadBenchResults *results);

/* The features of distillation for `batch` images of twice the height and width, by three backbones; size
 * plays no part. */
EadStatus ead_bench_features(const EadBenchOptions *options, EadBenchResults *results);

/* Penalty images, decoded and brought to size by all threads: those of penalty.path, or drawn ones as JPEG files in
 * memory. What a device must not wait for. */
EadStatus ead_bench_loader(const EadBenchOptions *options, EadBenchResults *results);

/* What infer or step (`word`) would take on each of options->simulated threads, measured too where the machine has as many
 * processors; and where the time of the last of them goes, call by call. Errors: EAD_UNSUPPORTED, see
 * ead_team_simulate(). */
EadStatus ead_bench_simulate(const EadBenchOptions *options, const char *word, EadBenchResults *results);
