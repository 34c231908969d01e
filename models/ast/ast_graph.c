/* The teacher, the student, their losses and the map. */
#include "core/ops/add/add.h"
#include "core/ops/batch_norm/batch_norm.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/coupling/coupling.h"
#include "core/ops/global_avg_pool/global_avg_pool.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/mean/mean.h"
#include "core/ops/pad_replicate/pad_replicate.h"
#include "core/ops/permute_channels/permute_channels.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "models/ast/ast.h"
#include "models/networks/inspected.h"

#include <stdio.h>

static const double MOMENTUM = 0.1;

/* A network that is being built. */
typedef struct AstNetwork {
    EadGraph *graph;
    const EadAst *model;
    bool trainable;
} AstNetwork;

static EadNode *position(const AstNetwork *b) {
    const EadTensor *shape = &b->model->shape;
    return ead_leaf(b->graph, "position", EAD_REAL, 1, shape->h, shape->w, EAD_AST_POSITION,
                    b->model->position);
}

/* ---- the teacher ---- */

/* "teacher.2.first" + ".conv1" */
static EadNode *teacher_parameter(const AstNetwork *b, const char *network, const char *part) {
    char name[EAD_NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", network, part);
    return ead_param_leaf(b->graph, &b->model->teacher, name, b->trainable);
}

static EadNode *teacher_conv(const AstNetwork *b, const char *network, const char *part, EadNode *x,
                             bool relu) {
    char name[EAD_NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", network, part);
    EadConvParams p = ead_conv_params(b->graph, &b->model->teacher, name, 0, 0, b->trainable);
    x = ead_pad_replicate(b->graph, x, p.weight->y.h / 2);
    return ead_conv2d(b->graph, x, p.weight, p.bias, (EadConv2d){.stride = 1, .relu = relu});
}

/* The last `changed` channels of x become others by what the network says of those before them. */
static EadNode *couple(const AstNetwork *b, const char *network, int changed, EadNode *x, EadNode **logdet) {
    const double clamp = b->model->spec.clamp;
    const EadCoupling coupling = {.arctangent = true, .limit = 0.636 * clamp, .slope = 1 / clamp, .gain = 1};
    EadNode *seen[] = {ead_slice_channels(b->graph, x, 0, x->y.c - changed), position(b)};
    EadNode *a = teacher_conv(b, network, "conv1", ead_concat_channels(b->graph, 2, seen), true);
    a = teacher_conv(b, network, "conv2", a, false);
    a = ead_channel_affine(b->graph, a, teacher_parameter(b, network, "gamma"), NULL);
    if (logdet) {
        EadNode *more = ead_coupling_logdet(b->graph, a, coupling);
        *logdet = *logdet ? ead_add(b->graph, *logdet, more) : more;
    }
    return ead_coupling(b->graph, x, a, coupling);
}

static EadNode *ordered(const AstNetwork *b, int block, int which, EadNode *x) {
    int channels = b->model->shape.c;
    EadNode *order = ead_leaf(b->graph, "order", EAD_I64, 1, 1, 1, channels,
                              b->model->orders + ((int64_t)2 * block + which) * channels);
    return ead_permute_channels(b->graph, x, order);
}

EadNode *ead_ast_teacher(EadGraph *graph, const EadAst *model, EadNode *features, bool trainable,
                         EadNode **logdet) {
    AstNetwork b = {graph, model, trainable};
    int first = model->shape.c / 2, second = model->shape.c - first;
    EadNode *x = features;
    char name[EAD_NAME_SIZE];
    if (logdet) *logdet = NULL;
    for (int block = 0; block < model->spec.blocks; block++) {
        snprintf(name, sizeof name, "teacher.%d.first", block);
        x = couple(&b, name, first, ordered(&b, block, 0, x), logdet);
        snprintf(name, sizeof name, "teacher.%d.second", block);
        x = couple(&b, name, second, ordered(&b, block, 1, x), logdet);
    }
    return x;
}

EadAstLoss ead_ast_teacher_loss(EadGraph *graph, const EadAst *model, EadNode *features) {
    EadAstLoss loss;
    EadNode *logdet, *z = ead_ast_teacher(graph, model, features, true, &logdet);
    double positions = (double)features->y.n * features->y.h * features->y.w;
    EadNode *mean = ead_mean(graph, ead_squared_difference(graph, z, NULL));
    loss.squares = ead_scale(graph, mean, 0.5 * z->y.c);
    loss.logdet = ead_scale(graph, logdet, 1 / positions);
    loss.total = ead_add(graph, loss.squares, ead_scale(graph, loss.logdet, -1));
    return loss;
}

/* ---- the student ---- */

static EadNode *student_conv(const AstNetwork *b, const char *name, EadNode *x) {
    EadConvParams p = ead_conv_params(b->graph, &b->model->student, name, 0, 0, b->trainable);
    return ead_conv2d(b->graph, x, p.weight, p.bias, (EadConv2d){.stride = 1, .padding = 1});
}

/* Batch norm number `index` of the student. */
static EadNode *normalised(const AstNetwork *b, int index, EadNode *x) {
    EadGraph *graph = b->graph;
    int channels = b->model->spec.student_hidden;
    int64_t at = (int64_t)2 * index * channels;
    char weight[EAD_NAME_SIZE], bias[EAD_NAME_SIZE];
    if (!b->trainable) {
        EadNode *scale = ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, channels, b->model->merged + at);
        EadNode *shift =
            ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, channels, b->model->merged + at + channels);
        return ead_channel_affine(graph, x, scale, shift);
    }
    snprintf(weight, sizeof weight, "student.%d.norm%d.weight", index / 2, index % 2 + 1);
    snprintf(bias, sizeof bias, "student.%d.norm%d.bias", index / 2, index % 2 + 1);
    EadNode *running = ead_leaf(graph, "running", EAD_REAL, 2, 1, 1, channels, b->model->running + at);
    EadNode *statistics = ead_batch_statistics(graph, x);
    ead_batch_norm_update(graph, running, x, statistics, MOMENTUM);
    return ead_batch_norm(graph, x, statistics, ead_param_leaf(graph, &b->model->student, weight, true),
                          ead_param_leaf(graph, &b->model->student, bias, true), EAD_AST_EPSILON);
}

EadNode *ead_ast_student(EadGraph *graph, const EadAst *model, EadNode *features, bool training) {
    AstNetwork b = {graph, model, training};
    double slope = model->spec.slope;
    EadNode *seen[] = {position(&b), features};
    EadNode *x = student_conv(&b, "student.conv1", ead_concat_channels(graph, 2, seen));
    x = ead_leaky_relu(graph, x, slope);
    for (int block = 0; block < model->spec.student_blocks; block++) {
        EadNode *y = x;
        for (int k = 0; k < 2; k++) {
            char name[EAD_NAME_SIZE];
            snprintf(name, sizeof name, "student.%d.conv%d", block, k + 1);
            y = normalised(&b, 2 * block + k, student_conv(&b, name, y));
            y = ead_leaky_relu(graph, y, slope);
        }
        x = ead_add(graph, y, x);
    }
    return student_conv(&b, "student.conv2", x);
}

EadNode *ead_ast_student_loss(EadGraph *graph, const EadAst *model, EadNode *features) {
    EadNode *z = ead_ast_teacher(graph, model, features, false, NULL);
    EadNode *student = ead_ast_student(graph, model, features, true);
    return ead_mean(graph, ead_squared_difference(graph, z, student));
}

/* ---- the map ---- */

/* The mean of a map [N,h,w,1] over the cells that are inspected. Their number is a value of the graph, since a detector
 * may be given another mask. */
static EadNode *mean_inside(EadGraph *graph, const EadRegion *region, EadNode *map) {
    int count;
    EadNode *mean = ead_global_avg_pool(graph, ead_outside_filled(graph, region, map, 0, 0));
    if (!region->mask) return mean;
    EadNode *share = ead_global_avg_pool(graph, ead_inside_cells(graph, region, map, 0, &count));
    EadNode *inverse = ead_exp(graph, ead_scale(graph, ead_log(graph, share), -1));
    return ead_channel_affine(graph, mean, inverse, NULL);
}

EadDetection ead_ast_build(EadGraph *graph, const EadModel *base, EadNode *images) {
    const EadAst *model = (const EadAst *)base;
    EadNode *features[EAD_TAPS_CHOSEN];
    ead_backbone_build(graph, &model->backbone, images, &model->spec.taps, features);
    EadNode *z = ead_ast_teacher(graph, model, features[0], false, NULL);
    EadNode *student = ead_ast_student(graph, model, features[0], false);
    EadNode *map = ead_channel_mean(graph, ead_squared_difference(graph, z, student));
    return (EadDetection){.map = ead_keep(ead_resize_bilinear(graph, map, base->height, base->width)),
                          .score = ead_keep(mean_inside(graph, &base->region, map))};
}
