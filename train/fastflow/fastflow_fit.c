/* FastFlow as a row of train/fits.def: one phase, on features that are computed once. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/fastflow/fastflow_step.h"
#include "train/fit.h"
#include "train/loop/train_backbone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_fastflow;

EAD_SAME_VALUE(EAD_KERNEL_CHOICE_MIXED, EAD_FASTFLOW_MIXED);
EAD_SAME_VALUE(EAD_KERNEL_CHOICE_3X3, EAD_FASTFLOW_3X3);
EAD_SAME_VALUE(EAD_TAPS_CHOSEN, EAD_MAX_STEP_INPUTS);

typedef struct FlowState {
    const EadRunSpec *spec;
    const EadConfig *config;
    const EadTrainData *data; /* NULL: a sample for the bench */
    EadFastflow *model;
    EadTrainFeatures features;
    char settings[128]; /* what the features depend on */
} FlowState;

/* ---- the model ---- */

static EadStatus new_model(FlowState *s) {
    const EadConfig *config = s->config;
    EadBackbone backbone;
    EadFastflowSpec spec = {.height = config->model_image_size.height,
                            .width = config->model_image_size.width,
                            .couplings = config->fastflow_couplings,
                            .kernels = (EadFastflowKernels)config->fastflow_kernels,
                            .hidden_ratio = config->fastflow_hidden_ratio};
    spec.stored = config->fastflow_stored == EAD_STORED_CHOICE_FP16 ? EAD_FILE_F16 : EAD_FILE_F32;
    EAD_TRY(ead_open_backbone(config, &backbone));
    EadStatus status = ead_fastflow_find_taps(&backbone, config->fastflow_layers, &spec.taps);
    if (status == EAD_OK) return ead_fastflow_new(&spec, &backbone, config->train_seed, &s->model);
    ead_backbone_free(&backbone);
    return ead_fail_prefix(status, "fastflow.layers: ");
}

static EadStatus create(const EadRunSpec *spec, EadTrainData *data, void **state) {
    FlowState *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (FlowState){.spec = spec, .config = spec->config, .data = data};
    *state = s;
    return new_model(s);
}

static EadStatus sample(const EadRunSpec *spec, void **state) {
    return create(spec, NULL, state);
}

static void free_state(void *state) {
    FlowState *s = state;
    ead_train_features_close(&s->features);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phase ---- */

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const FlowState *s = state;
    const EadConfig *config = s->config;
    int64_t images = s->data ? s->data->dataset.train.count : 1, batch = config->fastflow_batch;
    int64_t steps = (images * config->fastflow_epochs + batch - 1) / batch;
    out[0] = (EadPhase){"training", steps, "fastflow.lr", config->fastflow_lr};
    return 1;
}

static int batch(const void *state) {
    return ((const FlowState *)state)->config->fastflow_batch;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    FlowState *s = state;
    const EadConfig *config = s->config;
    EadPlanOptions plan_options = ead_run_plan_options(s->spec);
    EadFastflowOptions options = {.batch = ead_ranks_share(s->spec->ranks, config->fastflow_batch),
                                  .rate = config->fastflow_lr,
                                  .weight_decay = config->fastflow_weight_decay};
    (void)phase;
    EadStatus status = ead_fastflow_step_new(s->model, &options, &s->features, &plan_options, step);
    return status == EAD_NO_MEMORY
               ? ead_fail_prefix(status, "with fastflow.batch=%d: ", config->fastflow_batch)
               : status;
}

static EadStatus start(void *state, const EadStep *step) {
    const FlowState *s = state;
    EadPhase phase[EAD_MAX_PHASES];
    (void)step;
    phases(state, phase);
    ead_fit_print_start(s->spec, s->data, &s->model->base, phase[0].steps, s->config->fastflow_batch);
    return EAD_OK;
}

static void build_features(EadGraph *graph, const void *model, EadNode *images,
                           EadNode *features[EAD_MAX_STEP_INPUTS]) {
    ead_fastflow_features(graph, model, images, features);
}

static EadStatus open_features(FlowState *s) {
    char taps[96];
    ead_backbone_taps_text(&s->model->backbone, &s->model->spec.taps, taps, sizeof taps);
    snprintf(s->settings, sizeof s->settings, "features of %s", taps);
    EadTrainFeaturesSpec spec = {.run = s->spec,
                                 .images = s->data->train,
                                 .backbone = &s->model->backbone,
                                 .settings = s->settings,
                                 .height = s->model->base.height,
                                 .width = s->model->base.width,
                                 .build = build_features,
                                 .model = s->model,
                                 .batch = s->config->fastflow_batch};
    return ead_train_features_open(&s->features, &spec);
}

static EadStatus fit(void *state, int phase) {
    (void)phase;
    return open_features(state);
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    FlowState *s = state;
    (void)phase, (void)step;
    if (!s->data) return EAD_OK;
    if (!s->features.cache) EAD_TRY(open_features(s)); /* resumed */
    ead_train_features_load(&s->features, loader);
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const FlowState *)state)->model->base, writer);
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

static EadModel *model_of(void *state) {
    return &((FlowState *)state)->model->base;
}

const EadFit ead_fit_fastflow = {.name = "fastflow",
                                 .model_name = "model.safetensors",
                                 .scope = EAD_SAME_STEPS,
                                 .losses = ead_fastflow_losses,
                                 .maps_key = -1,
                                 .slots = 2,
                                 .length_key = EAD_KEY_fastflow_epochs,
                                 .check = ead_fit_check_backbone,
                                 .create = create,
                                 .sample = sample,
                                 .free = free_state,
                                 .phases = phases,
                                 .batch = batch,
                                 .plan = plan,
                                 .start = start,
                                 .fit = fit,
                                 .begin = begin,
                                 .write = write_checkpoint,
                                 .read = read_checkpoint,
                                 .model = model_of};
