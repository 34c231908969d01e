/* The backbone's pass over all images, and batches out of the file. */
#include "train/loop/train_features.h"

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/philox.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "data/cache/cache_key.h"
#include "train/loop/train_data.h"
#include "train/support/channel_sums.h"
#include "train/support/progress.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ead_train_features_forget_inputs(EadTrainFeatures *features) {
    features->inputs = 0;
}

EadNode *ead_train_features_input(EadTrainFeatures *features, EadGraph *graph, int batch,
                                  const EadTensor *shape, EadStepParts *parts) {
    int at = features->inputs++;
    assert(at < EAD_MAX_STEP_INPUTS);
    features->numbers[at] = (int64_t)shape->h * shape->w * shape->c;
    features->channels[at] = shape->c;
    if (!features->factors[at]) features->factors[at] = ead_new(shape->c, sizeof(real), "features");
    if (!features->factors[at]) ead_graph_fail(graph, EAD_NO_MEMORY);
    ead_train_features_scale(features, 1);
    parts->inputs[at] = ead_leaf(graph, "features", EAD_F16, batch, shape->h, shape->w, shape->c, NULL);
    EadNode *factors = ead_leaf(graph, "factors", EAD_REAL, 1, 1, 1, shape->c, features->factors[at]);
    return ead_channel_affine(graph, parts->inputs[at], factors, NULL);
}

void ead_train_features_scale(EadTrainFeatures *features, double factor) {
    for (int i = 0; i < features->inputs; i++)
        for (int c = 0; c < features->channels[i] && features->factors[i]; c++)
            features->factors[i][c] = (real)factor;
}

static int64_t total_of(const EadTrainFeatures *features) {
    int64_t total = 0;
    for (int i = 0; i < features->inputs; i++) total += features->numbers[i];
    return total;
}

/* ---- filling ---- */

typedef struct FeatureFill {
    EadTrainFeatures *features;
    EadGraph *graph;
    EadPlan *plan;
    EadNode *images, *nodes[EAD_MAX_STEP_INPUTS];
    uint8_t *image;
    float *numbers;
} FeatureFill;

/* The features are those of the step, or without one those that the builder makes. */
static EadStatus build_fill(FeatureFill *fill) {
    EadTrainFeatures *f = fill->features;
    bool stepless = f->inputs == 0;
    fill->graph = ead_graph_new();
    if (!fill->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    fill->images = ead_leaf(fill->graph, "images", EAD_U8, 1, f->spec.height, f->spec.width, 3, NULL);
    f->spec.build(fill->graph, f->spec.model, fill->images, fill->nodes);
    EAD_TRY(ead_graph_status(fill->graph));
    for (int i = 0; stepless && i < EAD_MAX_STEP_INPUTS && fill->nodes[i]; i++)
        f->numbers[f->inputs++] = ead_count(&fill->nodes[i]->y);
    for (int i = 0; i < f->inputs; i++) {
        assert(ead_count(&fill->nodes[i]->y) == f->numbers[i]);
        ead_keep(fill->nodes[i]);
    }
    return EAD_OK;
}

static EadStatus plan_fill(FeatureFill *fill) {
    const EadTrainFeatures *f = fill->features;
    EadPlanOptions options = ead_run_plan_options(f->spec.run);
    options.precision = EAD_PRECISION_FP32; /* as in the detector */
    EAD_TRY(build_fill(fill));
    fill->image = ead_new((int64_t)ead_image_cache_image_bytes(f->spec.images), 1, "an image");
    fill->numbers = ead_new(total_of(f), sizeof *fill->numbers, "the features of an image");
    return fill->image && fill->numbers ? ead_plan_new(fill->graph, &options, &fill->plan) : EAD_NO_MEMORY;
}

static void free_fill(FeatureFill *fill) {
    ead_plan_free(fill->plan);
    ead_graph_free(fill->graph);
    free(fill->image), free(fill->numbers);
}

static EadStatus compute(void *context, int index) {
    FeatureFill *fill = context;
    const EadTrainFeatures *f = fill->features;
    float *to = fill->numbers;
    EAD_TRY(ead_image_cache_read(f->spec.images, index, fill->image));
    ead_plan_write(fill->plan, fill->images, fill->image);
    ead_plan_run(fill->plan);
    for (int i = 0; i < f->inputs; i++, to += f->numbers[i - 1])
        EAD_TRY(ead_plan_read(fill->plan, fill->nodes[i], to));
    return EAD_OK;
}

static EadStatus add_image(void *context, int index) {
    const FeatureFill *fill = context;
    const EadTrainFeatures *f = fill->features;
    const uint8_t no_pixels = 0;
    int count;
    index = ead_feature_cache_missing(f->cache, &count)[index - ead_feature_cache_filled(f->cache)];
    EAD_TRY(compute(context, index));
    EadStatus status = ead_feature_cache_write(f->cache, index, &no_pixels, fill->numbers);
    if (status != EAD_BAD_ARGUMENT) return status;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: the backbone %s gives numbers for it that half precision cannot hold; take another "
                    "model.backbone",
                    ead_image_cache_name(f->spec.images, index), f->spec.backbone->name);
}

static EadStatus fill_missing(EadTrainFeatures *features) {
    FeatureFill fill = {.features = features};
    int missing, there = ead_feature_cache_filled(features->cache);
    (void)ead_feature_cache_missing(features->cache, &missing);
    EadWalk walk = {.what = "computing features",
                    .first = there,
                    .count = there + missing,
                    .quiet = features->spec.run->quiet,
                    .hint = "the same command goes on"};
    if (missing == 0) return EAD_OK;
    EadStatus status = plan_fill(&fill);
    if (status == EAD_OK) status = ead_walk(&walk, add_image, &fill);
    free_fill(&fill);
    return status;
}

EadStatus ead_train_features_look(const EadTrainFeaturesSpec *spec) {
    EadTrainFeatures features = {.spec = *spec};
    FeatureFill fill = {.features = &features};
    EadWalk walk = {
        .what = "computing features", .count = ead_image_cache_count(spec->images), .quiet = true};
    EadStatus status = plan_fill(&fill);
    if (status == EAD_OK) status = ead_walk(&walk, compute, &fill);
    free_fill(&fill);
    return status;
}

EadStatus ead_train_features_bytes(const EadTrainFeaturesSpec *spec, int images, uint64_t *bytes) {
    EadTrainFeatures features = {.spec = *spec};
    FeatureFill fill = {.features = &features};
    EadStatus status = build_fill(&fill);
    EadFeatureCacheSpec cache = {.count = images, .features = total_of(&features)};
    *bytes = ead_feature_cache_bytes(&cache);
    free_fill(&fill);
    return status;
}

static EadStatus fill_cache(EadTrainFeatures *features, const EadFeatureCacheSpec *spec) {
    if (ead_feature_cache_complete(features->cache)) return EAD_OK;
    ead_print(stderr, "features of %d of %d images are computed into %s, %.0f MB in all\n",
              spec->count - ead_feature_cache_filled(features->cache), spec->count, spec->path,
              (double)ead_feature_cache_bytes(spec) * 1e-6);
    return ead_feature_cache_finish(features->cache, fill_missing(features));
}

/* ---- opening ---- */

static uint64_t add_text(uint64_t key, const char *text) {
    return ead_cache_checksum(key, text, strlen(text) + 1);
}

/* All that the features depend on, by its content: where files lie does not matter. */
static EadStatus find_key(const EadTrainFeaturesSpec *spec, uint64_t *key) {
    const int sizes[] = {spec->height, spec->width};
    const EadParams *params = &spec->backbone->params;
    size_t bytes = ead_image_cache_image_bytes(spec->images);
    uint8_t *image = ead_new((int64_t)bytes, 1, "an image");
    EadStatus status = image ? EAD_OK : EAD_NO_MEMORY;
    *key = add_text(add_text(add_text(0, spec->backbone->name), spec->settings), spec->run->backend->name);
    *key = ead_cache_checksum(*key, params->values, (size_t)params->total * sizeof *params->values);
    *key = ead_cache_checksum(*key, sizes, sizeof sizes);
    for (int i = 0; i < ead_image_cache_count(spec->images) && status == EAD_OK; i++) {
        status = ead_image_cache_read(spec->images, i, image);
        if (status == EAD_OK) *key = ead_cache_checksum(*key, image, bytes);
    }
    free(image);
    return status;
}

EadStatus ead_train_features_open(EadTrainFeatures *features, const EadTrainFeaturesSpec *spec) {
    EadPath folder, path;
    char name[64];
    uint64_t key;
    features->spec = *spec;
    EAD_TRY(find_key(spec, &key));
    EAD_TRY(ead_train_data_cache(spec->run->config, folder));
    EAD_TRY(ead_make_directories(folder));
    snprintf(name, sizeof name, "features_%016llx.cache", (unsigned long long)key);
    EAD_TRY(ead_path_in(path, folder, name));
    EadFeatureCacheSpec cache = {
        path, key, ead_image_cache_count(spec->images), 0, total_of(features), spec->run->ranks, 0};
    features->halves = ead_new(cache.features, sizeof *features->halves, "the features of an image");
    if (!features->halves) return EAD_NO_MEMORY;
    EadStatus status = ead_feature_cache_open(&cache, &features->cache);
    if (status != EAD_OK && spec->run->config->dataset_cache[0])
        return ead_name_cache_folder(status, folder, "dataset.cache");
    EAD_TRY(status);
    return fill_cache(features, &cache);
}

/* ---- their spread ---- */

typedef struct FeatureSpread {
    const EadTrainFeatures *features;
    EadChannelSums sums;
    float *numbers;
} FeatureSpread;

static EadStatus add_to_spread(void *context, int index) {
    FeatureSpread *spread = context;
    const EadTrainFeatures *f = spread->features;
    uint8_t no_pixels;
    EAD_TRY(ead_feature_cache_read(f->cache, index, &no_pixels, f->halves));
    ead_halves_to_floats(f->halves, f->numbers[0], spread->numbers);
    ead_channel_sums_add(&spread->sums, spread->numbers, f->numbers[0] / f->channels[0]);
    return EAD_OK;
}

EadStatus ead_train_features_deviation(const EadTrainFeatures *features, double *deviation) {
    int channels = features->channels[0];
    FeatureSpread spread = {.features = features};
    EadWalk walk = {.what = "measuring the features",
                    .count = ead_image_cache_count(features->spec.images),
                    .quiet = features->spec.run->quiet};
    double *results = ead_new(channels, 2 * sizeof *results, "the spread of features");
    assert(features->inputs == 1);
    spread.numbers = ead_new(features->numbers[0], sizeof *spread.numbers, "the features of an image");
    EadStatus status =
        results && spread.numbers ? ead_channel_sums_new(channels, &spread.sums) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = ead_walk(&walk, add_to_spread, &spread);
    if (status == EAD_OK) ead_channel_sums_result(&spread.sums, results, results + channels);
    *deviation = 0;
    for (int c = 0; c < channels && status == EAD_OK; c++) *deviation += results[channels + c] / channels;
    ead_channel_sums_free(&spread.sums);
    free(results), free(spread.numbers);
    return status;
}

/* ---- batches ---- */

int64_t ead_steps_of_epoch(int images, int batch, bool drops) {
    return drops ? images / batch : (images + batch - 1) / batch;
}

/* An EadLoaderFill, of one thread. */
static EadStatus fill_slot(void *context, uint64_t step, uint8_t *slot) {
    const EadTrainFeatures *f = context;
    int count = ead_image_cache_count(f->spec.images);
    uint64_t each = (uint64_t)ead_steps_of_epoch(count, f->spec.batch, f->spec.drops);
    int taken = (int)((step - 1) % each) * f->spec.batch; /* in this epoch */
    EadShare share = ead_ranks_share(f->spec.run->ranks, ead_min(f->spec.batch, count - taken));
    uint64_t first = (step - 1) / each * (uint64_t)count + (uint64_t)(taken + share.first);
    for (uint64_t b = 0; b < (uint64_t)share.count; b++) {
        uint8_t no_pixels, *to = slot;
        const uint16_t *from = f->halves;
        uint32_t index = ead_shuffled_index(f->spec.run->config->train_seed, EAD_STREAM_TRAIN_ORDER,
                                            first + b, (uint32_t)count);
        EAD_TRY(ead_feature_cache_read(f->cache, (int)index, &no_pixels, f->halves));
        for (int i = 0; i < f->inputs; i++) {
            size_t bytes = (size_t)f->numbers[i] * sizeof *from;
            memcpy(to + b * bytes, from, bytes);
            from += f->numbers[i];
            to += (uint64_t)share.count * bytes;
        }
    }
    return EAD_OK;
}

void ead_train_features_load(EadTrainFeatures *features, EadLoaderSpec *loader) {
    loader->threads = 1;
    loader->fill = fill_slot;
    loader->context = features;
}

void ead_train_features_close(EadTrainFeatures *features) {
    ead_feature_cache_close(features->cache);
    for (int i = 0; i < EAD_MAX_STEP_INPUTS; i++) free(features->factors[i]);
    free(features->halves);
    *features = (EadTrainFeatures){0};
}
