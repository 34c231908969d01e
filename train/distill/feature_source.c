/* The backbone's pass, and filling the cache with it. */
#include "train/distill/distill.h"

#include "core/base/printing.h"
#include "core/base/half.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "data/source/loader.h"
#include "train/support/progress.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 4, LOADER_THREADS = 1 };

static size_t small_bytes(const EadDistillImages *images) {
    return (size_t)images->height * (size_t)images->width * 3;
}

static EadStatus build_backbone(EadFeatureSource *s) {
    s->graph = ead_graph_new();
    if (!s->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    s->large =
        ead_leaf(s->graph, "large images", EAD_U8, 1, 2 * s->images->height, 2 * s->images->width, 3, NULL);
    EadNode *x = ead_normalize_image(s->graph, s->large);
    s->features = ead_keep(ead_patch_features_build(s->graph, s->backbone, x));
    return EAD_OK;
}

static EadStatus plan_backbone(EadFeatureSource *s) {
    if (s->plan) return EAD_OK;
    EAD_TRY(build_backbone(s));
    return ead_plan_new(s->graph, &s->plan_options, &s->plan);
}

static void free_backbone(EadFeatureSource *s) {
    ead_plan_free(s->plan);
    ead_graph_free(s->graph);
    s->plan = NULL;
    s->graph = NULL;
}

/* *features is valid until the next call. */
static EadStatus run_backbone(EadFeatureSource *s, const uint8_t *large, const float **features) {
    const void *value;
    ead_plan_write(s->plan, s->large, large);
    ead_plan_run(s->plan);
    EAD_TRY(ead_plan_fetch(s->plan, s->features, &value));
    *features = value;
    return EAD_OK;
}

/* ---- filling ---- */

/* An EadLoaderFill: 1-based step n is the n-th image that is missing. */
static EadStatus load_missing(void *context, uint64_t step, uint8_t *slot) {
    const EadFeatureSource *s = context;
    int count;
    const int *missing = ead_feature_cache_missing(s->cache, &count);
    if (step > (uint64_t)count) return EAD_OK; /* ahead of the last */
    int position = missing[step - 1];
    return ead_distill_load(s->images, position, ead_distill_gray(s->images, position), slot,
                            slot + small_bytes(s->images));
}

static EadStatus fill_next(void *context, int index) {
    EadFeatureSource *s = context;
    const uint8_t *slot;
    const float *features;
    int count, next = index - ead_feature_cache_filled(s->cache); /* the loader's order is the same */
    EAD_TRY(ead_loader_next(s->loader, &slot));
    EadStatus status = run_backbone(s, slot + small_bytes(s->images), &features);
    if (status == EAD_OK)
        status = ead_feature_cache_write(s->cache, ead_feature_cache_missing(s->cache, &count)[next], slot,
                                         features);
    ead_loader_release(s->loader);
    return status;
}

static EadStatus fill_missing(EadFeatureSource *s, bool quiet) {
    int missing, there = ead_feature_cache_filled(s->cache);
    (void)ead_feature_cache_missing(s->cache, &missing);
    EadLoaderSpec spec = {.slot_bytes = 5 * small_bytes(s->images),
                          .slots = SLOTS,
                          .threads = LOADER_THREADS,
                          .first_step = 1,
                          .fill = load_missing,
                          .context = s};
    EadWalk walk = {.what = "computing features",
                    .first = there,
                    .count = there + missing,
                    .quiet = quiet,
                    .hint = "the same command goes on"};
    if (missing == 0) return EAD_OK;
    EAD_TRY(plan_backbone(s));
    EAD_TRY(ead_loader_open(&spec, &s->loader));
    EadStatus status = ead_walk(&walk, fill_next, s);
    ead_loader_close(s->loader);
    free_backbone(s);
    return status;
}

/* ---- the source ---- */

EadStatus ead_feature_source_measure(EadDistillImages *images, const EadPatchFeatures *backbone,
                                     const EadRunSpec *run, size_t *bytes) {
    EadFeatureSource source = {
        .images = images, .backbone = backbone, .plan_options = {.backend = run->backend}};
    EadStatus status = build_backbone(&source);
    if (status == EAD_OK) status = ead_plan_measure(source.graph, &source.plan_options, bytes);
    if (status == EAD_OK) *bytes += SLOTS * 5 * small_bytes(images);
    free_backbone(&source);
    return status;
}

EadStatus ead_feature_source_open(EadFeatureSource *source, EadDistillImages *images,
                                  const EadPatchFeatures *backbone, const EadRunSpec *run, const char *cache,
                                  uint64_t key, uint64_t beside) {
    *source =
        (EadFeatureSource){.images = images, .backbone = backbone, .plan_options = {.backend = run->backend}};
    source->pixels = malloc(4 * small_bytes(images));
    source->halves = malloc((size_t)images->features * sizeof *source->halves);
    source->floats = malloc((size_t)images->features * sizeof *source->floats);
    if (!source->pixels || !source->halves || !source->floats)
        return ead_fail(EAD_NO_MEMORY, "no memory for the features of an image");
    if (!cache) return EAD_OK;
    EadFeatureCacheSpec spec = {cache,      key,   images->files.count, small_bytes(images), images->features,
                                run->ranks, beside};
    EAD_TRY(ead_feature_cache_open(&spec, &source->cache));
    if (!ead_feature_cache_complete(source->cache)) {
        ead_print(stderr, "features of %d of %d images are computed into %s, %.1f GB in all\n",
                  spec.count - ead_feature_cache_filled(source->cache), spec.count, cache,
                  (double)ead_feature_cache_bytes(&spec) * 1e-9);
        EAD_TRY(ead_feature_cache_finish(source->cache, fill_missing(source, run->quiet)));
    }
    images->cache = source->cache;
    return EAD_OK;
}

void ead_feature_source_close(EadFeatureSource *source) {
    free_backbone(source);
    ead_feature_cache_close(source->cache);
    free(source->pixels);
    free(source->halves);
    free(source->floats);
    *source = (EadFeatureSource){0};
}

EadStatus ead_feature_source_read(EadFeatureSource *s, int position, uint8_t *small, const float **features) {
    if (s->cache) {
        EAD_TRY(ead_feature_cache_read(s->cache, position, small, s->halves));
        ead_halves_to_floats(s->halves, s->images->features, s->floats);
        *features = s->floats;
        return EAD_OK;
    }
    EAD_TRY(plan_backbone(s));
    EAD_TRY(ead_distill_load(s->images, position, ead_distill_gray(s->images, position), small, s->pixels));
    return run_backbone(s, s->pixels, features);
}
