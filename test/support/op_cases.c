/* The table, the builders of its ops, and the filling of inputs from random numbers (see the twin in
 * test/golden/ops_golden.py). */
#define OP_CASE_WORDS
#include "test/support/op_cases.h"

#include "autograd/backward.h"
#include "core/base/half.h"
#include "core/ops/adam/adam.h"
#include "core/ops/add/add.h"
#include "core/ops/increment/increment.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "core/ops/batch_norm/batch_norm.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/channel_mean/channel_mean.h"
#include "core/ops/channel_sum/channel_sum.h"
#include "core/ops/concat_batch/concat_batch.h"
#include "core/ops/concat_channels/concat_channels.h"
#include "core/ops/codebook_update/codebook_update.h"
#include "core/ops/conv2d/conv2d.h"
#include "core/ops/coupling/coupling.h"
#include "core/ops/random_grayscale/random_grayscale.h"
#include "core/ops/sample_index/sample_index.h"
#include "core/ops/color_jitter/color_jitter.h"
#include "core/ops/dropout/dropout.h"
#include "core/ops/fill_cells/fill_cells.h"
#include "core/ops/focal_loss/focal_loss.h"
#include "core/ops/gather_image/gather_image.h"
#include "core/ops/gather_rows/gather_rows.h"
#include "core/ops/gaussian_filter/gaussian_filter.h"
#include "core/ops/gram/gram.h"
#include "core/ops/global_avg_pool/global_avg_pool.h"
#include "core/ops/grouped_conv2d/grouped_conv2d.h"
#include "core/ops/image_scale/image_scale.h"
#include "core/ops/layer_norm/layer_norm.h"
#include "core/ops/instance_norm/instance_norm.h"
#include "core/ops/leaky_relu/leaky_relu.h"
#include "core/ops/lr_schedule/lr_schedule.h"
#include "core/ops/max_pool2d/max_pool2d.h"
#include "core/ops/mean/mean.h"
#include "core/ops/masked_mean/masked_mean.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "core/ops/noise_normal/noise_normal.h"
#include "core/ops/normalize_image/normalize_image.h"
#include "core/ops/pad_border/pad_border.h"
#include "core/ops/pad_replicate/pad_replicate.h"
#include "core/ops/patch_pool/patch_pool.h"
#include "core/ops/permute_channels/permute_channels.h"
#include "core/ops/pointwise/pointwise.h"
#include "core/ops/quantile/quantile.h"
#include "core/ops/ranked_rows/ranked_rows.h"
#include "core/ops/relu/relu.h"
#include "core/ops/relu6/relu6.h"
#include "core/ops/resize_bilinear/resize_bilinear.h"
#include "core/ops/reweighted_score/reweighted_score.h"
#include "core/ops/scale/scale.h"
#include "core/ops/slice_batch/slice_batch.h"
#include "core/ops/slice_channels/slice_channels.h"
#include "core/ops/space_to_batch/space_to_batch.h"
#include "core/ops/squared_difference/squared_difference.h"
#include "core/ops/ramp/ramp.h"
#include "core/ops/straight_through/straight_through.h"
#include "core/ops/swish/swish.h"
#include "core/base/philox.h"

#include <stdlib.h>

/* Number k of a case as an int. */
#define INT(k) ((int)numbers[k])

/* Most builders are one expression of the graph g, the inputs x and the numbers. */
#define BUILDER(op, expression)                                                                              \
    static EadNode *build_##op(EadGraph *g, EadNode *const x[], const double *numbers) {                     \
        (void)numbers;                                                                                       \
        return expression;                                                                                   \
    }

BUILDER(relu, ead_relu(g, x[0]))
BUILDER(instance_norm, ead_instance_norm(g, x[0], numbers[0]))
BUILDER(conv_transpose2d, ead_conv_transpose2d(g, x[0], x[1], x[2], INT(0), INT(1)))
BUILDER(resize_corners, ead_resize_corners(g, x[0], INT(0), INT(1)))
BUILDER(focal_loss, ead_focal_loss(g, ead_scale(g, x[0], numbers[0]), x[1]))
BUILDER(relu6, ead_relu6(g, ead_scale(g, x[0], numbers[0])))
BUILDER(swish, ead_swish(g, ead_scale(g, x[0], numbers[0])))
BUILDER(sigmoid, ead_sigmoid(g, ead_scale(g, x[0], numbers[0])))
BUILDER(leaky_relu, ead_leaky_relu(g, x[0], numbers[0]))
BUILDER(batch_norm, ead_batch_norm(g, x[0], ead_batch_statistics(g, x[0]), x[1], x[2], numbers[0]))
BUILDER(conv2d, ead_conv2d(g, x[0], x[1], x[2], (EadConv2d){INT(0), INT(1), INT(2) != 0}))
BUILDER(grouped_conv2d, ead_grouped_conv2d(g, x[0], x[1], x[2],
                                           (EadGroupedConv2d){INT(0), INT(1), INT(2), (EadActivation)INT(3)}))
BUILDER(add, ead_add(g, x[0], x[1]))
BUILDER(add_to_itself, ead_add(g, ead_relu(g, x[0]), ead_add(g, x[0], x[0])))
BUILDER(scale, ead_scale(g, x[0], numbers[0]))
BUILDER(slice_batch, ead_slice_batch(g, x[0], INT(0), INT(1)))
BUILDER(concat_batch, ead_concat_batch(g, x[2] ? 3 : 2, x))
BUILDER(concat_channels, ead_concat_channels(g, x[2] ? 3 : 2, x))
BUILDER(slice_channels, ead_slice_channels(g, x[0], INT(0), INT(1)))
BUILDER(permute_channels, ead_permute_channels(g, x[0], x[1]))
BUILDER(channel_sum, ead_channel_sum(g, x[0]))
BUILDER(lr_schedule, ead_lr_schedule(g, x[0], (EadLrSchedule){numbers[0], numbers[1], (int64_t)numbers[2]}))
BUILDER(ramp, ead_ramp(g, x[0], (EadRamp){numbers[0], numbers[1], (int64_t)numbers[2], (int64_t)numbers[3]}))
BUILDER(faded, ead_channel_affine(g, x[0],
                                  ead_ramp(g, x[1], (EadRamp){numbers[0], numbers[1], INT(2), INT(3)}), NULL))
BUILDER(avg_pool2d, ead_avg_pool2d(g, x[0], INT(0), INT(1), INT(2)))
BUILDER(max_pool2d, ead_max_pool2d(g, x[0], (EadMaxPool2d){INT(0), INT(1), INT(2), INT(3) != 0}))
BUILDER(space_to_batch, ead_space_to_batch(g, x[0]))
BUILDER(batch_to_space, ead_batch_to_space(g, x[0]))
BUILDER(dealt_and_back,
        ead_batch_to_space(g, ead_batch_to_space(g, ead_space_to_batch(g, ead_space_to_batch(g, x[0])))))
BUILDER(gram, ead_gram(g, x[0]))
BUILDER(correlations, ead_correlation_loss(g, x[0], numbers[0]))
BUILDER(resize_bilinear, ead_resize_bilinear(g, x[0], INT(0), INT(1)))
BUILDER(dropout, ead_dropout(g, x[0], x[1], numbers[0], (uint64_t)numbers[1], INT(2)))
BUILDER(noise_normal, ead_noise_normal(g, x[0], x[1], numbers[0], (uint64_t)numbers[1]))
BUILDER(channel_affine, ead_channel_affine(g, x[0], x[1], x[2]))
BUILDER(coupling, ead_coupling(g, x[0], x[1], (EadCoupling){INT(0) != 0, numbers[1], numbers[2], numbers[3]}))
BUILDER(coupling_logdet,
        ead_coupling_logdet(g, x[0], (EadCoupling){INT(0) != 0, numbers[1], numbers[2], numbers[3]}))
BUILDER(layer_norm, ead_layer_norm(g, x[0], ead_layer_statistics(g, x[0]), x[1], x[2], numbers[0]))
BUILDER(exp, ead_exp(g, x[0]))
BUILDER(sqrt_of_softplus, ead_sqrt(g, ead_softplus(g, x[0], numbers[0])))
BUILDER(softplus, ead_softplus(g, x[0], numbers[0]))
BUILDER(log_of_softplus, ead_log(g, ead_softplus(g, x[0], numbers[0])))
BUILDER(squared_difference, ead_squared_difference(g, x[0], x[1]))
BUILDER(mean, ead_mean(g, x[0]))
BUILDER(channel_mean, ead_channel_mean(g, x[0]))
BUILDER(quantile, ead_quantile(g, x[0], numbers[0]))
BUILDER(masked_mean, ead_masked_mean(g, x[0], x[1]))
BUILDER(hard_feature_loss, ead_hard_feature_loss(g, x[0], numbers[0]))
BUILDER(normalize_image, ead_normalize_image(g, x[0]))
BUILDER(normalize_image_by, ead_normalize_image_by(g, x[0],
                                                   &(EadColorScale){{numbers[0], numbers[0], numbers[1]},
                                                                    {numbers[2], numbers[2], numbers[3]}}))
BUILDER(fill_cells, ead_fill_cells(g, x[0], x[1], numbers[0]))
BUILDER(pad_border, ead_pad_border(g, x[0], INT(0)))
BUILDER(pad_replicate, ead_pad_replicate(g, x[0], INT(0)))
BUILDER(global_avg_pool, ead_global_avg_pool(g, x[0]))
BUILDER(image_scale, ead_image_scale(g, x[0], x[1]))
BUILDER(patch_pool, ead_patch_pool(g, x[0], (EadPatchPool){INT(0), INT(1)}))
BUILDER(nearest_rows, ead_nearest_rows(g, x[0], x[1], (EadNearestRows){INT(0), INT(1) != 0}))
BUILDER(reweighted_score,
        ead_reweighted_score(g, x[0], ead_nearest_rows(g, x[0], x[1], (EadNearestRows){INT(1), true}), x[1],
                             INT(0)))
BUILDER(gaussian_filter, ead_gaussian_filter(g, x[0], numbers[0]))
BUILDER(gather_image, ead_gather_image(g, x[0], x[1]))
BUILDER(gather_bytes, ead_normalize_image(g, ead_gather_image(g, x[0], x[1])))
BUILDER(draw_image,
        ead_gather_image(g, x[0],
                         ead_sample_index(g, x[1], x[2],
                                          (EadSampleIndex){(uint64_t)numbers[0], (uint64_t)numbers[1]})))
BUILDER(random_grayscale,
        ead_normalize_image(g, ead_random_grayscale(g, x[0], x[1],
                                                    (EadRandomGrayscale){(uint64_t)numbers[0],
                                                                         (uint64_t)numbers[1],
                                                                         (float)numbers[2]})))
BUILDER(draw_jitter, ead_normalize_image(g, ead_random_color_jitter(g, x[0], x[1], (uint64_t)numbers[0])))

/* Whole numbers 0 .. numbers[0] - 1 out of values in [-1,1), which are rows of a table of so many. */
static EadNode *whole_numbers(EadGraph *g, EadNode *x, double count) {
    int rows = (int)count;
    real *table = ead_graph_memory(g, rows, sizeof *table, "a table");
    for (int i = 0; table && i < rows; i++) table[i] = (2 * (real)i + 1) / (real)rows - 1;
    return ead_ranked_rows(g, x, ead_leaf(g, "table", EAD_REAL, rows, 1, 1, 1, table), NULL);
}

BUILDER(ranked_rows, ead_ranked_rows(g, x[0], x[1], x[2] ? whole_numbers(g, x[2], numbers[0]) : NULL))
BUILDER(gather_rows, ead_gather_rows(g, x[0], whole_numbers(g, x[1], numbers[0])))
/* Past values that are alike, so that the gradient is that of differences, and to values that have none. */
BUILDER(straight_through,
        ead_add(g, ead_straight_through(g, ead_scale(g, x[0], numbers[0]), ead_scale(g, x[0], numbers[0])),
                ead_add(g, ead_scale(g, x[0], 2), ead_straight_through(g, x[1], NULL))))

/* Two updates on averages that begin as zeros, the first by the codes x[0]. */
static EadNode *build_codebook_update(EadGraph *g, EadNode *const x[], const double *numbers) {
    EadTensor t = x[0]->y;
    EadNode *codes = ead_leaf(g, "codes", EAD_REAL, t.n, 1, 1, t.c, NULL),
            *averages = ead_leaf(g, "averages", EAD_REAL, t.n, 1, 1, t.c + 1, NULL), *step = x[2];
    EadCodebookUpdate update = {numbers[0], 1e-5, numbers[1], (uint64_t)numbers[2], (uint64_t)numbers[3]};
    EadNode *nearest = x[0];
    for (int i = 0; i < 2; i++) {
        EadNode *index = ead_ranked_rows(g, x[1], nearest, NULL);
        nearest = ead_codebook_update(g, codes, averages, x[1], index, step, update);
        step = ead_increment(g, step);
    }
    return nearest;
}

/* Two slices of one batch, each used in its own way. */
static EadNode *deal(EadGraph *g, EadNode *base, const double *numbers) {
    EadNode *first = ead_slice_batch(g, base, INT(0), INT(1)),
            *second = ead_slice_batch(g, base, INT(2), INT(3));
    return ead_concat_batch(g, 2, (EadNode *[]){ead_scale(g, second, 2), ead_relu(g, first)});
}

static EadNode *build_slices(EadGraph *g, EadNode *const x[], const double *numbers) {
    return deal(g, ead_scale(g, x[0], 3), numbers);
}

/* Slices that tile the batch, and a reader of all of it beside them. */
static EadNode *build_slices_and_whole(EadGraph *g, EadNode *const x[], const double *numbers) {
    EadNode *base = ead_scale(g, x[0], 3), *dealt = deal(g, base, numbers);
    return ead_concat_batch(g, 2, (EadNode *[]){dealt, ead_scale(g, base, -1)});
}

/* One update for each image of x[1], the gradients; numbers: rate, its factor, the step it drops at, decay, when it joins. */
static EadNode *steps_of_adam(EadGraph *g, EadNode *const x[], const double *numbers, bool decoupled) {
    EadNode *parameters = x[0], *step = x[2];
    EadNode *first = ead_leaf(g, "first", EAD_REAL, 1, 1, 1, x[0]->y.c, NULL);
    EadNode *second = ead_leaf(g, "second", EAD_REAL, 1, 1, 1, x[0]->y.c, NULL);
    EadLrSchedule schedule = {numbers[0], numbers[1], (int64_t)numbers[2]};
    for (int i = 0; i < x[1]->y.n; i++) {
        EadNode *rate = ead_lr_schedule(g, step, schedule);
        parameters = ead_adam(g, parameters, ead_slice_batch(g, x[1], i, 1), first, second, step, rate,
                              (EadAdam){0.9, 0.999, 1e-8, numbers[3], decoupled, (int64_t)numbers[4]});
        step = ead_increment(g, step);
    }
    return parameters;
}

BUILDER(adam, steps_of_adam(g, x, numbers, false))
BUILDER(adamw, steps_of_adam(g, x, numbers, true))

/* The running statistics after two batches. */
static EadNode *build_running_statistics(EadGraph *g, EadNode *const x[], const double *numbers) {
    EadNode *running = x[1];
    for (int i = 0; i < 2; i++) {
        EadNode *batch = ead_slice_batch(g, x[0], i * x[0]->y.n / 2, x[0]->y.n / 2);
        running = ead_batch_norm_update(g, running, batch, ead_batch_statistics(g, batch), numbers[0]);
    }
    return running;
}

/* The first channels, doubled, behind those from another one on; numbers: how many, from where. */
static EadNode *build_channel_halves(EadGraph *g, EadNode *const x[], const double *numbers) {
    EadNode *base = ead_scale(g, x[0], 3), *first = ead_slice_channels(g, base, 0, INT(0)),
            *rest = ead_slice_channels(g, base, INT(1), base->y.c - INT(1));
    return ead_concat_channels(g, 2, (EadNode *[]){rest, ead_scale(g, first, 2)});
}

/* A small student with a loss over two images: long enough for the planner to reuse memory. */
static EadNode *build_chain(EadGraph *g, EadNode *const x[], const double *numbers) {
    (void)numbers;
    EadNode *a = ead_relu(g, ead_conv2d(g, x[0], x[1], x[2], (EadConv2d){.stride = 1, .padding = 3}));
    a = ead_avg_pool2d(g, a, 2, 2, 1);
    EadNode *b = ead_conv2d(g, a, x[3], NULL, (EadConv2d){.stride = 1, .padding = 1, .relu = true});
    b = ead_add(g, ead_scale(g, b, 0.5),
                ead_resize_bilinear(g, ead_resize_bilinear(g, b, 3, 9), b->y.h, b->y.w));
    EadNode *d = ead_squared_difference(g, ead_slice_batch(g, b, 0, 1), ead_slice_batch(g, b, 1, 1));
    EadNode *map = ead_pad_border(g, ead_channel_mean(g, d), 1);
    EadNode *hard = ead_hard_feature_loss(g, d, 0.9);
    return ead_concat_batch(g, 2, (EadNode *[]){ead_mean(g, map), hard});
}

#define INPUTS(...)                                                                                          \
    { __VA_ARGS__ }
#define OP_CASE(name, op, inputs, ...) {#name, build_##op, inputs, {__VA_ARGS__}},

static const OpCase cases[] = {
#include "test/support/op_cases.def"
};

int op_case_count(void) {
    return (int)(sizeof cases / sizeof *cases);
}

const OpCase *op_case_at(int index) {
    return &cases[index];
}

bool op_case_is_smooth(const OpCase *op_case) {
    for (int i = 0; i < OP_CASE_INPUTS; i++)
        if (op_case->inputs[i].kind == OP_CASE_TIES) return false;
    return true;
}

/* Element i of input k comes from word k * 2^20 + i of the case's own generator. */
static uint32_t word_of(const OpCase *op_case, int k, int64_t i) {
    return ead_philox_word(ead_hash_name(op_case->name), EAD_STREAM_TEST, ((uint64_t)k << 20) + (uint64_t)i);
}

static void fill_reals(const OpCase *op_case, int k, bool ties, real *out, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        float u = ead_uniform(word_of(op_case, k, i));
        out[i] = ties ? (real)((int)(u * 5) - 2) / 4 : 2 * (real)u - 1;
    }
}

static EadNode *add_real_leaf(const OpCase *op_case, int k, OpCaseInput shape, OpCaseGraph *out) {
    int64_t count = (int64_t)shape.n * shape.h * shape.w * shape.c;
    real *data = out->memory[k] = malloc((size_t)count * sizeof *data);
    if (!data) return NULL;
    fill_reals(op_case, k, shape.kind == OP_CASE_TIES, data, count);
    if (shape.kind == OP_CASE_CONST)
        return ead_leaf(out->graph, "constant", EAD_REAL, shape.n, shape.h, shape.w, shape.c, data);
    return ead_trainable_leaf(out->graph, "input", shape.n, shape.h, shape.w, shape.c, data);
}

static EadNode *add_half_leaf(const OpCase *op_case, int k, OpCaseInput shape, OpCaseGraph *out) {
    int64_t count = (int64_t)shape.n * shape.h * shape.w * shape.c;
    uint16_t *data = out->memory[k] = malloc((size_t)count * sizeof *data);
    if (!data) return NULL;
    for (int64_t i = 0; i < count; i++)
        data[i] = ead_half_from_float(2 * ead_uniform(word_of(op_case, k, i)) - 1);
    return ead_leaf(out->graph, "halves", EAD_F16, shape.n, shape.h, shape.w, shape.c, data);
}

static EadNode *add_byte_leaf(const OpCase *op_case, int k, OpCaseInput shape, OpCaseGraph *out) {
    int64_t count = (int64_t)shape.n * shape.h * shape.w * shape.c;
    uint8_t *data = out->memory[k] = malloc((size_t)count);
    if (!data) return NULL;
    for (int64_t i = 0; i < count; i++) data[i] = (uint8_t)(word_of(op_case, k, i) >> 24);
    return ead_leaf(out->graph, "bytes", EAD_U8, shape.n, shape.h, shape.w, shape.c, data);
}

static EadNode *add_order_leaf(const OpCase *op_case, int k, int count, OpCaseGraph *out) {
    int64_t *data = out->memory[k] = malloc((size_t)count * sizeof *data);
    if (!data) return NULL;
    for (int i = 0; i < count; i++)
        data[i] =
            ead_shuffled_index(ead_hash_name(op_case->name), EAD_STREAM_TEST, (uint64_t)i, (uint32_t)count);
    return ead_leaf(out->graph, "order", EAD_I64, 1, 1, 1, count, data);
}

static EadNode *add_input(const OpCase *op_case, int k, OpCaseGraph *out) {
    OpCaseInput input = op_case->inputs[k];
    if (input.kind == OP_CASE_HALF) return add_half_leaf(op_case, k, input, out);
    if (input.kind == OP_CASE_BYTES) return add_byte_leaf(op_case, k, input, out);
    if (input.kind == OP_CASE_ORDER) return add_order_leaf(op_case, k, input.c, out);
    if (input.kind != OP_CASE_STEP) return add_real_leaf(op_case, k, input, out);
    int64_t *step = out->memory[k] = malloc(sizeof *step);
    if (!step) return NULL;
    *step = input.n;
    return ead_leaf(out->graph, "step", EAD_I64, 1, 1, 1, 1, step);
}

EadStatus op_case_build(const OpCase *op_case, OpCaseGraph *out) {
    *out = (OpCaseGraph){.graph = ead_graph_new()};
    if (!out->graph) return ead_fail(EAD_NO_MEMORY, "%s: no memory", op_case->name);
    for (int k = 0; k < OP_CASE_INPUTS && op_case->inputs[k].kind != OP_CASE_NONE; k++)
        if (!(out->x[k] = add_input(op_case, k, out)))
            return ead_fail(EAD_NO_MEMORY, "%s: no memory", op_case->name);
    out->y = op_case->build(out->graph, out->x, op_case->numbers);
    if (ead_graph_status(out->graph) != EAD_OK || !out->y->needs_gradient)
        return ead_graph_status(out->graph);
    EadTensor y = out->y->y;
    EadNode *target =
        add_real_leaf(op_case, OP_CASE_INPUTS, (OpCaseInput){OP_CASE_CONST, y.n, y.h, y.w, y.c}, out);
    if (!target) return ead_fail(EAD_NO_MEMORY, "%s: no memory", op_case->name);
    out->loss = ead_mean(out->graph, ead_squared_difference(out->graph, out->y, target));
    return ead_graph_status(out->graph);
}

int op_case_trainable(const OpCaseGraph *built, EadNode *out[OP_CASE_INPUTS]) {
    int count = 0;
    for (int k = 0; k < OP_CASE_INPUTS; k++)
        if (built->x[k] && built->x[k]->needs_gradient) out[count++] = built->x[k];
    return count;
}

EadStatus op_case_plan(OpCaseGraph *built, const EadPlanOptions *options) {
    EadNode *inputs[OP_CASE_INPUTS], *gradients[OP_CASE_INPUTS];
    int count = built->loss ? op_case_trainable(built, inputs) : 0;
    if (count) ead_backward(built->graph, built->loss, count, inputs, gradients);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < OP_CASE_INPUTS; k++)
            if (built->x[k] == inputs[i] && gradients[i]) built->dx[k] = ead_keep(gradients[i]);
    ead_keep(built->y);
    return ead_plan_new(built->graph, options, &built->plan);
}

void op_case_free(OpCaseGraph *built) {
    ead_plan_free(built->plan);
    ead_graph_free(built->graph);
    for (int k = 0; k <= OP_CASE_INPUTS; k++) free(built->memory[k]);
    *built = (OpCaseGraph){0};
}
