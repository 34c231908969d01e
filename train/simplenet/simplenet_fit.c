/* SimpleNet as a row of train/fits.def: one phase, on features that are computed once. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/feature_fit.h"
#include "train/loop/train_backbone.h"
#include "train/simplenet/simplenet_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_simplenet;

static const double SHARE = 0.2; /* the noise on patches that are scaled to a standard deviation of 1 */

typedef struct SimplenetState {
    EadFeatureFit fit;
    const EadConfig *config;
    EadSimplenet *model;
} SimplenetState;

/* ---- the model ---- */

/* Of several layers the paper keeps half as many numbers again as PatchCore's does. */
static int usual_width(const EadBackbone *backbone, const EadTaps *taps) {
    int length = backbone->family->patch_length;
    return taps->count > 1 ? length * 3 / 2 : length;
}

/* What is too large names what makes it smaller. */
static EadStatus planned(const SimplenetState *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_simplenet_batch, EAD_KEY_simplenet_width,
                                          EAD_KEY_simplenet_hidden};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static void build_features(EadGraph *graph, const void *model, EadNode *images,
                           EadNode *features[EAD_MAX_STEP_INPUTS]) {
    features[0] = ead_simplenet_patches(graph, model, images);
}

static void name_features(SimplenetState *s) {
    char taps[128];
    EadFeatureFit *fit = &s->fit;
    fit->model = &s->model->base, fit->backbone = &s->model->backbone, fit->build = build_features;
    ead_backbone_taps_text(fit->backbone, &s->model->spec.taps, taps, sizeof taps);
    snprintf(fit->settings, sizeof fit->settings, "patches of %s, %d numbers", taps, s->model->spec.length);
}

static EadStatus new_model(SimplenetState *s) {
    const EadConfig *config = s->config;
    EadBackbone backbone;
    EadSimplenetSpec spec = {.height = config->model_image_size.height,
                             .width = config->model_image_size.width,
                             .length = config->simplenet_width,
                             .hidden = config->simplenet_hidden,
                             .sigma = config->simplenet_sigma,
                             .stored = ead_stored_weights(config->simplenet_stored)};
    EAD_TRY(
        ead_open_features(config, EAD_KEY_simplenet_layers, ead_backbone_find_taps, &backbone, &spec.taps));
    if (spec.length == 0) spec.length = usual_width(&backbone, &spec.taps);
    return planned(s, ead_simplenet_new(&spec, &backbone, &s->model));
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    SimplenetState *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (SimplenetState){.fit = ead_feature_fit(spec, data, images, &spec->config->simplenet_epochs,
                                                 spec->config->simplenet_batch, false),
                          .config = spec->config};
    *state = s;
    EAD_TRY(new_model(s));
    name_features(s);
    return EAD_OK;
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    return new_state(spec, data, data->dataset.train.count, state);
}

static EadStatus sample(const EadRunSpec *spec, int images, void **state) {
    EAD_TRY(new_state(spec, NULL, images, state));
    EadSimplenet *model = ((SimplenetState *)*state)->model;
    ead_simplenet_initialize(model, spec->config->train_seed);
    ead_simplenet_merge(model);
    return EAD_OK;
}

static void free_state(void *state) {
    SimplenetState *s = state;
    ead_train_features_close(&s->fit.features);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phase ---- */

/* Its standard deviation in the scale of the features; 0: these are to be scaled. */
static double noise_of(const SimplenetState *s) {
    return s->config->simplenet_noise > 0 ? s->config->simplenet_noise
                                          : s->model->backbone.family->patch_noise;
}

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const SimplenetState *s = state;
    out[0] = (EadPhase){"training", ead_feature_fit_steps(&s->fit), "simplenet.discriminator_lr",
                        s->config->simplenet_discriminator_lr, 2 * s->config->simplenet_margin};
    return 1;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    SimplenetState *s = state;
    const EadConfig *config = s->config;
    EadPlanOptions plan_options = ead_run_plan_options(s->fit.run);
    EadSimplenetOptions options = {.batch = s->fit.batch,
                                   .last = ead_feature_fit_last(&s->fit),
                                   .epoch = ead_feature_fit_epoch(&s->fit),
                                   .noise = noise_of(s) > 0 ? noise_of(s) : SHARE,
                                   .margin = config->simplenet_margin,
                                   .seed = config->train_seed,
                                   .adaptor_lr = config->simplenet_adaptor_lr,
                                   .adaptor_wd = config->simplenet_adaptor_weight_decay,
                                   .discriminator_lr = config->simplenet_discriminator_lr,
                                   .discriminator_wd = config->simplenet_discriminator_weight_decay};
    (void)phase;
    return planned(s, ead_simplenet_step_new(s->model, &options, &s->fit.features, &plan_options, step));
}

static EadStatus start(void *state, const EadStep *step) {
    const SimplenetState *s = state;
    (void)step;
    ead_feature_fit_print_start(&s->fit, &s->model->base);
    return EAD_OK;
}

/* Moves what is read into the model that the step was planned on. */
static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    SimplenetState *s = state;
    EadSimplenet *model = s->model;
    EadModel *base;
    EAD_TRY(ead_model_read(file, &base));
    const EadSimplenet *read = (const EadSimplenet *)base;
    bool same = base->method == model->base.method && ead_backbone_same(&read->backbone, &model->backbone) &&
                read->spec.hidden == model->spec.hidden && ead_params_copy(&model->adaptor, &read->adaptor) &&
                ead_params_copy(&model->discriminator, &read->discriminator);
    if (same) {
        model->scale = read->scale;
        memcpy(model->running, read->running, 2 * (size_t)model->spec.hidden * sizeof(real));
        ead_simplenet_merge(model);
    }
    ead_model_free(base);
    return same ? EAD_OK : ead_fail_backbone(ead_safetensors_path(file));
}

/* The step has found memory, so that nothing is drawn in vain. Finds the scale in which the noise is what it is to be. */
static EadStatus fit(void *state, int phase) {
    SimplenetState *s = state;
    double deviation, noise = noise_of(s);
    (void)phase;
    ead_simplenet_initialize(s->model, s->config->train_seed);
    EAD_TRY(ead_fit_read_init(s->config, s, read_checkpoint));
    EAD_TRY(ead_feature_fit_open(&s->fit));
    EAD_TRY(ead_train_features_deviation(&s->fit.features, &deviation));
    if (!(deviation > 0))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "all patches of the training images are alike to %s; take another model.backbone",
                        s->model->backbone.name);
    if (noise == 0 && !s->config->model_init[0]) s->model->scale = (real)(1 / deviation);
    ead_print(stderr, "standard deviation of the patches: %.4g; of the noise: %.4g\n", deviation,
              noise > 0 ? noise : SHARE * deviation);
    return EAD_OK;
}

static EadStatus look(void *state, const EadImageCache *few) {
    return ead_feature_fit_look(&((SimplenetState *)state)->fit, few);
}

static EadStatus features(void *state, char *text, uint64_t *bytes) {
    return ead_feature_fit_bytes(&((SimplenetState *)state)->fit, text, bytes);
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    SimplenetState *s = state;
    (void)phase, (void)step;
    if (!s->fit.data) return EAD_OK;
    EAD_TRY(ead_feature_fit_open(&s->fit)); /* of a run that is resumed */
    ead_train_features_scale(&s->fit.features, (double)s->model->scale);
    ead_train_features_load(&s->fit.features, loader);
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static void ready(void *state) {
    ead_simplenet_merge(((SimplenetState *)state)->model);
}

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const SimplenetState *)state)->model->base, writer);
}

static EadModel *model_of(void *state) {
    return &((SimplenetState *)state)->model->base;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    return ead_fit_check_backbone(config, scope, EAD_KEY_simplenet_layers);
}

const EadFit ead_fit_simplenet = {.name = "simplenet",
                                  .model_name = "model.safetensors",
                                  .scope = EAD_SAME_STEPS,
                                  .losses = ead_simplenet_losses,
                                  .maps_key = -1,
                                  .slots = 2,
                                  .length_key = EAD_KEY_simplenet_epochs,
                                  .check = check,
                                  .create = create,
                                  .sample = sample,
                                  .free = free_state,
                                  .phases = phases,
                                  .plan = plan,
                                  .start = start,
                                  .fit = fit,
                                  .look = look,
                                  .features = features,
                                  .begin = begin,
                                  .ready = ready,
                                  .write = write_checkpoint,
                                  .read = read_checkpoint,
                                  .model = model_of};
