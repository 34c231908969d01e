/* AST as a row of train/fits.def: the teacher, then the student, both on features that are computed once. */
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/ast/ast_step.h"
#include "train/feature_fit.h"
#include "train/loop/train_backbone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const EadFit ead_fit_ast;

#define PAPERS_BACKBONE "efficientnet_b5"

typedef struct AstState {
    EadFeatureFit fit;
    const EadConfig *config;
    EadAst *model;
} AstState;

/* ---- the model ---- */

/* What is too large names what makes it smaller. */
static EadStatus planned(const AstState *s, EadStatus status) {
    static const EadConfigKeyId keys[] = {EAD_KEY_ast_batch, EAD_KEY_ast_teacher_hidden,
                                          EAD_KEY_ast_student_hidden};
    return ead_fit_planned(s->config, sizeof keys / sizeof *keys, keys, status);
}

static void build_features(EadGraph *graph, const void *context, EadNode *images,
                           EadNode *features[EAD_MAX_STEP_INPUTS]) {
    const EadAst *model = context;
    ead_backbone_build(graph, &model->backbone, images, &model->spec.taps, features);
}

static void name_features(AstState *s) {
    char tap[EAD_BACKBONE_NAME];
    EadFeatureFit *fit = &s->fit;
    fit->model = &s->model->base, fit->backbone = &s->model->backbone, fit->build = build_features;
    ead_backbone_taps_text(fit->backbone, &s->model->spec.taps, tap, sizeof tap);
    snprintf(fit->settings, sizeof fit->settings, "features of %s", tap);
}

static EadStatus new_model(AstState *s) {
    const EadConfig *config = s->config;
    EadBackbone backbone;
    EadAstSpec spec = {.height = config->model_image_size.height,
                       .width = config->model_image_size.width,
                       .blocks = config->ast_blocks,
                       .teacher_hidden = config->ast_teacher_hidden,
                       .student_blocks = config->ast_student_blocks,
                       .student_hidden = config->ast_student_hidden,
                       .clamp = config->ast_clamp,
                       .slope = config->ast_slope,
                       .stored = ead_stored_weights(config->ast_stored)};
    EAD_TRY(ead_open_features(config, EAD_KEY_ast_layer, ead_ast_find_tap, &backbone, &spec.taps));
    return planned(s, ead_ast_new(&spec, &backbone, &s->model));
}

/* A forecast and the bench have merged norms from the start. */
static void draw(AstState *s) {
    ead_ast_initialize(s->model, s->config->train_seed);
    ead_ast_merge(s->model);
}

static EadStatus new_state(const EadRunSpec *spec, const EadTrainData *data, int images, void **state) {
    AstState *s = ead_new(1, sizeof *s, "a training");
    if (!s) return EAD_NO_MEMORY;
    *s = (AstState){
        .fit = ead_feature_fit(spec, data, images, &spec->config->ast_epochs, spec->config->ast_batch, true),
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
    draw(*state);
    return EAD_OK;
}

static void free_state(void *state) {
    AstState *s = state;
    ead_train_features_close(&s->fit.features);
    if (s->model) ead_model_free(&s->model->base);
    free(s);
}

/* ---- the phases ---- */

enum { TEACHER, STUDENT, PHASES };

static int phases(const void *state, EadPhase out[EAD_MAX_PHASES]) {
    const AstState *s = state;
    int64_t steps = ead_feature_fit_steps(&s->fit);
    double rate = s->config->ast_lr, begins = 0.5 * s->model->shape.c; /* of numbers whose variance is 1 */
    out[TEACHER] = (EadPhase){"training the teacher", steps, "ast.lr", rate, begins};
    out[STUDENT] = (EadPhase){"training the student", steps, "ast.lr", rate, 1};
    return PHASES;
}

static EadStatus plan(void *state, int phase, EadStep *step) {
    AstState *s = state;
    EadPlanOptions plan_options = ead_run_plan_options(s->fit.run);
    EadAstOptions options = {.batch = s->fit.batch,
                             .rate = s->config->ast_lr,
                             .weight_decay = s->config->ast_weight_decay,
                             .student = phase == STUDENT};
    return planned(s, ead_ast_step_new(s->model, &options, &s->fit.features, &plan_options, step));
}

static EadStatus start(void *state, const EadStep *step) {
    const AstState *s = state;
    const char *name = s->model->backbone.name;
    (void)step;
    ead_feature_fit_print_start(&s->fit, &s->model->base);
    ead_print(stderr, "so many for the teacher, then as many for the student\n");
    if (strcmp(name, PAPERS_BACKBONE) != 0)
        ead_print(stderr, "%s stands in for EfficientNet-B5, the backbone of AST's paper\n", name);
    return EAD_OK;
}

/* Moves what is read into the model that the steps are planned on. */
static EadStatus read_checkpoint(void *state, const EadSafetensors *file) {
    EadAst *model = ((AstState *)state)->model;
    EadModel *base;
    EAD_TRY(ead_model_read(file, &base));
    const EadAst *read = (const EadAst *)base;
    bool same = base->method == model->base.method && ead_backbone_same(&read->backbone, &model->backbone) &&
                ead_ast_copy(model, read);
    ead_model_free(base);
    return same ? EAD_OK : ead_fail_backbone(ead_safetensors_path(file));
}

/* The step has found memory, so that nothing is drawn in vain. The student begins as it was drawn before the teacher was
 * trained. */
static EadStatus fit(void *state, int phase) {
    AstState *s = state;
    if (phase == TEACHER) {
        draw(s);
        EAD_TRY(ead_fit_read_init(s->config, s, read_checkpoint));
    }
    return ead_feature_fit_open(&s->fit);
}

static EadStatus look(void *state, const EadImageCache *few) {
    return ead_feature_fit_look(&((AstState *)state)->fit, few);
}

static EadStatus features(void *state, char *text, uint64_t *bytes) {
    return ead_feature_fit_bytes(&((AstState *)state)->fit, text, bytes);
}

static EadStatus begin(void *state, int phase, EadStep *step, EadLoaderSpec *loader) {
    AstState *s = state;
    (void)phase, (void)step;
    EAD_TRY(ead_feature_fit_open(&s->fit)); /* of a run that is resumed */
    if (s->fit.data) ead_train_features_load(&s->fit.features, loader);
    return EAD_OK;
}

/* ---- checkpoint and model ---- */

static void ready(void *state) {
    ead_ast_merge(((AstState *)state)->model);
}

static EadStatus write_checkpoint(const void *state, EadSafetensorsWriter *writer) {
    return ead_model_write(&((const AstState *)state)->model->base, writer);
}

static EadModel *model_of(void *state) {
    return &((AstState *)state)->model->base;
}

static EadStatus check(EadConfig *config, EadCheckScope scope) {
    return ead_fit_check_backbone(config, scope, EAD_KEY_ast_layer);
}

const EadFit ead_fit_ast = {.name = "ast",
                            .model_name = "model.safetensors",
                            .scope = EAD_SAME_STEPS,
                            .losses = ead_ast_losses,
                            .maps_key = -1,
                            .slots = 2,
                            .length_key = EAD_KEY_ast_epochs,
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
