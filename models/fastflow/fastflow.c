/* The model, its flows, and its row among the methods. */
#include "models/fastflow/fastflow.h"

#include "core/base/memory.h"
#include "core/base/philox.h"
#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/coupling/coupling.h"
#include "core/ops/layer_norm/layer_norm.h"
#include "core/ops/mean/mean.h"
#include "core/ops/permute_channels/permute_channels.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/networks/params_file.h"
#include "models/networks/patch_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of FrEIA's AllInOneBlock with a clamp of 2: what the networks say is made ten times smaller, so that an untrained
 * flow changes little; a channel's scale is SCALE_GAIN softplus(p). */
static const EadCoupling block = {.arctangent = false, .limit = 2, .slope = 0.1, .gain = 0.1};
static const double SCALE_GAIN = 0.1, SCALE_BETA = 0.5, EPSILON = 1e-5;

static const char *const kernel_names[] = {[EAD_FASTFLOW_MIXED] = "mixed", [EAD_FASTFLOW_3X3] = "3x3", NULL};

enum { MAX_CHANNELS = 1 << 16 };

static void free_model(EadModel *base) {
    EadFastflow *model = (EadFastflow *)base;
    ead_backbone_free(&model->backbone);
    ead_params_free(&model->params);
    for (int t = 0; t < EAD_TAPS_CHOSEN; t++) free(model->orders[t]);
    free(model);
}

EadStatus ead_fastflow_find_taps(const EadBackbone *backbone, const char *names, EadTaps *out) {
    char first[128];
    const char *all = backbone->family->taps;
    if (!names[0] && backbone->family->flow_taps) names = backbone->family->flow_taps;
    if (names[0]) return ead_backbone_find_taps(backbone, names, out);
    size_t length = 0;
    for (int count = 0; all[length] && count < 3; count++) {
        length += count > 0;
        length += strcspn(all + length, "|");
    }
    snprintf(first, sizeof first, "%.*s", (int)length, all);
    for (char *c = first; *c; c++) *c = *c == '|' ? ',' : *c;
    return ead_backbone_find_taps(backbone, first, out);
}

/* ---- names and sizes ---- */

typedef char Name[EAD_NAME_SIZE];

/* "flow.layer1.norm.weight" */
static void name_of(const EadFastflow *model, int tap, const char *part, Name out) {
    EadTaps one = {1, {model->spec.taps.at[tap]}};
    char layer[EAD_BACKBONE_NAME];
    ead_backbone_taps_text(&model->backbone, &one, layer, sizeof layer);
    snprintf(out, EAD_NAME_SIZE, "flow.%.16s.%s", layer, part);
}

/* "flow.layer1.0.conv1" */
static void part_of(const EadFastflow *model, int tap, int coupling, const char *part, Name out) {
    char text[24];
    snprintf(text, sizeof text, "%d.%.8s", coupling, part);
    name_of(model, tap, text, out);
}

/* Channels that a coupling changes by what its network says of the others. */
static int changed_of(const EadTensor *shape) {
    return shape->c / 2;
}

static int kernel_of(const EadFastflow *model, int coupling) {
    return model->spec.kernels == EAD_FASTFLOW_3X3 || coupling % 2 == 0 ? 3 : 1;
}

/* ---- parameters ---- */

static EadStatus declare_coupling(EadFastflow *model, int tap, int coupling) {
    const EadTensor *shape = &model->shapes[tap];
    EadParams *params = &model->params;
    int changed = changed_of(shape), seen = shape->c - changed, kernel = kernel_of(model, coupling);
    int hidden = (int)(seen * model->spec.hidden_ratio);
    Name name;
    if (hidden < 1) hidden = 1;
    part_of(model, tap, coupling, "conv1", name);
    EAD_TRY(ead_params_declare_conv(params, name, hidden, kernel, kernel, seen));
    part_of(model, tap, coupling, "conv2", name);
    EAD_TRY(ead_params_declare_conv(params, name, 2 * changed, kernel, kernel, hidden));
    part_of(model, tap, coupling, "scale", name);
    EAD_TRY(ead_params_declare(params, name, 1, 1, 1, shape->c, 1));
    part_of(model, tap, coupling, "offset", name);
    return ead_params_declare(params, name, 1, 1, 1, shape->c, 1);
}

static EadStatus declare(EadFastflow *model) {
    for (int t = 0; t < model->spec.taps.count; t++) {
        const EadTensor *shape = &model->shapes[t];
        Name name;
        if (shape->c < 2 || shape->c > MAX_CHANNELS)
            return ead_fail(EAD_BAD_ARGUMENT, "features of %d channels cannot be coupled", shape->c);
        name_of(model, t, "norm.weight", name);
        EAD_TRY(ead_params_declare(&model->params, name, 1, shape->h, shape->w, shape->c, 1));
        name_of(model, t, "norm.bias", name);
        EAD_TRY(ead_params_declare(&model->params, name, 1, shape->h, shape->w, shape->c, 1));
        for (int k = 0; k < model->spec.couplings; k++) EAD_TRY(declare_coupling(model, t, k));
        model->orders[t] = ead_new((int64_t)model->spec.couplings * shape->c, sizeof *model->orders[t],
                                   "the order of channels");
        if (!model->orders[t]) return EAD_NO_MEMORY;
    }
    EAD_TRY(ead_params_check_room(model->params.total));
    return ead_params_allocate(&model->params);
}

static void draw_order(const EadFastflow *model, int tap, int coupling, uint64_t seed) {
    int channels = model->shapes[tap].c;
    Name name;
    part_of(model, tap, coupling, "order", name);
    uint64_t stream = EAD_STREAM_PARAMETERS + ead_hash_name(name);
    for (int c = 0; c < channels; c++)
        model->orders[tap][(int64_t)coupling * channels + c] =
            ead_shuffled_index(seed, stream, (uint64_t)c, (uint32_t)channels);
}

void ead_fastflow_initialize(EadFastflow *model, uint64_t seed) {
    EadParams *params = &model->params;
    Name name;
    ead_params_initialize(params, seed);
    for (int t = 0; t < model->spec.taps.count; t++) {
        name_of(model, t, "norm.weight", name);
        ead_params_set(params, name, 1);
        name_of(model, t, "norm.bias", name);
        ead_params_set(params, name, 0);
        for (int k = 0; k < model->spec.couplings; k++) {
            part_of(model, t, k, "scale", name);
            ead_params_set(params, name, 2 * log(exp(5) - 1)); /* so that a channel's scale is 1 */
            part_of(model, t, k, "offset", name);
            ead_params_set(params, name, 0);
            draw_order(model, t, k, seed);
        }
    }
}

EadStatus ead_fastflow_new(const EadFastflowSpec *spec, EadBackbone *backbone, EadFastflow **out) {
    EadFastflow *model = ead_new(1, sizeof *model, "a model");
    if (!model) {
        ead_backbone_free(backbone);
        return EAD_NO_MEMORY;
    }
    model->base = ead_model_new("fastflow", spec->height, spec->width);
    model->spec = *spec;
    ead_backbone_move(&model->backbone, backbone, spec->stored);
    EadStatus status =
        ead_backbone_shapes(&model->backbone, &spec->taps, spec->height, spec->width, model->shapes);
    if (status == EAD_OK) status = declare(model);
    if (status == EAD_OK)
        *out = model;
    else
        free_model(&model->base);
    return status;
}

/* ---- the graph ---- */

void ead_fastflow_features(EadGraph *graph, const EadFastflow *model, EadNode *images,
                           EadNode *features[EAD_TAPS_CHOSEN]) {
    ead_backbone_build(graph, &model->backbone, images, &model->spec.taps, features);
}

/* A flow that is being built. */
typedef struct Flow {
    EadGraph *graph;
    const EadFastflow *model;
    int tap;
    bool trainable;
} Flow;

static EadNode *parameter(const Flow *f, const char *part) {
    Name name;
    name_of(f->model, f->tap, part, name);
    return ead_param_leaf(f->graph, &f->model->params, name, f->trainable);
}

static EadNode *coupling_parameter(const Flow *f, int coupling, const char *part) {
    Name name;
    part_of(f->model, f->tap, coupling, part, name);
    return ead_param_leaf(f->graph, &f->model->params, name, f->trainable);
}

static EadNode *convolve(const Flow *f, int coupling, const char *part, EadNode *x, bool relu) {
    Name name;
    part_of(f->model, f->tap, coupling, part, name);
    EadConvParams p = ead_conv_params(f->graph, &f->model->params, name, 0, 0, f->trainable);
    EadConv2d conv = {.stride = 1, .padding = p.weight->y.h / 2, .relu = relu};
    return ead_conv2d(f->graph, x, p.weight, p.bias, conv);
}

/* sum may be NULL: nothing yet. */
static EadNode *add_to(EadGraph *graph, EadNode *sum, EadNode *x) {
    return sum ? ead_add(graph, sum, x) : x;
}

/* logdet: NULL, or what it adds to. */
static EadNode *couple(const Flow *f, int coupling, EadNode *x, EadNode **logdet) {
    EadGraph *graph = f->graph;
    int channels = x->y.c, seen = channels - changed_of(&x->y);
    EadNode *a = convolve(f, coupling, "conv1", ead_slice_channels(graph, x, 0, seen), true);
    a = convolve(f, coupling, "conv2", a, false);
    EadNode *scale = ead_scale(
        graph, ead_softplus(graph, coupling_parameter(f, coupling, "scale"), SCALE_BETA), SCALE_GAIN);
    x = ead_coupling(graph, x, a, block);
    x = ead_channel_affine(graph, x, scale, coupling_parameter(f, coupling, "offset"));
    EadNode *order = ead_leaf(graph, "order", EAD_I64, 1, 1, 1, channels,
                              f->model->orders[f->tap] + (int64_t)coupling * channels);
    if (logdet) {
        EadNode *mean = ead_mean(graph, ead_log(graph, scale));
        *logdet = add_to(graph, *logdet, ead_coupling_logdet(graph, a, block));
        *logdet = ead_add(graph, *logdet, ead_scale(graph, mean, (double)ead_count(&x->y)));
    }
    return ead_permute_channels(graph, x, order);
}

EadNode *ead_fastflow_flow(EadGraph *graph, const EadFastflow *model, int tap, EadNode *features,
                           bool trainable, EadNode **logdet) {
    Flow f = {graph, model, tap, trainable};
    EadNode *x = ead_layer_norm(graph, features, ead_layer_statistics(graph, features),
                                parameter(&f, "norm.weight"), parameter(&f, "norm.bias"), EPSILON);
    if (logdet) *logdet = NULL;
    for (int k = 0; k < model->spec.couplings; k++) x = couple(&f, k, x, logdet);
    return x;
}

EadFastflowLoss ead_fastflow_loss(EadGraph *graph, const EadFastflow *model,
                                  EadNode *const features[EAD_TAPS_CHOSEN]) {
    EadFastflowLoss loss = {NULL};
    double images = features[0]->y.n;
    for (int t = 0; t < model->spec.taps.count; t++) {
        EadNode *logdet, *z = ead_fastflow_flow(graph, model, t, features[t], true, &logdet);
        EadNode *mean = ead_mean(graph, ead_squared_difference(graph, z, NULL));
        loss.squares =
            add_to(graph, loss.squares, ead_scale(graph, mean, 0.5 * (double)ead_count(&z->y) / images));
        loss.logdet = add_to(graph, loss.logdet, ead_scale(graph, logdet, 1 / images));
    }
    loss.total = ead_add(graph, loss.squares, ead_scale(graph, loss.logdet, -1));
    return loss;
}

/* The likelihood of a position is exp(-1/2 mean of z²); the map is minus the mean of the flows' likelihoods, the score
 * its maximum. */
static EadDetection build(EadGraph *graph, const EadModel *base, EadNode *images) {
    const EadFastflow *model = (const EadFastflow *)base;
    EadNode *features[EAD_TAPS_CHOSEN], *sum = NULL;
    int flows = model->spec.taps.count;
    ead_fastflow_features(graph, model, images, features);
    for (int t = 0; t < flows; t++) {
        EadNode *z = ead_fastflow_flow(graph, model, t, features[t], false, NULL);
        EadNode *squares = ead_channel_mean(graph, ead_squared_difference(graph, z, NULL));
        EadNode *likelihood = ead_exp(graph, ead_scale(graph, squares, -0.5));
        sum = add_to(graph, sum, ead_resize_bilinear(graph, likelihood, base->height, base->width));
    }
    EadNode *map = ead_scale(graph, sum, -1.0 / flows);
    EadNode *inside = ead_outside_filled(graph, &base->region, map, 0, EAD_LOWEST);
    return (EadDetection){.map = ead_keep(map), .score = ead_keep(ead_map_maximum(graph, inside))};
}

/* ---- the file ---- */

static EadStatus read_spec(const EadSafetensors *file, const EadBackbone *backbone, EadFastflowSpec *spec) {
    int64_t couplings;
    int kernels;
    const char *layers = ead_safetensors_metadata(file, "layers");
    if (!layers || !layers[0] || ead_backbone_find_taps(backbone, layers, &spec->taps) != EAD_OK)
        return ead_bad_metadata(file, "layers", layers, backbone->family->taps);
    EAD_TRY(ead_metadata_count(file, "couplings", 1, EAD_FASTFLOW_COUPLINGS, &couplings));
    EAD_TRY(ead_metadata_number(file, "hidden_ratio", 1e-3, EAD_FASTFLOW_MOST_RATIO, &spec->hidden_ratio));
    EAD_TRY(ead_metadata_choice(file, "kernels", kernel_names, "mixed or 3x3", &kernels));
    spec->couplings = (int)couplings;
    spec->kernels = (EadFastflowKernels)kernels;
    return EAD_OK;
}

/* An order in a file; each channel must occur once: kernels do not look. */
static EadStatus read_order(const EadSafetensors *file, const char *name, int channels, int64_t *order) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    bool *seen = ead_new(channels, sizeof *seen, "the order of channels");
    if (!seen) return EAD_NO_MEMORY;
    bool valid = tensor && tensor->type == EAD_FILE_U64 && tensor->count == channels;
    if (valid) memcpy(order, tensor->data, tensor->bytes);
    for (int c = 0; c < channels && valid; c++) {
        valid = order[c] >= 0 && order[c] < channels && !seen[order[c]];
        if (valid) seen[order[c]] = true;
    }
    free(seen);
    if (valid) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' is missing or is not an order of %d channels; %s",
                    ead_safetensors_path(file), name, channels, EAD_MODEL_FILE_HINT);
}

static EadStatus read_flows(const EadSafetensors *file, EadFastflow *model) {
    Name name;
    EAD_TRY(ead_params_read_all(file, &model->params));
    for (int t = 0; t < model->spec.taps.count; t++)
        for (int k = 0; k < model->spec.couplings; k++) {
            int channels = model->shapes[t].c;
            part_of(model, t, k, "order", name);
            EAD_TRY(read_order(file, name, channels, model->orders[t] + (int64_t)k * channels));
        }
    return EAD_OK;
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadFastflowSpec spec = {.height = height, .width = width};
    EadBackbone backbone;
    EadFastflow *model;
    EAD_TRY(ead_backbone_read(file, "backbone", &backbone));
    EadStatus status = read_spec(file, &backbone, &spec);
    if (status != EAD_OK) {
        ead_backbone_free(&backbone);
        return status;
    }
    status = ead_fastflow_new(&spec, &backbone, &model);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    status = read_flows(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        free_model(&model->base);
    return status;
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadFastflow *model = (const EadFastflow *)base;
    const EadFastflowSpec *spec = &model->spec;
    char text[128];
    Name name;
    EAD_TRY(ead_backbone_write(&model->backbone, "backbone", spec->stored, writer));
    ead_backbone_taps_text(&model->backbone, &spec->taps, text, sizeof text);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "layers", text));
    snprintf(text, sizeof text, "%d", spec->couplings);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "couplings", text));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "kernels", kernel_names[spec->kernels]));
    EAD_TRY(ead_metadata_number_write(writer, "hidden_ratio", spec->hidden_ratio));
    EAD_TRY(ead_params_write(writer, &model->params, EAD_FILE_F32));
    for (int t = 0; t < spec->taps.count; t++)
        for (int k = 0; k < spec->couplings; k++) {
            const int64_t channels = model->shapes[t].c;
            part_of(model, t, k, "order", name);
            EAD_TRY(ead_safetensors_writer_tensor(writer, name, EAD_FILE_U64, 1, &channels,
                                                  model->orders[t] + k * channels));
        }
    return EAD_OK;
}

/* ---- the method ---- */

static size_t bytes(const EadModel *base) {
    const EadFastflow *model = (const EadFastflow *)base;
    return (size_t)(model->backbone.params.total + model->params.total) * sizeof(real);
}

static void describe(const EadModel *base, char *text, size_t size) {
    const EadFastflow *model = (const EadFastflow *)base;
    char taps[128];
    ead_backbone_taps_text(&model->backbone, &model->spec.taps, taps, sizeof taps);
    snprintf(text, size, "FastFlow at %dx%d, %d couplings on %s's %s", base->height, base->width,
             model->spec.couplings, model->backbone.name, taps);
}

extern const EadMethodFunctions ead_fastflow_functions;
const EadMethodFunctions ead_fastflow_functions = {.read = read,
                                                   .write = write,
                                                   .build = build,
                                                   .bytes = bytes,
                                                   .describe = describe,
                                                   .free = free_model,
                                                   .scores_by_peak = true};
