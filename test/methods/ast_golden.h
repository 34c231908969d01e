/* AST against PyTorch (test/golden/methods/ast_golden.py), in float and, with tighter bounds, in double. */
#pragma once

#include "autograd/optimizer.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/ast/ast.h"
#include "test/methods/flow_golden.h"

enum {
    AST_SEED = 5,
    AST_SIDE = 24,
    AST_MAP = 6,
    AST_CHANNELS = 64,
    AST_HIDDEN = 16,
    AST_IMAGES = 2,
    AST_STEPS = 3
};

/* Changes fresh parameters, so that nothing is as it begins. */
static inline void move_ast_parameters(EadParams *params) {
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        real *values = params->values + p->offset;
        bool conv = strstr(p->name, ".conv"), teacher = strncmp(p->name, "teacher.", 8) == 0;
        double factor = teacher && ends_with(p->name, "conv2.weight") ? 8 : 1;
        for (int64_t i = 0; i < ead_param_size(p); i++)
            values[i] =
                (real)(conv ? (double)values[i] * factor : (double)values[i] + 0.5 * drawn(p->name, i));
    }
}

/* Takes the backbone, a ResNet-18, of whose layer1 images of 24x24 leave 6x6 positions with 64 channels. */
static inline EadAst *ast_model(EadBackbone *backbone, int height, int width) {
    EadAstSpec spec = {.height = height,
                       .width = width,
                       .taps = {1, {0}},
                       .blocks = 4,
                       .teacher_hidden = AST_HIDDEN,
                       .student_blocks = 2,
                       .student_hidden = AST_HIDDEN,
                       .clamp = 3,
                       .slope = 0.01,
                       .stored = EAD_FILE_F32};
    EadAst *model;
    EadStatus status = ead_ast_new(&spec, backbone, &model);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ead_ast_initialize(model, AST_SEED);
    move_ast_parameters(&model->teacher);
    move_ast_parameters(&model->student);
    ead_ast_merge(model);
    return model;
}

/* A graph on the drawn features of two images. */
typedef struct AstGraph {
    EadGraph *graph;
    EadNode *features, *step;
    EadOptimizer optimizer; /* of a graph that trains */
    EadPlan *plan;
} AstGraph;

static inline AstGraph new_ast_graph(void) {
    AstGraph g = {.graph = ead_graph_new()};
    g.features = ead_leaf(g.graph, "features", EAD_REAL, AST_IMAGES, AST_MAP, AST_MAP, AST_CHANNELS, NULL);
    g.step = ead_leaf(g.graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    return g;
}

static inline void plan_ast_graph(AstGraph *g) {
    EadStatus status = ead_plan_new(g->graph, NULL, &g->plan);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    real *values = g->features->y.data;
    for (int64_t i = 0; i < ead_count(&g->features->y); i++)
        values[i] = (real)(drawn("features", i) * 2 + 0.5);
}

static inline void free_ast_graph(AstGraph *g) {
    ead_plan_free(g->plan);
    ead_graph_free(g->graph);
    ead_optimizer_free(&g->optimizer);
}

/* Appends Adam. rate: read at each run. */
static inline void train_ast_graph(AstGraph *g, EadParams *params, EadNode *total, real *rate) {
    ck_assert_int_eq(ead_optimizer_new(params, &g->optimizer), EAD_OK);
    EadParamGroup group = {params, &g->optimizer, ead_adam_usual(1e-5),
                           ead_leaf(g->graph, "rate", EAD_REAL, 1, 1, 1, 1, rate)};
    ead_optimizer_append(g->graph, 1, &group, total, g->step, (EadShare){0});
    plan_ast_graph(g);
}

/* A bias before a batch norm, which has no gradient but rounding. In double only the decay moves it, in float Adam makes
 * much of that. */
static inline bool is_idle_bias(const char *name) {
    bool within = strncmp(name, "student.", 8) == 0 && strncmp(name, "student.conv", 12) != 0;
    return within && strstr(name, ".conv") && ends_with(name, ".bias");
}

/* The last loss is minimized. */
static inline void check_ast_steps(const EadSafetensors *file, const char *prefix, AstGraph *g, int losses,
                                   EadNode *const parts[], const EadParams *params, Bounds allowed) {
    char name[64];
    snprintf(name, sizeof name, "%s.losses", prefix);
    double *expected = golden_numbers(file, name, (int64_t)losses * (AST_STEPS + 1)), got[3];
    for (int s = 0; s < AST_STEPS; s++) {
        ead_plan_run(g->plan);
        for (int i = 0; i < losses; i++) got[i] = (double)*(const real *)parts[i]->y.data;
        check_numbers(name, got, expected + (ptrdiff_t)losses * s, losses, allowed.loss);
        if (s > 0) continue;
        snprintf(name, sizeof name, "%s.gradients", prefix);
        check_samples(file, name, params, g->optimizer.gradients, allowed.gradient, is_idle_bias);
        snprintf(name, sizeof name, "%s.losses", prefix);
    }
    snprintf(name, sizeof name, "%s.parameters", prefix);
    bool single = sizeof(real) == sizeof(float);
    check_samples(file, name, params, params->values, allowed.parameter, single ? is_idle_bias : NULL);
    free(expected);
}

/* z, then loss, gradients and three steps of Adam of the teacher. */
static inline void check_ast_teacher(const EadSafetensors *file, EadAst *model, Bounds allowed) {
    AstGraph g = new_ast_graph();
    EadNode *z = ead_keep(ead_ast_teacher(g.graph, model, g.features, false, NULL));
    plan_ast_graph(&g);
    ead_plan_run(g.plan);
    check_z(file, "z", z, allowed.z);
    free_ast_graph(&g);
    g = new_ast_graph();
    real rate = (real)1e-3;
    EadAstLoss loss = ead_ast_teacher_loss(g.graph, model, g.features);
    EadNode *parts[] = {ead_keep(loss.squares), ead_keep(loss.logdet), ead_keep(loss.total)};
    train_ast_graph(&g, &model->teacher, loss.total, &rate);
    check_ast_steps(file, "teacher", &g, 3, parts, &model->teacher, allowed);
    free_ast_graph(&g);
}

/* The same of the student, its running statistics, and the map then. */
static inline void check_ast_student(const EadSafetensors *file, EadAst *model, Bounds allowed) {
    enum { NORMS = 4 * 2 * AST_HIDDEN, CELLS = AST_IMAGES * AST_MAP * AST_MAP };
    double numbers[NORMS];
    AstGraph g = new_ast_graph();
    real rate = (real)1e-3;
    EadNode *parts[] = {ead_keep(ead_ast_student_loss(g.graph, model, g.features))};
    train_ast_graph(&g, &model->student, parts[0], &rate);
    check_ast_steps(file, "student", &g, 1, parts, &model->student, allowed);
    free_ast_graph(&g);
    double *expected = golden_numbers(file, "running", NORMS);
    for (int i = 0; i < NORMS; i++) numbers[i] = (double)model->running[i];
    check_numbers("running", numbers, expected, NORMS, allowed.parameter);
    free(expected);
    ead_ast_merge(model);
    g = new_ast_graph();
    EadNode *z = ead_ast_teacher(g.graph, model, g.features, false, NULL);
    EadNode *d = ead_squared_difference(g.graph, z, ead_ast_student(g.graph, model, g.features, false));
    EadNode *map = ead_keep(ead_channel_mean(g.graph, d));
    plan_ast_graph(&g);
    ead_plan_run(g.plan);
    expected = golden_numbers(file, "map", CELLS);
    for (int i = 0; i < CELLS; i++) numbers[i] = (double)((const real *)map->y.data)[i];
    check_numbers("map", numbers, expected, CELLS, allowed.parameter);
    free(expected);
    free_ast_graph(&g);
}
