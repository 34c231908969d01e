/* PatchCore as a row of train/fits.def: no phases; the patches of all images, and a coreset of them. */
#include "train/patchcore/patchcore_state.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "train/loop/train_backbone.h"
#include "train/patchcore/bank_images.h"
#include "train/patchcore/coreset.h"
#include "train/support/progress.h"
#include "train/synth/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_patchcore;

enum { SAMPLE_IMAGES = 209 /* MVTec AD's bottle */, SAMPLE_DRAWN = 16 };

/* ---- the model ---- */

static EadStatus new_model(EadPatchcoreFit *s) {
    const EadConfig *config = s->config;
    EadBackbone backbone;
    EadPatchcoreSpec spec = {.height = config->model_image_size.height,
                             .width = config->model_image_size.width,
                             .length = config->patchcore_width,
                             .neighbours = config->patchcore_neighbours,
                             .reweight = config->patchcore_reweight,
                             .sigma = config->patchcore_sigma,
                             .stored = ead_stored_weights(config->patchcore_stored)};
    EAD_TRY(
        ead_open_features(config, EAD_KEY_patchcore_layers, ead_backbone_find_taps, &backbone, &spec.taps));
    if (spec.length == 0) spec.length = backbone.family->patch_length;
    return ead_patchcore_new(&spec, &backbone, &s->model);
}

static EadStatus build_patches(EadPatchcoreFit *s) {
    const EadModel *model = &s->model->base;
    s->graph = ead_graph_new();
    if (!s->graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    s->images = ead_leaf(s->graph, "images", EAD_U8, 1, model->height, model->width, 3, NULL);
    s->patches = ead_keep(ead_patchcore_patches(s->graph, s->model, s->images));
    return EAD_OK;
}

/* As in the detector. */
static EadPlanOptions patch_options(const EadPatchcoreFit *s) {
    EadPlanOptions options = ead_run_plan_options(s->spec);
    options.precision = EAD_PRECISION_FP32;
    return options;
}

static EadStatus measure_network(EadPatchcoreFit *s) {
    EadPlanOptions options = patch_options(s);
    EadStatus status = build_patches(s);
    if (status == EAD_OK) status = ead_plan_measure(s->graph, &options, &s->network);
    ead_graph_free(s->graph);
    s->graph = NULL;
    return status;
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, void **state) {
    EadPatchcoreFit *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (EadPatchcoreFit){.spec = spec, .config = spec->config, .data = data};
    *state = s;
    EAD_TRY(new_model(s));
    return spec->backend->device ? EAD_OK : measure_network(s);
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    EAD_TRY(new_state(spec, data, state));
    EadPatchcoreFit *s = *state;
    if (s->config->patchcore_add[0])
        EAD_TRY(ead_train_data_others(s->config, "patchcore.add", s->config->patchcore_add,
                                      "good images that the data set does not have", NULL, data,
                                      &s->added_list));
    int images = ead_patchcore_fit_listed(s);
    if (!spec->resume) EAD_TRY(ead_patchcore_fit_check_neighbours(s, ead_patchcore_fit_choice(s, images)));
    return ead_patchcore_fit_check_memory(s, images);
}

static void free_fit(EadPatchcoreFit *s) {
    ead_plan_free(s->plan);
    ead_graph_free(s->graph);
    free(s->image), free(s->rows);
    s->plan = NULL, s->graph = NULL, s->image = NULL, s->rows = NULL;
    s->used = s->known = 0;
}

static void free_state(void *state) {
    EadPatchcoreFit *s = state;
    free_fit(s);
    if (s->model) ead_model_free(&s->model->base);
    ead_image_cache_close(s->added);
    ead_image_list_free(&s->added_list);
    free(s);
}

static EadStatus open_added(void *state) {
    EadPatchcoreFit *s = state;
    if (s->added_list.count == 0) return EAD_OK;
    return ead_open_cache(s->config, &s->added_list, &s->data->region, "added", s->spec->quiet, &s->added);
}

static EadStatus later(void *state, size_t *bytes) {
    *bytes = ead_patchcore_fit_memory(state, ead_patchcore_fit_listed(state)).total;
    return EAD_OK;
}

static EadStatus start(void *state, const EadStep *step) {
    const EadPatchcoreFit *s = state;
    int train = ead_image_cache_count(s->data->train), added = s->added ? ead_image_cache_count(s->added) : 0;
    EadPatchcoreMemory n = ead_patchcore_fit_memory(s, (s->spec->resume ? 0 : train) + added);
    (void)step;
    ead_print(stderr,
              "PatchCore on %s at %dx%d on %s: %d training, %d added, %d validation, %d test images\n",
              s->model->backbone.name, s->model->base.height, s->model->base.width, s->spec->backend->name,
              train, added, ead_image_cache_count(s->data->validation), s->data->dataset.test_count);
    if (n.patches > 0)
        ead_print(
            stderr,
            "it takes %.0f MB for the network, %.0f MB for %lld patches of %d numbers, %.0f MB for the %lld "
            "in the bank, %.0f MB to choose them, and then %.0f MB to search it\n",
            1e-6 * (double)s->network, 1e-6 * (double)n.patch_bytes, (long long)n.patches,
            s->model->spec.length, 1e-6 * (double)n.bank_bytes, (long long)n.bank,
            1e-6 * (double)n.coreset_bytes, 1e-6 * (double)n.search_bytes);
    if (!s->spec->resume && n.bank == 1)
        ead_print(stderr,
                  "the bank will have one patch, with which all others are compared; raise "
                  "patchcore.coreset_ratio (now %g)\n",
                  s->config->patchcore_coreset_ratio);
    return EAD_OK;
}

/* ---- patches ---- */

static EadStatus plan_patches(EadPatchcoreFit *s, int images) {
    const EadModel *model = &s->model->base;
    EadPlanOptions options = patch_options(s);
    size_t vector = (size_t)s->model->spec.length * sizeof(real);
    EAD_TRY(build_patches(s));
    s->image = ead_new(3 * (int64_t)model->height, (size_t)model->width, "an image");
    s->rows =
        malloc((size_t)(images * ead_patchcore_fit_grid(s)) * vector); /* untouched until it is filled */
    if (!s->image || !s->rows)
        return ead_fail(EAD_NO_MEMORY,
                        "no memory for the patches of %d images, %.0f MB; lower patchcore.width or "
                        "model.image_size, or take fewer images",
                        images, 1e-6 * (double)(images * ead_patchcore_fit_grid(s)) * (double)vector);
    return ead_plan_new(s->graph, &options, &s->plan);
}

static EadStatus add_image(void *context, int index) {
    EadPatchcoreFit *s = context;
    int64_t count = ead_patchcore_fit_grid(s) * s->model->spec.length;
    real *rows = s->rows + s->used * count;
    EAD_TRY(ead_image_cache_read(s->cache, index, s->image));
    uint64_t hash = ead_bank_hash(s->image, ead_image_cache_image_bytes(s->cache));
    if ((s->cache == s->added || s->grows) && ead_bank_knows(s->model, hash)) {
        s->known++;
        return EAD_OK;
    }
    ead_plan_write(s->plan, s->images, s->image);
    ead_plan_run(s->plan);
    EAD_TRY(ead_plan_read(s->plan, s->patches, rows));
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(rows[i]))
            return ead_fail(EAD_BAD_FILE,
                            "%s: the backbone %s gives numbers for it that are not finite; take another "
                            "model.backbone",
                            ead_image_cache_name(s->cache, index), s->model->backbone.name);
    s->used++;
    return ead_bank_remember(s->model, hash);
}

static EadStatus add_images(EadPatchcoreFit *s, const EadImageCache *cache, const char *what) {
    EadWalk walk = {.what = what, .quiet = s->spec->quiet};
    if (!cache) return EAD_OK;
    walk.count = ead_image_cache_count(cache);
    s->cache = cache;
    return ead_walk(&walk, add_image, s);
}

/* ---- a sample ---- */

/* The patches of drawn parts. */
static EadStatus add_drawn(EadPatchcoreFit *s, int images) {
    for (int i = 0; i < images; i++) {
        EadImage image;
        EAD_TRY(ead_synth_draw_good((uint32_t)i, s->model->base.height, s->model->base.width, &image));
        ead_plan_write(s->plan, s->images, image.pixels);
        ead_image_free(&image);
        ead_plan_run(s->plan);
        EAD_TRY(ead_plan_read(s->plan, s->patches,
                              s->rows + i * ead_patchcore_fit_grid(s) * s->model->spec.length));
    }
    return EAD_OK;
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, state));
    ((EadPatchcoreFit *)*state)->count = images > 0 ? images : SAMPLE_IMAGES;
    return EAD_OK;
}

/* A bank as large as a training would give, of the features of some drawn parts: how fast it is searched depends on what
 * it holds. */
static EadStatus fill_sample(EadPatchcoreFit *s) {
    int64_t count = ead_patchcore_fit_choice(s, s->count);
    EAD_TRY(ead_patchcore_fit_check_neighbours(s, count));
    int images =
        ead_max(SAMPLE_DRAWN, (int)((count + ead_patchcore_fit_grid(s) - 1) / ead_patchcore_fit_grid(s)));
    int64_t *chosen = ead_new(count, sizeof *chosen, "a sample");
    EadStatus status = chosen ? plan_patches(s, images) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = add_drawn(s, images);
    for (int64_t i = 0; i < count && status == EAD_OK; i++)
        chosen[i] = i * images * ead_patchcore_fit_grid(s) / count;
    if (status == EAD_OK) status = ead_patchcore_add(s->model, s->rows, chosen, count);
    free_fit(s);
    free(chosen);
    return status;
}

/* ---- the bank ---- */

/* *chosen [*wanted]: of the patches that are there; the caller frees them. */
static EadStatus choose(EadPatchcoreFit *s, int64_t **chosen, int64_t *wanted) {
    const EadPatchcore *model = s->model;
    *wanted = ead_patchcore_fit_choice(s, s->used);
    *chosen = ead_new(*wanted, sizeof **chosen, "a coreset");
    if (!*chosen) return EAD_NO_MEMORY;
    EadCoreset coreset = {.rows = s->rows,
                          .count = s->used * ead_patchcore_fit_grid(s),
                          .length = model->spec.length,
                          .bank = model->bank,
                          .bank_count = model->rows,
                          .choose = *wanted,
                          .seed = s->config->train_seed,
                          .exact = s->config->patchcore_coreset == EAD_CORESET_CHOICE_EXACT,
                          .quiet = s->spec->quiet};
    return ead_coreset_choose(&coreset, *chosen);
}

static EadStatus add_chosen(EadPatchcoreFit *s) {
    int64_t *chosen, wanted;
    EadStatus status = choose(s, &chosen, &wanted);
    if (status == EAD_OK) status = ead_patchcore_add(s->model, s->rows, chosen, wanted);
    if (status == EAD_OK) s->model->positions += s->used * ead_patchcore_fit_grid(s);
    free(chosen);
    return status;
}

/* ---- what a forecast times ---- */

static EadStatus look(void *state, const EadImageCache *few) {
    EadPatchcoreFit *s = state;
    free_fit(s);
    EAD_TRY(plan_patches(s, ead_image_cache_count(few)));
    return add_images(s, few, "computing patches");
}

static EadStatus choose_few(void *state) {
    int64_t *chosen, wanted;
    EadStatus status = choose(state, &chosen, &wanted);
    free(chosen);
    return status;
}

/* Takes the images of the caches into the bank; train may be NULL. */
static EadStatus extend(EadPatchcoreFit *s, const EadImageCache *train) {
    int before = s->model->rows;
    int images =
        (train ? ead_image_cache_count(train) : 0) + (s->added ? ead_image_cache_count(s->added) : 0);
    EAD_TRY(ead_patchcore_fit_check_memory(s, images));
    EadStatus status = plan_patches(s, images);
    if (status == EAD_OK) status = add_images(s, train, "computing the patches of training images");
    if (status == EAD_OK) status = add_images(s, s->added, "computing the patches of added images");
    if (status == EAD_OK) status = add_chosen(s);
    if (status == EAD_OK && s->known > 0)
        ead_print(stderr, "%s: %d of %d images are in the bank already\n",
                  s->grows ? "model.init" : "patchcore.add", s->known,
                  s->grows ? images : ead_image_cache_count(s->added));
    if (status == EAD_OK)
        ead_print(stderr, "the bank has %d patches, %d of them new, of %lld in %d images\n", s->model->rows,
                  s->model->rows - before, (long long)s->model->positions, s->model->image_count);
    free_fit(s);
    return status == EAD_OK ? ead_patchcore_fit_check_neighbours(s, s->model->rows) : status;
}

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const EadPatchcoreFit *)state)->model->base, writer);
}

static uint64_t growth(const void *state) {
    return ead_patchcore_fit_need(state).stored;
}

/* Tells of training images that a finished bank does not know: the split has changed since, and images that are
 * held back now may be in it. */
static EadStatus note_strangers(const EadPatchcoreFit *s) {
    int known, count = ead_image_cache_count(s->data->train);
    EAD_TRY(ead_bank_count_known(s->model, s->data->train, &known));
    if (known < count)
        ead_print(stderr,
                  "%d of %d training images are not in the finished bank and are left out: add new ones by "
                  "patchcore.add, from a folder of their own, or start again with another --output\n",
                  count - known, count);
    return EAD_OK;
}

/* Takes over what a model has learned. file: its, for messages. */
static EadStatus take_bank(EadPatchcoreFit *s, EadPatchcore *read, const char *file) {
    EadPatchcore *model = s->model;
    if (read->spec.length != model->spec.length || !ead_backbone_same(&read->backbone, &model->backbone))
        return ead_fail_backbone(file);
    model->bank = read->bank, model->rows = read->rows, model->positions = read->positions;
    model->images = read->images, model->image_count = read->image_count;
    read->bank = NULL, read->images = NULL;
    return EAD_OK;
}

EadStatus ead_patchcore_fit_adopt(void *state, EadPatchcore *read, const char *file) {
    EadPatchcoreFit *s = state;
    EAD_TRY(take_bank(s, read, file));
    EAD_TRY(note_strangers(s));
    return s->added ? extend(s, NULL) : EAD_OK;
}

typedef EadStatus TakeOver(EadPatchcoreFit *s, EadPatchcore *read, const char *file);

static EadStatus read_model(EadPatchcoreFit *s, const EadSafetensors *file, TakeOver *take) {
    EadModel *base;
    EAD_TRY(ead_model_read(file, &base));
    EadStatus status =
        base->method == s->model->base.method
            ? take(s, (EadPatchcore *)base, ead_safetensors_path(file))
            : ead_fail(EAD_BAD_FILE, "%s: is not of the method patchcore", ead_safetensors_path(file));
    ead_model_free(base);
    return status;
}

static EadStatus adopt(EadPatchcoreFit *s, EadPatchcore *read, const char *file) {
    return ead_patchcore_fit_adopt(s, read, file);
}

static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    return read_model(state, file, adopt);
}

static EadStatus read_init(void *state, const EadSafetensors *file) {
    return read_model(state, file, take_bank);
}

/* A bank to start from has seen the training images of its model; thresholds are of others. */
static EadStatus warn_of_seen(const EadPatchcoreFit *s) {
    const EadImageCache *validation = s->data->validation;
    int seen, count = ead_image_cache_count(validation);
    EAD_TRY(ead_bank_count_known(s->model, validation, &seen));
    if (seen > 0)
        ead_print(
            stderr,
            "warning: %d of %d validation images are in the bank of model.init, so that thresholds will be "
            "too low: the data set is not divided as it was then\n",
            seen, count);
    return EAD_OK;
}

static EadStatus fit(void *state, int phase) {
    EadPatchcoreFit *s = state;
    (void)phase;
    if (!s->data) return fill_sample(s);
    EAD_TRY(ead_fit_read_init(s->config, s, read_init));
    s->grows = s->config->model_init[0] != '\0';
    if (s->grows) EAD_TRY(warn_of_seen(s));
    return extend(s, s->data->train);
}

static EadModel *model_of(void *state) {
    return &((EadPatchcoreFit *)state)->model->base;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    int known = config->problems.lines.count;
    if (config->patchcore_reweight == 1)
        ead_config_wrong(
            config, EAD_KEY_patchcore_reweight,
            "patchcore.reweight: one neighbour leaves nothing to weigh against; 0 turns it off, 9 is "
            "usual");
    ead_fit_check_init(config, scope, "patchcore");
    if (scope >= EAD_CHECK_FILES) {
        ead_check_backbone(config, EAD_KEY_patchcore_layers);
        if (ead_config_is_there(config, EAD_KEY_patchcore_add))
            ead_config_judge(config, EAD_KEY_patchcore_add, ead_image_source_check(config->patchcore_add));
    }
    return ead_problems_since(&config->problems, known);
}

const EadFit ead_fit_patchcore = {.name = "patchcore",
                                  .model_name = "model.safetensors",
                                  .scope = EAD_SAME_STEPS,
                                  .maps_key = -1,
                                  .length_key = -1,
                                  .check = check,
                                  .create = create,
                                  .sample = sample,
                                  .free = free_state,
                                  .later = later,
                                  .open = open_added,
                                  .start = start,
                                  .fit = fit,
                                  .look = look,
                                  .choose = choose_few,
                                  .choose_power = EAD_CORESET_POWER,
                                  .write = write_checkpoint,
                                  .read = read_checkpoint,
                                  .growth = growth,
                                  .model = model_of};
