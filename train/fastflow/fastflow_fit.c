/* FastFlow as a row of train/fits.def: one phase, on features that are computed once. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/fastflow/fastflow_step.h"
#include "train/feature_fit.h"
#include "train/loop/train_backbone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_fastflow;

EAD_SAME_VALUE(EAD_KERNEL_CHOICE_MIXED, EAD_FASTFLOW_MIXED);
EAD_SAME_VALUE(EAD_KERNEL_CHOICE_3X3, EAD_FASTFLOW_3X3);
EAD_SAME_VALUE(EAD_TAPS_CHOSEN, EAD_MAX_STEP_INPUTS);

typedef struct FlowState {
    EadFeatureFit fit;
    const EadConfig *config;
    EadFastflow *model;
} FlowState;

/* ---- the model ---- */

/* What is too large names what makes it smaller. */
static EadStatus planned(const FlowState *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_fastflow_batch, EAD_KEY_fastflow_couplings,
                                          EAD_KEY_fastflow_hidden_ratio};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static void build_features(EadGraph *graph, const void *model, EadNode *images,
                           EadNode *features[EAD_MAX_STEP_INPUTS]) {
    ead_fastflow_features(graph, model, images, features);
}

static void name_features(FlowState *s) {
    char taps[96];
    EadFeatureFit *fit = &s->fit;
    fit->model = &s->model->base, fit->backbone = &s->model->backbone, fit->build = build_features;
    ead_backbone_taps_text(fit->backbone, &s->model->spec.taps, taps, sizeof taps);
    snprintf(fit->settings, sizeof fit->settings, "features of %s", taps);
}

static EadStatus new_model(FlowState *s) {
    const EadConfig *config = s->config;
    EadBackbone backbone;
    EadFastflowSpec spec = {.height = config->model_image_size.height,
                            .width = config->model_image_size.width,
                            .couplings = config->fastflow_couplings,
                            .kernels = (EadFastflowKernels)config->fastflow_kernels,
                            .hidden_ratio = config->fastflow_hidden_ratio,
                            .stored = ead_stored_weights(config->fastflow_stored)};
    EAD_TRY(
        ead_open_features(config, EAD_KEY_fastflow_layers, ead_fastflow_find_taps, &backbone, &spec.taps));
    return planned(s, ead_fastflow_new(&spec, &backbone, &s->model));
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    FlowState *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (FlowState){.fit = ead_feature_fit(spec, data, images, &spec->config->fastflow_epochs,
                                            spec->config->fastflow_batch, true),
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
    ead_fastflow_initialize(((FlowState *)*state)->model, spec->config->train_seed);
    return EAD_OK;
}

static void free_state(void *state) {
    FlowState *s = state;
    ead_train_features_close(&s->fit.features);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phase ---- */

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const FlowState *s = state;
    const EadFastflow *model = s->model;
    double begins = 0; /* half the sum of squares of numbers whose variance is 1 */
    for (int t = 0; t < model->spec.taps.count; t++) begins += 0.5 * (double)ead_count(&model->shapes[t]);
    out[0] =
        (EadPhase){"training", ead_feature_fit_steps(&s->fit), "fastflow.lr", s->config->fastflow_lr, begins};
    return 1;
}

static int batch(const void *state) {
    return ((const FlowState *)state)->fit.batch;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    FlowState *s = state;
    EadPlanOptions plan_options = ead_run_plan_options(s->fit.run);
    EadFastflowOptions options = {.batch = ead_ranks_share(s->fit.run->ranks, s->fit.batch),
                                  .rate = s->config->fastflow_lr,
                                  .weight_decay = s->config->fastflow_weight_decay};
    (void)phase;
    return planned(s, ead_fastflow_step_new(s->model, &options, &s->fit.features, &plan_options, step));
}

static EadStatus start(void *state, const EadStep *step) {
    const FlowState *s = state;
    (void)step;
    ead_feature_fit_print_start(&s->fit, &s->model->base);
    return EAD_OK;
}

/* Moves what is read into the model that the step was planned on. */
static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    EadFastflow *model = ((FlowState *)state)->model;
    EadModel *base;
    EAD_TRY(ead_model_read(file, &base));
    const EadFastflow *read = (const EadFastflow *)base;
    bool same = base->method == model->base.method && ead_backbone_same(&read->backbone, &model->backbone) &&
                ead_params_copy(&model->params, &read->params);
    for (int t = 0; same && t < model->spec.taps.count; t++)
        memcpy(model->orders[t], read->orders[t],
               (size_t)model->spec.couplings * (size_t)model->shapes[t].c * sizeof *model->orders[t]);
    ead_model_free(base);
    return same ? EAD_OK : ead_fail_backbone(ead_safetensors_path(file));
}

/* The step has found memory, so that nothing is drawn in vain. */
static EadStatus fit(void *state, int phase) {
    FlowState *s = state;
    (void)phase;
    ead_fastflow_initialize(s->model, s->config->train_seed);
    EAD_TRY(ead_fit_read_init(s->config, s, read_checkpoint));
    return ead_feature_fit_open(&s->fit);
}

static EadStatus look(void *state, const EadImageCache *few) {
    return ead_feature_fit_look(&((FlowState *)state)->fit, few);
}

static EadStatus features(void *state, char *text, uint64_t *bytes) {
    return ead_feature_fit_bytes(&((FlowState *)state)->fit, text, bytes);
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    FlowState *s = state;
    (void)phase, (void)step;
    EAD_TRY(ead_feature_fit_open(&s->fit)); /* of a run that is resumed */
    if (s->fit.data) ead_train_features_load(&s->fit.features, loader);
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const FlowState *)state)->model->base, writer);
}

static EadModel *model_of(void *state) {
    return &((FlowState *)state)->model->base;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    return ead_fit_check_backbone(config, scope, EAD_KEY_fastflow_layers);
}

const EadFit ead_fit_fastflow = {.name = "fastflow",
                                 .model_name = "model.safetensors",
                                 .scope = EAD_SAME_STEPS,
                                 .losses = ead_fastflow_losses,
                                 .maps_key = -1,
                                 .slots = 2,
                                 .length_key = EAD_KEY_fastflow_epochs,
                                 .check = check,
                                 .create = create,
                                 .sample = sample,
                                 .free = free_state,
                                 .phases = phases,
                                 .batch = batch,
                                 .plan = plan,
                                 .start = start,
                                 .fit = fit,
                                 .look = look,
                                 .features = features,
                                 .begin = begin,
                                 .write = write_checkpoint,
                                 .read = read_checkpoint,
                                 .model = model_of};
