/* What a distillation will take, told before it begins: from a few images and steps, which all ranks do as in the run. */
#include "train/distill/distill.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/system/clock.h"

#include "train/support/progress.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIMED_IMAGES = 2, TIMED_STEPS = 3 };

/* Seconds, all ranks waiting for the slowest. */
typedef struct Timing {
    double image; /* to decode one and run the backbone over it */
    double step, sum;
} Timing;

static EadStatus time_images(EadFeatureSource *source, const EadRunSpec *run, double *seconds) {
    const EadDistillImages *images = source->images;
    const float *features;
    uint8_t *pixels = ead_new((int64_t)images->height * images->width, 3, "an image");
    EadStatus status = pixels ? EAD_OK : EAD_NO_MEMORY;
    double begun = 0;
    for (int i = 0; i <= TIMED_IMAGES && status == EAD_OK; i++) { /* the first plans */
        if (i == 1) begun = ead_clock_seconds();
        int position = images->held_out + i % (images->files.count - images->held_out);
        status = ead_feature_source_read(source, position, pixels, &features);
    }
    free(pixels);
    EAD_TRY(ead_ranks_agree(run->ranks, status));
    *seconds = (ead_clock_seconds() - begun) / TIMED_IMAGES;
    return EAD_OK;
}

static void sum_gradients(const EadStep *step, const EadRanks *ranks) {
    for (int g = 0; ranks && g < step->parts.group_count; g++)
        ranks->sum_reals(ranks, step->optimizers[g].gradients, step->optimizers[g].count);
}

static EadStatus time_steps(EadStep *step, const EadRunSpec *run, Timing *timing) {
    uint8_t *slot = ead_new((int64_t)ead_step_slot_bytes(step), 1, "a batch");
    EAD_TRY(ead_ranks_agree(run->ranks, slot ? EAD_OK : EAD_NO_MEMORY));
    double begun = 0, summed = 0;
    for (int i = 0; i <= TIMED_STEPS; i++) {
        if (i == 1) begun = ead_clock_seconds();
        ead_step_run(step, slot);
        EadStatus status = ead_plan_synchronize(step->plan);
        if (i == TIMED_STEPS) summed = ead_clock_seconds();
        if (status != EAD_OK) summed = -1;
    }
    free(slot);
    if (summed < 0) return EAD_UNSUPPORTED;
    timing->step = (summed - begun) / TIMED_STEPS;
    for (int i = 0; i < TIMED_STEPS; i++) sum_gradients(step, run->ranks);
    timing->sum = (ead_clock_seconds() - summed) / TIMED_STEPS;
    return EAD_OK;
}

static void print_shares(const EadRunSpec *run, const EadDistillImages *images, const EadStep *step) {
    int ranks = ead_ranks_count(run->ranks), batch = images->batch.total;
    double bytes = 0;
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += (double)(sizeof(real) * (size_t)step->optimizers[g].count);
    ead_print(stdout, "images    %d to distil on and %d held out, below %s\n",
              images->files.count - images->held_out, images->held_out, run->config->distill_images);
    ead_print(stdout, "processes %d, each with %d%s of the %d images of a step, %.0f MB and %d threads\n",
              ranks, batch / ranks, batch % ranks ? " or one more" : "", batch,
              1e-6 * (double)ead_step_bytes(step), omp_get_max_threads());
    if (ranks > 1)
        ead_print(stdout, "          every step sums %.1f MB of gradients over them\n", 1e-6 * bytes);
}

uint64_t ead_distill_beside_cache(const EadRunSpec *run, const EadStep *step) {
    const EadConfig *config = run->config;
    EadPath checkpoint;
    uint64_t bytes = 0;
    if (!ead_outputs_share_disk(config->distill_cache, config->output)) return 0;
    if (ead_path_in(checkpoint, config->output, "checkpoint.safetensors") != EAD_OK) return 0;
    if (access(checkpoint, F_OK) == 0) return 0;
    for (int g = 0; g < step->parts.group_count; g++)
        bytes += 3 * sizeof(float) * (uint64_t)step->optimizers[g].count;
    return bytes;
}

/* Whether the disk has room for it, too. */
static EadStatus print_cache(const EadRunSpec *run, const EadDistillImages *images, const EadStep *step) {
    size_t pixels = 3 * (size_t)images->height * (size_t)images->width;
    EadFeatureCacheSpec spec = {
        "", 0, images->files.count, pixels, images->features, NULL, ead_distill_beside_cache(run, step)};
    EadPath file;
    double bytes = (double)ead_feature_cache_bytes(&spec);
    if (!run->config->distill_cache[0]) {
        ead_print(
            stdout,
            "cache     none: the backbone runs in every step; with distill.cache it would take %.4g GB\n",
            1e-9 * bytes);
        return EAD_OK;
    }
    ead_print(stdout, "cache     %.4g GB in %s, %.2f MB an image; all ranks must see this folder\n",
              1e-9 * bytes, run->config->distill_cache, 1e-6 * bytes / images->files.count);
    EAD_TRY(ead_path_in(file, run->config->distill_cache, "features"));
    return ead_ranks_leads(run->ranks) ? ead_check_room(file, ead_feature_cache_bytes(&spec), spec.beside)
                                       : EAD_OK;
}

static void print_times(const EadRunSpec *run, const EadDistillImages *images, const Timing *t,
                        int64_t steps) {
    char text[32], again[32];
    int ranks = ead_ranks_count(run->ranks), training = images->files.count - images->held_out;
    int statistics = run->config->distill_statistics_images;
    bool cached = run->config->distill_cache[0] != '\0';
    double alone = cached ? images->files.count : statistics < training ? statistics : training;
    ead_print(stdout, "features  %s an image, %s for %.0f of them%s; less where a cache holds them already\n",
              ead_duration_text(t->image, text), ead_duration_text(t->image * alone / ranks, again), alone,
              cached ? "" : ", for their statistics");
    ead_print(stdout, "steps     %s each", ead_duration_text(t->step, text));
    if (ranks > 1) ead_print(stdout, ", %s of it the sum over processes", ead_duration_text(t->sum, again));
    ead_print(stdout, "\n");
    ead_print(stdout, "in all    %s for the %lld steps that are left\n",
              ead_duration_text(t->step * (double)steps, text), (long long)steps);
}

EadStatus ead_distill_forecast(EadDistillImages *images, const EadPatchFeatures *backbone,
                               const EadRunSpec *run, EadStep *step) {
    EadFeatureSource source;
    Timing timing = {0};
    int64_t left = run->config->distill_steps - step->device_done;
    print_shares(run, images, step);
    EAD_TRY(print_cache(run, images, step));
    EadStatus status = ead_feature_source_open(&source, images, backbone, run, NULL, 0, 0);
    if (status == EAD_OK) status = time_images(&source, run, &timing.image);
    ead_feature_source_close(&source);
    if (status == EAD_OK) status = time_steps(step, run, &timing);
    if (status == EAD_OK) print_times(run, images, &timing, left);
    return status;
}
