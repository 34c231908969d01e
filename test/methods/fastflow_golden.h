/* FastFlow against FrEIA (test/golden/methods/fastflow_golden.py), in float and, with tighter bounds, in double. */
#pragma once

#include "autograd/optimizer.h"
#include "models/fastflow/fastflow.h"
#include "test/methods/flow_golden.h"

enum { FLOW_SEED = 5, FLOW_SIDE = 64, FLOW_TAPS = 2, FLOW_IMAGES = 2, FLOW_STEPS = 3 };

/* ---- the golden model ---- */

/* Changes fresh parameters, so that nothing is as it begins. */
static inline void move_parameters(EadParams *params) {
    for (int k = 0; k < params->count; k++) {
        const EadParam *p = &params->items[k];
        real *values = params->values + p->offset;
        bool conv = strstr(p->name, ".conv"), second = ends_with(p->name, "conv2.weight");
        double share = ends_with(p->name, ".scale") ? 1 : 0.5;
        for (int64_t i = 0; i < ead_param_size(p); i++)
            values[i] = (real)(conv ? (double)values[i] * (second ? 8 : 1)
                                    : (double)values[i] + share * drawn(p->name, i));
    }
}

/* Takes the backbone, a ResNet-18. */
static inline EadFastflow *flow_model(EadBackbone *backbone) {
    EadFastflowSpec spec = {FLOW_SIDE,          FLOW_SIDE, {FLOW_TAPS, {0, 1}}, 4,
                            EAD_FASTFLOW_MIXED, 1,         EAD_FILE_F32};
    EadFastflow *model;
    EadStatus status = ead_fastflow_new(&spec, backbone, &model);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    ead_fastflow_initialize(model, FLOW_SEED);
    move_parameters(&model->params);
    return model;
}

static inline void draw_features(EadNode *features, const char *layer) {
    char name[64];
    real *values = features->y.data;
    snprintf(name, sizeof name, "features of %s", layer);
    for (int64_t i = 0; i < ead_count(&features->y); i++) values[i] = (real)(drawn(name, i) * 2 + 0.5);
}

/* z of both flows, then loss, gradients and three steps of Adam. */
static inline void check_flows(const EadSafetensors *file, EadFastflow *model, Bounds allowed) {
    static const char *const layers[FLOW_TAPS] = {"layer1", "layer2"}, *const outputs[] = {"z.layer1",
                                                                                           "z.layer2"};
    EadGraph *graph = ead_graph_new();
    EadNode *features[EAD_TAPS_CHOSEN], *z[FLOW_TAPS],
        *step = ead_leaf(graph, "step", EAD_I64, 1, 1, 1, 1, NULL);
    EadOptimizer optimizer;
    EadPlan *plan;
    for (int t = 0; t < FLOW_TAPS; t++) {
        EadTensor shape = model->shapes[t];
        features[t] = ead_leaf(graph, layers[t], EAD_REAL, FLOW_IMAGES, shape.h, shape.w, shape.c, NULL);
        z[t] = ead_keep(ead_fastflow_flow(graph, model, t, features[t], false, NULL));
    }
    EadFastflowLoss loss = ead_fastflow_loss(graph, model, features);
    EadNode *parts[3] = {ead_keep(loss.squares), ead_keep(loss.logdet), ead_keep(loss.total)};
    ck_assert_int_eq(ead_optimizer_new(&model->params, &optimizer), EAD_OK);
    real rate = (real)1e-3;
    EadParamGroup group = {&model->params, &optimizer, ead_adam_usual(1e-5),
                           ead_leaf(graph, "rate", EAD_REAL, 1, 1, 1, 1, &rate)};
    ead_optimizer_append(graph, 1, &group, loss.total, step, (EadShare){0});
    EadStatus status = ead_plan_new(graph, NULL, &plan);
    ck_assert_msg(status == EAD_OK, "%s", ead_error_message());
    for (int t = 0; t < FLOW_TAPS; t++) draw_features(features[t], layers[t]);
    double *losses = golden_numbers(file, "losses", 3 * (FLOW_STEPS + 1)), got[3];
    for (int s = 0; s <= FLOW_STEPS; s++) {
        if (s == FLOW_STEPS)
            check_samples(file, "parameters", &model->params, model->params.values, allowed.parameter, NULL);
        ead_plan_run(plan);
        for (int i = 0; i < 3; i++) got[i] = (double)*(const real *)parts[i]->y.data;
        check_numbers("losses", got, losses + (ptrdiff_t)3 * s, 3, allowed.loss);
        if (s > 0) continue;
        for (int t = 0; t < FLOW_TAPS; t++) check_z(file, outputs[t], z[t], allowed.z);
        check_samples(file, "gradients", &model->params, optimizer.gradients, allowed.gradient, NULL);
    }
    free(losses);
    ead_plan_free(plan);
    ead_optimizer_free(&optimizer);
    ead_graph_free(graph);
}
