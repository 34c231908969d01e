/* FastFlow's flow run backwards, in plain loops of the coupling's formula: what models/fastflow made of one image. */
#pragma once

#include "test/methods/fastflow_golden.h"

static inline const EadParam *flow_param(const EadFastflow *model, const char *layer, int coupling,
                                         const char *part) {
    char name[64];
    if (coupling < 0)
        snprintf(name, sizeof name, "flow.%s.norm.%s", layer, part);
    else
        snprintf(name, sizeof name, "flow.%s.%d.%s", layer, coupling, part);
    int found = 0;
    while (found < model->params.count && strcmp(model->params.items[found].name, name) != 0) found++;
    ck_assert_msg(found < model->params.count, "%s is not there", name);
    return &model->params.items[found];
}

/* x [h,w,channels], of which the convolution sees the first -> y [h,w,outputs], zeros around. */
static inline void plain_convolution(const EadFastflow *model, const char *layer, int coupling,
                                     const char *name, const EadTensor *shape, const double *x, int channels,
                                     double *y) {
    char part[32];
    snprintf(part, sizeof part, "%s.weight", name);
    const EadParam *w = flow_param(model, layer, coupling, part);
    snprintf(part, sizeof part, "%s.bias", name);
    const real *weight = model->params.values + w->offset;
    const real *bias = model->params.values + flow_param(model, layer, coupling, part)->offset;
    for (int64_t i = 0; i < (int64_t)shape->h * shape->w * w->n; i++) {
        int o = (int)(i % w->n), column = (int)(i / w->n % shape->w), row = (int)(i / w->n / shape->w);
        y[i] = (double)bias[o];
        for (int k = 0; k < w->h * w->w; k++) {
            int r = row + k / w->w - w->h / 2, c = column + k % w->w - w->w / 2;
            if (r < 0 || r >= shape->h || c < 0 || c >= shape->w) continue;
            const double *from = x + ((int64_t)r * shape->w + c) * channels;
            const real *by = weight + ((int64_t)o * w->h * w->w + k) * w->c;
            for (int j = 0; j < w->c; j++) y[i] += (double)by[j] * from[j];
        }
    }
}

/* What the network of a coupling says of the first half of x's channels: [h,w,2 K], free() it. */
static inline double *plain_network(const EadFastflow *model, const char *layer, int coupling,
                                    const EadTensor *shape, const double *x) {
    int hidden = flow_param(model, layer, coupling, "conv1.weight")->n;
    int64_t positions = (int64_t)shape->h * shape->w;
    double *between = malloc((size_t)(positions * hidden) * sizeof *between);
    double *said = malloc((size_t)(positions * (shape->c / 2 * 2)) * sizeof *said);
    plain_convolution(model, layer, coupling, "conv1", shape, x, shape->c, between);
    for (int64_t i = 0; i < positions * hidden; i++) between[i] = fmax(between[i], 0);
    plain_convolution(model, layer, coupling, "conv2", shape, between, hidden, said);
    free(between);
    return said;
}

/* z [h,w,C] of a coupling -> its x, into the same place. */
static inline void invert_coupling(const EadFastflow *model, int tap, const char *layer, int coupling,
                                   double *x) {
    const EadTensor *shape = &model->shapes[tap];
    int channels = shape->c, changed = channels / 2;
    int64_t positions = (int64_t)shape->h * shape->w;
    const int64_t *order = model->orders[tap] + (ptrdiff_t)coupling * channels;
    const real *p = model->params.values + flow_param(model, layer, coupling, "scale")->offset;
    const real *offset = model->params.values + flow_param(model, layer, coupling, "offset")->offset;
    double *z = malloc((size_t)channels * sizeof *z);
    for (int64_t i = 0; i < positions; i++) {
        memcpy(z, x + i * channels, (size_t)channels * sizeof *z);
        for (int c = 0; c < channels; c++) {
            int64_t to = order[c];
            x[i * channels + to] = (z[c] - (double)offset[to]) / (0.2 * log1p(exp((double)p[to] / 2)));
        }
    }
    double *said = plain_network(model, layer, coupling, shape, x);
    for (int64_t i = 0; i < positions; i++)
        for (int c = 0; c < changed; c++) {
            const double *a = said + i * 2 * changed + c;
            double *at = x + (i + 1) * channels - changed + c;
            *at = (*at - 0.1 * a[changed]) * exp(-2 * tanh(0.1 * a[0]));
        }
    free(z), free(said);
}

/* What the layer norm makes of the features of one image. */
static inline void plain_norm(const EadFastflow *model, const char *layer, const real *features,
                              int64_t count, double *x) {
    const real *weight = model->params.values + flow_param(model, layer, -1, "weight")->offset;
    const real *bias = model->params.values + flow_param(model, layer, -1, "bias")->offset;
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < count; i++) mean += (double)features[i] / (double)count;
    for (int64_t i = 0; i < count; i++) variance += pow((double)features[i] - mean, 2) / (double)count;
    for (int64_t i = 0; i < count; i++)
        x[i] = ((double)features[i] - mean) / sqrt(variance + 1e-5) * (double)weight[i] + (double)bias[i];
}

/* One image through the flow of layer1, and back: the normed features come out. */
static inline void check_inverse(const EadFastflow *model, double allowed) {
    const EadTensor *shape = &model->shapes[0];
    const int64_t count = (int64_t)shape->h * shape->w * shape->c;
    EadGraph *graph = ead_graph_new();
    EadNode *features = ead_leaf(graph, "features", EAD_REAL, 1, shape->h, shape->w, shape->c, NULL);
    EadNode *z = ead_keep(ead_fastflow_flow(graph, model, 0, features, false, NULL));
    EadPlan *plan;
    double *x = malloc((size_t)count * sizeof *x), *expected = malloc((size_t)count * sizeof *expected);
    ck_assert_int_eq(ead_plan_new(graph, NULL, &plan), EAD_OK);
    draw_features(features, "layer1");
    ead_plan_run(plan);
    for (int64_t i = 0; i < count; i++) x[i] = (double)((const real *)z->y.data)[i];
    for (int k = model->spec.couplings - 1; k >= 0; k--) invert_coupling(model, 0, "layer1", k, x);
    plain_norm(model, "layer1", features->y.data, count, expected);
    check_numbers("the features", x, expected, count, allowed);
    free(x), free(expected);
    ead_plan_free(plan);
    ead_graph_free(graph);
}
