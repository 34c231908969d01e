/* DSR against its authors' modules in PyTorch (test/golden/methods/dsr_golden.py), in float and, with tighter bounds, in
 * double. */
#pragma once

#include "autograd/optimizer.h"
#include "core/ops/codebook_update/codebook_update.h"
#include "core/plan/plan.h"
#include "models/dsr/dsr.h"
#include "test/methods/golden_steps.h"
#include "test/support/sample_models.h"

enum {
    DSR_SEED = 5,
    DSR_SIDE = 64,
    DSR_BATCH = 2,
    DSR_CHANNELS = 8,
    DSR_CODES = 32,
    DSR_TRAINED = 30,
    DSR_JUDGED = 32,
    DSR_STEPS = 3,
    DSR_STRIDE = 37,
    DSR_IMAGE = DSR_SIDE * DSR_SIDE * 3,
};

typedef struct DsrBounds {
    double value, loss, gradient, parameter; /* gradient 0: it is not compared */
} DsrBounds;

static inline EadDsr *dsr_model(void) {
    EadDsrSpec spec = {DSR_SIDE, DSR_SIDE, DSR_CHANNELS, DSR_CODES, 8};
    EadDsr *model;
    ck_assert_msg(ead_dsr_new(&spec, &model) == EAD_OK, "%s", ead_error_message());
    ead_dsr_initialize(model, DSR_SEED);
    for (int64_t i = 0; i < model->codes.total; i++) model->codes.values[i] /= 8;
    return model;
}

/* Numbers in [0,1) by name, as whole ranks or as a target. */
static inline EadNode *dsr_ranks(EadGraph *graph, const char *name, int count, int side) {
    EadNode *leaf = ead_leaf(graph, name, EAD_REAL, count, side, side, 1,
                             ead_graph_memory(graph, (int64_t)count * side * side, sizeof(real), "ranks"));
    for (int64_t i = 0; i < ead_count(&leaf->y); i++) {
        double u = (drawn(name, i) + 1) / 2;
        ((real *)leaf->y.data)[i] = u < 0.5 ? 0 : (real)floor((u - 0.5) * 2 * DSR_CODES);
    }
    return leaf;
}

static inline EadNode *dsr_target(EadGraph *graph) {
    EadNode *leaf =
        ead_leaf(graph, "target", EAD_REAL, DSR_BATCH, DSR_SIDE, DSR_SIDE, 1,
                 ead_graph_memory(graph, DSR_BATCH * DSR_SIDE * DSR_SIDE, sizeof(real), "a target"));
    for (int64_t i = 0; i < ead_count(&leaf->y); i++)
        ((real *)leaf->y.data)[i] = (drawn("target", i) + 1) / 2 > 0.7;
    return leaf;
}

static inline void check_value(const EadSafetensors *file, const char *name, const EadNode *node,
                               double allowed) {
    int64_t count = (ead_count(&node->y) + DSR_STRIDE - 1) / DSR_STRIDE;
    double *expected = golden_numbers(file, name, count), *got = malloc((size_t)count * sizeof *got);
    for (int64_t i = 0; i < count; i++) got[i] = (double)((const real *)node->y.data)[i * DSR_STRIDE];
    check_numbers(name, got, expected, count, allowed);
    free(expected), free(got);
}

/* Biases in front of an instance norm, which takes them out again: what is left of their gradients is rounding. */
static inline bool is_taken_out(const char *name) {
    bool block = strstr(name, ".down") || strstr(name, ".up1.conv") || strstr(name, ".up2.conv") ||
                 strstr(name, ".up3.conv");
    return block && strstr(name, ".bias");
}

typedef enum DsrTraining { DSR_CODEBOOK, DSR_RESTORING, DSR_REFINING } DsrTraining;

/* A training that is being checked. */
typedef struct DsrCheck {
    EadDsr *model;
    EadParams *params;
    EadNode *losses[5];
    int loss_count;
    EadDsrLoss restoring;
} DsrCheck;

static inline void build_codebook_training(EadGraph *graph, EadNode *pixels, EadNode *step, DsrCheck *c) {
    EadDsrCodebookLoss loss = ead_dsr_codebook_loss(graph, c->model, pixels, 0.25);
    const EadDsrLevels *levels[] = {&loss.before, &loss.index};
    for (int level = 0; level < 2; level++) {
        EadNode *codes = ead_param_leaf(graph, &c->model->codes, level ? "codes.hi" : "codes.lo", false);
        real *averages =
            ead_graph_memory(graph, DSR_CODES * (DSR_CHANNELS + 1), sizeof *averages, "averages");
        for (int m = 0; m < DSR_CODES; m++) {
            memcpy(averages + (ptrdiff_t)m * (DSR_CHANNELS + 1),
                   (real *)codes->y.data + (ptrdiff_t)m * DSR_CHANNELS, DSR_CHANNELS * sizeof *averages);
            averages[m * (DSR_CHANNELS + 1) + DSR_CHANNELS] = 1;
        }
        EadNode *leaf = ead_leaf(graph, "averages", EAD_REAL, DSR_CODES, 1, 1, DSR_CHANNELS + 1, averages);
        ead_codebook_update(graph, codes, leaf, level ? levels[0]->hi : levels[0]->lo,
                            level ? levels[1]->hi : levels[1]->lo, step,
                            (EadCodebookUpdate){0.99, 1e-5, 0, 1, 16});
    }
    EadNode *losses[] = {loss.image, loss.commitment, loss.total};
    memcpy(c->losses, losses, sizeof losses);
    c->loss_count = 3;
    c->params = &c->model->vq;
}

static inline void build_restoring(EadGraph *graph, EadNode *pixels, DsrCheck *c) {
    EadDsrRanks ranks = {dsr_ranks(graph, "ranks lo", 2 * DSR_BATCH, DSR_SIDE / EAD_DSR_LO),
                         dsr_ranks(graph, "ranks hi", DSR_BATCH, DSR_SIDE / EAD_DSR_HI)};
    EadDsrLoss loss = c->restoring = ead_dsr_loss(graph, c->model, pixels, &ranks, dsr_target(graph));
    EadNode *losses[] = {loss.lo, loss.hi, loss.image, loss.detection, loss.total};
    EadNode *kept[] = {loss.codes.lo,    loss.codes.hi,    loss.disturbed.lo, loss.disturbed.hi,
                       loss.restored.lo, loss.restored.hi, loss.object,       loss.general};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) ead_keep(kept[i]);
    memcpy(c->losses, losses, sizeof losses);
    c->loss_count = 5;
    c->params = &c->model->restored;
}

static inline void check_restoring_values(const EadSafetensors *file, const EadDsrLoss *loss,
                                          double allowed) {
    check_value(file, "codes_lo", loss->codes.lo, allowed);
    check_value(file, "codes_hi", loss->codes.hi, allowed);
    check_value(file, "disturbed_lo", loss->disturbed.lo, allowed);
    check_value(file, "disturbed_hi", loss->disturbed.hi, allowed);
    check_value(file, "restored_lo", loss->restored.lo, allowed);
    check_value(file, "restored_hi", loss->restored.hi, allowed);
    check_value(file, "object", loss->object, allowed);
    check_value(file, "general", loss->general, allowed);
}

static inline void check_moved_codes(const EadSafetensors *file, const EadDsr *model, double allowed) {
    check_samples(file, "codebook.codes", &model->codes, model->codes.values, allowed, NULL);
}

/* Three steps of Adam of one of the trainings. */
static inline void check_dsr_training(const EadSafetensors *file, DsrTraining training, DsrBounds allowed) {
    static const char *const names[] = {"codebook", "restoring", "refining"};
    static const double rates[] = {2e-3, 2e-4, 2e-4};
    DsrCheck c = {.model = dsr_model()};
    EadGraph *graph = ead_graph_new();
    EadNode *images = ead_leaf(graph, "images", EAD_U8, DSR_BATCH, DSR_SIDE, DSR_SIDE, 3, NULL),
            *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL),
            *pixels = ead_dsr_pixels(graph, images);
    EadOptimizer optimizer;
    EadPlan *plan;
    char name[64];
    real rate = (real)rates[training];
    if (training == DSR_CODEBOOK) build_codebook_training(graph, pixels, step, &c);
    if (training == DSR_RESTORING) build_restoring(graph, pixels, &c);
    if (training == DSR_REFINING) {
        c.losses[0] = ead_dsr_refining_loss(graph, c.model, pixels, dsr_target(graph));
        c.loss_count = 1;
        c.params = &c.model->refining;
    }
    for (int i = 0; i < c.loss_count; i++) ead_keep(c.losses[i]);
    ck_assert_int_eq(ead_optimizer_new(c.params, &optimizer), EAD_OK);
    EadParamGroup group = {c.params, &optimizer, ead_adam_usual(0),
                           ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    ead_optimizer_append(graph, 1, &group, c.losses[c.loss_count - 1], step, (EadShare){0});
    ck_assert_msg(ead_plan_new(graph, NULL, &plan) == EAD_OK, "%s", ead_error_message());
    for (int i = 0; i < DSR_BATCH; i++)
        golden_image((uint64_t)(DSR_TRAINED + i), DSR_SIDE, DSR_SIDE,
                     (uint8_t *)images->y.data + (ptrdiff_t)i * DSR_IMAGE);
    snprintf(name, sizeof name, "%s.losses", names[training]);
    double *losses = golden_numbers(file, name, (int64_t)(DSR_STEPS + 1) * c.loss_count), got[5];
    for (int s = 0; s <= DSR_STEPS; s++) {
        snprintf(name, sizeof name, "%s.parameters", names[training]);
        if (s == DSR_STEPS && allowed.parameter > 0)
            check_samples(file, name, c.params, c.params->values, allowed.parameter, is_taken_out);
        if (s == DSR_STEPS && training == DSR_CODEBOOK) check_moved_codes(file, c.model, allowed.parameter);
        ead_plan_run(plan);
        for (int i = 0; i < c.loss_count; i++) got[i] = (double)*(const real *)c.losses[i]->y.data;
        check_numbers(names[training], got, losses + (ptrdiff_t)s * c.loss_count, c.loss_count, allowed.loss);
        if (s > 0) continue;
        if (training == DSR_RESTORING) check_restoring_values(file, &c.restoring, allowed.value);
        snprintf(name, sizeof name, "%s.gradients", names[training]);
        if (allowed.gradient > 0)
            check_samples(file, name, c.params, optimizer.gradients, allowed.gradient, is_taken_out);
    }
    free(losses);
    ead_plan_free(plan);
    ead_optimizer_free(&optimizer);
    ead_graph_free(graph);
    ead_model_free(&c.model->base);
}
